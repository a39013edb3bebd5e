use super::*;
use ksig_schema::evidence::{Facts, Response, Sections};
use ksig_schema::identification::{Identity, Proof, Support};
use ksig_schema::{Ended, ProbeKey, Value};

ksig_schema::fields! {
    /// Title.
    TITLE: Text = "http.html.title";
    /// Headers.
    HEADER: Text = "http.header", many, keyed;
    /// Page.
    BODY: Text = "http.body", body;
    /// Charset.
    CHARSET: Text = "http.body.charset";
    /// Serial number.
    SERIAL: Text = "upnp.serial_number", redact;
}

fn service(port: u16, facts: Facts) -> Service {
    let response =
        Response { probe: ProbeKey::with("http.get", "/"), ended: Ended::Complete, complete: Sections::ALL, partial: false, facts };
    Service { address: Some("192.0.2.7".parse().expect("address")), port, transport: Transport::Tcp, responses: vec![response] }
}

fn page() -> Facts {
    let mut facts = Facts::default();
    facts.push_keyed(&HEADER, "Server", Value::text("acme-httpd"));
    facts.push_keyed(&HEADER, "Date", Value::text("Sun, 01 Nov 2026 00:00:00 GMT"));
    facts.push(&TITLE, Value::text("ACME設定"));
    facts.push(&BODY, Value::text("<html><p>無線<b>ルーター</b></p><script>secret()</script></html>"));
    facts.push(&CHARSET, Value::text("Shift_JIS"));
    facts.push(&SERIAL, Value::text("SN12345"));
    facts
}

fn product(model: &str) -> Identified {
    Identified {
        identity: Identity {
            facet: "device".into(),
            vendor: Some("acme".into()),
            model: Some(model.into()),
            version: Some("1.2".into()),
            ..Identity::default()
        },
        components: Vec::new(),
        details: Default::default(),
        tags: Vec::new(),
        signature: "router.acme.page".into(),
        confidence: Confidence::Strong,
        evidence: Grade::Observed,
        support: Support { ended: Known::Yes, latest: Known::No, ends: None, latest_version: Some("1.9".into()) },
        proof: Vec::new(),
        also: Vec::new(),
    }
}

fn answer(port: Option<u16>, identifications: Vec<Identified>) -> Identification {
    let address = Some("192.0.2.7".parse().expect("address"));
    Identification { address, port, identifications, release: "2026-11-01".into(), ..Identification::default() }
}

fn evidence(services: Vec<Service>) -> Evidence {
    Evidence { host: "192.0.2.7".into(), time: Some("2026-11-01T00:00:00Z".parse().expect("time")), services }
}

#[test]
fn an_entry_holds_what_was_read_and_what_it_is() {
    let found = entries(&evidence(vec![service(80, page())]), &[answer(Some(80), vec![product("A1")])]);
    let [entry] = &found[..] else { panic!("{found:?}") };
    assert_eq!((entry.vendor.as_deref(), entry.model.as_deref(), entry.port), (Some("acme"), Some("A1"), 80));
    assert_eq!((entry.title.as_deref(), entry.server.as_deref()), (Some("ACME設定"), Some("acme-httpd")));
    assert_eq!(entry.charset.as_deref(), Some("Shift_JIS"));
    assert_eq!(entry.text, "acme-httpd\nACME設定\n無線ルーター\n");
    assert_eq!((entry.support_ended, entry.latest), (Known::Yes, Known::No));
    let json = serde_json::to_string(entry).expect("json");
    assert_eq!(&serde_json::from_str::<Entry>(&json).expect("entry"), entry);
}

#[test]
fn one_entry_for_each_product_and_one_for_each_unknown_service() {
    let silent = service(22, Facts::default());
    let host = evidence(vec![silent, service(80, page()), service(8080, page())]);
    let found =
        entries(&host, &[answer(Some(22), vec![]), answer(Some(80), vec![product("A1"), product("B2")]), answer(Some(8080), vec![])]);
    let rows: Vec<_> = found.iter().map(|entry| (entry.port, entry.model.as_deref())).collect();
    assert_eq!(rows, [(80, Some("A1")), (80, Some("B2")), (8080, None)]);
    assert!(found.iter().all(|entry| entry.release == "2026-11-01"));
}

#[test]
fn a_host_line_adds_only_what_no_service_said() {
    let host = evidence(vec![service(80, page())]);
    let lines = [answer(Some(80), vec![product("A1")]), answer(None, vec![product("A1"), product("C3")])];
    let models: Vec<_> = entries(&host, &lines).into_iter().map(|entry| entry.model).collect();
    assert_eq!(models, [Some("A1".to_string()), Some("C3".to_string())]);
}

#[test]
fn what_a_host_is_by_several_ports_is_entered_where_it_was_decided_first() {
    let host = evidence(vec![service(80, page()), service(554, Facts::default()), service(8080, page())]);
    let decided = |port: u16| Proof {
        probe: ProbeKey::with("http.get", "/"),
        port: Some(port),
        field: "http.html.title".into(),
        value: "ACME".into(),
        span: None,
    };
    let camera = Identified { proof: vec![decided(8080), decided(554)], ..product("C3") };
    let found = entries(&host, &[answer(Some(80), vec![]), answer(Some(8080), vec![]), answer(None, vec![camera])]);
    let rows: Vec<_> = found.iter().map(|entry| (entry.port, entry.model.as_deref())).collect();
    assert_eq!(rows, [(80, None), (8080, Some("C3"))]);
}

#[test]
fn long_text_is_cut_between_characters() {
    let mut facts = Facts::default();
    facts.push(&BODY, Value::text("設".repeat(TEXT_BYTES_MAX)));
    let found = entries(&evidence(vec![service(80, facts)]), &[]);
    assert!(found[0].text.len() <= TEXT_BYTES_MAX && found[0].text.len() > TEXT_BYTES_MAX - 8);
}

#[test]
fn the_newest_state_replaces_an_older_product() {
    let old = entries(&evidence(vec![service(80, page()), service(443, page())]), &[answer(Some(80), vec![product("A1")])]);
    let later = Evidence { time: Some("2026-11-15T00:00:00Z".parse().expect("time")), ..evidence(vec![service(80, page())]) };
    let new = entries(&later, &[answer(Some(80), vec![product("B2"), product("C3")])]);
    for order in [[old.clone(), new.clone()].concat(), [new, old].concat()] {
        let rows: Vec<_> = newest(order).into_iter().map(|entry| (entry.port, entry.model)).collect();
        assert_eq!(rows, [(80, Some("B2".into())), (80, Some("C3".into())), (443, None)]);
    }
}
