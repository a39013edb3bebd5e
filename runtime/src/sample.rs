//! A small plan and small evidence for the tests of this crate. SYNTHETIC: ACME and its devices do not exist.

use ksig_schema::identification::Confidence;
use ksig_schema::{Ended, Evidence, ProbeKey, Response, Scheme, Section, Sections, Service, Transport, Type, Value};

use crate::plan::*;

ksig_schema::fields! {
    /// Status.
    STATUS: Int = "http.status";
    /// Headers.
    HEADER: Text = "http.header", many, keyed;
    /// Title.
    TITLE: Text = "http.html.title", body;
    /// Serial number.
    SERIAL: Text = "http.serial", body, redact;
    /// Body.
    RAW: Bytes = "http.body.raw", body;
}

pub fn pattern(source: &str) -> Pattern {
    Pattern { source: source.into(), ignore_case: false, ignore_case_unicode: false, bytes: false }
}

pub fn note(text: &str) -> LineNote {
    LineNote { label: text.into(), text: text.into() }
}

pub fn leaf(test: TestId, captures: &[(&str, VarId)]) -> Condition {
    let captures = captures.iter().map(|(name, var)| (name.to_string(), *var)).collect();
    Condition::Test(Leaf { test, captures, note: note(&format!("test {test}")) })
}

pub fn text(value: &str) -> Expr {
    Expr::Const(Datum::Text(value.into()))
}

pub fn var(name: &str, ty: Type) -> Var {
    let scheme = matches!(ty, Type::Version(_)).then(Scheme::dotted);
    Var { name: name.into(), ty, scheme, redact: false }
}

pub fn dotted() -> Type {
    Type::Version("dotted".into())
}

pub fn date(text: &str) -> ksig_schema::Date {
    text.parse().expect("a date")
}

pub const TITLE_MODEL: TestId = 0;
pub const STATUS_401: TestId = 1;
pub const SERVER_ACME: TestId = 2;
pub const SERVER_ABSENT: TestId = 3;
pub const TITLE_COMPLETE: TestId = 4;
pub const TITLE_LOGIN: TestId = 5;

/// Three signatures: `acme.any` (vendor), `acme.model refines acme.any` (model, version, support), `httpd` (a component).
pub fn plan() -> Plan {
    let slot = |probe, field: &str, key: Option<&str>, section| Slot {
        probe,
        field: field.into(),
        key: key.map(Into::into),
        section,
        fold_width: false,
        raw: false,
    };
    let test = |slot, predicate| Test { slot, predicate };
    let slots_of = |slots: &[(IdentitySlot, Expr)]| vec![IdentityPlan { facet: "device".into(), slots: slots.to_vec() }];
    Plan {
        release: "sample".into(),
        date: Some(date("2026-11-23")),
        probes: ["/", "/version.js"].map(|path| Probe::Exactly(ProbeKey::with("http.get", path))).to_vec(),
        slots: vec![
            slot(0, "http.html.title", None, Section::Body),
            slot(0, "http.status", None, Section::Head),
            slot(0, "http.header", Some("server"), Section::Head),
            slot(1, "http.html.title", None, Section::Body),
        ],
        patterns: vec![
            pattern(r"^ACME (?<model>AC-\d+)(?: v(?<fw>[\d.]+))?$"),
            pattern(r"^acme-httpd/(?<v>[\d.]+)"),
            pattern(r"fw=(?<fw>[\d.]+)"),
        ],
        tests: vec![
            test(0, Predicate::Matches(0)),
            test(1, Predicate::IntIn(401, 401)),
            test(2, Predicate::Matches(1)),
            test(2, Predicate::Absent),
            test(0, Predicate::Complete),
            test(0, Predicate::Contains(b"Login".to_vec())),
            test(3, Predicate::Matches(2)),
        ],
        tables: vec![Table {
            name: "acme".into(),
            columns: vec![
                Column { name: "model".into(), ty: Type::Text, scheme: None },
                Column { name: "series".into(), ty: Type::Text, scheme: None },
                Column { name: "ends".into(), ty: Type::Date.optional(), scheme: None },
                Column { name: "latest".into(), ty: Type::Bound(Box::new(dotted())).optional(), scheme: None },
            ],
            key: Some(0),
            folds: Vec::new(),
            history: None,
            rows: vec![
                vec![
                    Datum::Text("AC-1".into()),
                    Datum::Text("AC".into()),
                    Datum::Date(date("2026-06-30")),
                    Datum::Bound(BoundKind::Exactly, Box::new(Datum::Text("1.20".into()))),
                ],
                vec![
                    Datum::Text("AC-2".into()),
                    Datum::Text("AC".into()),
                    Datum::Missing,
                    Datum::Bound(BoundKind::AtLeast, Box::new(Datum::Text("2.0".into()))),
                ],
            ],
        }],
        signatures: vec![
            Signature {
                name: "acme.any".into(),
                confidence: Confidence::Weak,
                condition: Condition::All(vec![
                    leaf(STATUS_401, &[]),
                    Condition::Any(vec![leaf(SERVER_ACME, &[]), leaf(TITLE_MODEL, &[])]),
                ]),
                triggers: vec![SERVER_ACME, TITLE_MODEL],
                identities: slots_of(&[(IdentitySlot::Vendor, text("acme"))]),
                ..Signature::default()
            },
            Signature {
                name: "acme.model".into(),
                refines: Some(0),
                vars: vec![var("model", Type::Text), var("fw", dotted()), var("row", Type::Row("acme".into()))],
                condition: Condition::All(vec![
                    leaf(STATUS_401, &[]),
                    leaf(TITLE_MODEL, &[("model", 0), ("fw", 1)]),
                    Condition::All(vec![leaf(TITLE_COMPLETE, &[]), Condition::Not(Box::new(leaf(TITLE_LOGIN, &[])))]),
                    Condition::Late(Expr::Present(Box::new(Expr::Row(0, Box::new(Expr::Var(0))))), note("model in acme")),
                ]),
                triggers: vec![TITLE_MODEL],
                follows: vec![Follow { probe: 1, hop: 1, name: "page".into(), text: "follow page".into() }],
                gates: vec![leaf(TITLE_MODEL, &[("model", 0)])],
                steps: vec![(2, Expr::Row(0, Box::new(Expr::Var(0))))],
                identities: slots_of(&[
                    (IdentitySlot::Vendor, text("acme")),
                    (IdentitySlot::Series, Expr::Column(Box::new(Expr::Var(2)), 1)),
                    (IdentitySlot::Model, Expr::Var(0)),
                    (IdentitySlot::Version, Expr::Var(1)),
                ]),
                tags: vec![
                    TagPlan {
                        name: "eol".into(),
                        each: None,
                        params: vec![("on".into(), Expr::Column(Box::new(Expr::Var(2)), 2))],
                        when: Some(Expr::Compare(
                            CompareOp::Le,
                            None,
                            Box::new(Expr::Column(Box::new(Expr::Var(2)), 2)),
                            Box::new(Expr::ScanDate),
                        )),
                    },
                    TagPlan {
                        name: "fw_outdated".into(),
                        each: None,
                        params: Vec::new(),
                        when: Some(Expr::Compare(
                            CompareOp::Lt,
                            Some(Scheme::dotted()),
                            Box::new(Expr::Var(1)),
                            Box::new(Expr::Column(Box::new(Expr::Var(2)), 3)),
                        )),
                    },
                ],
                support: Some(SupportPlan {
                    ends: Some(Expr::Column(Box::new(Expr::Var(2)), 2)),
                    latest: Some(Expr::Column(Box::new(Expr::Var(2)), 3)),
                    scheme: Some(Scheme::dotted()),
                }),
                ..Signature::default()
            },
            Signature {
                name: "httpd".into(),
                vars: vec![var("v", dotted())],
                condition: leaf(SERVER_ACME, &[("v", 0)]),
                triggers: vec![SERVER_ACME],
                components: vec![ComponentPlan {
                    vendor: Some(text("acme")),
                    product: text("acme-httpd"),
                    version: Some(Expr::Var(0)),
                    series: None,
                    cpe: None,
                }],
                ..Signature::default()
            },
        ],
        ..Plan::default()
    }
}

/// A probe for a path that the evidence names.
pub fn named(from: NamedFrom) -> Probe {
    Probe::Named(Named { constructor: "http.get".into(), reach: Reach::Origin, from, at: None })
}

/// A response to `http.get("/")` with these facts, whole.
pub fn response(status: i64, server: Option<&str>, title: Option<&str>) -> Response {
    let mut facts = ksig_schema::Facts::default();
    facts.push(&STATUS, Value::Int(status));
    if let Some(server) = server {
        facts.push_keyed(&HEADER, "Server", Value::text(server));
    }
    if let Some(title) = title {
        facts.push(&TITLE, Value::text(title));
    }
    Response { probe: ProbeKey::with("http.get", "/"), ended: Ended::Complete, complete: Sections::ALL, partial: false, facts }
}

/// A host with one service per response.
pub fn evidence(responses: Vec<Response>) -> Evidence {
    let service = |(at, response)| Service { address: None, port: 80 + at as u16, transport: Transport::Tcp, responses: vec![response] };
    Evidence {
        host: "h".into(),
        time: Some("2026-11-01T00:00:00Z".parse().expect("a time")),
        services: responses.into_iter().enumerate().map(service).collect(),
    }
}
