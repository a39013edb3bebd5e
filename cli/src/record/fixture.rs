//! One answer as the fixture of a test.
//!
//! In: an observation. Out: `given top = http"""..."""`, whose text decodes to the facts of the observation but for what was scrubbed; or the
//! facts, where no text does.

use ksig_lang::ast::{Fixture, Item, Statement};
use ksig_lang::quoted;
use ksig_protocols::charset;
use ksig_schema::evidence::Fact;
use ksig_schema::{Ended, Facts, Observation, ProbeKey, Response, Transport, Value};

use super::scrub::{Answer, Scrubbed, facts_without, instead_of, scrub};

/// Headers about how a body travels, which a fixture has of its own.
const FRAMING: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// The statement, indented for a `test` block, and the answer that a test reads from it.
pub(super) fn given(name: &str, observation: &Observation, scrubbed: &mut Vec<Scrubbed>) -> (String, Response) {
    let probe = &observation.probe;
    let response = ksig_protocols::decode(observation);
    let answer = Answer::of(observation);
    if let Some(text) = readable(answer.protocol, observation, &response.facts)
        && decoded(probe, &heredoc(name, answer.protocol, &text)).is_some_and(|read| same(&response.facts, &read.facts))
    {
        let mut told = Vec::new();
        let clean = with_length(&scrub(&text, &answer, &response.facts, &mut told));
        let mut statement = heredoc(name, answer.protocol, &clean);
        // A place that the answer names by the host's own address is still one of this host.
        if told.iter().any(|told| told.was == observation.address.to_string()) {
            statement = format!("{} from {}\n", statement.trim_end(), instead_of(observation.address));
        }
        // What is put in the place of something may not end the text, and what a terminal must not see would not come out as it is.
        if let Some(read) = decoded(probe, &statement).filter(|_| crate::plain::text(&statement) == statement) {
            scrubbed.append(&mut told);
            return (statement, read);
        }
    }
    let facts = facts_without(&response.facts, &answer, scrubbed);
    let statement = listed(name, probe, &facts);
    (statement, ksig_protocols::partial_response(probe.clone(), facts, Ended::Complete, false))
}

/// What was answered as one text, as it would be typed. Absent where the protocol has no text, and of bytes that are none.
fn readable(protocol: &str, observation: &Observation, facts: &Facts) -> Option<String> {
    ksig_protocols::fixture_bytes(protocol, "")?;
    let bytes = &observation.received;
    if !matches!(protocol, "http" | "rtsp") {
        return Some(lines(&charset::text(bytes)));
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").or_else(|| bytes.windows(2).position(|two| two == b"\n\n"))?;
    let is_framing =
        |line: &&str| line.split_once(':').is_some_and(|(name, _)| FRAMING.contains(&name.trim().to_ascii_lowercase().as_str()));
    let head = lines(&charset::text(&bytes[..end]));
    let head: Vec<&str> = head.lines().filter(|line| !is_framing(line)).collect();
    let body = facts.text(&format!("{protocol}.body")).map(lines).unwrap_or_default();
    Some(with_length(&format!("{}\n\n{body}", head.join("\n"))))
}

fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// A message whose head says how long its body is: the last line of a heredoc ends in a newline, which the body need not have.
fn with_length(text: &str) -> String {
    let Some((head, body)) = text.split_once("\n\n").filter(|(head, _)| head.starts_with("HTTP/") || head.starts_with("RTSP/")) else {
        return text.to_string();
    };
    let kept: Vec<&str> = head.lines().filter(|line| !line.starts_with("Content-Length:")).collect();
    let length = if body.is_empty() { String::new() } else { format!("\nContent-Length: {}", body.len()) };
    format!("{}{length}\n\n{body}", kept.join("\n"))
}

fn heredoc(name: &str, protocol: &str, text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_string() } else { format!("    {line}\n") };
    let text: String = text.strip_suffix('\n').unwrap_or(text).split('\n').map(line).collect();
    format!("  given {name} = {protocol}\"\"\"\n{text}    \"\"\"\n")
}

/// A fixture, read as a test is: parsed, put on the wire, decoded.
fn decoded(probe: &ProbeKey, statement: &str) -> Option<Response> {
    let source = format!("ksig 1\nmodule a\nsignature s {{\n test \"t\" {{\n{statement}  expect no_match\n }}\n}}\n");
    let parsed = ksig_lang::parse(&source, 0);
    if !parsed.diagnostics.is_empty() {
        return None;
    }
    let Some(Item::Signature(signature)) = parsed.ast.items.first() else { return None };
    let Some(Statement::Test(test)) = signature.body.first() else { return None };
    let Fixture::Inline { kind, text } = &test.given.first()?.fixture else { return None };
    let bytes = ksig_protocols::fixture_bytes(&kind.value, &text.value)?;
    Some(ksig_protocols::decode_bytes(probe, Transport::Tcp, Ended::Eof, &bytes))
}

/// Facts about bytes and their framing, which the text of a fixture has of its own.
fn is_of_bytes(fact: &Fact) -> bool {
    let name = fact.field.name;
    matches!(name, "http.raw" | "http.sha256" | "http.text.charset" | "http.text.replacements" | "http.head")
        || fact.key.as_deref().is_some_and(|key| FRAMING.contains(&key))
}

/// Whether two answers say the same, line ends aside.
pub(super) fn same(a: &Facts, b: &Facts) -> bool {
    let said = |facts: &Facts| {
        let values = |fact: &Fact| fact.values.iter().map(|value| lines(&format!("{:?}", plain(value)))).collect::<Vec<_>>();
        let mut all: Vec<_> =
            facts.iter().filter(|fact| !is_of_bytes(fact)).map(|fact| (fact.field.name, fact.key.clone(), values(fact))).collect();
        all.sort();
        all
    };
    said(a) == said(b)
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(lines(text)),
        other => other.clone(),
    }
}

/// Facts as a fixture lists them, each once: what cannot be written as a literal, and what follows from another fact, is left out.
fn listed(name: &str, probe: &ProbeKey, facts: &Facts) -> String {
    let schema = ksig_protocols::schema();
    let Some(constructor) = schema.constructor(&probe.constructor) else { return String::new() };
    let root = constructor.root;
    let mut lines = String::new();
    for fact in facts.iter().filter(|fact| !fact.field.call) {
        let Some(below) = fact.field.name.strip_prefix(root).and_then(|name| name.strip_prefix('.')) else { continue };
        let key = fact.key.as_ref().map_or(String::new(), |key| format!(".{key}"));
        let literal = match fact.values.first() {
            Some(Value::Text(text)) => quoted(text),
            Some(Value::Int(number)) => number.to_string(),
            Some(Value::Bool(truth)) => truth.to_string(),
            Some(Value::Date(day)) => day.to_string(),
            Some(Value::Bytes(bytes)) => format!("h\"{}\"", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            None => continue,
        };
        lines.push_str(&format!("    {}: {literal}\n", quoted(&format!("{below}{key}"))));
    }
    let kind = root.rsplit('.').next().unwrap_or(root);
    format!("  given {name} = {kind} {{\n{lines}  }}\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn observed(probe: ProbeKey, received: Vec<u8>) -> Observation {
        Observation {
            id: "x".into(),
            host: "x".into(),
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 80,
            transport: Transport::Tcp,
            probe,
            sent: String::new(),
            received,
            ended: Ended::Eof,
            time: ksig_schema::Time::UNIX_EPOCH,
        }
    }

    fn top(received: Vec<u8>) -> Observation {
        observed(ProbeKey::with("http.get", "/"), received)
    }

    fn chunked(body: &str) -> String {
        format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
    }

    #[test]
    fn chunks_and_line_ends_are_undone() {
        let page = "<title>ACME AC-1</title>\r\n<p>ready";
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: acme\r\n\r\n{}", chunked(page));
        let mut scrubbed = Vec::new();
        let (statement, _) = given("top", &top(bytes.into_bytes()), &mut scrubbed);
        let expected = "  given top = http\"\"\"\n    HTTP/1.1 200 OK\n    Server: acme\n    Content-Length: 33\n\n    <title>ACME AC-1</title>\n    <p>ready\n    \"\"\"\n";
        assert_eq!((statement.as_str(), scrubbed), (expected, Vec::new()));
    }

    #[test]
    fn a_packed_page_is_written_as_it_is_read() {
        let page = "<title>ACME AC-1</title>\n<p>ready\n";
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(page.as_bytes()).expect("memory takes everything");
        let body = packer.finish().expect("memory takes everything");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\nServer: acme\r\n\r\n", body.len());
        let (statement, read) = given("top", &top([head.into_bytes(), body].concat()), &mut Vec::new());
        let expected = "  given top = http\"\"\"\n    HTTP/1.1 200 OK\n    Server: acme\n    Content-Length: 34\n\n    <title>ACME AC-1</title>\n    <p>ready\n    \"\"\"\n";
        assert_eq!((statement.as_str(), read.facts.text("http.html.title")), (expected, Some("ACME AC-1")));
    }

    #[test]
    fn a_greeting_says_no_name_of_its_host() {
        // The form of RFC 5321 appendix D.1.
        let bytes = b"220 mail.acme.co.jp ESMTP Postfix\r\n250-mail.acme.co.jp\r\n250 SIZE 10240000\r\n".to_vec();
        let probe = ProbeKey { constructor: "smtp.banner".into(), argument: None };
        let mut scrubbed = Vec::new();
        let (statement, read) = given("s", &observed(probe, bytes), &mut scrubbed);
        assert_eq!(read.facts.text("smtp.banner"), Some("host.example ESMTP Postfix"), "{statement}");
        let places: Vec<&str> = scrubbed.iter().map(|told| told.place.as_str()).collect();
        assert!(!statement.contains("acme") && places == ["127.0.0.1:80 smtp.banner(), line 1"], "{statement}{places:?}");
    }

    #[test]
    fn what_is_personal_is_taken_out_and_told() {
        let page = "WAN 8.8.4.4, LAN 192.168.10.1, http://127.0.0.1/, MAC 00:1D:73:4A:5B:6C, admin@acme.co.jp, nas.local\nSerial Number: J8PG12003412";
        let bytes = format!("HTTP/1.0 200 OK\r\nSet-Cookie: sid=3f9a7c0b1d2e4f60\r\n\r\n{page}");
        let mut scrubbed = Vec::new();
        let (statement, read) = given("top", &top(bytes.into_bytes()), &mut scrubbed);
        assert!(statement.ends_with("\"\"\" from 192.0.2.1\n"), "the own address is one still: {statement}");
        for was in [
            "8.8.4.4",
            "192.168.10.1",
            "127.0.0.1",
            "00:1D:73:4A:5B:6C",
            "admin@acme.co.jp",
            "nas.local",
            "J8PG12003412",
            "3f9a7c0b1d2e4f60",
        ] {
            assert!(!statement.contains(was), "{was} stands in\n{statement}");
            assert!(scrubbed.iter().any(|told| told.was == was), "{was} is told: {scrubbed:?}");
        }
        assert_eq!(
            read.facts.text("http.body").map(|body| body.lines().count()),
            Some(2),
            "the length of the body is that of the text:\n{statement}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_listed_as_facts() {
        let icon = observed(
            ProbeKey { constructor: "http.favicon".into(), argument: None },
            b"HTTP/1.0 200 OK\r\nContent-Type: image/x-icon\r\n\r\n\x00\x00\x01\x00\x01\xff\xfe".to_vec(),
        );
        let (statement, _) = given("icon", &icon, &mut Vec::new());
        assert!(statement.starts_with("  given icon = favicon {") && statement.contains("mmh3"), "{statement}");
    }

    proptest! {
        /// Whatever the page, the fixture decodes to the facts of the answer: nothing in it is personal.
        #[test]
        fn a_fixture_decodes_to_what_was_answered(
            title in "[A-Za-z \u{3041}-\u{3096}-]{0,20}",
            lines in proptest::collection::vec("[a-zA-Z<>/= \t\"']{0,30}", 0..6),
            server in "[A-Za-z][A-Za-z/. -]{0,12}[a-z]",
            ends_in_newline in any::<bool>(),
            in_chunks in any::<bool>(),
            carriage in any::<bool>(),
        ) {
            let end = if carriage { "\r\n" } else { "\n" };
            let page = format!("<title>{title}</title>{end}{}{}", lines.join(end), if ends_in_newline { end } else { "" });
            let (framing, body) = if in_chunks {
                ("Transfer-Encoding: chunked".to_string(), chunked(&page))
            } else {
                (format!("Content-Length: {}", page.len()), page)
            };
            let bytes = format!("HTTP/1.1 200 OK\r\nServer: {server}\r\nContent-Type: text/html; charset=utf-8\r\n{framing}\r\n\r\n{body}");
            let observation = top(bytes.into_bytes());
            let mut scrubbed = Vec::new();
            let (statement, read) = given("top", &observation, &mut scrubbed);
            prop_assert!(scrubbed.is_empty());
            if statement.contains("http\"\"\"") {
                prop_assert!(same(&ksig_protocols::decode(&observation).facts, &read.facts), "{}", statement);
            }
        }
    }
}
