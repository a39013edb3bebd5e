use ksig_schema::{Ended, Facts, ProbeKey, Sections, Value};

use super::*;
use crate::tests::{Facted, decoded, talk};

const GET: &str = "http.get(\"/\")";
const NGINX: &[u8] = include_bytes!("../../captures/nginx-1.22.1.http");

const HEAD_ONLY: Sections = Sections { head: true, body: false };

#[test]
fn the_start_page_of_nginx_is_read() {
    let response = decoded(GET, Ended::Complete, NGINX);
    assert_eq!(response.complete, Sections::ALL);
    assert_eq!(response.texts("http.status"), ["200"]);
    assert_eq!(response.texts("http.version"), ["1.1"]);
    assert_eq!(response.texts("http.reason"), ["OK"]);
    assert_eq!(response.texts("http.header.server"), ["nginx/1.22.1"]);
    assert_eq!(response.texts("http.html.title"), ["Welcome to nginx!"]);
    assert_eq!(response.texts("http.text.charset"), ["UTF-8"]);
    assert!(response.texts("http.header.x-powered-by").is_empty());
}

#[test]
fn a_challenge_names_realm_and_scheme() {
    let bytes =
        b"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"d\", nonce=\"n\"\r\nWWW-Authenticate: Basic realm=\"b\"\r\n\r\n";
    let response = decoded(GET, Ended::Eof, bytes);
    assert_eq!(response.texts("http.auth.basic.realm"), ["b"]);
    assert_eq!(response.texts("http.auth.digest.realm"), ["d"]);
    assert_eq!(response.texts("http.auth.schemes"), ["digest", "basic"]);
    assert!(response.texts("http.body").is_empty());
}

#[test]
fn cookies_and_location_are_read() {
    let bytes = b"HTTP/1.1 302 Found\r\nSet-Cookie: A=b; path=/\r\nset-cookie: C=\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
    let response = decoded(GET, Ended::Complete, bytes);
    assert_eq!(response.texts("http.cookie.names"), ["A", "C"]);
    assert_eq!(response.texts("http.location"), ["/x"]);
    assert_eq!(response.texts("http.header.set-cookie").len(), 2);
}

#[test]
fn a_body_that_was_cut_does_not_spoil_its_head() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<title>a</title>";
    for ended in [Ended::Cap, Ended::Timeout, Ended::Reset, Ended::Eof] {
        let response = decoded(GET, ended, bytes);
        assert_eq!(response.complete, HEAD_ONLY, "{ended:?}");
        assert_eq!(response.texts("http.html.title"), ["a"]);
    }
}

#[test]
fn a_head_that_was_cut_proves_no_absence() {
    let response = decoded(GET, Ended::Reset, b"HTTP/1.1 200 OK\r\nServer: a\r\nX-Firm");
    assert_eq!(response.complete, Sections::default());
    assert_eq!(response.texts("http.header.server"), ["a"]);
    assert!(response.answered());
}

#[test]
fn a_body_without_length_is_whole_at_the_close() {
    let bytes = b"HTTP/1.0 200 OK\n\n<p>";
    assert_eq!(decoded(GET, Ended::Eof, bytes).complete, Sections::ALL);
    assert_eq!(decoded(GET, Ended::Timeout, bytes).complete, HEAD_ONLY);
    assert_eq!(decoded(GET, Ended::Cap, bytes).complete, HEAD_ONLY);
}

#[test]
fn lengths_that_contradict_each_other_count_as_none() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 300\r\n\r\n<title>a</title>";
    let response = decoded(GET, Ended::Eof, bytes);
    assert_eq!(response.texts("http.html.title"), ["a"]);
    assert_eq!(response.complete, Sections::ALL);
}

#[test]
fn what_follows_the_length_is_not_read() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 500 x\r\n\r\n";
    assert_eq!(decoded(GET, Ended::Complete, bytes).texts("http.body"), ["body"]);
}

#[test]
fn chunks_end_and_break() {
    let whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n0\r\n\r\n";
    let response = decoded(GET, Ended::Complete, whole);
    assert_eq!((response.texts("http.body"), response.complete), (vec!["<p>".to_string()], Sections::ALL));
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", "1\r\na\r\n".repeat(1000));
    let response = decoded(GET, Ended::Cap, endless.as_bytes());
    assert_eq!((response.texts("http.body")[0].len(), response.complete), (1000, HEAD_ONLY));
    let plain = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n<title>a</title>";
    assert_eq!(decoded(GET, Ended::Eof, plain).texts("http.html.title"), ["a"]);
    assert_eq!(decoded(GET, Ended::Eof, plain).complete, Sections::ALL);
}

#[test]
fn interim_answers_are_passed_over_and_their_flood_is_not() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let two = format!("{interim}HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let response = decoded(GET, Ended::Complete, two.as_bytes());
    assert_eq!(response.texts("http.status"), ["200"]);
    assert!(response.texts("http.header.link").is_empty());
    let flood = interim.repeat(10_000);
    assert_eq!(talk(GET, flood.as_bytes(), 7).1, Step::Done);
    assert_eq!(decoded(GET, Ended::Complete, flood.as_bytes()).texts("http.status"), ["100"]);
}

#[test]
fn other_first_lines_are_read_as_they_are() {
    assert_eq!(decoded(GET, Ended::Eof, b"HTTP/1.1 999 Request denied\r\n\r\n").texts("http.status"), ["999"]);
    let icy = decoded(GET, Ended::Cap, b"ICY 200 OK\r\nicy-name: ACME Radio\r\n\r\n");
    assert_eq!((icy.texts("http.version"), icy.texts("http.header.icy-name")), (vec!["ICY".to_string()], vec!["ACME Radio".to_string()]));
    let old = decoded(GET, Ended::Eof, b"<html><title>a</title></html>");
    assert_eq!((old.texts("http.version"), old.texts("http.html.title")), (vec!["0.9".to_string()], vec!["a".to_string()]));
    assert!(old.texts("http.status").is_empty());
    for foreign in [&b"SSH-2.0-x\r\n"[..], b"220 ftp\r\n", b"\x15\x03\x01\0\x02\x02\x28", b""] {
        assert!(!decoded(GET, Ended::Eof, foreign).answered());
    }
}

#[test]
fn a_bomb_is_cut_and_says_so() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 20 * 1024 * 1024]).expect("writing to a vector");
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    bytes.extend(gzip.finish().expect("writing to a vector"));
    let response = decoded(GET, Ended::Eof, &bytes);
    assert_eq!(response.complete, HEAD_ONLY);
    assert_eq!(response.texts("http.body")[0].len(), crate::body::BODY_BYTES_MAX);
}

#[test]
fn a_japanese_page_is_read_in_any_encoding() {
    let words = "無線LANルータ 設定画面";
    for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP, encoding_rs::ISO_2022_JP] {
        for (content_type, meta) in [
            (format!("text/html; charset={}", encoding.name()), String::new()),
            ("text/html".into(), format!("<meta http-equiv=content-type content=\"text/html; charset={}\">", encoding.name())),
            ("text/html; charset=iso-8859-1".into(), String::new()),
        ] {
            let page = format!(
                "<html><head>{meta}<title>{words}</title></head><body>{}</body></html>",
                "パスワードを入力してください。".repeat(5)
            );
            let mut bytes = format!("HTTP/1.0 200 OK\r\nContent-Type: {content_type}\r\n\r\n").into_bytes();
            bytes.extend_from_slice(&encoding.encode(&page).0);
            let response = decoded(GET, Ended::Eof, &bytes);
            assert_eq!(response.texts("http.html.title"), [words], "{content_type} {meta}");
            assert_eq!(response.texts("http.text.charset"), [encoding.name()]);
            assert_eq!(response.texts("http.text.replacements"), ["0"]);
        }
    }
}

#[test]
fn a_realm_is_read_in_the_encoding_of_its_page() {
    let mut bytes = b"HTTP/1.0 401 x\r\nContent-Type: text/html; charset=Shift_JIS\r\nWWW-Authenticate: Basic realm=\"".to_vec();
    bytes.extend_from_slice(&encoding_rs::SHIFT_JIS.encode("設定画面").0);
    bytes.extend_from_slice(b"\"\r\n\r\n<p>");
    assert_eq!(decoded(GET, Ended::Eof, &bytes).texts("http.auth.basic.realm"), ["設定画面"]);
}

#[test]
fn raw_is_never_decoded_and_pictures_are_no_text() {
    let response = decoded(GET, Ended::Eof, b"HTTP/1.0 200 OK\r\nContent-Type: image/gif\r\n\r\nGIF89a\xff\0");
    assert_eq!(response.facts.get("http.raw", None), [Value::Bytes(b"GIF89a\xff\0".to_vec())]);
    assert!(response.texts("http.body").is_empty() && response.texts("http.text.charset").is_empty());
}

#[test]
fn the_icon_is_hashed_as_others_hash_it() {
    // Longer than one line of base64.
    let icon: Vec<u8> = (0..200).collect();
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", icon.len()).into_bytes();
    bytes.extend_from_slice(&icon);
    let response = decoded("http.favicon()", Ended::Complete, &bytes);
    let hash = |field: &str| response.facts.get(field, None).first().and_then(Value::as_bytes).map(ksig_schema::form::hex_digits);
    // Computed apart, in Python: MurmurHash3 of base64.encodebytes(icon), hashlib.md5, hashlib.sha256.
    assert_eq!(response.texts("http.favicon.mmh3"), ["-1874651529"]);
    assert_eq!(hash("http.favicon.md5").as_deref(), Some("fb7001d34b8e82c9b579be5005d5b0a5"));
    assert_eq!(hash("http.favicon.sha256").as_deref(), Some("1901da1c9f699b48f6b2636e65cbf73abf99d0441ef67f5c540a42f7051dec6f"));
    assert_eq!(response.texts("http.favicon.length"), ["200"]);
    assert!(response.texts("http.status").is_empty());
}

#[test]
fn a_page_or_part_of_an_icon_is_no_icon() {
    let page = b"HTTP/1.1 200 OK\r\n\r\n\n<!DOCTYPE HTML><title>a</title>";
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nGIF89a";
    let missing = b"HTTP/1.1 404 Not Found\r\n\r\nGIF89a";
    for bytes in [&page[..], cut, missing] {
        let response = decoded("http.favicon()", Ended::Eof, bytes);
        assert_eq!(response.facts.len(), 1, "only the status");
        assert!(response.complete.head);
    }
}

#[test]
fn a_head_request_has_no_body() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    assert_eq!(decoded("http.head(\"/\")", Ended::Complete, bytes).complete, Sections::ALL);
    assert_eq!(talk("http.head(\"/\")", bytes, 3).1, Step::Done);
    assert_eq!(talk(GET, bytes, 3).1, Step::Read);
}

#[test]
fn the_request_is_the_one_that_is_promised() {
    let (sent, step) = talk("http.get(\"/a\")", NGINX, 100);
    assert_eq!(
        String::from_utf8_lossy(&sent),
        "GET /a HTTP/1.1\r\nHost: 127.0.0.1:8022\r\nUser-Agent: Mozilla/5.0 (compatible; ksig/0.1.0; +https://scan.example.org/)\r\n\
         Accept: */*\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(step, Step::Done);
    assert!(talk("http.favicon()", b"", 1).0.starts_with(b"GET /favicon.ico HTTP/1.1\r\n"));
    assert!(talk("http.head(\"/\")", b"", 1).0.starts_with(b"HEAD / HTTP/1.1\r\n"));
}

#[test]
fn a_head_of_ten_megabytes_ends_the_talk() {
    let mut bytes = b"HTTP/1.1 200 OK\r\n".to_vec();
    bytes.resize(10 * 1024 * 1024, b'x');
    assert_eq!(talk(GET, &bytes, 4096).1, Step::Done);
    assert!(!decoded(GET, Ended::Complete, &bytes).complete.head);
}

#[test]
fn facts_of_others_give_the_facts_that_follow() {
    let mut facts = Facts::default();
    facts.push_keyed(&HEADER, "WWW-Authenticate", Value::text("Basic realm=\"ACME AC-1\""));
    facts.push(&BODY, Value::text("<title>a</title>"));
    let partial = crate::partial_response(ProbeKey::with("http.get", "/"), facts, Ended::Complete, true);
    assert_eq!(partial.texts("http.auth.basic.realm"), ["ACME AC-1"]);
    assert_eq!(partial.texts("http.html.title"), ["a"]);
    assert!(partial.partial && partial.complete == Sections::default());
    let mut facts = Facts::default();
    facts.push(&HTML_TITLE, Value::text("given"));
    facts.push(&BODY, Value::text("<title>a</title>"));
    let whole = crate::partial_response(ProbeKey::with("http.get", "/"), facts, Ended::Eof, false);
    assert_eq!((whole.texts("http.html.title"), whole.complete), (vec!["given".to_string()], Sections::ALL));
}

#[test]
fn bodies_that_are_documents_have_paths() {
    let read = |kind: &str, body: &str| {
        decoded("http.get(\"/\")", Ended::Eof, format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n{body}").as_bytes())
    };
    let json = read("application/json", "{\"device\":{\"model\":\"AC-10\",\"Ports\":[4,8]}}");
    assert_eq!((json.texts("http.json./device/model"), json.texts("http.json./device/Ports/1")), (vec!["AC-10".into()], vec!["8".into()]));
    assert_eq!(json.complete, Sections::ALL);
    let xml = read("text/xml", "<info version=\"1.20\"><model>AC-10</model></info>");
    assert_eq!((xml.texts("http.xml./info/model"), xml.texts("http.xml./info/@version")), (vec!["AC-10".into()], vec!["1.20".into()]));
    // What may be in the rest is not proven absent.
    let cut = read("application/json", "{\"device\":");
    assert_eq!(cut.complete, Sections { head: true, body: false });
    let page = read("text/html", "<html><title>{</title></html>");
    assert!(!page.facts.iter().any(|fact| fact.field.call) && page.complete == Sections::ALL);
}
