//! Challenges of `WWW-Authenticate`: `Basic realm="x"`, `Digest realm="x", nonce="y"`, several in one value or one each.
//!
//! Tolerant: quotes may be missing, single, unclosed, or stand unescaped inside the realm.

/// One challenge.
#[derive(Debug, PartialEq, Eq)]
pub struct Challenge {
    /// `Basic`, as written.
    pub scheme: String,
    /// Its realm, without quotes. May be empty.
    pub realm: Option<String>,
}

/// Most challenges that are read from one value.
const CHALLENGES_MAX: usize = 16;

/// The challenges of one header value, in order.
pub fn challenges(value: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = value.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() && found.len() < CHALLENGES_MAX {
        let word_end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_end);
        let after = after.trim_start_matches([' ', '\t']);
        // A parameter has `=`; a scheme has not.
        rest = match after.strip_prefix('=') {
            Some(after) => {
                let (value, after) = parameter(after.trim_start_matches([' ', '\t']));
                if let Some(challenge) = found.last_mut()
                    && word.eq_ignore_ascii_case("realm")
                    && challenge.realm.is_none()
                {
                    challenge.realm = Some(value);
                }
                after
            }
            None => {
                if word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_graphic()) {
                    found.push(Challenge { scheme: word.to_string(), realm: None });
                }
                after
            }
        };
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
    }
    found
}

/// The value of a parameter, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text.find([',', ';']).unwrap_or(text.len());
        return (text[..end].trim_end().to_string(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        let after = &text[1 + at + c.len_utf8()..];
        if c == '\\' && after.starts_with(['"', '\\']) {
            value.extend(chars.next().map(|(_, escaped)| escaped));
        } else if c == quote && closes(after) {
            return (value, after);
        } else {
            value.push(c);
        }
    }
    (value, "")
}

/// A quote ends the value when the value ends there; other quotes stand inside it.
fn closes(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\t']);
    after.is_empty() || after.starts_with([',', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[(&str, Option<&str>)]) {
        let found = challenges(value);
        let found: Vec<_> = found.iter().map(|c| (c.scheme.as_str(), c.realm.as_deref())).collect();
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn challenges_of_the_standard() {
        check("Basic realm=\"WallyWorld\"", &[("Basic", Some("WallyWorld"))]);
        check(
            "Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\"",
            &[("Newauth", Some("apps")), ("Basic", Some("simple"))],
        );
        check("Negotiate", &[("Negotiate", None)]);
        check(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", nonce=\"7ypf\", Basic realm=\"b\"",
            &[("Digest", Some("http-auth@example.org")), ("Basic", Some("b"))],
        );
        check("Negotiate, NTLM", &[("Negotiate", None), ("NTLM", None)]);
    }

    #[test]
    fn challenges_that_break_the_standard() {
        check("Basic realm=ACME Router", &[("Basic", Some("ACME Router"))]);
        check("Basic realm='ACME'", &[("Basic", Some("ACME"))]);
        check("Basic realm=\"ACME", &[("Basic", Some("ACME"))]);
        check("Basic realm=\"say \"hello\" here\"", &[("Basic", Some("say \"hello\" here"))]);
        check("Basic realm=\"DOMAIN\\user\"", &[("Basic", Some("DOMAIN\\user"))]);
        check("Basic realm = \"\"", &[("Basic", Some(""))]);
        check("Basic Realm=\"無線\"", &[("Basic", Some("無線"))]);
        check("realm=\"x\"", &[]);
        check(",,, \t", &[]);
    }
}
