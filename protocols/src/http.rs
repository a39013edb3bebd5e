//! HTTP/1.x: status, headers, body, page and icon of an answer to a plain GET or HEAD.
//!
//! In: bytes of an answer. Out: facts under `http`, and under `http.favicon` for the icon. A head is whole at its blank line; a body at its
//! length, its last chunk, or the close. A body that was cut does not spoil its head.
//!
//! Requests have no body, no cookie, no credential, and an honest `User-Agent` with a contact. An answer is read as devices write it: line
//! ends in bare LF, folded and odd headers, contradicting lengths, broken chunks, wrong labels of compression, `ICY`, no head at all.

mod challenge;
pub(crate) mod message;
mod redirect;

use base64::Engine;
use ksig_schema::{ConstructorDef, Delivery, Ended, Facts, FieldDef, Pick, ProbeKey, Safety, Sections, SelectorDef, Value};
use md5::{Digest, Md5};
use sha2::Sha256;

pub use redirect::redirect_target;

use crate::conversation::{Conversation, Limits, PRODUCT, Peer, PeerState, Step};
use crate::protocol::{Decoded, Protocol};
use crate::{charset, greeting, head, html, tree};

ksig_schema::fields! {
    /// Status code of the final answer; interim ones (1xx) are passed over.
    ///
    /// Absent when the first line names none, as in HTTP/0.9. Any three digits, so `999` too.
    /// Source: RFC 9112 section 4. Example: `401`.
    STATUS: Int = "http.status";

    /// Version in the first line; `ICY` for streaming servers that say so, `0.9` for a page without a head.
    ///
    /// Source: RFC 9112 section 2.3. Example: `1.1`.
    VERSION: Text = "http.version";

    /// Words after the status code.
    ///
    /// Absent when there are none.
    /// Source: RFC 9112 section 4. Example: `Unauthorized`.
    REASON: Text = "http.reason";

    /// Value of a header, by its name; several headers of one name are several values in wire order.
    ///
    /// Blanks around it are taken off, folded lines joined by one space. At most 256 headers are kept.
    /// Source: RFC 9110 section 5. Example: `http.header["server"]` is `lighttpd/1.4.69`.
    HEADER: Text = "http.header", many, keyed;

    /// Body as text, chunks and compression taken off.
    ///
    /// Absent when it is empty or the content type is of pictures, sound, video or fonts. At most 1 MiB after decompression.
    /// Source: RFC 9110 section 6.4.
    BODY: Text = "http.body", body;

    /// Body as bytes, chunks and compression taken off, never decoded.
    ///
    /// Absent when it is empty.
    /// Source: RFC 9110 section 6.4.
    RAW: Bytes = "http.raw", body;

    /// SHA-256 of the body as bytes: of a script or another file that a page loads, which changes with the firmware alone.
    ///
    /// Absent where the answer is not a whole 200, is empty, or is a page: what a page says may change with every answer.
    /// Source: FIPS 180-4.
    SHA256: Hash = "http.sha256", body;

    /// Encoding in which the body was read, as the WHATWG Encoding Standard names it. Not what the page claims.
    ///
    /// Absent without `http.body`.
    /// Source: <https://encoding.spec.whatwg.org/#names-and-labels>. Example: `Shift_JIS`.
    TEXT_CHARSET: Text = "http.text.charset", body;

    /// How many characters of the body could not be read in that encoding.
    ///
    /// Absent without `http.body`. Example: `0`.
    TEXT_REPLACEMENTS: Int = "http.text.replacements", body;

    /// Text of the first `<title>`, entities resolved, inner white space made one space.
    ///
    /// Absent when there is no such element, or it is not closed; empty when it is empty.
    /// Source: HTML Standard section 3.1.5 (`document.title`). Example: `Welcome to nginx!`.
    HTML_TITLE: Text = "http.html.title", body;

    /// `content` of `<meta>`, by its `name`, else `property`, else `http-equiv`.
    ///
    /// Source: HTML Standard section 4.2.5. Example: `http.html.meta["generator"]` is `Hugo 0.111.3`.
    HTML_META: Text = "http.html.meta", many, keyed, body;

    /// `src` of `<script>`, as written.
    ///
    /// Source: HTML Standard section 4.12.1. Example: `/js/login.js`.
    HTML_SCRIPT_SRCS: Text = "http.html.script_srcs", many, body, link;

    /// `href` of `<link>`, as written.
    ///
    /// Source: HTML Standard section 4.2.4. Example: `/favicon.ico`.
    HTML_LINK_HREFS: Text = "http.html.link_hrefs", many, body, link;

    /// `action` of `<form>`, as written.
    ///
    /// Source: HTML Standard section 4.10.3. Example: `/cgi-bin/login.cgi`.
    HTML_FORM_ACTIONS: Text = "http.html.form_actions", many, body;

    /// Value in a body of JSON, by its pointer: a text as it is, a number, `true` or `false` as written.
    ///
    /// Absent for objects, lists and `null`, and where the body is no whole document of JSON. At most 512 values, 32 deep, of 256 KiB.
    /// Source: RFC 6901, RFC 8259. Example: `http.json("/device/model")` is `AC-10`.
    JSON: Text = "http.json", call, body;

    /// Text of an element in a body of XML, by its path from the root, names without their prefixes, outer white space taken off; an
    /// attribute as `/info/@version`. Several elements of one path are several values in document order.
    ///
    /// Absent for elements that have child elements, and for pages. At most 512 elements, 32 deep, of 256 KiB.
    /// Source: XML 1.0. Example: `http.xml("/info/model")` is `AC-10`.
    XML: Text = "http.xml", many, call, body;

    /// Authentication schemes that the server offers, in lower case.
    ///
    /// Source: RFC 9110 section 11.6.1. Example: `basic`.
    AUTH_SCHEMES: Text = "http.auth.schemes", many;

    /// Realm of the first Basic challenge, without quotes.
    ///
    /// Absent when there is no such challenge or it names no realm; empty when the realm is empty.
    /// Source: RFC 7617 section 2. Example: `WallyWorld`.
    AUTH_BASIC_REALM: Text = "http.auth.basic.realm";

    /// Realm of the first Digest challenge, without quotes.
    ///
    /// Source: RFC 7616 section 3.3. Example: `http-auth@example.org`.
    AUTH_DIGEST_REALM: Text = "http.auth.digest.realm";

    /// Names of the cookies that the server sets; values are not facts of their own.
    ///
    /// Source: RFC 6265 section 4.1. Example: `JSESSIONID`.
    COOKIE_NAMES: Text = "http.cookie.names", many;

    /// First `Location`, as written.
    ///
    /// Source: RFC 9110 section 10.2.2. Example: `/login.html`.
    LOCATION: Text = "http.location";

    /// Status code of the answer to the request for the icon.
    ///
    /// Example: `404`.
    FAVICON_STATUS: Int = "http.favicon.status";

    /// MurmurHash3 (x86, 32 bit, seed 0) of the icon in base64 with lines of 76 characters, as a signed number: what Shodan and others
    /// call the favicon hash.
    ///
    /// Absent when the answer is not a whole 200, is empty, or is a page instead of an icon; so are the other hashes.
    /// Example: `-1073741824`.
    FAVICON_MMH3: Int = "http.favicon.mmh3", body;

    /// MD5 of the icon.
    ///
    /// Source: RFC 1321.
    FAVICON_MD5: Hash = "http.favicon.md5", body;

    /// SHA-256 of the icon.
    ///
    /// Source: FIPS 180-4.
    FAVICON_SHA256: Hash = "http.favicon.sha256", body;

    /// Size of the icon in bytes.
    ///
    /// Example: `1150`.
    FAVICON_LENGTH: Int = "http.favicon.length", body;
}

const PORTS: &[u16] = &[80, 81, 88, 8000, 8001, 8008, 8080, 8081, 8088, 8888];
const TLS_PORTS: &[u16] = &[443, 4443, 8443, 9443];

static CONSTRUCTORS: &[ConstructorDef] = &[
    ConstructorDef {
        name: "http.get",
        root: "http",
        never_fills: &["http.favicon"],
        parameters: crate::path::PATH,
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: PORTS,
        tls_ports: TLS_PORTS,
        inside_tls: true,
        doc: "Asks for a page as any browser does: GET without query, body, cookie or credential. RFC 9110 section 9.3.1 calls it safe.",
    },
    ConstructorDef {
        name: "http.head",
        root: "http",
        never_fills: &["http.favicon", "http.body", "http.raw", "http.text", "http.html", "http.json", "http.xml"],
        parameters: crate::path::PATH,
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: PORTS,
        tls_ports: TLS_PORTS,
        inside_tls: true,
        doc: "Asks for the headers of a page only. RFC 9110 section 9.3.2 calls it safe.",
    },
    ConstructorDef {
        name: "http.favicon",
        root: "http.favicon",
        never_fills: &[],
        parameters: &[],
        safety: Safety::Benign,
        delivery: Delivery::Stream,
        ports: PORTS,
        tls_ports: TLS_PORTS,
        inside_tls: true,
        doc: "Asks for /favicon.ico, as browsers do unasked.",
    },
];

/// Functions of fields.
pub static SELECTORS: &[SelectorDef] = &[
    SelectorDef {
        name: "http.html.script_src",
        of: &HTML_SCRIPT_SRCS,
        pick: Pick::PathEnds,
        doc: "The first script source whose path ends with the argument, as written, with its query. Absent when there is none.",
    },
    SelectorDef {
        name: "http.html.link",
        of: &HTML_LINK_HREFS,
        pick: Pick::PathEnds,
        doc: "The first link target whose path ends with the argument, as written, with its query. Absent when there is none.",
    },
];

/// HTTP.
pub static PROTOCOL: Protocol =
    Protocol { name: "http", fields: FIELDS, constructors: CONSTRUCTORS, begin, decode, derive, fixture: Some(head::fixture) };

/// Bounds of one request and its answer.
const LIMITS: Limits =
    Limits { response_bytes_max: head::HEAD_BYTES_MAX + 512 * 1024, first_byte_ms: 10_000, silence_ms: 5_000, total_ms: 20_000 };

fn begin(constructor: &ConstructorDef, path: &str, peer: &Peer) -> Box<dyn Conversation> {
    let (method, path) = match constructor.name {
        "http.head" => ("HEAD", path),
        "http.favicon" if path.is_empty() => ("GET", "/favicon.ico"),
        _ => ("GET", path),
    };
    let request = request(method, path, peer);
    Box::new(Exchange { request: Some(request), to_head_request: method == "HEAD", finder: message::EndFinder::default() })
}

/// A GET of another protocol that is carried by HTTP.
pub(crate) fn get(target: &str, peer: &Peer) -> Box<dyn Conversation> {
    exchange(request("GET", target, peer))
}

/// One request with an answer of HTTP.
pub(crate) fn exchange(request: Vec<u8>) -> Box<dyn Conversation> {
    Box::new(Exchange { request: Some(request), to_head_request: false, finder: message::EndFinder::default() })
}

/// `Host` of a request.
pub(crate) fn host(peer: &Peer) -> String {
    let address = match peer.address {
        std::net::IpAddr::V4(address) => address.to_string(),
        std::net::IpAddr::V6(address) => format!("[{address}]"),
    };
    let default_port = if peer.tls { 443 } else { 80 };
    if peer.port == default_port { address } else { format!("{address}:{}", peer.port) }
}

fn request(method: &str, path: &str, peer: &Peer) -> Vec<u8> {
    let host = host(peer);
    let contact = peer.identity.shown();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (compatible; {PRODUCT}/{version}; +{contact})\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

struct Exchange {
    /// Taken when it was sent.
    request: Option<Vec<u8>>,
    to_head_request: bool,
    finder: message::EndFinder,
}

impl Conversation for Exchange {
    fn next(&mut self, received: &[u8], state: PeerState) -> Step {
        if let Some(request) = self.request.take() {
            return Step::Send(request);
        }
        match (self.finder.look(received, self.to_head_request), state) {
            (message::Arrival::Over, _) | (_, PeerState::Closed) | (message::Arrival::Foreign, PeerState::Silent) => Step::Done,
            (_, PeerState::Silent) if received.is_empty() => Step::Done,
            // A slow page is not a whole one: only its length or the close ends it.
            _ => Step::Read,
        }
    }

    fn limits(&self) -> Limits {
        LIMITS
    }
}

/// Whether these are the first bytes of its answers; `waited` as for [`crate::recognise`].
pub fn begins(bytes: &[u8], _: bool) -> bool {
    bytes.starts_with(b"HTTP/")
}

fn decode(probe: &ProbeKey, ended: Ended, received: &[u8]) -> Decoded {
    let message = message::read(received, probe.constructor == "http.head", greeting::ended_by_peer(ended));
    let mut complete = Sections {
        head: message.head.as_ref().map_or(message.until_close, head::Head::whole),
        body: message.unpacked && whole_body(&message, ended),
    };
    if probe.constructor == "http.favicon" {
        return Decoded { facts: icon_facts(&message, complete), complete };
    }
    let mut facts = message_facts(&message);
    if complete.body && message.status() == Some(200) && !message.body.is_empty() && !is_page(&message.body) {
        facts.push(&SHA256, Value::Bytes(Sha256::digest(&*message.body).to_vec()));
    }
    // Of a document that was read in part, nothing is proven absent.
    complete.body &= !push_document(&mut facts);
    Decoded { complete, facts }
}

/// Values of a body that is a document. Whether some were left out.
fn push_document(facts: &mut Facts) -> bool {
    let content_type = facts.get(HEADER.name, Some("content-type")).first().and_then(Value::as_text).unwrap_or_default();
    let content_type = content_type.to_ascii_lowercase();
    let Some(body) = facts.text(BODY.name).map(str::trim_start) else { return false };
    let (field, leaves) = match body.as_bytes().first() {
        Some(b'<') if body.starts_with("<?xml") || content_type.contains("xml") => (&XML, tree::xml(body)),
        Some(b'{' | b'[') => (&JSON, tree::json(body)),
        _ if content_type.contains("json") => (&JSON, tree::json(body)),
        _ => return false,
    };
    for (path, value) in leaves.kept {
        facts.push_keyed(field, &path, Value::Text(value));
    }
    leaves.cut
}

/// The bytes reached their end, or the end is the close; [`Ended::Complete`] is the conversation's own word for it.
pub(crate) fn whole_body(message: &message::Message, ended: Ended) -> bool {
    let head_came = message.head.as_ref().map_or(message.until_close, |head| head.body_at.is_some());
    head_came && (message.ended || ended == Ended::Complete || message.until_close && ended == Ended::Eof)
}

fn message_facts(message: &message::Message) -> Facts {
    let mut facts = Facts::default();
    let declared = message.head.as_ref().and_then(|head| declared_charset(head));
    let encoding = charset::detect(&message.body, declared.as_deref());
    match &message.status_line {
        Some(line) => {
            let version = if line.protocol == "HTTP" { line.version } else { &line.protocol };
            facts.push(&VERSION, Value::text(version));
            push_some(&mut facts, &STATUS, line.status.map(|status| Value::Int(status.into())));
            push_some(&mut facts, &REASON, (!line.reason.is_empty()).then(|| Value::text(charset::text_near(line.reason, Some(encoding)))));
        }
        None if message.until_close => facts.push(&VERSION, Value::text("0.9")),
        None => return facts,
    }
    // Headers of Japanese devices are written in the encoding of their pages.
    for (name, value) in message.head.iter().flat_map(|head| &head.headers) {
        facts.push_read(&HEADER, Some(name), charset::text_near(value, Some(encoding)), value);
    }
    if message.body.is_empty() {
        return facts;
    }
    if !is_opaque(&facts) {
        let body = charset::decode_as(&message.body, encoding);
        facts.push(&TEXT_CHARSET, Value::text(body.charset()));
        facts.push(&TEXT_REPLACEMENTS, Value::Int(i64::try_from(body.replacements).unwrap_or(i64::MAX)));
        facts.push_read(&BODY, None, body.text, &message.body);
    }
    facts.push(&RAW, Value::Bytes(message.body.to_vec()));
    facts
}

fn push_some(facts: &mut Facts, field: &'static FieldDef, value: Option<Value>) {
    if let Some(value) = value {
        facts.push(field, value);
    }
}

pub(crate) fn declared_charset(head: &head::Head) -> Option<String> {
    let content_type = String::from_utf8_lossy(head.values("content-type").next()?).into_owned();
    let lower = content_type.to_ascii_lowercase();
    let at = lower.find("charset")? + "charset".len();
    let label = content_type[at..].trim_start().strip_prefix('=')?.split(';').next()?.trim();
    Some(label.to_string())
}

/// Pictures, sound and the like are no text.
fn is_opaque(facts: &Facts) -> bool {
    let content_type = facts.get(HEADER.name, Some("content-type")).first().and_then(Value::as_text).unwrap_or_default();
    let kind = content_type.split('/').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "image" | "audio" | "video" | "font") && !content_type.to_ascii_lowercase().contains("svg")
}

fn icon_facts(message: &message::Message, complete: Sections) -> Facts {
    let mut facts = Facts::default();
    let Some(status) = message.status() else { return facts };
    facts.push(&FAVICON_STATUS, Value::Int(status.into()));
    let icon = &*message.body;
    if status != 200 || !complete.body || icon.is_empty() || is_page(icon) {
        return facts;
    }
    facts.push(&FAVICON_MMH3, Value::Int(favicon_mmh3(icon).into()));
    facts.push(&FAVICON_MD5, Value::Bytes(Md5::digest(icon).to_vec()));
    facts.push(&FAVICON_SHA256, Value::Bytes(Sha256::digest(icon).to_vec()));
    facts.push(&FAVICON_LENGTH, Value::Int(i64::try_from(icon.len()).unwrap_or(i64::MAX)));
    facts
}

/// Servers that answer every path with their start page have no icon.
fn is_page(body: &[u8]) -> bool {
    let begin = body.trim_ascii_start();
    let begin = begin[..begin.len().min(16)].to_ascii_lowercase();
    [&b"<!doctype html"[..], b"<html", b"<head", b"<script", b"<meta"].iter().any(|open| begin.starts_with(open))
}

/// MurmurHash3 of the bytes in base64 as Python's `base64.encodebytes` writes it, which is where this hash comes from.
pub fn favicon_mmh3(icon: &[u8]) -> i32 {
    let base64 = base64::engine::general_purpose::STANDARD.encode(icon);
    let mut lines = String::with_capacity(base64.len() + base64.len() / 76 + 1);
    for (at, character) in base64.chars().enumerate() {
        if at > 0 && at % 76 == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    lines.push('\n');
    // Reading from memory does not fail.
    murmur3::murmur3_32(&mut lines.as_bytes(), 0).map_or(0, u32::cast_signed)
}

/// Facts that follow from headers and body; a fact that is already there stands.
fn derive(facts: &mut Facts) {
    derive_auth(facts);
    derive_rest(facts);
    derive_page(facts);
    if !facts.iter().any(|fact| fact.field == &JSON || fact.field == &XML) {
        push_document(facts);
    }
}

fn header_values(facts: &Facts, name: &str) -> Vec<String> {
    facts.get(HEADER.name, Some(name)).iter().filter_map(Value::as_text).map(str::to_string).collect()
}

fn derive_auth(facts: &mut Facts) {
    let given = !facts.get(AUTH_SCHEMES.name, None).is_empty();
    for challenge in header_values(facts, "www-authenticate").iter().flat_map(|value| challenge::challenges(value)) {
        let scheme = challenge.scheme.to_ascii_lowercase();
        let realm_field = match scheme.as_str() {
            "basic" => Some(&AUTH_BASIC_REALM),
            "digest" => Some(&AUTH_DIGEST_REALM),
            _ => None,
        };
        if let (Some(field), Some(realm)) = (realm_field, challenge.realm) {
            facts.push(field, Value::Text(realm));
        }
        if !given {
            facts.push(&AUTH_SCHEMES, Value::Text(scheme));
        }
    }
}

fn derive_rest(facts: &mut Facts) {
    if facts.get(COOKIE_NAMES.name, None).is_empty() {
        for cookie in header_values(facts, "set-cookie") {
            let name = cookie.split(['=', ';']).next().unwrap_or_default().trim();
            if !name.is_empty() {
                facts.push(&COOKIE_NAMES, Value::text(name));
            }
        }
    }
    if let Some(location) = header_values(facts, "location").first() {
        facts.push(&LOCATION, Value::text(location));
    }
}

fn derive_page(facts: &mut Facts) {
    let given = facts.iter().any(|fact| fact.field.name.starts_with("http.html."));
    let Some(body) = facts.text(BODY.name).filter(|_| !given) else { return };
    let page = html::read(body);
    push_some(facts, &HTML_TITLE, page.title.map(Value::Text));
    for (name, content) in page.metas {
        facts.push_keyed(&HTML_META, &name, Value::Text(content));
    }
    for (field, values) in
        [(&HTML_SCRIPT_SRCS, page.script_srcs), (&HTML_LINK_HREFS, page.link_hrefs), (&HTML_FORM_ACTIONS, page.form_actions)]
    {
        for value in values {
            facts.push(field, Value::Text(value));
        }
    }
}

#[cfg(test)]
mod tests;
