//! What holds for every protocol, and the tools of the tests of each.

use std::net::{IpAddr, Ipv4Addr};

use ksig_schema::probe::Place;
use ksig_schema::{Ended, Observation, ProbeKey, Request, Response, Sections, Time, Transport, Value};
use proptest::prelude::*;

use crate::{
    Peer, PeerState, ScanIdentity, Step, check_argument, conversation, decode_bytes, evidence, fixture_bytes, plain_probe, requests, schema,
};

/// Reads the facts of a response as text.
pub trait Facted {
    /// The values of a field, or of `field["key"]` written `field.key`, as text; empty when it is absent.
    fn texts(&self, path: &str) -> Vec<String>;
}

impl Facted for Response {
    fn texts(&self, path: &str) -> Vec<String> {
        let schema = schema();
        let (field, key) = schema.field_and_key(path).unwrap_or_else(|| panic!("no field {path}"));
        self.facts.get(field.name, key.as_deref()).iter().map(Value::to_string).collect()
    }
}

/// The response to a probe written as in a signature.
pub fn decoded(probe: &str, ended: Ended, bytes: &[u8]) -> Response {
    decode_bytes(&probe.parse().expect(probe), Transport::Tcp, ended, bytes)
}

/// Holds a conversation with a peer that answers with these bytes in deliveries of `size` and then stays open: all that was sent, and the
/// last step.
pub fn talk(probe: &str, bytes: &[u8], size: usize) -> (Vec<u8>, Step) {
    let identity = ScanIdentity { contact: "https://scan.example.org/".into() };
    let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 8022, tls: false, identity: &identity };
    let mut conversation = conversation(&probe.parse().expect(probe), &peer).expect(probe);
    let mut sent = Vec::new();
    let mut received = 0;
    // Each step either sends, of which there are few, or takes more bytes.
    for _ in 0..bytes.len() + 4096 {
        match conversation.next(&bytes[..received], PeerState::Open) {
            Step::Send(more) => sent.extend(more),
            Step::Read if received < bytes.len() => received = (received + size).min(bytes.len()),
            last => return (sent, last),
        }
    }
    panic!("{probe} did not end");
}

/// One probe of each constructor.
fn probes() -> Vec<ProbeKey> {
    schema().constructors().map(ksig_schema::ConstructorDef::plain_probe).collect()
}

fn size(response: &Response) -> usize {
    let value = |value: &Value| 64 + value.as_bytes().map_or(0, <[u8]>::len);
    response.facts.iter().map(|fact| 64 + fact.key.as_ref().map_or(0, String::len) + fact.values.iter().map(value).sum::<usize>()).sum()
}

/// Bytes that look like answers, and bytes that do not.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<Vec<u8>> = [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 401 x\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "ICY 200 OK\r\n",
        "RTSP/1.0 200 OK\r\n",
        "Public: OPTIONS, PLAY\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
        "Content-Encoding: deflate\r\n",
        "Content-Type: text/html; charset=Shift_JIS\r\n",
        "Server: a\0b\r\n",
        "WWW-Authenticate: Basic realm=\"x\r\n",
        "WWW-Authenticate: Digest realm=x, Basic realm=\"a\"b\"\r\n",
        "Set-Cookie: a=b; c\r\n",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "<title>",
        "</title>",
        "<meta charset=euc-jp>",
        "<script src=/a>",
        "SSH-2.0-x y\r\n",
        "SSH-",
        "220-a\r\n",
        "220 b\r\n",
        "250-SIZE 1\r\n",
        "250 HELP\r\n",
        "+OK x\r\n",
        "* OK y\r\n",
        "login: ",
        "Content-Type: application/ipp\r\n",
        "Content-Type: application/json\r\n",
        "<?xml version=\"1.0\"?>",
        "<root><device>",
        "<modelName>a&amp;b</modelName>",
        "<a b=c/>",
        "</device></root>",
        "{\"a\":[1,",
        "\"b\"]}",
        "ST: upnp:rootdevice\r\n",
        "SIP/2.0 100 Trying\r\n\r\n",
        "SIP/2.0 200 OK\r\n",
        "m: <sip:a>\r\n",
        "<s:Envelope><s:Body><ProbeMatches><ProbeMatch>",
        "<Scopes>onvif://www.onvif.org/name/a%20b</Scopes>",
        "</ProbeMatch></ProbeMatches></s:Body></s:Envelope>",
    ]
    .iter()
    .map(|word| word.as_bytes().to_vec())
    .chain([
        b"\xff\xfd\x18".to_vec(),
        b"\xff\xfb\x01".to_vec(),
        b"\xff\xfa\x18\x01\xff\xf0".to_vec(),
        b"\xff".to_vec(),
        b"\x1b$B".to_vec(),
        b"\x83\x8b\x81\x5b".to_vec(),
        b"\x16\x03\x01\x00\x05".to_vec(),
        b"\x02\x00\x00\x26\x03\x03".to_vec(),
        b"\x15\x03\x01\x00\x02\x02\x28".to_vec(),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec(),
        b"\x30\x0b\x02\x01\x00\x04\x06public".to_vec(),
        b"\x30\x25\x02\x01\x01\x04\x06public\xa2\x18\x02\x01\x01\x02\x01\x02\x02\x01\x00\x30\x0d".to_vec(),
        b"\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00".to_vec(),
        b"\x01\x01\x00\x00\x00\x00\x00\x01\x04".to_vec(),
        b"\x41\x00\x0cprinter-info\x00\x01a".to_vec(),
        b"\x00\x00\x00\x07\x15\x03\x03\x00\x02\x02\x28".to_vec(),
        b"ks\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00".to_vec(),
        b"\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x00\x00\x05\x04ty=a".to_vec(),
        b"\x09_services\x07_dns-sd\x04_udp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00\x00\x00\x02\xc0\x0c".to_vec(),
        b"\xd6\xa2\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04a=b,".to_vec(),
        b"\xd6\x82\x00\x01\x00\x00\x00\x00\x00\x04\x00\x04c=\"d".to_vec(),
        b"\x81\x0a\x00\x16\x01\x00\x30\x01\x0c\x0c\x02\x00\x00\x01\x19\x79\x3e\x73\x00hi\x3f".to_vec(),
        b"\x09\x00\x00\x00\x0a5.7.1-x\x00".to_vec(),
        b"RFB 003.008\n".to_vec(),
        b"RFB 003.003\n\x00\x00\x00".to_vec(),
        b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x00\x00\x00\x02\x01\x08\x00".to_vec(),
        b"\x01\x00\x0b\x00\x00\x00\x10\x00".to_vec(),
        b"\x20\x02\x00\x00".to_vec(),
        b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00".to_vec(),
        b"E\x00\x00\x00\x08MN".to_vec(),
        b"\xc0\x00\x02\x00\x63\x00\x00\x00\x00k\x05\x01\x00\x00ACME-10             01.20".to_vec(),
        b"SSH-2.0-x\r\n\x00\x00\x00\x0c\x04\x02".to_vec(),
        crate::ssh::key_exchange(),
        b"ks\x00\x00\x00\x0b\xff\x2b\x0e\x02\x01\x00\x00\x02\x00\x01A".to_vec(),
    ])
    .collect();
    let part = prop_oneof![3 => prop::sample::select(words), 1 => prop::collection::vec(any::<u8>(), 0..40)];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// The captures of these names.
macro_rules! captures {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_bytes!(concat!("../captures/", $name)))),+] };
}

/// What real servers sent, by the names of the files; see captures/README.md.
pub const CAPTURES_BY_NAME: &[(&str, &[u8])] = captures![
    "avahi-0.8.mdns",
    "bacpypes-0.19.0.bacnet",
    "bind-9.18.49.dns",
    "cpppo-5.2.5.enip",
    "dnsmasq-2.90.dns",
    "dovecot-2.3.19.imap",
    "dovecot-2.3.19.pop3",
    "inetutils-telnetd-2.4.telnet",
    "ippeveprinter-2.4.2.ipp",
    "kamailio-5.6.3.sip",
    "mariadb-10.11.19-refusal.mysql",
    "mariadb-10.11.19.mysql",
    "mosquitto-2.0.11.mqtt",
    "net-snmp-5.9.3-engine.snmp",
    "net-snmp-5.9.3-get.snmp",
    "nginx-1.22.1.http",
    "ntpsec-1.2.2-client.ntp",
    "ntpsec-1.2.2-readvar.ntp",
    "openldap-2.5.13.ldap",
    "openssh-9.2p1-host-key.ssh",
    "openssh-9.2p1.ssh",
    "openssl-3.0.tls10",
    "openssl-3.0.tls12",
    "postfix-3.7.11.smtp",
    "postgresql-15.18.postgresql",
    "pymodbus-3.16.1.modbus",
    "python-snap7-1.3.s7",
    "tigervnc-1.12.0.vnc",
    "vsftpd-3.0.3.ftp",
    "wsdd2-1.8.7.wsd",
    "xrdp-0.9.21.rdp",
    "xvfb-21.1.7-refusal.x11",
    "xvfb-21.1.7.x11",
];

fn endings() -> impl Strategy<Value = Ended> {
    prop::sample::select(vec![
        Ended::Complete,
        Ended::Eof,
        Ended::Cap,
        Ended::Timeout,
        Ended::Reset,
        Ended::Refused,
        Ended::Unreachable,
        Ended::TlsAlert,
        Ended::Local,
        Ended::Stopped,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_decoded_within_bounds(bytes in answers(), ended in endings()) {
        for probe in probes() {
            let response = decode_bytes(&probe, Transport::Tcp, ended, &bytes);
            // Decompression alone makes more of the bytes than a constant factor, and has its own cap.
            prop_assert!(size(&response) <= 4096 + 64 * bytes.len() + 4 * crate::body::BODY_BYTES_MAX, "{probe}");
            prop_assert!(ended.connected() || !response.answered(), "{probe}");
            let (_, constructor) = crate::protocol::find(&probe).expect("a known probe");
            for fact in response.facts.iter() {
                prop_assert!(constructor.fills(fact.field.name), "{probe} fills {}, which no signature can read of it", fact.field.name);
            }
        }
    }

    #[test]
    fn any_short_noise_is_decoded(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for probe in probes() {
            decode_bytes(&probe, Transport::Tcp, Ended::Eof, &bytes);
        }
    }

    #[test]
    fn a_damaged_capture_is_decoded_within_bounds(
        (_, capture) in prop::sample::select(CAPTURES_BY_NAME),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = capture.to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let cut = cut.index(2 * bytes.len());
        bytes.truncate(cut);
        for probe in probes() {
            let response = decode_bytes(&probe, Transport::Tcp, Ended::Eof, &bytes);
            prop_assert!(size(&response) <= 4096 + 64 * bytes.len(), "{probe}");
        }
    }

    /// The steps of a conversation depend on the bytes, never on how they were split; and what it had when it ended is what all bytes say.
    #[test]
    fn splitting_changes_nothing(bytes in answers(), pieces in 1usize..40) {
        for probe in probes() {
            let probe = probe.to_string();
            let whole = talk(&probe, &bytes, bytes.len().max(1));
            prop_assert_eq!(&talk(&probe, &bytes, 1), &whole, "{}", probe);
            prop_assert_eq!(&talk(&probe, &bytes, pieces), &whole, "{}", probe);
        }
    }

    /// What a conversation had when it was done is all that its bytes say: those that come later change no fact.
    #[test]
    fn done_is_done(bytes in answers()) {
        for probe in probes() {
            let text = probe.to_string();
            let done = (0..=bytes.len()).find(|end| talk(&text, &bytes[..*end], 1).1 == Step::Done);
            if let Some(end) = done {
                let early = decode_bytes(&probe, Transport::Tcp, Ended::Complete, &bytes[..end]);
                let late = decode_bytes(&probe, Transport::Tcp, Ended::Complete, &bytes);
                prop_assert_eq!(early, late, "{}", probe);
            }
        }
    }
}

/// Answers as large as the limits let them be; a reader that went over them more than a few times would not come to its end here.
#[test]
fn the_largest_answers_are_read() {
    let http = |headers: &str, unit: &[u8]| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
        bytes.extend(unit.iter().copied().cycle().take(512 * 1024));
        bytes
    };
    for bytes in [
        http("", b"<meta name=a content=b><script src=a></script>"),
        http("", b"<title>"),
        http("", b"<a b=c "),
        http("", b"&amp;<!--"),
        http("", b"\x83\x8b\xa4\xcb\xff"),
        http("Content-Type: text/html; charset=gb18030\r\n", b"\xb1\xb1\xbe\xa9"),
        http("Transfer-Encoding: chunked\r\n", b"1\r\na\r\n"),
        http(&"www-authenticate: Basic realm=\"a\"b\"c\r\n".repeat(250), b"x"),
        http(&format!("www-authenticate: Basic realm=\"{}\r\n", "\"x".repeat(20_000)), b"x"),
    ] {
        let response = decoded("http.get(\"/\")", Ended::Cap, &bytes);
        assert_eq!(response.texts("http.status"), ["200"]);
        assert!(size(&response) <= 8 * bytes.len() + 4 * crate::body::BODY_BYTES_MAX);
    }
}

#[test]
fn every_field_says_what_it_is() {
    for field in schema().fields() {
        assert!(field.doc.len() > 20 && field.doc.trim_end().ends_with(['.', '`', '>']), "{}: {:?}", field.name, field.doc);
        let root = field.name.split('.').next().expect("a first part");
        assert!(matches!(root, "host" | "foreign") || crate::PROTOCOLS.iter().any(|protocol| protocol.name == root), "{}", field.name);
    }
}

#[test]
fn every_parameter_says_what_it_takes() {
    for constructor in schema().constructors() {
        let places = constructor.parameters.iter().map(|parameter| parameter.place == Place::Named);
        assert!(places.is_sorted(), "{}: positional parameters stand first", constructor.name);
        assert!(constructor.parameters.iter().filter(|parameter| parameter.part_of_key).count() <= 1, "{}", constructor.name);
        for parameter in constructor.parameters {
            assert_eq!(check_argument(parameter.kind, parameter.usual), Ok(()), "{}: {}", constructor.name, parameter.name);
            assert!(parameter.doc.len() > 20 && parameter.doc.ends_with('.'), "{}: {:?}", constructor.name, parameter.doc);
            assert!(!parameter.part_of_key || parameter.required, "{}: a key is never left out", constructor.name);
        }
    }
}

#[test]
fn what_a_probe_never_fills_is_a_field_of_another() {
    let schema = schema();
    for constructor in schema.constructors() {
        for part in constructor.never_fills {
            let other = schema.fields().any(|field| field.name.starts_with(part) && constructor.leaves_out(field.name));
            assert!(part.starts_with(constructor.root) && other, "{}: {part}", constructor.name);
        }
    }
    for field in schema.fields().filter(|field| !field.name.starts_with("host.") && !field.name.starts_with("foreign.")) {
        assert!(schema.filling(field.name).next().is_some(), "{}", field.name);
    }
}

#[test]
fn every_field_has_a_plain_probe() {
    let schema = schema();
    for field in schema.fields() {
        let path = if field.keyed { format!("{}.key.with.dots", field.name) } else { field.name.to_string() };
        let probe = plain_probe(&path).unwrap_or_else(|| panic!("{path}"));
        // What is known of the host, and what another tool got, is asked of nobody.
        if !probe.is_sent() {
            continue;
        }
        let constructor = schema.constructor(&probe.constructor).expect("a constructor of the schema");
        assert!(field.name.starts_with(constructor.root), "{path}: {probe}");
        assert_eq!(constructor.plain_probe(), probe);
    }
    let plain = |field| plain_probe(field).map(|probe| probe.to_string());
    assert_eq!(plain("http.html.title").as_deref(), Some("http.get(\"/\")"));
    assert_eq!(plain("http.header.server").as_deref(), Some("http.get(\"/\")"));
    assert_eq!(plain("http.favicon.md5").as_deref(), Some("http.favicon()"));
    assert_eq!(plain("ssh.software").as_deref(), Some("ssh.banner()"));
    assert_eq!(plain("tls.jarm").as_deref(), Some("tls.jarm()"));
    assert_eq!(plain("snmp.sysDescr.0").as_deref(), Some("snmp.get()"));
    assert_eq!(plain("snmp.engine.enterprise").as_deref(), Some("snmp.engine()"));
    assert_eq!(plain("ssdp.st").as_deref(), Some("ssdp.msearch(\"upnp:rootdevice\")"));
    assert_eq!(plain("ipp.device_id.MFG").as_deref(), Some("ipp.printer_attributes()"));
    assert_eq!(plain("http.nothing"), None);
    assert_eq!(plain("http"), None);
}

#[test]
fn unknown_probes_and_wrong_arguments_hold_no_conversation() {
    let identity = ScanIdentity { contact: String::new() };
    let peer = |port| Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port, tls: false, identity: &identity };
    for probe in ["no.such()", "http.get()", "ssh.banner(\"/\")", "http.get(\"/../x\")", "http.get(\"x\")"] {
        assert!(conversation(&probe.parse().expect(probe), &peer(80)).is_none(), "{probe}");
    }
    for probe in probes() {
        assert!(conversation(&probe, &peer(80)).is_some(), "{probe}");
        assert!(conversation(&probe, &peer(9100)).is_none(), "{probe} on a port that prints");
    }
    let named = |constructor, target| crate::named_conversation(&ProbeKey::with(constructor, target), &peer(80)).is_some();
    assert!(named("http.get", "/login.asp?lang=ja"));
    assert!(!named("http.get", "http://other/"));
    assert!(!named("ssh.banner", "/"));
}

#[test]
fn every_message_of_a_request_can_be_shown() {
    let holes = requests::Holes { place: "/<place>", contact: "<contact>" };
    let messages = |probe: &str| requests::messages(&Request::Exactly(probe.parse().expect(probe)), holes).len();
    for (probe, count) in [
        ("http.get(\"/\")", 1),
        ("bacnet.device()", 5),
        ("snmp.get()", 2),
        ("snmp.engine()", 1),
        ("tls.jarm()", 10),
        ("ipp.printer_attributes()", 1),
        ("smtp.banner()", 2),
        ("ssh.banner()", 1),
        ("ssh.host_key()", 2),
        ("s7.identification()", 4),
        ("vnc.security()", 1),
        ("banner()", 0),
    ] {
        assert_eq!(messages(probe), count, "{probe}");
    }
    let named = requests::messages(&Request::Named("http.get".into()), holes);
    assert!(named[0].starts_with(format!("GET /<place> HTTP/1.1\r\nHost: {}\r\n", requests::host_name()).as_bytes()));
}

#[test]
fn a_request_costs_its_longest_form_and_what_is_kept_of_the_answer() {
    let cost = |request| requests::cost(&request);
    let page = cost(Request::Exactly(ProbeKey::with("http.get", "/")));
    let named = cost(Request::Named("http.get".into()));
    assert_eq!(named.bytes_sent - page.bytes_sent, ksig_schema::target::TARGET_BYTES_MAX - 1);
    assert!(page.bytes_kept > 0 && page.bytes_kept == named.bytes_kept);
    assert_eq!(cost(Request::Exactly("banner()".parse().expect("a probe"))).bytes_sent, 0);
    assert_eq!(cost(Request::Exactly(ksig_schema::host::probe())), ksig_schema::ProbeCost::default());
}

#[test]
fn the_contact_cannot_break_out_of_its_place() {
    let identity = ScanIdentity { contact: format!("https://scan.example.org/\r\nX: y {}", "z".repeat(1000)) };
    assert!(identity.shown().starts_with("https://scan.example.org/X:yz") && identity.shown().len() == 128);
    assert_eq!(identity.host_name(), "scan.example.org");
    for (contact, name) in
        [("mailto:a@b", "ksig.invalid"), ("", "ksig.invalid"), ("https://[::1]/", "ksig.invalid"), ("Scan.Example.ORG", "scan.example.org")]
    {
        assert_eq!(ScanIdentity { contact: contact.into() }.host_name(), name);
    }
}

fn observation(host: &str, port: u16, probe: &str, ended: Ended, received: &[u8], second: i64) -> Observation {
    Observation {
        id: format!("{host}:{port}/{probe}@{second}"),
        host: host.into(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
        transport: Transport::Tcp,
        probe: probe.parse().expect(probe),
        sent: String::new(),
        received: received.to_vec(),
        ended,
        time: Time::from_second(second).expect("a time"),
    }
}

#[test]
fn observations_become_the_evidence_of_their_hosts() {
    let page = b"HTTP/1.0 200 OK\r\n\r\n<title>a</title>";
    let observations = [
        observation("a", 80, "http.get(\"/\")", Ended::Timeout, b"", 3),
        observation("a", 80, "http.get(\"/\")", Ended::Eof, page, 4),
        observation("a", 80, "http.get(\"/\")", Ended::Eof, b"HTTP/1.0 404 x\r\n\r\n", 5),
        observation("a", 22, "ssh.banner()", Ended::Complete, b"SSH-2.0-x\r\n", 2),
        observation("b", 22, "ssh.banner()", Ended::Refused, b"", 1),
    ];
    let hosts = evidence(&observations);
    assert_eq!(hosts.iter().map(|host| host.host.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(hosts[0].time, Time::from_second(5).ok());
    assert_eq!(hosts[0].services.iter().map(|service| service.port).collect::<Vec<_>>(), [22, 80]);
    let web = &hosts[0].services[1].responses;
    assert_eq!(web.len(), 1);
    assert_eq!(web[0].texts("http.html.title"), ["a"]);
    assert!(!hosts[1].services[0].responses[0].answered());
}

#[test]
fn fixtures_are_wire_bytes() {
    assert_eq!(fixture_bytes("http", "HTTP/1.0 200 OK\nA: b").as_deref(), Some(&b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n"[..]));
    assert_eq!(fixture_bytes("ssh", "SSH-2.0-x").as_deref(), Some(&b"SSH-2.0-x\r\n"[..]));
    assert_eq!(fixture_bytes("no-such", "x"), None);
}

#[test]
fn a_failed_probe_is_not_answered() {
    for probe in probes() {
        let response = decode_bytes(&probe, Transport::Tcp, Ended::Refused, b"HTTP/1.0 200 OK\r\n\r\n");
        assert!(!response.answered() && response.complete == Sections::default());
    }
}
