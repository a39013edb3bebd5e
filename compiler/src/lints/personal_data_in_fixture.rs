//! A fixture that says whose device it was: see [`LINT`].

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ksig_lang::{CodeDoc, Fix, Severity, Span, Text, say};
use ksig_runtime::CompiledPattern;
use ksig_runtime::plan::{Datum, Pattern};

use super::{Lint, Look, own};
use crate::hir::{Expect, Fixture, Test};

/// The lint.
pub const LINT: Lint = Lint {
    doc: CodeDoc {
        code: "personal-data-in-fixture",
        meaning: Text::new(
            "A test gives an answer with something in it that belongs to one device or one person: a public address, a hardware address, an e-mail address, a session's cookie, a serial number. A fixture is published with the signature and stays in its history. Values for documentation do the same work: `192.0.2.1` (RFC 5737), `2001:db8::1` (RFC 3849), `00-00-5E-00-53-01` (RFC 7042), `user@example.com`.",
            "テストの応答に、特定の機器や個人に属する値が含まれています。グローバルIPアドレス、MACアドレス、メールアドレス、セッションのCookie、シリアル番号などです。応答はシグネチャとともに公開され、履歴に残ります。文書用の値でも同じことを確かめられます。`192.0.2.1`（RFC 5737）、`2001:db8::1`（RFC 3849）、`00-00-5E-00-53-01`（RFC 7042）、`user@example.com`です。",
        ),
        bad: r#"
  summary "ACME router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "Login" in top.html.title => nothing
  test "the page as it was seen" {
    given top = http"""
      HTTP/1.0 200 OK
      Content-Type: text/html

      <title>ACME AC-1</title><p>WAN 8.8.4.4, 00:1D:73:4A:5B:6C, admin@acme.co.jp</p>
      """
    expect identify { model: "AC-1" }
  }
"#,
        good: r#"
  summary "ACME router by its title"
  match { top.html.title ~ /^ACME (?<model>AC-\d)$/ }
  identify { vendor = acme; model = model; class = router.home }
  example "Login" in top.html.title => nothing
  test "the page as it was seen" {
    given top = http"""
      HTTP/1.0 200 OK
      Content-Type: text/html

      <title>ACME AC-1</title><p>WAN 192.0.2.1, 00:00:5E:00:53:01, user@example.com</p>
      """
    expect identify { model: "AC-1" }
  }
"#,
    },
    level: Severity::Warning,
    look: Look::Signature(|signature, analysis, found| {
        for test in &signature.tests {
            // Four numbers that come out as a version are one.
            let is_value = |value: &Personal| test.expect.iter().any(|expect| expects(expect, &value.text));
            let values: BTreeSet<Personal> = texts(test).iter().flat_map(|text| personal(text)).filter(|value| !is_value(value)).collect();
            if values.is_empty() {
                continue;
            }
            // The value may stand in the fixture, in a capture that is expected, and in a file beside the signature.
            let written = own::written(signature, analysis, test.span);
            let mut edits = Vec::new();
            for value in &values {
                let places = written.match_indices(&value.text).map(|(at, text)| {
                    let start = test.span.start + at as u32;
                    Span { start, end: start + text.len() as u32 }
                });
                edits.extend(places.filter_map(|span| Some((signature.file, span, value.instead.clone()?))));
            }
            let all: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
            let what = all.join(", ");
            let span = edits.iter().map(|(_, span, _)| *span).min().unwrap_or(test.span);
            let message = say!("a fixture holds {what}", "応答に{what}が含まれています");
            let label = say!("of one device or person", "特定の機器や個人の値です");
            let mut problem = LINT
                .finding(signature, span, message, label)
                .help(say!("put a value for documentation in its place", "文書用の値に置き換えてください"));
            if !edits.is_empty() && values.iter().all(|value| value.instead.is_some()) {
                problem.fix =
                    Some(Fix { message: say!("put values for documentation in their place", "文書用の値に置き換える"), edits });
            }
            found.push(problem);
        }
    }),
};

/// Something personal as it is written, and what can stand for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Personal {
    /// As it is written.
    pub text: String,
    /// What does the same work and is nobody's; absent where no one word does for all.
    pub instead: Option<String>,
}

fn expects(expect: &Expect, text: &str) -> bool {
    let (Expect::Identify(values, _) | Expect::Captures(values, _) | Expect::Resolved(values, _)) = expect else { return false };
    values.iter().any(|(name, value)| name != "serial" && matches!(value, Datum::Text(value) if value == text))
}

/// What a test gives, as text.
fn texts(test: &Test) -> Vec<String> {
    let of_datum = |datum: &Datum| match datum {
        Datum::Text(text) => Some(text.clone()),
        Datum::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    let of = |fixture: &Fixture| match fixture {
        Fixture::Inline { text, .. } => vec![text.clone()],
        Fixture::Bytes(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Fixture::Value(_, datum) => of_datum(datum).into_iter().collect(),
        Fixture::Facts(facts) => facts.iter().filter_map(|(_, datum)| of_datum(datum)).collect(),
        Fixture::Timeout | Fixture::Refused => Vec::new(),
    };
    test.given.iter().flat_map(|(_, fixture)| of(fixture)).collect()
}

fn pattern(source: &str) -> Option<CompiledPattern> {
    let pattern = Pattern { source: source.into(), ignore_case: true, ignore_case_unicode: false, bytes: false };
    CompiledPattern::new(&pattern).ok()
}

/// One of each kind, with the group `x` where the value stands.
static KINDS: LazyLock<Vec<(Kind, CompiledPattern)>> = LazyLock::new(|| {
    let kinds = [
        (Kind::Address, r"(?:^|[^\w.:/-])(?<x>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:$|[^\w.-])"),
        (Kind::Address6, r"(?:^|[^\w:.])(?<x>[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})(?:$|[^\w:.])"),
        (Kind::Hardware, r"(?:^|[^\w:-])(?<x>[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5})(?:$|[^\w:-])"),
        (Kind::Mail, r"(?:^|[^\w.+-])(?<x>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
        (Kind::Cookie, r"set-cookie:[ \t]*[\w.-]+=(?<x>[0-9a-z+/_-]{16,})"),
        (Kind::Serial, r"\bserial(?:[ _-]?(?:no|number|num))?\.?[ \t]*[:=][ \t]*\x22?(?<x>[0-9a-z-]{8,})"),
    ];
    kinds.into_iter().filter_map(|(kind, source)| Some((kind, pattern(source)?))).collect()
});

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Address,
    Address6,
    Hardware,
    Mail,
    Cookie,
    Serial,
}

/// Most values of one text that are named.
const VALUES_MAX: usize = 16;

/// What is somebody's in a text: at most [`VALUES_MAX`] values.
pub fn personal(text: &str) -> Vec<Personal> {
    let mut found = Vec::new();
    for (kind, pattern) in KINDS.iter() {
        let mut from = 0;
        while found.len() < VALUES_MAX
            && let Some(rest) = text.get(from..)
            && let Some(captures) = pattern.captures(rest.as_bytes())
        {
            let Some(&(_, (start, end))) = captures.iter().find(|(name, _)| *name == "x") else { break };
            let value = &rest[start..end];
            if let Some(instead) = kind.judge(&rest[..start], value) {
                found.push(Personal { text: value.into(), instead });
            }
            from += end;
        }
    }
    found
}

/// The last characters of what stands before a value, in small letters.
pub fn near(before: &str) -> String {
    before.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect::<String>().to_ascii_lowercase()
}

/// Whether four numbers behind these words are a version.
pub fn is_of_version(near: &str) -> bool {
    ["ver", "rev", "firm", "build", "release", "fw", "software", "/"].iter().any(|word| near.contains(word))
}

impl Kind {
    /// Absent for a value that is nobody's; what can stand for it, where one word does for all.
    fn judge(self, before: &str, value: &str) -> Option<Option<String>> {
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
        match self {
            Kind::Address => {
                let address: Ipv4Addr = value.parse().ok()?;
                let octets = address.octets();
                let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_documentation();
                let reserved = matches!(octets[0], 0 | 224..)
                    || octets[0] == 100 && octets[1] & 0xc0 == 64
                    || octets[0] == 198 && octets[1] & 0xfe == 18;
                // Four numbers are a version far more often than an address.
                let near = near(before);
                let version = is_of_version(&near);
                let said = ["ip", "addr", "wan", "from", "host", "=", "["].iter().any(|word| near.contains(word));
                let large = octets.iter().filter(|octet| **octet >= 64).count() >= 2;
                (!special && !reserved && !version && (said || large)).then(|| Some("192.0.2.1".into()))
            }
            Kind::Address6 => {
                let address: Ipv6Addr = value.parse().ok()?;
                let segments = address.segments();
                // Of 2000::/3, what is not for documentation (RFC 4291 section 2.4, RFC 3849).
                let is_public = segments[0] & 0xe000 == 0x2000 && segments[..2] != [0x2001, 0x0db8];
                is_public.then(|| Some("2001:db8::1".into()))
            }
            Kind::Hardware => {
                let bytes: Vec<u8> = value.split([':', '-']).filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
                let documentation = bytes.starts_with(&[0x00, 0x00, 0x5e, 0x00, 0x53]);
                // One that is administered locally, and one of a group, is no maker's; nor is one of equal bytes, a masked one, or one that counts up.
                let nobody = bytes.first().is_none_or(|first| first & 3 != 0)
                    || bytes.iter().all(|byte| *byte == bytes[0])
                    || bytes.get(3..).is_some_and(|own| own.iter().all(|byte| *byte == own[0]) || own.ends_with(&[0, 0]))
                    || bytes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == 0x11 || pair[1].wrapping_sub(pair[0]) == 1);
                (!documentation && !nobody)
                    .then(|| Some(if value.contains(':') { "00:00:5E:00:53:01" } else { "00-00-5E-00-53-01" }.into()))
            }
            Kind::Mail => {
                let domain = value.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
                let labels: Vec<&str> = domain.split('.').collect();
                let top = labels.last().copied().unwrap_or_default();
                let reserved = labels.contains(&"example") || matches!(top, "test" | "invalid" | "localhost" | "local");
                // Behind `@` of a package or a route stands a number.
                let is_name = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
                (!reserved && is_name).then(|| Some("user@example.com".into()))
            }
            Kind::Cookie => (digits >= 4 && letters >= 4).then_some(None),
            Kind::Serial => {
                let same = value.bytes().collect::<BTreeSet<u8>>().len() <= 2;
                (digits >= 5 && !same && !"0123456789".contains(value)).then_some(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        personal(text).into_iter().map(|value| value.text).collect()
    }

    #[test]
    fn what_is_somebodys_is_told_from_what_is_nobodys() {
        assert_eq!(said("from 8.8.4.4, 00:1D:73:4A:5B:6C; me@acme.co.jp"), ["8.8.4.4", "00:1D:73:4A:5B:6C", "me@acme.co.jp"]);
        assert_eq!(said("at [2606:4700:4700::1111] and 2606:4700::1"), ["2606:4700:4700::1111", "2606:4700::1"]);
        assert_eq!(said("Set-Cookie: sid=3f9a7c0b1d2e4f60; Serial Number: J8PG12003412"), ["3f9a7c0b1d2e4f60", "J8PG12003412"]);
        for nobody in [
            "192.0.2.7 10.1.2.3 127.0.0.1 169.254.1.1",
            "Firmware 9.0.6.2 and acme/8.20.1.4 (build 7.1.2.3), Encoder 5.51.3.1",
            "2001:db8::1 fe80::1 ::1 std::face 12:30:59 2a:2b",
            "00-00-5E-00-53-01 AA:BB:CC:DD:EE:FF 00:11:22:33:44:55 00:00:00:00:00:00",
            "user@example.com root@router.example pkg@1.2.3",
            "Set-Cookie: session=xxxxxxxxxxxxxxxxxxxx; serial=00000000",
        ] {
            assert_eq!(said(nobody), Vec::<String>::new(), "{nobody}");
        }
    }
}
