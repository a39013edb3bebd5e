//! Which field of which probe a database is asked of, by its key.
//!
//! In: `ftp.banner`. Out: a [`Place`]. A key that no protocol of ksig's answers is a name under `foreign`, so that every database has a place.

use ksig_schema::{Facts, ProbeKey, Schema, form};

/// A field.
#[derive(Clone, Debug)]
pub struct Place {
    /// `probe greeting = ftp.banner()`; absent for a field that no probe fills.
    pub probe: Option<(&'static str, &'static str)>,
    /// As a signature writes it: `greeting.banner`, `top.header["server"]`.
    pub written: String,
    /// `ftp.banner`.
    pub field: &'static str,
    /// `server`.
    pub key: Option<String>,
    /// What it holds.
    pub value: Value,
    /// The bytes of an answer in which the field has this value, where the wire can carry it.
    wire: fn(&str, &[u8]) -> Option<Vec<u8>>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text, with the bytes that it was read from.
    Text,
    /// A digest of so many bytes, which Recog writes in hexadecimal digits.
    Hash(usize),
    /// Bytes.
    Bytes,
}

struct Known {
    key: &'static str,
    probe: (&'static str, &'static str),
    field: &'static str,
    written: &'static str,
    value: Value,
    wire: fn(&str, &[u8]) -> Option<Vec<u8>>,
}

const TOP: (&str, &str) = ("top", "http.get(\"/\")");
const GREETING: &str = "greeting";

const KNOWN: &[Known] = &[
    text("ftp.banner", (GREETING, "ftp.banner()"), "ftp.banner", "greeting.banner", |_, value| reply(b"220", value)),
    text("smtp.banner", (GREETING, "smtp.banner()"), "smtp.banner", "greeting.banner", |_, value| reply(b"220", value)),
    text("nntp.banner", (GREETING, "nntp.banner()"), "nntp.banner", "greeting.banner", |_, value| line(b"200 ", value)),
    text("pop3.banner", (GREETING, "pop3.banner()"), "pop3.banner", "greeting.banner", |_, value| line(b"+OK ", value)),
    text("imap4.banner", (GREETING, "imap.banner()"), "imap.banner", "greeting.banner", |_, value| line(b"* OK ", value)),
    text("ssh.banner", (GREETING, "ssh.banner()"), "ssh.software", "greeting.software", |_, value| line(b"SSH-2.0-", value)),
    text("telnet.banner", (GREETING, "telnet.banner()"), "telnet.text", "greeting.text", |_, value| Some(value.to_vec())),
    text("html_title", TOP, "http.html.title", "top.html.title", |_, value| title(value)),
    text("snmp.sys_description", ("system", "snmp.get(community: public)"), "snmp.sys_descr", "system.sys_descr", |_, value| snmp(value)),
    text("dns.versionbind", ("names", "dns.version_bind()"), "dns.version_bind", "names.version_bind", |_, value| dns(value)),
    text("ntp.readvar", ("clock", "ntp.readvar()"), "ntp.readvar", "clock.readvar", |_, value| ntp(value)),
    text("mdns.device-info.txt", ("services", "mdns.services()"), "mdns.device_info", "services.device_info", |_, value| mdns(value)),
    text("mysql.banners", (GREETING, "mysql.greeting()"), "mysql.version", "greeting.version", |_, value| mysql(10, &[value, b"\0"])),
    text("mysql.error", (GREETING, "mysql.greeting()"), "mysql.error", "greeting.error", |_, value| mysql(0xff, &[b"\x6a\x04", value])),
    Known {
        key: "ldap.search_result",
        probe: ("directory", "ldap.root_dse()"),
        field: "ldap.root",
        written: "directory.root",
        value: Value::Bytes,
        // Recog's examples are pieces of an answer, no whole BER.
        wire: |_, _| None,
    },
    text("tls.jarm", ("hello", "tls.jarm()"), "tls.jarm", "hello.jarm", |_, _| None),
    text("x509.subject", ("hello", "tls.hello()"), "tls.cert.subject", "hello.cert.subject", |_, _| None),
    text("x509.issuer", ("hello", "tls.hello()"), "tls.cert.issuer", "hello.cert.issuer", |_, _| None),
    Known {
        key: "favicon.md5",
        probe: ("icon", "http.favicon()"),
        field: "http.favicon.md5",
        written: "icon.md5",
        value: Value::Hash(16),
        wire: |_, _| None,
    },
];

const fn text(
    key: &'static str,
    probe: (&'static str, &'static str),
    field: &'static str,
    written: &'static str,
    wire: fn(&str, &[u8]) -> Option<Vec<u8>>,
) -> Known {
    Known { key, probe, field, written, value: Value::Text, wire }
}

/// Keys of one header each: `http_header.server`.
struct Headers {
    prefix: &'static str,
    probe: (&'static str, &'static str),
    field: &'static str,
    first_line: &'static str,
}

const HEADERS: [Headers; 3] = [
    Headers { prefix: "http_header.", probe: TOP, field: "http.header", first_line: "HTTP/1.1 200 OK" },
    Headers { prefix: "rtsp_header.", probe: ("media", "rtsp.options(\"*\")"), field: "rtsp.header", first_line: "RTSP/1.0 200 OK" },
    Headers { prefix: "sip_header.", probe: ("call", "sip.options()"), field: "sip.header", first_line: "SIP/2.0 200 OK" },
];

/// Recog's short names of headers.
const HEADER_NAMES: [(&str, &str); 3] = [("cookie", "set-cookie"), ("user_agent", "user-agent"), ("wwwauth", "www-authenticate")];

impl Place {
    /// The field that a database of this key is asked of.
    pub fn of(key: &str) -> Place {
        if let Some(known) = KNOWN.iter().find(|known| known.key == key) {
            let Known { probe, field, written, value, wire, .. } = *known;
            return Place { probe: Some(probe), written: written.into(), field, key: None, value, wire };
        }
        for headers in &HEADERS {
            let Some(short) = key.strip_prefix(headers.prefix).filter(|name| is_header(name)) else { continue };
            let name = HEADER_NAMES.iter().find(|(known, _)| *known == short).map_or(short, |(_, name)| name).to_ascii_lowercase();
            return Place {
                probe: Some(headers.probe),
                written: format!("{}.header[\"{name}\"]", headers.probe.0),
                field: headers.field,
                key: Some(name),
                value: Value::Text,
                wire: match headers.field {
                    "http.header" => |name, value| header(0, name, value),
                    "rtsp.header" => |name, value| header(1, name, value),
                    _ => |name, value| header(2, name, value),
                },
            };
        }
        Place::foreign(key)
    }

    /// The place of a key that no field of ksig's stands for.
    pub fn foreign(key: &str) -> Place {
        let key = key.to_lowercase();
        let written = format!("foreign.answer[{}]", super::text::quoted(&key));
        Place { probe: None, written, field: "foreign.answer", key: Some(key), value: Value::Bytes, wire: |_, _| None }
    }

    /// As a signature writes its bytes.
    pub fn raw(&self) -> String {
        match self.value {
            Value::Text => format!("{}.raw", self.written),
            Value::Hash(_) | Value::Bytes => self.written.clone(),
        }
    }

    /// The probe that fills it.
    pub fn probe_key(&self) -> ProbeKey {
        ksig_protocols::plain_probe(self.field).unwrap_or_else(ksig_schema::foreign::probe)
    }

    /// The bytes of an answer in which the field has this value; absent where no answer of the protocol says it so.
    pub fn answer(&self, value: &[u8]) -> Option<Vec<u8>> {
        (self.wire)(self.key.as_deref().unwrap_or_default(), value)
    }

    /// Puts a value there, as another tool gives it. Absent where it is none of the field's.
    pub fn fact(&self, schema: &Schema, value: &[u8]) -> Option<Facts> {
        let field = schema.field(self.field)?;
        let mut facts = Facts::default();
        match self.value {
            Value::Text => facts.push_read(field, self.key.as_deref(), ksig_protocols::charset::text(value), value),
            Value::Bytes => {
                let value = ksig_schema::Value::Bytes(value.to_vec());
                match &self.key {
                    Some(key) => facts.push_keyed(field, key, value),
                    None => facts.push(field, value),
                }
            }
            Value::Hash(length) => facts.push(field, ksig_schema::Value::Bytes(digest(value, length)?)),
        }
        Some(facts)
    }
}

/// A digest of `length` bytes from its lower-case digits.
pub fn digest(digits: &[u8], length: usize) -> Option<Vec<u8>> {
    let fits = digits.len() == 2 * length && !digits.iter().any(u8::is_ascii_uppercase);
    std::str::from_utf8(digits).ok().filter(|_| fits).and_then(form::hex)
}

fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn line(before: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    Some([before, value, b"\r\n"].concat())
}

/// A reply with a code, whose lines are those of the value.
fn reply(code: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = value.split(|byte| *byte == b'\n').collect();
    let mut out = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mark: &[u8] = if at + 1 == lines.len() { b" " } else { b"-" };
        out.extend([code, mark, line, b"\r\n"].concat());
    }
    Some(out)
}

fn header(protocol: usize, name: &str, value: &[u8]) -> Option<Vec<u8>> {
    Some([HEADERS[protocol].first_line.as_bytes(), b"\r\n", name.as_bytes(), b": ", value, b"\r\nContent-Length: 0\r\n\r\n"].concat())
}

fn title(value: &[u8]) -> Option<Vec<u8>> {
    let mut page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>".to_vec();
    for &byte in value {
        match byte {
            b'&' => page.extend(b"&amp;"),
            b'<' => page.extend(b"&lt;"),
            _ => page.push(byte),
        }
    }
    page.extend(b"</title>");
    Some(page)
}

/// An answer of DNS with one record of texts, under a name, in a class.
fn texts(name: &str, class: u8, texts: &[&[u8]]) -> Option<Vec<u8>> {
    const TXT: u8 = 16;
    let mut out = b"ks\x84\0\0\0\0\x01\0\0\0\0".to_vec();
    for label in name.split('.') {
        out.push(u8::try_from(label.len()).ok()?);
        out.extend(label.bytes());
    }
    out.extend([0, 0, TXT, 0, class, 0, 0, 0, 0]);
    let mut data = Vec::new();
    for text in texts {
        data.push(u8::try_from(text.len()).ok()?);
        data.extend_from_slice(text);
    }
    out.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
    out.extend(data);
    Some(out)
}

fn dns(value: &[u8]) -> Option<Vec<u8>> {
    const CHAOS: u8 = 3;
    let parts: Vec<&[u8]> = if value.is_empty() { vec![b""] } else { value.chunks(255).collect() };
    texts("version.bind", CHAOS, &parts)
}

fn mdns(value: &[u8]) -> Option<Vec<u8>> {
    const INTERNET: u8 = 1;
    texts("_device-info._tcp.local", INTERNET, &[value])
}

/// The variables of a daemon in one packet of mode 6.
fn ntp(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = vec![0x16, 0x82, 0, 1, 0, 0, 0, 0, 0, 0];
    out.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
    Some(out)
}

/// A first packet of MySQL that begins with that byte.
fn mysql(kind: u8, rest: &[&[u8]]) -> Option<Vec<u8>> {
    let rest = rest.concat();
    let [low, high] = u16::try_from(1 + rest.len()).ok()?.to_le_bytes();
    Some([&[low, high, 0, 0, kind][..], &rest].concat())
}

/// A GetResponse of SNMPv1 whose only value is sysDescr.
fn snmp(value: &[u8]) -> Option<Vec<u8>> {
    let wrap = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let mut out = vec![tag];
        match content.len() {
            length @ 0..=127 => out.push(length as u8),
            length => {
                let bytes = (length as u32).to_be_bytes();
                let used = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(3)..];
                out.push(0x80 | used.len() as u8);
                out.extend_from_slice(used);
            }
        }
        out.extend(content);
        out
    };
    let number = |value: u8| [2u8, 1, value];
    let sys_descr = wrap(6, &[&[0x2b, 6, 1, 2, 1, 1, 1, 0]]);
    let binding = wrap(0x30, &[&sys_descr, &wrap(4, &[value])]);
    let pdu = wrap(0xa2, &[&number(1), &number(0), &number(0), &wrap(0x30, &[&binding])]);
    Some(wrap(0x30, &[&number(0), &wrap(4, &[b"public"]), &pdu]))
}
