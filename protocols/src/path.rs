//! Arguments of probes: paths that may be asked for, places that a device itself named, and words of closed lists.

use ksig_schema::probe::{ArgumentError, ArgumentKind, ParameterDef, Place};

pub use ksig_schema::target::check_target;

/// The parameter of requests that ask for one path.
pub static PATH: &[ParameterDef] = &[ParameterDef {
    name: "path",
    kind: ArgumentKind::Path,
    place: Place::Positional,
    required: true,
    part_of_key: true,
    usual: "/",
    doc: "What is asked for: a literal path without a query, or one that a page of the same origin named.",
}];

/// Whether an argument, as text, is one that its kind takes; of a list, each name is asked alone.
///
/// # Errors
/// What is wrong with it.
pub fn check_argument(kind: ArgumentKind, argument: &str) -> Result<(), ArgumentError> {
    match kind {
        ArgumentKind::Path if argument.contains('?') => Err(ArgumentError::Query),
        ArgumentKind::Path | ArgumentKind::Location => check_target(argument).map_err(ArgumentError::Target),
        ArgumentKind::Text(allowed) | ArgumentKind::Name(allowed) | ArgumentKind::Names(allowed) => match allowed.contains(&argument) {
            true => Ok(()),
            false => Err(ArgumentError::NotAmong(argument.into(), allowed)),
        },
        ArgumentKind::Number(low, high) => match argument.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(()),
            _ => Err(ArgumentError::NotBetween(argument.into(), low, high)),
        },
    }
}

#[cfg(test)]
mod tests {
    use ksig_schema::target::TARGET_BYTES_MAX;

    use super::*;

    #[test]
    fn a_path_is_a_literal_place_on_the_host() {
        for path in ["/", "/index.html", "/cgi-bin/luci", "/a.b/c-d_e~f", "/%E3%83%AB"] {
            assert_eq!(check_argument(ArgumentKind::Path, path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_path_cannot_become_another_request() {
        let long = format!("/{}", "a".repeat(TARGET_BYTES_MAX));
        let bad = [
            "",
            "index.html",
            "//host/",
            "/a?b",
            "/a#b",
            "/../etc",
            "/a/..",
            "/%2e%2E/",
            "/a%2Fb",
            "/a%252e",
            "/a b",
            "/a\r\nX: y",
            "/ル",
            "/a\\b",
        ];
        for path in bad.into_iter().chain([long.as_str()]) {
            assert!(check_argument(ArgumentKind::Path, path).is_err(), "{path}");
        }
    }

    #[test]
    fn words_and_numbers_are_of_their_list() {
        let versions = ArgumentKind::Names(&["v1", "v2c"]);
        assert_eq!(check_argument(versions, "v2c"), Ok(()));
        assert_eq!(check_argument(versions, "v3"), Err(ArgumentError::NotAmong("v3".into(), &["v1", "v2c"])));
        assert_eq!(check_argument(ArgumentKind::Number(1, 5), "5"), Ok(()));
        for bad in ["0", "6", "", "1.5", "99999999999999999999"] {
            assert!(check_argument(ArgumentKind::Number(1, 5), bad).is_err(), "{bad}");
        }
        assert!(check_argument(ArgumentKind::Location, "/desc.xml?id=1").is_ok());
    }

    #[test]
    fn a_target_that_a_device_wrote_may_carry_a_query() {
        assert_eq!(check_target("/login.asp?lang=ja"), Ok(()));
        assert!(check_target("/login.asp?to=../x").is_err());
    }
}
