//! Texts that have a form: hardware addresses, object ids, CVE numbers, CPE names, the digits of a digest.
//!
//! In: a text. Out: what it means, whether it is of the form, or why it is not.

/// A hardware address in lower case with colons, `00:00:5e:00:53:01`, from any of the usual forms: with `:` or `-`, in three groups with `.`,
/// or twelve digits alone. Absent for anything else.
pub fn mac(text: &str) -> Option<String> {
    let digits = match text.find([':', '-', '.']).map(|at| text.as_bytes()[at]) {
        None => text.to_string(),
        Some(mark) => {
            let width = if mark == b'.' { 4 } else { 2 };
            let parts: Vec<&str> = text.split(char::from(mark)).collect();
            (parts.len() * width == 12 && parts.iter().all(|part| part.len() == width)).then(|| parts.concat())?
        }
    };
    let bytes = hex(&digits).filter(|bytes| bytes.len() == 6)?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}

/// An IPv4 or IPv6 address as it is compared and said: an IPv6 one as RFC 5952 writes it. Absent for anything else.
pub fn ip(text: &str) -> Option<String> {
    text.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
}

/// Bytes of hexadecimal digits; absent for an odd number of them, and for none.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

/// Bytes as hexadecimal digits, in lower case.
pub fn hex_digits(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
}

/// Schemes of addresses that devices give of themselves, and sources of facts have.
const URL_SCHEMES: [&str; 5] = ["http", "https", "ftp", "rtsp", "rtsps"];

/// Whether a text is an absolute address: one of the known schemes in either case, `://`, a host, and no blank or control in it.
pub fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let known = URL_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    known && !host.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Numbers joined by dots: `1.3.6.1.4.1`.
pub fn is_oid(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && are_digits(part))
}

/// `CVE-2024-1234`: a year of four digits, a number of four to ten.
pub fn is_cve(text: &str) -> bool {
    let number = text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    number.is_some_and(|(year, number)| year.len() == 4 && are_digits(year) && (4..=10).contains(&number.len()) && are_digits(number))
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a CPE name begins with.
pub const CPE_PREFIX: &str = "cpe:2.3:";
/// How many values follow.
pub const CPE_PARTS: usize = 11;

/// Why a text is no CPE 2.3 name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CpeMistake {
    /// It begins with something else.
    Prefix,
    /// It has so many values.
    Parts(usize),
    /// The first value is none of `a`, `h`, `o`, `*` and `-`.
    Kind(String),
    /// This value, counted from 1, is empty or holds what may not stand there.
    Value(usize, String),
}

/// Whether a text is a CPE 2.3 name as NISTIR 7695 section 6.2 writes it.
///
/// # Errors
/// The first mistake.
pub fn cpe(text: &str) -> Result<(), CpeMistake> {
    let values = cpe_values(text.strip_prefix(CPE_PREFIX).ok_or(CpeMistake::Prefix)?);
    if values.len() != CPE_PARTS {
        return Err(CpeMistake::Parts(values.len()));
    }
    if !matches!(values[0], "a" | "h" | "o" | "*" | "-") {
        return Err(CpeMistake::Kind(values[0].into()));
    }
    match values.iter().position(|value| !is_cpe_value(value)) {
        Some(at) => Err(CpeMistake::Value(at + 1, values[at].into())),
        None => Ok(()),
    }
}

/// The values of a name behind its prefix; a colon behind a backslash is part of one.
pub fn cpe_values(text: &str) -> Vec<&str> {
    let (mut values, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            ':' if !escaped => {
                values.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    values.push(&text[begin..]);
    values
}

/// `*`, `-`, or letters, digits, `.`, `_`, `-` and other signs behind a backslash; `?` and `*` at either end stand for what is left out.
fn is_cpe_value(value: &str) -> bool {
    if matches!(value, "*" | "-") {
        return true;
    }
    let inner = value.strip_prefix('*').unwrap_or_else(|| value.trim_start_matches('?'));
    let mut rest = inner.chars();
    let mut some = false;
    while let Some(c) = rest.next() {
        let fits = match c {
            '\\' => rest.next().is_some_and(|sign| sign.is_ascii_punctuation()),
            '?' => return some && rest.all(|c| c == '?'),
            '*' => return some && rest.next().is_none(),
            c => c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'),
        };
        if !fits {
            return false;
        }
        some = true;
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_one_value_in_all_their_forms() {
        for written in ["00:00:5E:00:53:01", "00-00-5e-00-53-01", "0000.5E00.5301", "00005e005301"] {
            assert_eq!(mac(written).as_deref(), Some("00:00:5e:00:53:01"), "{written}");
        }
        for none in ["", "00:00:5e:00:53", "00:00:5e-00:53:01", "0:0:5e:0:53:1", "00005e00530g", "0000.5e00.53.01", "００005e005301"] {
            assert_eq!(mac(none), None, "{none}");
        }
    }

    #[test]
    fn ids_are_of_their_form() {
        assert!(is_oid("1.3.6") && is_oid("1") && !is_oid("1..3") && !is_oid("") && !is_oid("1.a"));
        assert!(is_cve("CVE-2024-1234") && !is_cve("CVE-24-1234") && !is_cve("CVE-2024-123") && !is_cve("cve-2024-1234"));
        assert_eq!((hex("0aff"), hex("0af"), hex("+a"), hex("")), (Some(vec![10, 255]), None, None, None));
    }

    #[test]
    fn a_cpe_name_is_read_as_its_standard_writes_it() {
        let rest = ":*".repeat(8);
        for fine in ["o:acme:ac-1", "a:acme:ac_1\\(b\\)", "h:acme\\:works:ac-1", "*:-:a?", "o:??ac:*m*"] {
            assert_eq!(cpe(&format!("cpe:2.3:{fine}{rest}")), Ok(()), "{fine}");
        }
        let mistake = |text: &str| cpe(&format!("cpe:2.3:{text}{rest}")).expect_err(text);
        assert_eq!(mistake("x:acme:ac-1"), CpeMistake::Kind("x".into()));
        assert_eq!(mistake("o:acme"), CpeMistake::Parts(10));
        for bad in ["AC 1", "", "a(b)", "a?b", "a\\", "**", "?"] {
            assert_eq!(
                mistake(&format!("o:acme:{bad}")),
                if bad == "a\\" { CpeMistake::Parts(10) } else { CpeMistake::Value(3, bad.into()) }
            );
        }
        assert_eq!(cpe("cpe:/o:acme:ac-1"), Err(CpeMistake::Prefix));
    }
}
