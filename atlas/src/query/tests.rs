use super::*;
use proptest::prelude::*;

fn word(text: &str) -> Query {
    Query::Word(text.into())
}

fn is(field: Field, value: &str) -> Query {
    Query::Field(field, vec![Condition::Is(value.into())])
}

fn number(value: i64) -> Bound<Point> {
    Bound::Included(Point::Number(value))
}

#[test]
fn forms_of_the_language() {
    let cases: Vec<(&str, Query)> = vec![
        ("", Query::All),
        ("　*　", Query::All),
        ("ルーター バッファロー", Query::And(vec![word("ルーター"), word("バッファロー")])),
        ("a OR b AND c", Query::Or(vec![word("a"), Query::And(vec![word("b"), word("c")])])),
        ("a -b", Query::And(vec![word("a"), Query::Not(Box::new(word("b")))])),
        ("NOT (a OR b)", Query::Not(Box::new(Query::Or(vec![word("a"), word("b")])))),
        ("--a", word("a")),
        ("WSR-1166DHP4", word("WSR-1166DHP4")),
        ("wsr-*", Query::Prefix("wsr-".into())),
        ("\"設定 画面\"", Query::Quote("設定 画面".into())),
        (r#""say \"hi\"""#, Query::Quote("say \"hi\"".into())),
        ("vendor:バッファロー", is(Field::Vendor, "バッファロー")),
        ("Vendor：buffalo　type:router", Query::And(vec![is(Field::Vendor, "buffalo"), is(Field::Class, "router")])),
        ("model:\"Si-R G110\"", is(Field::Model, "Si-R G110")),
        ("model:WSR*", Query::Field(Field::Model, vec![Condition::Begins("WSR".into())])),
        ("vendor:*", Query::Field(Field::Vendor, vec![Condition::Present])),
        ("-tag:eol", Query::Not(Box::new(is(Field::Tag, "eol")))),
        ("eol:unknown", Query::Field(Field::Ended, vec![Condition::Known(Known::Unknown)])),
        ("{ルーター, \"x y\"}", Query::Or(vec![word("ルーター"), Query::Quote("x y".into())])),
        (
            "port:{80, 443}",
            Query::Field(Field::Port, vec![Condition::Between(number(80), number(80)), Condition::Between(number(443), number(443))]),
        ),
        ("port:8000..8999", Query::Field(Field::Port, vec![Condition::Between(number(8000), number(8999))])),
        ("port:>1023", Query::Field(Field::Port, vec![Condition::Between(Bound::Excluded(Point::Number(1023)), Bound::Unbounded)])),
        (
            "ip:192.0.2.0/30",
            Query::Field(
                Field::Ip,
                vec![Condition::Between(
                    Bound::Included(Point::Address("192.0.2.0".parse().expect("address"))),
                    Bound::Included(Point::Address("192.0.2.3".parse().expect("address"))),
                )],
            ),
        ),
        (
            "time:1970-01-02",
            Query::Field(
                Field::Time,
                vec![Condition::Between(Bound::Included(Point::Second(86_400)), Bound::Included(Point::Second(172_799)))],
            ),
        ),
        ("ends:<1970-01-03", Query::Field(Field::Ends, vec![Condition::Between(Bound::Unbounded, Bound::Excluded(Point::Day(2)))])),
        ("ORANGE", word("ORANGE")),
        ("10:20", word("10:20")),
    ];
    for (text, query) in cases {
        assert_eq!(Query::parse(text), Ok(query), "{text}");
    }
}

#[test]
fn mistakes_name_their_column_and_what_to_do() {
    for (text, column, reason) in [
        ("ルーター vender:x", 6, "there is no field `vender`; did you mean `vendor`?"),
        ("http://x", 1, "To search for the text itself write \"http://x\""),
        ("a (b", 3, "never closed"),
        ("a )", 3, "closes nothing"),
        ("ア \"b", 3, "this quotation mark is never closed"),
        ("port:{80", 6, "never closed"),
        ("a OR", 5, "the query ends where"),
        ("()", 2, "is expected before this `)`"),
        ("a OR OR b", 6, "is expected here"),
        ("vendor:", 1, "the value after `vendor:` is missing"),
        ("port:http", 6, "`http` is not a number from 0 to 65535"),
        ("port:{80,99999}", 10, "`99999` is not a number"),
        ("ip:192.0.2.0/33", 4, "neither an address nor a network"),
        ("eol:maybe", 5, "none of true, false, unknown"),
        ("version:<abc", 9, "is not a version"),
        ("time:>2026-13-01", 6, "is not a day"),
        ("vendor:<b", 8, "have no order"),
        ("a & b", 3, "no letter or digit"),
    ] {
        let error = Query::parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
}

#[test]
fn size_and_depth_are_limited() {
    let deep = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(Query::parse(&deep(QUERY_DEPTH_MAX)), Ok(word("a")));
    assert!(Query::parse(&deep(QUERY_DEPTH_MAX + 1)).expect_err("too deep").reason.contains("nested deeper"));
    assert!(Query::parse(&deep(2000)).is_err());
    assert!(Query::parse(&"a ".repeat(QUERY_VALUES_MAX + 1)).expect_err("too many").reason.contains("more than 256"));
    assert!(Query::parse(&"a".repeat(QUERY_BYTES_MAX + 1)).expect_err("too long").reason.contains("at most 4096"));
    assert_eq!(Query::parse(&format!("{}a", "-".repeat(4000))), Ok(word("a")));
    assert!(Query::parse(&format!("{}OR{}", "(".repeat(32), ")".repeat(32))).is_err());
}

proptest! {
    #[test]
    fn no_text_panics_the_parser(text in "\\PC{0,60}") {
        drop(Query::parse(&text));
    }

    #[test]
    fn no_signs_panic_the_parser(text in "(vendor|port|ip|version|time|eol|OR|AND|NOT|[ a1.:<>=*/{},()\"\\\\ルー　：-]){0,24}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
        }
    }
}
