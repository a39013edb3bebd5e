use std::collections::BTreeSet;

use super::*;
use ksig_schema::identification::{Component, Confidence, Known, Tag};
use ksig_schema::{Term, Transport};
use proptest::prelude::*;

fn term(en: &str, ja: &str, aliases: &[&str]) -> Term {
    Term { en: en.into(), ja: ja.into(), aliases: aliases.iter().map(|alias| alias.to_string()).collect(), ..Term::default() }
}

fn vocabulary() -> Vocabulary {
    Vocabulary {
        vendors: [
            ("acme".to_string(), term("ACME", "アクメ", &["旧アクメ工業"])),
            ("north-star".to_string(), term("North Star", "ノーススター", &[])),
        ]
        .into(),
        classes: [
            ("router".to_string(), term("Router", "ルーター", &[])),
            ("router.home".to_string(), term("Home router", "家庭用ルーター", &[])),
            ("camera".to_string(), term("Network camera", "ネットワークカメラ", &[])),
        ]
        .into(),
        tags: [("eol".to_string(), term("Support has ended", "サポート終了", &[]))].into(),
    }
}

/// A SYNTHETIC entry at 192.0.2.`last`.
fn entry(last: u8, port: u16) -> Entry {
    let host = format!("192.0.2.{last}");
    Entry {
        address: Some(host.parse().expect("address")),
        host,
        port,
        transport: Transport::Tcp,
        time: Some("2026-11-01T12:00:00Z".parse().expect("time")),
        facet: None,
        vendor: None,
        brand: None,
        series: None,
        model: None,
        version: None,
        class: None,
        cpe: None,
        tags: Vec::new(),
        signature: None,
        confidence: None,
        evidence: None,
        support_ended: Known::Unknown,
        support_ends: None,
        latest: Known::Unknown,
        latest_version: None,
        components: Vec::new(),
        title: None,
        server: None,
        charset: None,
        text: String::new(),
        digest: None,
        release: "2026-11-01".into(),
    }
}

fn product(last: u8, vendor: &str, model: &str, version: &str, class: &str) -> Entry {
    Entry {
        facet: Some("device".into()),
        vendor: Some(vendor.into()),
        model: Some(model.into()),
        version: (!version.is_empty()).then(|| version.to_string()),
        class: Some(class.into()),
        signature: Some(format!("{class}.{vendor}.page")),
        confidence: Some(Confidence::Strong),
        ..entry(last, 80)
    }
}

fn population() -> Vec<Entry> {
    let tag = |name: &str| Tag { name: name.into(), params: [("cve".to_string(), "CVE-2099-0001".to_string())].into() };
    vec![
        Entry { port: 8080, text: "ログイン 設定画面".into(), ..product(9, "acme", "AR-100X4", "1.20", "router.home") },
        Entry {
            tags: vec![tag("eol")],
            support_ended: Known::Yes,
            support_ends: Some("2020-03-31".parse().expect("day")),
            latest: Known::No,
            title: Some("かんたん設定".into()),
            ..product(1, "acme", "AR-100X", "1.9", "router.home")
        },
        Entry { latest: Known::Yes, ..product(2, "acme", "AR-200", "1.20.0", "router") },
        Entry {
            server: Some("tiny-httpd/2.1".into()),
            components: vec![Component { product: "libtiny".into(), version: Some("0.9".into()), ..Component::default() }],
            time: Some("2026-11-08T00:00:00Z".parse().expect("time")),
            support_ended: Known::No,
            ..product(3, "north-star", "NC 7", "", "camera")
        },
        Entry { digest: Some("00ff".into()), text: "株式会社アクメ 管理ページ".into(), ..entry(4, 443) },
        Entry {
            address: Some("2001:db8::1".parse().expect("address")),
            host: "2001:db8::1".into(),
            ..product(5, "acme", "AR-200", "beta", "router")
        },
    ]
}

fn built() -> (tempfile::TempDir, Index) {
    let dir = tempfile::tempdir().expect("tempdir");
    let index = Index::build(dir.path(), population(), &vocabulary()).expect("build");
    (dir, index)
}

/// The last number of each address found, in the order of the answer.
fn found(index: &Index, query: &str) -> Vec<u8> {
    let answer = index.search(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let entries: Vec<Entry> = answer.entries().collect::<Result<_, _>>().expect("entries");
    assert_eq!(entries.len(), answer.count(), "{query}");
    entries.iter().map(|entry| if entry.host.contains(':') { 5 } else { entry.host[8..].parse().expect("number") }).collect()
}

#[test]
fn entries_come_back_as_they_were_sorted_by_address() {
    let (_dir, index) = built();
    let entries: Vec<Entry> = index.search("").expect("search").entries().collect::<Result<_, _>>().expect("entries");
    let mut wanted = population();
    wanted.sort_by_key(|entry| (entry.address.map(v6), entry.port));
    assert_eq!(entries, wanted);
    assert_eq!(index.entry_count(), 6);
}

#[test]
fn queries_find_what_they_say() {
    let (_dir, index) = built();
    let cases: &[(&str, &[u8])] = &[
        ("", &[1, 2, 3, 4, 9, 5]),
        ("*", &[1, 2, 3, 4, 9, 5]),
        ("アクメ", &[1, 2, 4, 9, 5]),
        ("vendor:アクメ", &[1, 2, 9, 5]),
        ("vendor:旧アクメ工業 ルータ", &[1, 2, 9, 5]),
        ("vendor:north*", &[3]),
        ("north star", &[3]),
        ("-vendor:*", &[4]),
        ("type:router", &[1, 2, 9, 5]),
        ("type:router.home", &[1, 9]),
        ("type:家庭用ルーター", &[1, 9]),
        ("type:カメラ", &[3]),
        ("type:rout", &[]),
        ("サポート終了", &[1]),
        ("tag:サポート終了", &[1]),
        ("tag:eol", &[1]),
        ("CVE-2099-0001", &[1]),
        ("eol:true", &[1]),
        ("eol:false", &[3]),
        ("eol:unknown", &[2, 4, 9, 5]),
        ("eol:*", &[1, 3]),
        ("latest:false OR latest:true", &[1, 2]),
        ("ends:<2021-01-01", &[1]),
        ("ends:2020-03-31", &[1]),
        ("ends:*", &[1]),
        ("model:AR-100X", &[1]),
        ("model:ar100x4", &[9]),
        ("model:ar100*", &[1, 9]),
        ("model:{AR-100X,AR-200}", &[1, 2, 5]),
        ("model:\"NC 7\"", &[3]),
        ("nc7", &[3]),
        ("ar-100x", &[1]),
        ("ar*", &[1, 2, 9, 5]),
        ("version:1.20", &[9]),
        ("version:<1.20", &[1]),
        ("version:>=1.20", &[2, 9]),
        ("version:1.9..1.10", &[1]),
        ("version:1.*", &[1, 2, 9]),
        ("version:*", &[1, 2, 9, 5]),
        ("port:80", &[1, 2, 3, 5]),
        ("port:{443,8080}", &[4, 9]),
        ("port:>80", &[4, 9]),
        ("port:81..", &[4, 9]),
        ("ip:192.0.2.0/30", &[1, 2, 3]),
        ("ip:192.0.2.3", &[3]),
        ("ip:192.0.2.2..192.0.2.4", &[2, 3, 4]),
        ("ip:2001:db8::/32", &[5]),
        ("192.0.2.4", &[4]),
        ("time:2026-11-01", &[1, 2, 4, 9, 5]),
        ("time:>2026-11-01", &[3]),
        ("transport:tcp transport:{tls,udp}", &[]),
        ("server:tiny-httpd", &[3]),
        ("component:libtiny", &[3]),
        ("libtiny", &[3]),
        ("title:簡単", &[]),
        ("簡単設定", &[1]),
        ("title:かんたん", &[1]),
        ("設定", &[1, 9]),
        ("設定 -かんたん", &[9]),
        ("\"設定画面\"", &[9]),
        ("(設定画面 OR 管理ページ) port:<1000", &[4]),
        ("signature:router.home.*", &[1, 9]),
        ("confidence:strong -vendor:acme", &[3]),
        ("release:2026-11-01 host:192.0.2.4", &[4]),
        ("digest:00ff", &[4]),
        ("-ルーター", &[3, 4]),
        ("{nc7, 管理ページ}", &[3, 4]),
    ];
    for (query, wanted) in cases {
        assert_eq!(found(&index, query), *wanted, "{query}");
    }
}

#[test]
fn a_query_made_by_hand_that_makes_no_sense_finds_nothing() {
    use crate::query::{Condition, Field, Point};
    use std::ops::Bound;
    let (_dir, index) = built();
    let address = || Bound::Included(Point::Address("192.0.2.1".parse().expect("address")));
    for (field, condition) in [
        (Field::Port, Condition::Is("80".into())),
        (Field::Port, Condition::Between(address(), Bound::Unbounded)),
        (Field::Ip, Condition::Begins("192".into())),
        (Field::Vendor, Condition::Between(Bound::Unbounded, Bound::Unbounded)),
        (Field::Model, Condition::Known(Known::Yes)),
    ] {
        let query = Query::Field(field, vec![condition]);
        assert_eq!(index.answer(&query).expect("answer").count(), 0, "{query:?}");
    }
}

#[test]
fn an_answer_says_what_was_searched() {
    let (_dir, index) = built();
    let searched = |query: &str| index.search(query).expect(query).searched().to_vec();
    assert_eq!(searched("ルータ noname"), ["ルータ = type:router, type:router.home, Router", "noname"]);
    assert_eq!(searched("vendor:アクメ"), ["vendor:アクメ = vendor:acme"]);
    assert_eq!(searched("vendor:acme ar* ar*"), ["vendor:acme", "ar*"]);
}

#[test]
fn facets_add_up_to_the_count() {
    let (_dir, index) = built();
    let answer = index.search("").expect("search");
    let facet = |facet| {
        answer.facet(facet, 10).expect("facet").into_iter().map(|row| (row.value.unwrap_or_default(), row.count)).collect::<Vec<_>>()
    };
    let row = |value: &str, count| (value.to_string(), count);
    assert_eq!(facet(Facet::Vendor), [row("acme", 4), row("", 1), row("north-star", 1)]);
    assert_eq!(facet(Facet::Class), [row("router", 2), row("router.home", 2), row("", 1), row("camera", 1)]);
    for division in [Facet::Vendor, Facet::Model, Facet::Version, Facet::Class] {
        assert_eq!(facet(division).iter().map(|(_, count)| count).sum::<u64>(), answer.count() as u64, "{division:?}");
    }
    assert_eq!(answer.facet(Facet::Model, 1).expect("facet").len(), 1);
    assert_eq!(answer.page(4..99).count(), 2);
    assert_eq!(answer.page(7..9).count(), 0);
}

#[test]
fn a_build_takes_the_place_of_the_one_before_and_readers_keep_theirs() {
    let (dir, first) = built();
    let second = Index::build(dir.path(), population().into_iter().take(2), &vocabulary()).expect("build again");
    assert_eq!((found(&first, "").len(), found(&second, "").len()), (6, 2));
    assert_eq!(found(&Index::open(dir.path()).expect("open"), "").len(), 2);
    assert_eq!(generations(dir.path()).expect("list").len(), 1);
}

#[test]
fn a_large_build_keeps_its_order() {
    let dir = tempfile::tempdir().expect("tempdir");
    let many = (0..3000u16).map(|n| Entry { port: n, ..entry((n % 200) as u8, 0) });
    let index = Index::build(dir.path(), many, &vocabulary()).expect("build");
    let entries: Vec<Entry> = index.search("").expect("search").entries().collect::<Result<_, _>>().expect("entries");
    assert_eq!(entries.len(), 3000);
    assert!(entries.is_sorted_by_key(|entry| (entry.address, entry.port)));
}

#[test]
fn failures_say_what_to_do() {
    let dir = tempfile::tempdir().expect("tempdir");
    assert!(matches!(Index::open(dir.path()), Err(IndexError::Missing { .. })));
    let (dir, index) = built();
    let lock = lock(dir.path()).expect("lock");
    assert!(matches!(Index::build(dir.path(), [], &vocabulary()), Err(IndexError::Locked { .. })));
    drop(lock);
    assert!(matches!(index.search("vender:x"), Err(SearchError::Query(QueryError { column: 1, .. }))));
    let about = generations(dir.path()).expect("list")[0].1.join(ABOUT_FILE);
    let text = fs::read_to_string(&about).expect("read").replace("\"fold\":1", "\"fold\":0");
    fs::write(&about, text).expect("write");
    let error = Index::open(dir.path()).expect_err("other rules");
    assert!(error.to_string().contains("fold 0, now 1"), "{error}");
}

/// A query and the entries that set logic says it finds, from what its leaves find.
fn combined(index: &Index, depth: u32) -> impl Strategy<Value = (String, BTreeSet<u8>)> {
    const LEAVES: &[&str] = &[
        "アクメ",
        "設定",
        "\"設定画面\"",
        "ar-100x",
        "type:router",
        "eol:unknown",
        "port:80",
        "version:<2",
        "ip:192.0.2.0/30",
        "model:*",
        "管理ページ",
    ];
    let leaves: Vec<(String, BTreeSet<u8>)> =
        LEAVES.iter().map(|leaf| (leaf.to_string(), found(index, leaf).into_iter().collect())).collect();
    let all: BTreeSet<u8> = found(index, "").into_iter().collect();
    proptest::sample::select(leaves).prop_recursive(depth, 16, 2, move |inner| {
        let all = all.clone();
        (inner.clone(), inner, 0..3u8).prop_map(move |((a, in_a), (b, in_b), operator)| match operator {
            0 => (format!("({a} AND {b})"), &in_a & &in_b),
            1 => (format!("({a} OR {b})"), &in_a | &in_b),
            _ => (format!("-({a})"), &all - &in_a),
        })
    })
}

#[test]
fn operators_do_what_sets_do() {
    let (_dir, index) = built();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let checked = runner.run(&combined(&index, 4), |(query, wanted)| {
        prop_assert_eq!(found(&index, &query).into_iter().collect::<BTreeSet<_>>(), wanted, "{}", query);
        Ok(())
    });
    checked.expect("as sets do");
}
