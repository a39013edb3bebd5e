//! What a simulated device does in a conversation: a list of acts, computed without any I/O.
//!
//! In: a host, a service and, for a request, its bytes. Out: [`Act`]s in order. Faults change the acts here and nowhere else. Acts without
//! end do not exist: whatever a fault repeats stops at [`SENT_BYTES_MAX`] or [`REPEATS_MAX`], so that a forgotten peer costs little.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::time::Duration;

use super::device::Host;
use super::fault::Fault;
use super::population::{Answers, Body, HttpResponse, Reply, Service};
use super::template::{Filling, Template};
use super::tls_flight::flight;

/// One thing that a device does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Sends bytes at once.
    Send(Vec<u8>),
    /// Sends one byte after the other.
    Drip(Vec<u8>, Duration),
    /// Sends the same bytes so many times.
    Repeat { bytes: Vec<u8>, times: usize, pause: Duration },
    /// Says nothing until the peer has gone.
    Hold,
    /// Reads nothing and says nothing for a while, through a window as small as the kernel makes it.
    Stall(Duration),
    /// Closes with a reset.
    Reset,
    /// Closes.
    Close,
}

/// Most bytes that one "endless" act sends.
const SENT_BYTES_MAX: usize = 64 << 20;
/// Most repetitions of an act with pauses.
const REPEATS_MAX: usize = 3_600;
const SECOND: Duration = Duration::from_secs(1);
/// Longer than any scan waits.
const STALL: Duration = Duration::from_secs(30);
/// Headers of `many-headers`.
const MANY_HEADERS: usize = 100_000;
/// Bytes of the headers of `huge-headers`.
const HUGE_HEADERS_BYTES: usize = 10 << 20;
/// Bytes that `gzip-bomb` unpacks to.
const BOMB_BYTES: usize = 16 << 20;

/// A TLS record with the alert `handshake_failure` (RFC 8446 section 6).
const TLS_ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

/// What happens on the bare connection, before TLS or the first byte; empty for a device that behaves.
pub(super) fn before_anything(fault: Option<Fault>, tls: bool) -> Vec<Act> {
    match fault {
        Some(Fault::Silent) => vec![Act::Hold],
        Some(Fault::ZeroWindow) => vec![Act::Stall(STALL), Act::Reset],
        Some(Fault::CloseAtOnce) => vec![Act::Close],
        Some(Fault::ResetBeforeBanner) => vec![Act::Reset],
        Some(Fault::TlsAlert) if tls => vec![Act::Send(TLS_ALERT.to_vec()), Act::Close],
        Some(Fault::PlainOnTls) if tls => {
            let refusal = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            vec![Act::Send(refusal.to_vec()), Act::Close]
        }
        Some(fault) if tls => flight(fault).map_or(Vec::new(), |flight| vec![Act::Send(flight), Act::Close]),
        _ => Vec::new(),
    }
}

/// What a greeting service says first; empty for services that wait for a request.
pub(super) fn opening(host: &Host, service: &Service, fault: Option<Fault>) -> Vec<Act> {
    let Answers::Greeting { greeting, .. } = &service.answers else { return Vec::new() };
    let greeting = greeting.fill(&host.filling());
    match fault {
        Some(Fault::Tarpit) => vec![Act::Repeat { bytes: b"please wait\r\n".to_vec(), times: REPEATS_MAX, pause: SECOND }],
        Some(Fault::LongLine) => vec![Act::Send(vec![b'x'; 64 << 10]), Act::Send(b"\r\n".to_vec())],
        Some(Fault::OptionLoop) => {
            // IAC DO TERMINAL-TYPE, IAC WILL ECHO (RFC 854): a client that answers each of them never comes to an end.
            let options = Act::Repeat { bytes: b"\xff\xfd\x18\xff\xfb\x01".to_vec(), times: REPEATS_MAX, pause: Duration::from_millis(20) };
            vec![options, Act::Close]
        }
        fault => spoken(greeting, fault),
    }
}

/// What a greeting service says after a line; empty when it has no reply to it.
pub(super) fn reply_to_line(host: &Host, replies: &[Reply], line: &[u8]) -> Vec<Act> {
    let begins = |reply: &&Reply| line.len() >= reply.to.len() && line[..reply.to.len()].eq_ignore_ascii_case(reply.to.as_bytes());
    replies.iter().find(begins).map_or(Vec::new(), |reply| vec![Act::Send(reply.text.fill(&host.filling()))])
}

/// What an HTTP service answers to a request for that path (without a query), and whether the connection may be used again.
pub(super) fn http_answer(host: &Host, responses: &[HttpResponse], path: &str, fault: Option<Fault>) -> Vec<Act> {
    let exact = responses.iter().find(|response| response.path.as_deref() == Some(path));
    let response = exact.or_else(|| responses.iter().find(|response| response.path.is_none()));
    let answer = match response {
        Some(response) => HttpAnswer::fill(response, &host.filling()),
        None => HttpAnswer::not_found(),
    };
    match fault {
        None => answer.acts(),
        Some(fault) => answer.acts_with(fault, path, host.address),
    }
}

/// An answer before it is put into bytes.
struct HttpAnswer {
    status_line: Vec<u8>,
    headers: Vec<Vec<u8>>,
    body: Vec<u8>,
    until_close: bool,
}

impl HttpAnswer {
    fn fill(response: &HttpResponse, filling: &Filling) -> HttpAnswer {
        let body = match &response.body {
            Body::Text(template) => template.fill(filling),
            Body::Bytes(bytes) => bytes.clone(),
        };
        let fill = |template: &Template| template.fill(filling);
        let mut answer = HttpAnswer {
            status_line: fill(&response.status_line),
            headers: response.headers.iter().map(fill).collect(),
            body,
            until_close: response.until_close,
        };
        let framed = answer.has_header("content-length") || answer.has_header("transfer-encoding");
        if !framed && !answer.until_close {
            answer.push_length(answer.body.len());
        }
        answer
    }

    fn not_found() -> HttpAnswer {
        let headers = vec![b"Content-Length: 0".to_vec()];
        HttpAnswer { status_line: b"HTTP/1.1 404 Not Found".to_vec(), headers, body: Vec::new(), until_close: false }
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|header| is_header(header, name))
    }

    fn push_length(&mut self, length: impl std::fmt::Display) {
        self.headers.push(format!("Content-Length: {length}").into_bytes());
    }

    fn without_length(mut self) -> HttpAnswer {
        self.headers.retain(|header| !is_header(header, "content-length") && !is_header(header, "transfer-encoding"));
        self
    }

    fn head(&self, line_end: &[u8]) -> Vec<u8> {
        let mut head = self.status_line.clone();
        head.extend_from_slice(line_end);
        for header in &self.headers {
            head.extend_from_slice(header);
            head.extend_from_slice(line_end);
        }
        head.extend_from_slice(line_end);
        head
    }

    fn whole(&self) -> Vec<u8> {
        let mut whole = self.head(b"\r\n");
        whole.extend_from_slice(&self.body);
        whole
    }

    fn acts(self) -> Vec<Act> {
        let mut acts = vec![Act::Send(self.whole())];
        if self.until_close {
            acts.push(Act::Close);
        }
        acts
    }

    fn acts_with(mut self, fault: Fault, path: &str, address: Ipv4Addr) -> Vec<Act> {
        match fault {
            Fault::LfOnly => {
                let mut whole = self.head(b"\n");
                whole.extend_from_slice(&self.body);
                vec![Act::Send(whole)]
            }
            Fault::Tarpit => {
                let line = Act::Repeat { bytes: b"X-Wait: 1\r\n".to_vec(), times: REPEATS_MAX, pause: SECOND };
                vec![Act::Send([self.status_line.as_slice(), b"\r\n"].concat()), line]
            }
            Fault::EndlessBody => {
                let head = self.without_length().head(b"\r\n");
                vec![Act::Send(head), endless(&[b'x'; 16 << 10])]
            }
            Fault::ChunkedEndless => {
                let mut answer = self.without_length();
                answer.headers.push(b"Transfer-Encoding: chunked".to_vec());
                let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
                vec![Act::Send(answer.head(b"\r\n")), endless(&chunk)]
            }
            Fault::HugeHeaders => {
                let line = [b"X-Filler: ".as_slice(), &[b'x'; 1 << 10], b"\r\n"].concat();
                let times = HUGE_HEADERS_BYTES / line.len();
                let rest = self.head(b"\r\n").split_off(self.status_line.len() + 2);
                let status = [self.status_line.as_slice(), b"\r\n"].concat();
                vec![Act::Send(status), Act::Repeat { bytes: line, times, pause: Duration::ZERO }, Act::Send([rest, self.body].concat())]
            }
            Fault::EndlessHeaders => vec![Act::Send([self.status_line.as_slice(), b"\r\n"].concat()), endless(b"X-Filler: x\r\n")],
            Fault::ManyHeaders => {
                let rest = self.head(b"\r\n").split_off(self.status_line.len() + 2);
                let status = [self.status_line.as_slice(), b"\r\n"].concat();
                let many = Act::Send(b"X-Filler: x\r\n".repeat(MANY_HEADERS));
                vec![Act::Send(status), many, Act::Send([rest, self.body].concat())]
            }
            Fault::Http09 => vec![Act::Send(self.body), Act::Close],
            Fault::TwoLengths => {
                self.push_length(self.body.len() + 1_000);
                vec![Act::Send(self.whole()), Act::Close]
            }
            Fault::NegativeLength => self.with_length("-1"),
            Fault::HugeLength => self.with_length("99999999999999999999"),
            Fault::ObsFold => {
                self.headers.push(b"X-Folded: first\r\n  second".to_vec());
                vec![Act::Send(self.whole())]
            }
            Fault::NulInHeader => {
                self.headers.push(b"X-Nul: before\0after".to_vec());
                vec![Act::Send(self.whole())]
            }
            Fault::Icy => {
                self.status_line = b"ICY 200 OK".to_vec();
                self.acts()
            }
            Fault::Status999 => {
                self.status_line = b"HTTP/1.1 999 Unknown".to_vec();
                self.acts()
            }
            Fault::ContinueFlood => vec![endless(b"HTTP/1.1 100 Continue\r\n\r\n")],
            Fault::RedirectLoop => {
                let next = if path == "/loop/a" { "/loop/b" } else { "/loop/a" };
                redirect(next)
            }
            Fault::RedirectElsewhere => redirect("http://127.255.255.254/"),
            Fault::RedirectToLoopback => redirect("//localhost/"),
            Fault::RedirectToNeighbour => redirect(&format!("http://{}/", Ipv4Addr::from(u32::from(address).wrapping_add(1)))),
            Fault::FalseGzip => {
                self.headers.push(b"Content-Encoding: gzip".to_vec());
                self.acts()
            }
            Fault::GzipBomb => self.packed("gzip", gzip_bomb()),
            Fault::DeflateBomb => self.packed("deflate", deflate_bomb()),
            Fault::BrotliBomb => self.packed("br", BROTLI_BOMB),
            Fault::TruncatedGzip => {
                let whole = gzip(&self.body);
                self.packed("gzip", &whole[..whole.len() / 2])
            }
            Fault::MislabelledEncoding => {
                let whole = gzip(&self.body);
                self.packed("br", &whole)
            }
            Fault::FalseCharset => {
                let mut answer = self.without_length();
                answer.headers.retain(|header| !is_header(header, "content-type"));
                answer.headers.push(b"Content-Type: text/html; charset=utf-8".to_vec());
                answer.body = encoding_rs::SHIFT_JIS.encode(FALSE_CHARSET_BODY).0.into_owned();
                answer.push_length(answer.body.len());
                answer.acts()
            }
            Fault::Truncate if !self.body.is_empty() => {
                let sent = self.whole().len() - self.body.len() / 2 - 1;
                let mut whole = self.whole();
                whole.truncate(sent);
                vec![Act::Send(whole), Act::Close]
            }
            fault => {
                let mut acts = spoken(self.whole(), Some(fault));
                if self.until_close {
                    acts.push(Act::Close);
                }
                acts
            }
        }
    }

    /// The same with another body, under the name of an encoding.
    fn packed(self, encoding: &str, body: &[u8]) -> Vec<Act> {
        let mut answer = self.without_length();
        answer.body = body.to_vec();
        answer.headers.push(format!("Content-Encoding: {encoding}").into_bytes());
        answer.push_length(answer.body.len());
        answer.acts()
    }

    fn with_length(self, length: &str) -> Vec<Act> {
        let mut answer = self.without_length();
        answer.push_length(length);
        vec![Act::Send(answer.whole()), Act::Close]
    }
}

fn is_header(line: &[u8], name: &str) -> bool {
    line.len() > name.len() && line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
}

fn redirect(location: &str) -> Vec<Act> {
    vec![Act::Send(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes())]
}

fn endless(bytes: &[u8]) -> Act {
    Act::Repeat { bytes: bytes.to_vec(), times: SENT_BYTES_MAX / bytes.len(), pause: Duration::ZERO }
}

/// Faults that befall any run of bytes.
fn spoken(bytes: Vec<u8>, fault: Option<Fault>) -> Vec<Act> {
    let half = bytes.len().div_ceil(2);
    match fault {
        Some(Fault::ResetInBanner) => vec![Act::Send(bytes[..half].to_vec()), Act::Reset],
        Some(Fault::Truncate) => vec![Act::Send(bytes[..half].to_vec()), Act::Close],
        Some(Fault::ResetAfterBanner) => vec![Act::Send(bytes), Act::Reset],
        Some(Fault::OneByteASecond) => vec![Act::Drip(bytes, SECOND)],
        Some(Fault::LfOnly) => vec![Act::Send(without_cr(&bytes))],
        _ => vec![Act::Send(bytes)],
    }
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    let keeps = |at: usize| bytes[at] != b'\r' || bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|at| keeps(*at)).map(|at| bytes[at]).collect()
}

/// Makes what takes long to make, so that no conversation waits for it.
pub(super) fn prepare(faults: impl IntoIterator<Item = Fault>) {
    for fault in faults {
        match fault {
            Fault::GzipBomb => drop(gzip_bomb()),
            Fault::DeflateBomb => drop(deflate_bomb()),
            _ => {}
        }
    }
}

/// Zeros, [`BOMB_BYTES`] of them, as `brotli --best` packs them.
const BROTLI_BOMB: &[u8] = b"\xcb\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x8f\xff\xff\x7f\xf0\x4f\x00\xc4\x61\x11\x80\xee\xfd\xdf";
const FALSE_CHARSET_BODY: &str =
    "<html><head><title>監視カメラ</title></head><body>これは日本語のページです。設定を表示します。</body></html>";

fn gzip_bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| gzip(&vec![0; BOMB_BYTES]))
}

fn deflate_bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(&vec![0; BOMB_BYTES]).and_then(|()| packer.finish()).expect("writing to memory does not fail")
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Population;

    fn population() -> Population {
        let text = include_str!("../../populations/faults.toml");
        Population::parse("faults.toml", text).expect("faults.toml")
    }

    #[test]
    fn every_fault_is_in_the_population_of_faults_and_in_its_description() {
        let drawn: std::collections::BTreeSet<Fault> = population().every_host().filter_map(|host| host.fault).collect();
        let readme = include_str!("../../populations/README.md");
        for fault in Fault::ALL {
            assert!(drawn.contains(fault), "{} befalls no host", fault.name());
            assert!(readme.contains(&format!("`{}`", fault.name())), "{} is not described", fault.name());
        }
    }

    #[test]
    fn a_host_answers_equally_every_time() {
        let acts = || -> Vec<Vec<Act>> {
            let population = population();
            let http = "http".parse().expect("http");
            let hosts = population.every_host().filter_map(|host| {
                let Answers::Http(responses) = &host.service(&http)?.answers else { return None };
                Some(http_answer(&host, responses, "/", host.fault_on(&http)))
            });
            hosts.collect()
        };
        assert_eq!(acts(), acts());
    }

    #[test]
    fn a_truncated_answer_promises_more_than_it_sends() {
        let answer = HttpAnswer {
            status_line: b"HTTP/1.1 200 OK".to_vec(),
            headers: vec![b"Content-Length: 4".to_vec()],
            body: b"body".to_vec(),
            until_close: false,
        };
        let wanted = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nb".to_vec();
        assert_eq!(answer.acts_with(Fault::Truncate, "/", Ipv4Addr::LOCALHOST), vec![Act::Send(wanted), Act::Close]);
    }
}
