//! What an answer tells of the site where it was recorded: addresses, and names of hosts.
//!
//! In: the text of an answer, and in which protocol it was given. Out: what stands in it, and what is put in its place. In a test that somebody
//! wrote, an address of a private network is nobody's; in an answer that was just recorded it is somebody's network.

use std::net::{Ipv4Addr, Ipv6Addr};

use ksig_compiler::lints::personal_data_in_fixture::{is_of_version, near};

/// Something of the site, and what can stand for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OfSite {
    /// As it is written. It is a whole word: what begins or ends inside another is something else.
    pub(super) was: String,
    /// What is nobody's.
    pub(super) is: &'static str,
}

/// The address that stands for any other (RFC 5737).
pub(super) const ADDRESS: &str = "192.0.2.1";
/// The same of version 6 (RFC 3849).
pub(super) const ADDRESS_6: &str = "2001:db8::1";
/// The name that stands for any other (RFC 2606).
const HOST: &str = "host.example";

/// Most values of one text that are named at once.
const VALUES_MAX: usize = 16;

/// Protocols whose servers say who they are, by name or address, before they are asked anything.
const GREETING: [&str; 7] = ["banner", "ftp", "imap", "nntp", "pop3", "sip", "smtp"];

/// At most [`VALUES_MAX`] values.
pub(super) fn site(text: &str, protocol: &str) -> Vec<OfSite> {
    let greets = GREETING.contains(&protocol);
    let local = words(text).filter_map(|word| local(text, word.text));
    let greeted = words(text).filter(|_| greets).filter_map(|word| greeted(&word));
    let said = said_twice(text, protocol).or_else(|| of_stamp(text, protocol)).into_iter();
    let bare = said.map(|name| OfSite { was: name.into(), is: HOST });
    let of_version_6 = addresses_6(text).map(|was| OfSite { was, is: ADDRESS_6 });
    local.chain(greeted).chain(bare).chain(of_version_6).take(VALUES_MAX).collect()
}

/// A word of letters, digits, dots, hyphens and underscores, with what stands around it.
struct Word<'a> {
    before: &'a str,
    text: &'a str,
    behind: &'a str,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let split = text.split(move |c: char| !is_part(c)).map(|word| word.trim_matches('.')).filter(|word| !word.is_empty());
    split.map(|word| {
        let word = without_code(word);
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        Word { before: &text[..start], text: word, behind: &text[start + word.len()..] }
    })
}

/// `250-mail.acme.co.jp` is a reply code, and a name (RFC 5321 section 4.2.1, RFC 959 section 4.2).
fn without_code(word: &str) -> &str {
    match word.split_once('-') {
        Some((code, rest)) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => word,
    }
}

/// Addresses of private networks, and names that only they resolve, whatever the protocol.
fn local(text: &str, word: &str) -> Option<OfSite> {
    const INSIDE: [&str; 7] = [".local", ".localdomain", ".lan", ".home", ".internal", ".home.arpa", ".corp"];
    let private = word.parse::<Ipv4Addr>().ok().filter(|address| address.is_private() || address.is_link_local());
    // 10.2.1.4 is a version as often as an address.
    let said = |address: &Ipv4Addr| address.octets()[0] != 10 || text.contains(&format!("//{word}")) || text.contains(&format!("@{word}"));
    if private.as_ref().is_some_and(said) {
        return Some(OfSite { was: word.into(), is: ADDRESS });
    }
    let lower = word.to_ascii_lowercase();
    let named = INSIDE.iter().any(|end| lower.strip_suffix(end).is_some_and(|host| !host.is_empty()));
    named.then(|| OfSite { was: word.into(), is: HOST })
}

/// What a server greets with: its name, or its address. Where a maker's page is named (`//`, `www.`), that is no host of the site.
fn greeted(word: &Word<'_>) -> Option<OfSite> {
    if let Ok(address) = word.text.parse::<Ipv4Addr>() {
        return is_address(word, address).then(|| OfSite { was: word.text.into(), is: ADDRESS });
    }
    let of_maker = word.before.ends_with("//") || word.text.starts_with("www.");
    (is_host_name(word.text) && !of_maker).then(|| OfSite { was: word.text.into(), is: HOST })
}

/// Four numbers are a version far more often than an address: they are one where addresses are written.
fn is_address(word: &Word<'_>, address: Ipv4Addr) -> bool {
    let nobody = address.is_loopback() || address.is_documentation() || address.is_unspecified();
    let begins = word.before.lines().last().is_none_or(|line| {
        let code = line.trim_end_matches([' ', '-']);
        word.before.ends_with('\n') || code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit())
    });
    let near = near(word.before);
    let has_port = word.behind.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let named = ["[", "@", "::ffff:", "from ", "received=", "maddr=", "udp ", "tcp ", "tls "].iter().any(|end| near.ends_with(end));
    let may_be = begins || near.ends_with(['=', ':', '(']);
    !nobody && (has_port || named || may_be && !is_of_version(&near))
}

/// Whether a word is a name of several labels: of letters, digits and hyphens (RFC 1123 section 2.1), the last of letters alone.
fn is_host_name(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let [of_host @ .., top] = labels.as_slice() else { return false };
    let is_label =
        |label: &&str| (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    // `Dr.Web` is a product, and 5.0.EVAL a version.
    let is_small = top.bytes().all(|byte| byte.is_ascii_lowercase()) || !word.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_top = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_small || top.starts_with("xn--");
    let is_named = of_host.iter().any(|label| label.bytes().any(|byte| byte.is_ascii_alphabetic()));
    let reserved = labels.contains(&"example") || ["test", "invalid", "localhost"].contains(top);
    is_top && is_named && !reserved && labels.iter().all(is_label)
}

/// A name without a dot that an SMTP server says in its greeting and again when it was greeted (RFC 5321 sections 4.2 and 4.1.1.1). In either
/// alone the first word may be anything.
fn said_twice<'a>(text: &'a str, protocol: &str) -> Option<&'a str> {
    let first = |code: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(code))?;
        line.strip_prefix([' ', '-'])?.split_whitespace().next()
    };
    let (greeted, answered) = (first("220")?, first("250")?);
    let is_name = greeted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (protocol == "smtp" && is_name && greeted.eq_ignore_ascii_case(answered)).then_some(greeted)
}

/// The name without a dot in the stamp of a POP3 server, `<1896.697170952@host>` (RFC 1939 section 7).
fn of_stamp<'a>(text: &'a str, protocol: &str) -> Option<&'a str> {
    let stamp = text.split_once('<').filter(|_| protocol == "pop3")?.1.split_once('>')?.0;
    let name = stamp.split_once('@')?.1;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))).then_some(name)
}

/// Addresses of version 6 that only a site or a link knows: fc00::/7 and fe80::/10 (RFC 4193, RFC 4291 section 2.5.6).
fn addresses_6(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit() && c != ':');
    let address = |word: &&str| word.parse::<Ipv6Addr>().is_ok_and(|word| word.is_unique_local() || word.is_unicast_link_local());
    words.filter(address).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(protocol: &str, text: &str) -> Vec<String> {
        site(text, protocol).into_iter().map(|value| value.was).collect()
    }

    /// Forms of greetings: RFC 5321 section 4.2 and appendix D, RFC 959, RFC 3501, RFC 1939 section 7, RFC 3977, RFC 3261. The names are invented.
    #[test]
    fn who_greets_with_a_name_or_an_address_says_no_more_who_it_is() {
        for (protocol, text, names) in [
            (
                "smtp",
                "220 mail.acme.co.jp ESMTP Postfix\n250-mail.acme.co.jp Hello [8.8.4.4]\n",
                vec!["mail.acme.co.jp", "mail.acme.co.jp", "8.8.4.4"],
            ),
            ("smtp", "220 MAIL.ACME.COM Microsoft ESMTP\n", vec!["MAIL.ACME.COM"]),
            ("smtp", "220 mailhost ESMTP\n250-mailhost\n250 PIPELINING\n", vec!["mailhost"]),
            ("ftp", "220 ftp.acme.co.jp FTP server (Version 6.4) ready.\n", vec!["ftp.acme.co.jp"]),
            ("ftp", "220 8.8.4.4 FTP server ready\n", vec!["8.8.4.4"]),
            ("ftp", "220 ProFTPD 1.3.5 Server (Debian) [::ffff:8.8.4.4]\n", vec!["8.8.4.4"]),
            ("imap", "* OK [CAPABILITY IMAP4rev1] imap.acme.ne.jp Cyrus IMAP v2.3.7 server ready\n", vec!["imap.acme.ne.jp"]),
            ("pop3", "+OK POP3 server ready <1896.697170952@mailhost>\n", vec!["mailhost"]),
            ("nntp", "200 news.acme.ne.jp InterNetNews NNRP server INN 2.5.4 ready\n", vec!["news.acme.ne.jp"]),
            ("sip", "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 8.8.4.4;rport\nContact: <sip:pbx.acme.jp>\n", vec!["8.8.4.4", "pbx.acme.jp"]),
        ] {
            assert_eq!(said(protocol, text), names, "{text}");
        }
    }

    #[test]
    fn products_and_versions_stay() {
        for (protocol, text) in [
            ("ftp", "220 FTP print service:V-1.13/Use the network password for the ID if updating.\n"),
            ("ftp", "220-FileZilla Server 0.9.60 beta\n220 Please visit https://filezilla-project.org/\n"),
            ("smtp", "220 Dr.Web SMTP 5.0.5.EVAL, build 10.2.1.4\n250-SIZE\n"),
            ("smtp", "220 SMTP ready\n250-Hello\n"),
            ("sip", "SIP/2.0 200 OK\nUser-Agent: Grandstream GXP2160 1.0.9.132\nServer: kamailio (5.6.3 (x86_64/linux))\n"),
            ("ftp", "220 host.example FTP server, www.acme.jp, 192.0.2.1 127.0.0.1\n"),
            ("http", "HTTP/1.0 200 OK\nServer: web.acme.co.jp\n"),
        ] {
            assert_eq!(said(protocol, text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_only_a_site_resolves_is_its_own_in_every_protocol() {
        assert_eq!(
            said("http", "LAN 192.168.10.1, fd12:3456::1 and fe80::1; nas.local, http://10.1.2.3/"),
            ["192.168.10.1", "nas.local", "10.1.2.3", "fd12:3456::1", "fe80::1"]
        );
        assert_eq!(said("http", "Firmware 10.1.2.3, feed::before"), Vec::<String>::new());
    }
}
