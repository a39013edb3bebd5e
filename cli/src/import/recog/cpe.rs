//! CPE names: the URI form that Recog writes, as the formatted form that ksig's templates hold.
//!
//! `cpe:/a:vendor:product:{service.version}` is `a:vendor:product:{service.version}`; percent codes become backslashes, `{...}` stays.

use ksig_schema::form;

/// The attributes of the formatted form, at most eleven, without `cpe:2.3:`; empty ones are `*`. Absent for what is no CPE name.
pub fn attributes(name: &str) -> Option<Vec<String>> {
    if let Some(formatted) = name.strip_prefix(form::CPE_PREFIX) {
        return Some(form::cpe_values(formatted).into_iter().map(str::to_string).collect::<Vec<_>>()).filter(|all| fits(all));
    }
    let uri = name.strip_prefix("cpe:/")?;
    let (mut attributes, mut packs): (Vec<String>, bool) = (Vec::new(), false);
    for (at, part) in uri.split(':').enumerate() {
        match part.strip_prefix('~').filter(|_| at == 5) {
            // Five attributes packed into one.
            Some(packed) => {
                attributes.extend(packed.split('~').map(formatted));
                packs = true;
            }
            None => attributes.push(formatted(part)),
        }
    }
    // In the formatted form the language stands behind the edition, which is the first of the packed ones.
    if packs && attributes.len() >= 6 {
        let language = if attributes.len() == form::CPE_PARTS { attributes.remove(10) } else { "*".into() };
        attributes.insert(6, language);
    }
    while attributes.len() > 1 && attributes.last().is_some_and(|last| last == "*") {
        attributes.pop();
    }
    Some(attributes).filter(|all| fits(all))
}

fn fits(attributes: &[String]) -> bool {
    (1..=form::CPE_PARTS).contains(&attributes.len()) && matches!(attributes[0].as_str(), "a" | "o" | "h")
}

/// One attribute: `%2b` as `\+`, a blank as `_`, an empty one as `*`; holes and `-` as they are.
fn formatted(part: &str) -> String {
    if part.is_empty() {
        return "*".into();
    }
    if part == "-" {
        return "-".into();
    }
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(c) = rest.chars().next() {
        if c == '{'
            && let Some(close) = rest.find('}')
        {
            out.push_str(&rest[..=close]);
            rest = &rest[close + 1..];
            continue;
        }
        let coded = rest.strip_prefix('%').and_then(|code| u8::from_str_radix(code.get(..2)?, 16).ok()).filter(u8::is_ascii_graphic);
        let (c, length) = coded.map_or((c, c.len_utf8()), |byte| (char::from(byte), 3));
        match c {
            ' ' => out.push('_'),
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => out.push(c),
            c => out.extend(['\\', c]),
        }
        rest = &rest[length..];
    }
    out
}

/// A constant that is put into an attribute: lower case, blanks as `_`, signs behind a backslash, as ksig writes what it puts into a hole.
pub fn constant(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_whitespace() => out.push('_'),
            c if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') => out.push(c),
            c => out.extend(['\\', c]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_form_becomes_the_formatted_one() {
        let check = |uri: &str, formatted: &str| assert_eq!(attributes(uri).map(|all| all.join(":")).as_deref(), Some(formatted), "{uri}");
        check("cpe:/a:acme:acme-httpd:{service.version}", "a:acme:acme-httpd:{service.version}");
        check("cpe:/o:acme:os:-", "o:acme:os:-");
        check("cpe:/h:acme:x%2by%3az:1::~~pro~~~", r"h:acme:x\+y\:z:1:*:*:*:pro");
        check("cpe:2.3:a:acme:x\\:y:1", "a:acme:x\\:y:1");
        assert_eq!(attributes("acme"), None);
        assert_eq!(attributes("cpe:/x:acme"), None);
    }
}
