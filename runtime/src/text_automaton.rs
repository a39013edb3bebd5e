//! Automata of text patterns made smaller, knowing that a text is valid UTF-8.
//!
//! In: the meaning of a text pattern. Out: one that matches the same texts at the same places, and follows the bytes of a character only where
//! it must. `.*` over characters has nine states for the ways a character can be cut; over bytes it has one.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};

/// The same matches and captures on valid UTF-8 with fewer states: `C*` runs over bytes where the class holds all characters outside
/// ASCII, so that the automaton need not follow the bytes of each character.
///
/// A star may then end inside a character, but only another such star can go on there: literals and classes begin with the first byte of a
/// character, and of the assertions only `\B` holds inside one, so an expression with it stays. The star that began the character can
/// take all of it. `C+` becomes `CC*`, because one byte is not one character.
///
/// Inside a loop the next round could go on in the middle of a character too, and a group in it would say so: there, expressions are changed only
/// where captures do not matter.
pub fn on_valid_text(hir: &Hir, captures_matter: bool) -> Hir {
    if hir.properties().look_set().contains(Look::WordAsciiNegate) {
        return hir.clone();
    }
    let inside = |hir: &Hir| on_valid_text(hir, captures_matter);
    match hir.kind() {
        HirKind::Repetition(repetition) => match byte_class(&repetition.sub).filter(|_| repetition.max.is_none() && repetition.min <= 1) {
            Some(bytes) => {
                let star = Hir::repetition(Repetition { min: 0, max: None, greedy: repetition.greedy, sub: Box::new(bytes) });
                if repetition.min == 0 { star } else { Hir::concat(vec![(*repetition.sub).clone(), star]) }
            }
            None if captures_matter => hir.clone(),
            None => Hir::repetition(Repetition { sub: Box::new(inside(&repetition.sub)), ..repetition.clone() }),
        },
        HirKind::Capture(group) => Hir::capture(Capture { sub: Box::new(inside(&group.sub)), ..group.clone() }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(inside).collect()),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(inside).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}

/// The bytes of a class that holds all characters outside ASCII; absent for others.
fn byte_class(hir: &Hir) -> Option<Hir> {
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { return None };
    let mut missing = class.clone();
    missing.negate();
    let mut bytes = ClassBytes::empty();
    for range in missing.iter() {
        let (start, end) = (u8::try_from(range.start()).ok()?, u8::try_from(range.end()).ok()?);
        if !end.is_ascii() {
            return None;
        }
        bytes.push(ClassBytesRange::new(start, end));
    }
    bytes.negate();
    Some(Hir::class(Class::Bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    use super::*;

    fn compiled(hir: &Hir) -> Regex {
        Regex::builder().build_from_hir(hir).expect("compiles")
    }

    fn groups(regex: &Regex, text: &str) -> Option<Vec<Option<(usize, usize)>>> {
        let mut captures = regex.create_captures();
        regex.captures(text, &mut captures);
        captures.is_match().then(|| captures.iter().map(|span| span.map(|span| (span.start, span.end))).collect())
    }

    fn expression() -> impl Strategy<Value = String> {
        let atoms = vec!["a", "é", "ル", ".", "[^a]", "[^é]", "(?s:.)", r"\w", r"\W", r"\D", r"\b", "[a-é]", "x"];
        let atom = prop::sample::select(atoms).prop_map(str::to_string);
        let repeated =
            (atom, prop::sample::select(vec!["", "*", "+", "?", "*?", "+?", "{2}", "{2,}"])).prop_map(|(atom, times)| {
                match atom.as_str() {
                    r"\b" => atom,
                    _ => format!("{atom}{times}"),
                }
            });
        repeated.prop_recursive(3, 12, 4, |inner| {
            let many = || prop::collection::vec(inner.clone(), 1..4);
            prop_oneof![
                many().prop_map(|parts| parts.concat()),
                many().prop_map(|parts| format!("({})", parts.join("|"))),
                many().prop_map(|parts| format!("({})*", parts.concat())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn matches_and_captures_stay(source in expression(), start in any::<bool>(), text in "[aéルx\n ]{0,8}") {
            let source = if start { format!("^{source}$") } else { source };
            let hir = regex_syntax::parse(&source.replace(r"\b", r"(?-u:\b)")).expect("parses");
            let found = groups(&compiled(&hir), &text);
            prop_assert_eq!(&found, &groups(&compiled(&on_valid_text(&hir, true)), &text), "{}", source);
            prop_assert_eq!(found.is_some(), compiled(&on_valid_text(&hir, false)).is_match(&text), "{}", source);
        }
    }
}
