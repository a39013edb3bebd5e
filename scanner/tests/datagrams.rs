//! Probes in datagrams, and those with a connection for each message, reach whom they should and end in one observation each.

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ksig_scanner::sim::{Fault, Population, Simulator, Truth};
use ksig_scanner::{Blocklist, HostObservations, PortUse, ScanOptions, Stop, TalkLimits, TargetSet};
use ksig_schema::probe::NoFollowUps;
use ksig_schema::{Delivery, Ended, Observation, Response, Transport};

use support::{by_address, faults, options, plan, scanned, started, with_fault};

const SEARCH: &str = "ssdp.msearch(\"upnp:rootdevice\")";

fn of<'o>(observations: &'o [Observation], probe: &str) -> &'o Observation {
    let mut found = observations.iter().filter(|observation| observation.probe.to_string() == probe);
    let one = found.next().unwrap_or_else(|| panic!("{probe} was not asked"));
    assert!(found.next().is_none(), "{probe} has two observations");
    one
}

fn texts(response: &Response, field: &str) -> Vec<String> {
    response.facts.get(field, None).iter().map(ToString::to_string).collect()
}

fn all(options: &ScanOptions, probes: &[&str]) -> Vec<HostObservations> {
    scanned(options, &plan(probes, &[]), Arc::new(NoFollowUps), &Stop::new(), |_| {}).1
}

#[test]
fn services_over_udp_are_asked_and_say_what_they_are() {
    let simulator = started(faults(), &["ssdp", "snmp"]);
    let hosts = all(&options(&simulator), &[SEARCH, "snmp.get()", "snmp.engine()"]);
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    let mut seen = 0;
    for truth in with_fault(&truths, "acme-gateway", None) {
        let (model, version) = (truth.model.as_deref().expect("a model"), truth.version.as_deref().expect("a version"));
        let observations = found[&IpAddr::V4(truth.address)];
        assert!(observations.iter().all(|observation| observation.transport == Transport::Udp));
        let search = of(observations, SEARCH);
        assert!(search.sent.starts_with("M-SEARCH * HTTP/1.1\\r\\n"), "{}", search.sent);
        let devices = ksig_protocols::decode(search);
        assert_eq!(search.ended, Ended::Complete);
        assert_eq!(texts(&devices, "ssdp.st"), ["upnp:rootdevice", "urn:acme-synthetic:device:gateway:1"]);
        assert_eq!(texts(&devices, "ssdp.server")[0], format!("ACME/{version} UPnP/1.0 {model}/1.0"));
        // It is silent in version 1, so it was asked in 2c too.
        let system = ksig_protocols::decode(of(observations, "snmp.get()"));
        assert_eq!(texts(&system, "snmp.sys_descr"), [format!("ACME {model} firmware {version}")]);
        assert_eq!((texts(&system, "snmp.version"), texts(&system, "snmp.sys_services")), (vec!["2c".into()], vec!["4".into()]));
        let engine = ksig_protocols::decode(of(observations, "snmp.engine()"));
        assert_eq!((texts(&engine, "snmp.engine.format"), texts(&engine, "snmp.engine.boots")), (vec!["text".into()], vec!["1".into()]));
        seen += 1;
    }
    assert!(seen > 0);
    // Who has no such service refuses, and is asked once.
    for truth in with_fault(&truths, "unnamed", None) {
        let observations = found[&IpAddr::V4(truth.address)];
        assert!(observations.iter().all(|observation| observation.ended == Ended::Refused), "{observations:?}");
        assert_eq!(observations.len(), 2, "{observations:?}");
        assert_eq!(simulator.datagrams(truth.address), 0);
    }
}

#[test]
fn every_fault_of_datagrams_ends_in_its_own_way() {
    let simulator = started(faults(), &["ssdp", "snmp"]);
    let hosts = all(&options(&simulator), &[SEARCH, "snmp.get()"]);
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    let payload: &[u8] = b"HTTP/1.1 200 OK\r\nSERVER: broken\r\nST: upnp:rootdevice\r\nUSN: uuid:0::upnp:rootdevice\r\n\r\n";
    for (fault, search, received, get) in [
        (None, Ended::Complete, payload, Ended::Complete),
        (Some(Fault::Silent), Ended::Timeout, b"", Ended::Timeout),
        (Some(Fault::Truncate), Ended::Complete, &payload[..payload.len() / 2], Ended::Complete),
        (Some(Fault::AnswerFromAnotherPort), Ended::Timeout, b"", Ended::Timeout),
        (Some(Fault::HundredAnswers), Ended::Cap, payload, Ended::Complete),
        (Some(Fault::AnsweredTwice), Ended::Complete, payload, Ended::Complete),
        (Some(Fault::LostDatagram), Ended::Complete, payload, Ended::Complete),
        (Some(Fault::LateAnswer), Ended::Timeout, b"", Ended::Timeout),
    ] {
        let mut seen = 0;
        for truth in with_fault(&truths, "broken-datagrams", fault) {
            let observations = found[&IpAddr::V4(truth.address)];
            let searched = of(observations, SEARCH);
            assert_eq!((searched.ended, searched.received.as_slice()), (search, received), "{fault:?}");
            assert_eq!(of(observations, "snmp.get()").ended, get, "{fault:?}");
            seen += 1;
        }
        assert!(seen > 0, "{fault:?}");
    }
    for truth in with_fault(&truths, "broken-datagrams", Some(Fault::BerBomb)) {
        let bomb = of(found[&IpAddr::V4(truth.address)], "snmp.get()");
        assert_eq!(bomb.ended, Ended::Cap);
        assert!(!ksig_protocols::decode(bomb).answered());
    }
}

/// The population of faults, with the hosts of one device alone.
fn only(device: &str, fault: Option<Fault>, services: &[&str]) -> (Simulator, Ipv4Addr) {
    let simulator = started(faults(), services);
    let truths: Vec<Truth> = simulator.truth().collect();
    let address = with_fault(&truths, device, fault).next().expect("one of them").address;
    (simulator, address)
}

fn options_for(simulator: &Simulator, address: Ipv4Addr) -> ScanOptions {
    ScanOptions { targets: TargetSet::of_addresses([IpAddr::V4(address)]).expect("one target"), ..options(simulator) }
}

#[test]
fn a_message_that_meets_silence_is_said_three_times_and_no_more() {
    let (simulator, address) = only("broken-datagrams", Some(Fault::Silent), &["ssdp"]);
    let hosts = all(&options_for(&simulator, address), &[SEARCH]);
    let observation = of(&hosts[0].observations, SEARCH);
    let said = observation.sent.matches("M-SEARCH").count();
    assert_eq!((said, simulator.datagrams(address) as usize), (Delivery::Datagrams.sends(), Delivery::Datagrams.sends()));

    let (simulator, address) = only("acme-gateway", None, &["ssdp"]);
    all(&options_for(&simulator, address), &[SEARCH]);
    assert_eq!(simulator.datagrams(address), 1, "one that was answered is not said again");
}

#[test]
fn who_opts_out_is_not_sent_the_next_datagram() {
    let (simulator, address) = only("broken-datagrams", Some(Fault::Silent), &["ssdp"]);
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("blocklist");
    std::fs::write(&path, "# nobody yet\n").expect("write");
    let blocklist = Arc::new(Blocklist::read(&path).expect("a list"));
    let mut options = options_for(&simulator, address);
    (options.no_blocklist, options.blocklist) = (false, Some(blocklist.clone()));
    // Time enough between two datagrams for an opt-out on the busiest machine.
    options.limits = TalkLimits { first_byte_ms: 30_000, total_ms: 30_000, ..support::LIMITS };
    let hosts = std::thread::scope(|threads| {
        threads.spawn(|| {
            while simulator.datagrams(address) == 0 {
                std::thread::yield_now();
            }
            std::fs::write(&path, "127.0.0.0/8\n").expect("write");
            blocklist.reload().expect("a list");
        });
        all(&options, &[SEARCH])
    });
    assert_eq!((of(&hosts[0].observations, SEARCH).ended, simulator.datagrams(address)), (Ended::Stopped, 1));
}

#[test]
fn ten_hellos_have_a_connection_each() {
    let simulator = started(faults(), &["https"]);
    let mut options = options(&simulator);
    options.review = true;
    let hosts = all(&options, &["tls.jarm()"]);
    let found = by_address(&hosts);
    let truths: Vec<Truth> = simulator.truth().collect();
    let mut hashes: Vec<String> = Vec::new();
    for truth in with_fault(&truths, "acme-router", None) {
        let jarm = of(found[&IpAddr::V4(truth.address)], "tls.jarm()");
        assert_eq!((jarm.ended, jarm.transport, simulator.connects(truth.address)), (Ended::Complete, Transport::Tls, 10));
        hashes.extend(texts(&ksig_protocols::decode(jarm), "tls.jarm"));
    }
    assert!(hashes.len() > 1 && hashes.iter().all(|hash| hash.len() == 62 && *hash == hashes[0]), "{hashes:?}");
    for (fault, ended, hellos) in [(Fault::TlsAlert, Ended::Complete, 10), (Fault::PlainOnTls, Ended::Complete, 10)] {
        for truth in with_fault(&truths, "broken-tls", Some(fault)) {
            let jarm = of(found[&IpAddr::V4(truth.address)], "tls.jarm()");
            assert_eq!((jarm.ended, simulator.connects(truth.address)), (ended, hellos), "{fault:?}");
            assert!(texts(&ksig_protocols::decode(jarm), "tls.jarm").is_empty(), "{fault:?}");
        }
    }
    // Nobody who is silent is waited for ten times.
    for truth in with_fault(&truths, "broken-tls", Some(Fault::Silent)) {
        assert_eq!(of(found[&IpAddr::V4(truth.address)], "tls.jarm()").ended, Ended::Timeout);
    }
    // Whoever resets every connection has no hash; the first reset may come before the connection is one.
    for truth in with_fault(&truths, "unnamed", None) {
        let jarm = of(found[&IpAddr::V4(truth.address)], "tls.jarm()");
        assert!(matches!(jarm.ended, Ended::Complete | Ended::Reset), "{:?}", jarm.ended);
        assert!(texts(&ksig_protocols::decode(jarm), "tls.jarm").is_empty());
    }
}

#[test]
fn a_port_that_refuses_the_first_hello_is_not_asked_again() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports").local_addr().expect("bound").port();
    let simulator = started(faults(), &["https"]);
    let mut options = options_for(&simulator, Ipv4Addr::LOCALHOST);
    options.review = true;
    options.ports = vec![PortUse { port: closed, service: Some("https".parse().expect("https")) }];
    let hosts = all(&options, &["tls.jarm()"]);
    let jarm = of(&hosts[0].observations, "tls.jarm()");
    assert_eq!((jarm.ended, jarm.received.as_slice()), (Ended::Refused, &b""[..]));
}

#[test]
fn mistakes_in_services_over_udp_name_their_line() {
    let head = "synthetic = true\nnetwork = \"127.16.0.0/24\"\nhosts = 3\n[[device]]\nname = \"a\"\n[[device.service]]\n";
    let check = |text: &str, line: usize, reason: &str| {
        let error = Population::parse("p.toml", &format!("{head}{text}")).expect_err(text).to_string();
        assert!(error.starts_with(&format!("p.toml:{line}: ")) && error.contains(reason), "{error}");
    };
    check("on = \"ssdp\"\ngreeting = \"\"\n", 7, "ssdp goes over UDP");
    check("on = \"ssh\"\n[[device.service.datagram]]\ntext = \"a\"\n", 7, "ssh goes over TCP");
    check("on = \"snmp\"\n[device.service.agent]\nversions = [\"v3\"]\n", 9, "`v3` is not a version");
    check("on = \"snmp\"\n[device.service.agent]\nobject = [{ id = \"1.x\", number = 1 }]\n", 9, "`1.x` is not an object id");
    check("on = \"snmp\"\n[device.service.agent]\nobject = [{ id = \"1.3.6\" }]\n", 9, "either a `text`");
}
