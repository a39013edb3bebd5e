//! The whole grammar once: files that hold every construct parse without a problem, into all that they say.

use ksig_lang::{ast::*, parse};

fn clean(text: &str) -> File {
    let parsed = parse(text, 0);
    assert_eq!(parsed.syntax().to_string(), text);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    crate::oracle::agree(text);
    parsed.ast
}

fn statements(file: &File) -> &[Statement] {
    let found = file.items.iter().find_map(|item| match item {
        Item::Signature(signature) => Some(&signature.body),
        _ => None,
    });
    found.unwrap()
}

fn signature(body: &str) -> (String, File) {
    let text = format!("ksig 1\nmodule a\nsignature s {{\n{body}\n}}\n");
    let file = clean(&text);
    (text, file)
}

fn at(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

#[test]
fn every_construct_comes_out() {
    let file = clean(crate::samples::EVERYTHING);
    let counts = |wanted: fn(&Item) -> bool| file.items.iter().filter(|item| wanted(item)).count();
    assert_eq!(file.edition.as_ref().map(|edition| edition.value), Some(1));
    assert_eq!(file.module.as_ref().map(|path| path.value.len()), Some(3));
    assert_eq!(file.uses.iter().map(|import| import.names.len()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(counts(|item| matches!(item, Item::Table(table) if table.columns.len() + table.rows.len() > 3)), 2);
    assert_eq!(counts(|item| matches!(item, Item::Scheme(_))), 2);
    assert_eq!(counts(|item| matches!(item, Item::Vendor(entry) | Item::Class(entry) | Item::Tag(entry) if entry.path.value.len() < 3)), 4);
    assert_eq!(counts(|item| matches!(item, Item::Probe(_))), 5);
    assert_eq!(counts(|item| matches!(item, Item::Let(_))), 3);
    assert_eq!(counts(|item| matches!(item, Item::Choice(choice) if choice.members.len() == 3)), 1);
    assert_eq!(counts(|item| matches!(item, Item::Signature(_))), 2);
    let body = statements(&file);
    let metadata: Vec<_> =
        body.iter().map_while(|line| if let Statement::Meta(meta) = line { Some(meta.name.value.as_str()) } else { None }).collect();
    assert_eq!(metadata, ["summary", "evidence", "confidence", "scope", "redact", "allow"]);
    let tests: Vec<_> = body.iter().filter_map(|line| if let Statement::Test(test) = line { Some(test) } else { None }).collect();
    assert_eq!((tests[0].given.len(), tests[0].with.len(), tests[0].expect.len()), (6, 1, 8));
}

#[test]
fn docs_are_the_lines_right_before() {
    let file = clean("ksig 1\nmodule a\n/// far\n\n/// near\n///  and nearer\n// no doc\nlet x = y\n/// one\n/// two\nprobe p = q()\n");
    let Item::Probe(probe) = &file.items[1] else { panic!() };
    assert_eq!(probe.doc, "one\ntwo");
}

#[test]
fn a_regex_knows_its_place() {
    let (text, file) = signature("match { a ~ b/^\\/x\\d/iufold_widthz }");
    let Statement::Match { lines, .. } = &statements(&file)[0] else { panic!() };
    let LineKind::Condition(Expr { kind: ExprKind::Binary(BinaryOp::Matches, _, right), .. }) = &lines[0].kind else { panic!() };
    let ExprKind::Regex { pattern, pattern_span, flags, bytes } = &right.kind else { panic!() };
    assert_eq!((pattern.as_str(), at(&text, *pattern_span), *bytes), ("^/x\\d", "^\\/x\\d", true));
    assert_eq!(
        flags.iter().map(|flag| (flag.value.as_str(), at(&text, flag.span))).collect::<Vec<_>>(),
        [("iu", "iu"), ("fold_width", "fold_width"), ("z", "z")]
    );
    assert_eq!(at(&text, right.span), "b/^\\/x\\d/iufold_widthz");
}

fn heredoc(lines: &str) -> String {
    let (_, file) = signature(&format!("test \"t\" {{ given p = http\"\"\"\n{lines}\"\"\" }}"));
    let Statement::Test(test) = &statements(&file)[0] else { panic!() };
    let Fixture::Inline { kind, text } = &test.given[0].fixture else { panic!() };
    assert_eq!(kind.value, "http");
    text.value.clone()
}

#[test]
fn a_heredoc_loses_the_indentation_that_its_lines_share() {
    assert_eq!(heredoc(""), "");
    assert_eq!(heredoc("  a\n    b\n\n  "), "a\n  b\n\n");
    assert_eq!(heredoc("    a\n  "), "  a\n");
    assert_eq!(heredoc("  a\n      "), "a\n");
    assert_eq!(heredoc("\ta\n  b\n  "), "\ta\n  b\n");
    assert_eq!(heredoc("  a \"\"\" b\r\n \r\n  "), "a \"\"\" b\n\n");
    assert_eq!(heredoc("  a\n     \n  "), "a\n   \n");
}

fn value(text: &str) -> ExprKind {
    let file = clean(&format!("ksig 1\nmodule a\nlet x = {text}\n"));
    let Item::Let(item) = &file.items[0] else { panic!() };
    item.value.kind.clone()
}

#[test]
fn literals_come_after_their_escapes() {
    let text = |value: &str| ExprKind::Text(value.to_owned());
    assert_eq!(value(r#""a\"\\\n\r\t\u{3042}{m|cpe}""#), text("a\"\\\n\r\tあ{m|cpe}"));
    assert_eq!(value(r#"b"\x00\xffA""#), ExprKind::Prefixed("b".to_owned(), "\0\u{ff}A".to_owned()));
    assert_eq!(value(r#"v"1.2""#), ExprKind::Prefixed("v".to_owned(), "1.2".to_owned()));
    assert_eq!(value("-5"), ExprKind::Int(-5));
    assert_eq!(value("999999999999999999"), ExprKind::Int(999_999_999_999_999_999));
    assert_eq!(value("250ms"), ExprKind::Duration("250ms".to_owned()));
    assert_eq!(value("192.0.2.1"), ExprKind::Dotted("192.0.2.1".to_owned()));
    assert_eq!(value("true"), ExprKind::Bool(true));
    assert!(matches!(value("2024-02-29"), ExprKind::Date(date) if date.to_string() == "2024-02-29"));
}

/// How an expression groups, with all its parentheses.
fn shape(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Field(base, name) => format!("{}.{}", shape(base), name.value),
        ExprKind::Not(inner) => format!("(not {})", shape(inner)),
        ExprKind::Absent(inner) => format!("({} absent)", shape(inner)),
        ExprKind::Binary(op, left, right) => format!("({} {op:?} {})", shape(left), shape(right)),
        ExprKind::Otherwise(left, right) => format!("({} otherwise {})", shape(left), shape(right)),
        ExprKind::Range { low, high, inclusive } => format!("({} {} {})", shape(low), if *inclusive { "..=" } else { "..<" }, shape(high)),
        ExprKind::If(a, b, c) => format!("(if {} {} {})", shape(a), shape(b), shape(c)),
        ExprKind::Index(base, key) => format!("{}[{}]", shape(base), shape(key)),
        ExprKind::Call(base, args) => {
            format!("{}({})", shape(base), args.iter().map(|arg| shape(&arg.value)).collect::<Vec<_>>().join(" "))
        }
        ExprKind::Worded(word, inner) => format!("<{} {}>", word.value, shape(inner)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_the_table_says() {
    let cases = [
        ("a and b and c", "((a And b) And c)"),
        ("a or (b and c)", "(a Or (b And c))"),
        ("not a == b and c", "((not (a Eq b)) And c)"),
        ("not not a absent", "(not (not (a absent)))"),
        ("a == b otherwise c and d otherwise e", "(((a Eq b) otherwise (c And d)) otherwise e)"),
        ("if a and b then c else if d then e else f otherwise g", "(if (a And b) c (if d e (f otherwise g)))"),
        ("a in b ..< c", "(a In (b ..< c))"),
        ("a.b.1.2[c](d, at e).f", "a.b.1.2[c](d <at e>).f"),
        ("at_least a ..= by b", "(<at_least a> ..= <by b>)"),
        ("a under b", "(a Under b)"),
    ];
    for (text, wanted) in cases {
        let file = clean(&format!("ksig 1\nmodule a\nlet x = {text}\n"));
        let Item::Let(item) = &file.items[0] else { panic!() };
        assert_eq!(shape(&item.value), wanted, "{text}");
    }
}

#[test]
fn a_broken_line_leaves_its_neighbours() {
    let parsed =
        parse("ksig 1\nmodule a\nsignature s {\n  summary \"x\"\n  match {\n    a == ]\n    d\n  }\n  let y =\n  tag t\n}\nlet z = 1\n", 0);
    let body = statements(&parsed.ast);
    assert!(matches!(&body[1], Statement::Match { lines, .. } if lines.len() == 1), "{body:#?}");
    assert!(matches!(body.last(), Some(Statement::Tag(_))));
    assert_eq!(parsed.ast.items.len(), 2);
}

/// The design's examples stand beside a working copy, not in it.
#[test]
fn the_examples_of_the_design_parse() {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = manifest.ancestors().skip(1).map(|folder| folder.join("shared/examples")).find(|folder| folder.is_dir());
    let Some(folder) = std::env::var_os("KSIG_EXAMPLES").map(Into::into).or(beside) else {
        println!("not run: there is no folder shared/examples beside the working copy, and KSIG_EXAMPLES names none");
        return;
    };
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!entries.is_empty());
    for path in entries {
        let file = clean(&std::fs::read_to_string(path).unwrap());
        assert!(file.items.iter().any(|item| matches!(item, Item::Signature(signature) if signature.body.len() > 3)));
    }
}
