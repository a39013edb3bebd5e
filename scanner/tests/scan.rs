//! A scan of a simulated population brings one observation for every conversation, whatever the devices do.

mod support;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ksig_scanner::sim::{Fault, Population, Truth};
use ksig_scanner::{Blocklist, PortUse, ScanError, ScanOptions, Stop, TalkLimits, scan};
use ksig_schema::probe::NoFollowUps;
use ksig_schema::{Ended, Evidence, FollowUp, Gate, Observation, ProbeKey, ProbePlan, Service, Transport};
use tokio::sync::mpsc;

use support::{LIMITS, by_address, faults, options, plan, scanned, started, with_fault};

#[test]
fn every_conversation_ends_in_one_observation_with_the_right_reason() {
    let services = ["http", "https", "ssh", "ftp", "telnet", "smtp", "rtsp"];
    let simulator = started(faults(), &services);
    let greetings = ["ssh.banner()", "ftp.banner()", "telnet.banner()", "smtp.banner()", "rtsp.options()"];
    let plan = plan(&[&["http.get(\"/\")", "tls.hello()"], greetings.as_slice()].concat(), &[]);
    let (summary, hosts) = scanned(&options(&simulator), &plan, Arc::new(NoFollowUps), &Stop::new(), |_| {});
    let truths: Vec<Truth> = simulator.truth().collect();
    assert_eq!(hosts.len(), truths.len());
    assert_eq!(summary.hosts, truths.len() as u64);
    assert_eq!(summary.ended.values().sum::<u64>(), hosts.iter().map(|host| host.observations.len() as u64).sum::<u64>());

    let all: Vec<&Observation> = hosts.iter().flat_map(|host| &host.observations).collect();
    let distinct: BTreeSet<_> = all.iter().map(|o| (o.address, o.port, o.transport, &o.probe)).collect();
    assert_eq!(distinct.len(), all.len(), "a probe was sent twice");
    let ports: BTreeSet<_> = all.iter().map(|o| (o.address, o.port)).collect();
    assert_eq!(ports.len(), truths.len() * services.len(), "a port has no observation");
    let connects: u32 = truths.iter().map(|truth| simulator.connects(truth.address)).sum();
    assert_eq!(connects as usize, all.len());
    assert_eq!(simulator.connects_astray(), 0, "a redirect to another host was followed");

    let found = by_address(&hosts);
    let check = |device: &str, service: &str, fault: Option<Fault>, wanted: &[Ended]| {
        let port = simulator.port_of(service).expect(service);
        let mut seen = 0;
        for truth in with_fault(&truths, device, fault) {
            let first = found[&IpAddr::V4(truth.address)].iter().find(|o| o.port == port).expect("an observation");
            let beginning = first.received[..first.received.len().min(200)].escape_ascii();
            assert!(wanted.contains(&first.ended), "{device} {service} {fault:?}: {:?} after {beginning}", first.ended);
            seen += 1;
        }
        assert!(seen > 0, "no {device} has {fault:?}");
    };
    check("acme-router", "http", None, &[Ended::Complete]);
    check("acme-router", "https", None, &[Ended::Complete]);
    check("acme-router", "ssh", None, &[Ended::Complete]);
    check("unnamed", "http", None, &[Ended::Reset]);
    for (fault, wanted) in [
        (Fault::Silent, Ended::Timeout),
        (Fault::CloseAtOnce, Ended::Eof),
        (Fault::ResetBeforeBanner, Ended::Reset),
        (Fault::ResetInBanner, Ended::Reset),
        (Fault::Truncate, Ended::Eof),
        (Fault::OneByteASecond, Ended::Timeout),
        (Fault::Tarpit, Ended::Timeout),
        (Fault::LfOnly, Ended::Complete),
        (Fault::EndlessBody, Ended::Cap),
        (Fault::ChunkedEndless, Ended::Cap),
        (Fault::Http09, Ended::Eof),
        (Fault::TwoLengths, Ended::Eof),
        (Fault::NegativeLength, Ended::Eof),
        (Fault::HugeLength, Ended::Eof),
        (Fault::ObsFold, Ended::Complete),
        (Fault::NulInHeader, Ended::Complete),
        (Fault::Icy, Ended::Complete),
        (Fault::Status999, Ended::Complete),
        (Fault::RedirectLoop, Ended::Complete),
        (Fault::RedirectElsewhere, Ended::Complete),
        (Fault::FalseGzip, Ended::Complete),
        (Fault::GzipBomb, Ended::Complete),
        (Fault::DeflateBomb, Ended::Complete),
        (Fault::BrotliBomb, Ended::Complete),
        (Fault::TruncatedGzip, Ended::Complete),
        (Fault::MislabelledEncoding, Ended::Complete),
        (Fault::FalseCharset, Ended::Complete),
        (Fault::RedirectToLoopback, Ended::Complete),
        (Fault::RedirectToNeighbour, Ended::Complete),
        (Fault::ZeroWindow, Ended::Timeout),
        (Fault::EndlessHeaders, Ended::Complete),
        (Fault::ManyHeaders, Ended::Complete),
    ] {
        check("broken-web", "http", Some(fault), &[wanted]);
    }
    // Here the protocol or the cap has enough first.
    for fault in [Fault::HugeHeaders, Fault::ContinueFlood] {
        check("broken-web", "http", Some(fault), &[Ended::Cap, Ended::Complete]);
    }
    // A reset may overtake what is not read yet.
    check("broken-web", "http", Some(Fault::ResetAfterBanner), &[Ended::Complete, Ended::Reset]);
    for (fault, wanted) in [
        (Fault::PlainOnTls, Ended::TlsAlert),
        (Fault::TlsAlert, Ended::TlsAlert),
        (Fault::Silent, Ended::Timeout),
        (Fault::ResetBeforeBanner, Ended::Reset),
        (Fault::ResetInBanner, Ended::Reset),
        (Fault::EndlessBody, Ended::Cap),
    ] {
        check("broken-tls", "https", Some(fault), &[wanted]);
    }
    for fault in [Fault::TlsBogusLengths, Fault::TlsHugeCertificate, Fault::TlsLongChain, Fault::TlsMalformedCertificate] {
        check("broken-tls", "https", Some(fault), &[Ended::TlsAlert]);
    }
    for (fault, wanted) in [
        (Fault::Silent, Ended::Timeout),
        (Fault::CloseAtOnce, Ended::Eof),
        (Fault::ResetBeforeBanner, Ended::Reset),
        (Fault::ResetInBanner, Ended::Reset),
        (Fault::Truncate, Ended::Eof),
        (Fault::LfOnly, Ended::Complete),
    ] {
        check("broken-greeting", "ssh", Some(fault), &[wanted]);
    }
}

#[test]
fn bytes_are_kept_as_they_came_and_what_was_sent_is_told() {
    let simulator = started(faults(), &["http", "https"]);
    let mut options = options(&simulator);
    options.cycle = "7".into();
    let (_, hosts) = scanned(&options, &plan(&["http.get(\"/\")", "tls.hello()"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
    let (http, https) = (simulator.port_of("http").expect("http"), simulator.port_of("https").expect("https"));
    let truths: Vec<Truth> = simulator.truth().collect();
    let found = by_address(&hosts);
    for truth in with_fault(&truths, "acme-router", None) {
        let observations = found[&IpAddr::V4(truth.address)];
        let hello = observations.iter().find(|o| o.probe.to_string() == "tls.hello()").expect("a hello");
        assert_eq!((hello.port, hello.transport), (https, Transport::Tls));
        // A handshake record, as it stands on the wire.
        assert!(hello.received.starts_with(b"\x16\x03") && hello.sent.starts_with("\\x16\\x03"), "{}", hello.received.escape_ascii());
        for (port, transport) in [(http, Transport::Tcp), (https, Transport::Tls)] {
            let page =
                observations.iter().find(|o| o.port == port && o.probe.to_string() == "http.get(\"/login.htm\")").expect("the redirect");
            assert_eq!(page.transport, transport);
            assert_eq!(page.host, format!("{}@7", truth.address));
            assert_eq!(page.id, format!("{}:{port}/http.get(\"/login.htm\")@1970-01-01T00:00:00Z", truth.address));
            assert!(page.sent.starts_with("GET /login.htm HTTP/1.1\\r\\n") && page.sent.contains("scan.example"), "{}", page.sent);
            let title = format!("<title>{} login</title>", truth.model.as_deref().expect("a model"));
            assert!(page.received.windows(title.len()).any(|window| window == title.as_bytes()));
        }
    }
    for truth in with_fault(&truths, "broken-web", Some(Fault::ResetInBanner)) {
        let first = &found[&IpAddr::V4(truth.address)][0];
        assert!(first.received.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", first.received.escape_ascii());
    }
}

#[test]
fn what_is_packed_or_declared_wrongly_is_read_as_far_as_it_goes() {
    let simulator = started(faults(), &["http"]);
    let (_, hosts) = scanned(&options(&simulator), &plan(&["http.get(\"/\")"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    let title = |fault: Fault| {
        let truth = with_fault(&truths, "broken-web", Some(fault)).next().unwrap_or_else(|| panic!("no {fault:?}"));
        let response = ksig_protocols::decode(&found[&IpAddr::V4(truth.address)][0]);
        assert_eq!(response.facts.get("http.status", None).len(), 1, "{fault:?}");
        response.facts.text("http.html.title").map(str::to_owned)
    };
    assert_eq!(title(Fault::FalseCharset).as_deref(), Some("監視カメラ"));
    assert_eq!(title(Fault::FalseGzip).as_deref(), Some("broken"));
    for fault in [Fault::MislabelledEncoding, Fault::GzipBomb, Fault::DeflateBomb, Fault::BrotliBomb] {
        assert_eq!(title(fault), None, "{fault:?}");
    }
    // The first half of the body is enough.
    assert_eq!(title(Fault::ManyHeaders), None, "headers beyond the limit end what is read");
}

#[test]
fn certificates_that_lie_are_read_as_far_as_they_go() {
    let simulator = started(faults(), &["https"]);
    let (_, hosts) = scanned(&options(&simulator), &plan(&["tls.hello()"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    for (fault, ended, chain) in [
        (Fault::TlsBogusLengths, &[Ended::Complete, Ended::Eof][..], None),
        (Fault::TlsHugeCertificate, &[Ended::Complete, Ended::Cap][..], None),
        (Fault::TlsLongChain, &[Ended::Complete][..], Some("500")),
        (Fault::TlsMalformedCertificate, &[Ended::Complete][..], Some("1")),
    ] {
        let mut seen = 0;
        for truth in with_fault(&truths, "broken-tls", Some(fault)) {
            let hello = &found[&IpAddr::V4(truth.address)][0];
            assert!(ended.contains(&hello.ended), "{fault:?}: {:?}", hello.ended);
            assert!(hello.received.len() < 200 << 10, "{fault:?}: {} bytes were kept", hello.received.len());
            let response = ksig_protocols::decode(hello);
            let counted = response.facts.get("tls.chain_length", None).first().map(ToString::to_string);
            assert_eq!(counted.as_deref(), chain, "{fault:?}");
            assert_eq!(response.facts.text("tls.cert.subject"), None, "{fault:?}");
            seen += 1;
        }
        assert!(seen > 0, "no {fault:?}");
    }
}

#[test]
fn no_redirect_leads_to_another_host() {
    let simulator = started(faults(), &["http"]);
    let truths: Vec<Truth> = simulator.truth().collect();
    for fault in [Fault::RedirectElsewhere, Fault::RedirectToLoopback, Fault::RedirectToNeighbour] {
        let address = with_fault(&truths, "broken-web", Some(fault)).next().unwrap_or_else(|| panic!("no {fault:?}")).address;
        let targets = ksig_scanner::TargetSet::of_addresses([IpAddr::V4(address)]).expect("one target");
        let options = ScanOptions { targets, ..options(&simulator) };
        let before: u32 = simulator.addresses().map(|address| simulator.connects(address)).sum();
        let (_, hosts) = scanned(&options, &plan(&["http.get(\"/\")"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
        let asked: Vec<String> = hosts[0].observations.iter().map(|observation| observation.probe.to_string()).collect();
        let connects: u32 = simulator.addresses().map(|address| simulator.connects(address)).sum();
        // A redirect to the path of another place stays on this host, if it is followed at all.
        assert_eq!(connects - before, simulator.connects(address), "{fault:?} led elsewhere: {asked:?}");
        assert_eq!(simulator.connects_astray(), 0);
    }
}

#[test]
fn blocked_addresses_never_get_a_connection() {
    let simulator = started(faults(), &["http"]);
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("blocklist");
    std::fs::write(&path, "127.16.0.0/26\n").expect("write");
    let blocklist = Arc::new(Blocklist::read(&path).expect("a list"));
    let mut options = options(&simulator);
    options.no_blocklist = false;
    options.blocklist = Some(blocklist.clone());
    options.conversations_max = NonZeroUsize::new(1);
    // After the first host, somebody opts out: everyone else.
    let first = std::cell::Cell::new(None);
    let called = || simulator.addresses().filter(|address| simulator.connects(*address) > 0).count();
    let called_before = std::cell::Cell::new(0);
    let (summary, hosts) = scanned(&options, &plan(&["http.get(\"/\")"], &[]), Arc::new(NoFollowUps), &Stop::new(), |host| {
        if first.replace(Some(host.host.clone())).is_none() {
            std::fs::write(&path, "127.0.0.0/8\n").expect("write");
            assert_eq!(blocklist.reload().expect("a list").generation, 2);
            called_before.set(called());
        }
    });
    for address in (0..64).map(|last| Ipv4Addr::new(127, 16, 0, last)) {
        assert_eq!(simulator.connects(address), 0);
    }
    // One conversation at a time: at most one had passed the last check, and one more may not have been counted by the simulator yet.
    assert!(called() <= called_before.get() + 2, "{} called, {} before the list was read again", called(), called_before.get());
    assert_eq!(called(), hosts.len());
    assert_eq!(summary.blocked as usize, simulator.addresses().count() - hosts.len());
}

#[test]
fn a_stop_loses_nothing() {
    let simulator = started(faults(), &["http", "ssh"]);
    let mut options = options(&simulator);
    options.limits = TalkLimits { first_byte_ms: 60_000, silence_ms: 60_000, total_ms: 60_000, ..LIMITS };
    options.conversations_max = NonZeroUsize::new(100);
    let stop = Stop::new();
    let seen = AtomicUsize::new(0);
    let begun = std::time::Instant::now();
    let (summary, hosts) = scanned(&options, &plan(&["http.get(\"/\")", "ssh.banner()"], &[]), Arc::new(NoFollowUps), &stop, |_| {
        if seen.fetch_add(1, Ordering::Relaxed) == 60 {
            stop.stop();
        }
    });
    assert!(begun.elapsed().as_secs() < 30, "a stop waits for nobody");
    assert!(summary.stopped && summary.untouched > 0);
    assert_eq!(summary.untouched + hosts.len() as u64, simulator.addresses().count() as u64);
    let progress = &options.progress;
    let observations: usize = hosts.iter().map(|host| host.observations.len()).sum();
    assert_eq!((progress.conversations() as usize, progress.in_flight()), (observations, 0));
    let connects: u32 = simulator.addresses().map(|address| simulator.connects(address)).sum();
    assert!(connects as usize <= observations, "{connects} connections, {observations} observations");
    assert!(summary.ended.get(&Ended::Stopped).is_some_and(|count| *count > 0), "{:?}", summary.ended);
}

/// Asks for the login page of whoever answered, then for its version, then for more of both.
struct Curious;

impl Gate for Curious {
    fn follow_ups(&self, _: &Evidence, service: &Service) -> Vec<FollowUp> {
        let answered = |path: &str| service.responses.iter().any(|r| r.probe == ProbeKey::with("http.get", path) && r.answered());
        let paths = ["/", "/one", "/two", "/three"];
        let next = paths.windows(2).filter(|pair| answered(pair[0])).map(|pair| ProbeKey::with("http.get", pair[1]));
        let all = next.chain([ProbeKey::with("http.get", "/unplanned"), ProbeKey::new("ssh.banner")]);
        all.map(|probe| FollowUp { port: service.port, transport: service.transport, probe }).collect()
    }
}

#[test]
fn follow_ups_are_planned_ones_sent_once_in_two_hops() {
    let simulator = started(faults(), &["http"]);
    let plan = plan(&["http.get(\"/\")"], &["http.get(\"/one\")", "http.get(\"/two\")", "http.get(\"/three\")"]);
    let (_, hosts) = scanned(&options(&simulator), &plan, Arc::new(Curious), &Stop::new(), |_| {});
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    for truth in with_fault(&truths, "broken-web", None) {
        let probes: Vec<String> = found[&IpAddr::V4(truth.address)].iter().map(|o| o.probe.to_string()).collect();
        assert_eq!(probes, ["http.get(\"/\")", "http.get(\"/one\")", "http.get(\"/two\")"]);
    }
    let silent = with_fault(&truths, "broken-web", Some(Fault::Silent)).next().expect("a silent one");
    assert_eq!(found[&IpAddr::V4(silent.address)].len(), 1);
}

/// Asks for one more page where both SSH and the web were answered, which only all ports together tell.
struct OfHost;

impl Gate for OfHost {
    fn follow_ups(&self, _: &Evidence, _: &Service) -> Vec<FollowUp> {
        Vec::new()
    }

    fn spans_ports(&self) -> bool {
        true
    }

    fn follow_ups_of_host(&self, evidence: &Evidence) -> Vec<FollowUp> {
        let answered = |constructor: &str| {
            let of = |service: &&Service| service.responses.iter().any(|r| r.probe.constructor == constructor && r.answered());
            evidence.services.iter().find(of)
        };
        let (Some(_), Some(web)) = (answered("ssh.banner"), answered("http.get")) else { return Vec::new() };
        vec![FollowUp { port: web.port, transport: web.transport, probe: ProbeKey::with("http.get", "/one") }]
    }
}

#[test]
fn a_follow_up_of_a_host_waits_for_all_its_ports() {
    let simulator = started(faults(), &["http", "ssh"]);
    let web = simulator.port_of("http").expect("http");
    let plan = plan(&["http.get(\"/\")", "ssh.banner()"], &["http.get(\"/one\")"]);
    let (_, hosts) = scanned(&options(&simulator), &plan, Arc::new(OfHost), &Stop::new(), |_| {});
    let (mut both, mut one) = (0, 0);
    for host in &hosts {
        let evidence = ksig_protocols::evidence(&host.observations);
        let expected = evidence.iter().any(|evidence| !OfHost.follow_ups_of_host(evidence).is_empty());
        let asked: Vec<u16> = host.observations.iter().filter(|o| o.probe == ProbeKey::with("http.get", "/one")).map(|o| o.port).collect();
        assert_eq!(asked, if expected { vec![web] } else { vec![] }, "{}", host.host);
        if expected { both += 1 } else { one += 1 }
    }
    assert!(both > 0 && one > 0, "{both} with both, {one} without");
}

#[test]
fn an_unexpected_service_is_asked_as_what_it_is() {
    let simulator = started(faults(), &["ssh", "smtp", "http", "https"]);
    let plan = plan(&["ftp.banner()", "http.get(\"/\")", "smtp.banner()", "ssh.banner()", "tls.hello()"], &["http.get(\"/one\")"]);
    let truths: Vec<Truth> = simulator.truth().collect();
    let cases: [(&str, &str, &str, &[&str]); 6] = [
        ("acme-router", "ssh", "http", &["http.get(\"/\")", "ssh.banner()"]),
        ("acme-router", "ssh", "https", &["http.get(\"/\")", "ssh.banner()"]),
        ("unnamed", "smtp", "ftp", &["ftp.banner()", "smtp.banner()"]),
        ("invented-camera-shift-jis", "http", "https", &["http.get(\"/\")", "http.get(\"/\")", "http.get(\"/one\")"]),
        (
            "acme-router",
            "https",
            "http",
            &["http.get(\"/\")", "tls.hello()", "http.get(\"/\")", "http.get(\"/login.htm\")", "http.get(\"/one\")"],
        ),
        ("acme-router", "https", "https", &["http.get(\"/\")", "http.get(\"/login.htm\")", "tls.hello()", "http.get(\"/one\")"]),
    ];
    for (device, speaks, expected, probes) in cases {
        let port = simulator.port_of(speaks).expect(speaks);
        let mut options = options(&simulator);
        options.ports = vec![PortUse { port, service: Some(expected.parse().expect(expected)) }];
        let (_, hosts) = scanned(&options, &plan, Arc::new(Curious), &Stop::new(), |_| {});
        let found = by_address(&hosts);
        let truth = with_fault(&truths, device, None).next().unwrap_or_else(|| panic!("a {device} without faults"));
        let observations = found[&IpAddr::V4(truth.address)];
        let asked: Vec<String> = observations.iter().map(|o| o.probe.to_string()).collect();
        assert_eq!(asked, probes, "{speaks} where {expected} was expected");
        let last = observations.last().expect("an observation");
        assert!(ksig_protocols::decode(last).answered(), "{speaks} where {expected} was expected: {last:?}");
    }
}

#[test]
fn a_scan_without_blocklist_or_without_anything_to_ask_does_not_begin() {
    let simulator = started(faults(), &["http"]);
    let refused = |options: &ScanOptions, plan: &ProbePlan| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (out, _hosts) = mpsc::channel(1);
        runtime.block_on(scan(options, plan, Arc::new(NoFollowUps), &Stop::new(), out)).expect_err("refused")
    };
    let mut options = options(&simulator);
    options.no_blocklist = false;
    assert!(matches!(refused(&options, &plan(&["http.get(\"/\")"], &[])), ScanError::NoBlocklist));
    options.no_blocklist = true;
    let port = simulator.port_of("http").expect("http");
    let error = refused(&options, &plan(&["ssh.banner()"], &[])).to_string();
    assert!(error.contains(&format!("no probe for port {port}")), "{error}");
    assert!(simulator.addresses().all(|address| simulator.connects(address) == 0));
}

/// Two hosts with twelve ports for the web; the first takes a connection on every other port too.
const EVERYWHERE: &str = r#"
synthetic = true
network = "127.60.0.0/24"
hosts = 1

[[device]]
name = "web"
every_port = EVERY
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
body = "<title>ACME</title>"
"#;

#[test]
fn a_host_that_answers_on_every_port_is_marked_and_left() {
    let ports = ["http"; 12];
    for (every_port, network) in [(true, "127.60.0.0"), (false, "127.61.0.0")] {
        let text = EVERYWHERE.replace("EVERY", &every_port.to_string()).replace("127.60.0.0", network);
        let simulator = started(Population::parse("everywhere.toml", &text).expect("a population"), &ports);
        let (_, hosts) = scanned(&options(&simulator), &plan(&["http.get(\"/\")"], &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {});
        let (controls, services): (Vec<&Observation>, Vec<_>) =
            hosts[0].observations.iter().partition(|o| o.probe == ksig_schema::host::control());
        let ended: Vec<Ended> = controls.iter().map(|control| control.ended).collect();
        assert!(controls.iter().all(|control| control.sent.is_empty() && control.received.is_empty() && control.port >= 61_440));
        let evidence = ksig_protocols::evidence(&hosts[0].observations);
        let marked = ksig_schema::host::response(&evidence[0]).facts.get("host.answers_everything", None).to_vec();
        if every_port {
            assert_eq!((services.len(), ended), (8, vec![Ended::Complete; 3]));
            assert_eq!(marked, [ksig_schema::Value::Bool(true)]);
            assert_eq!(simulator.connects(simulator.addresses().next().expect("a host")), 8, "the other ports were left");
        } else {
            assert_eq!((services.len(), ended), (12, vec![Ended::Refused]), "one control is enough to say no");
        }
    }
}
