//! What each problem code of the compiler means, for `ksig explain`. Syntax has its own list in `lang`, lints have theirs in [`crate::lints`].

/// A code and what it means.
pub struct Code {
    /// `unknown-field`.
    pub code: &'static str,
    /// One paragraph.
    pub meaning: &'static str,
}

/// All codes, sorted.
pub const CODES: &[Code] = &[
    code(
        "ambiguous-import",
        "A `use` finds what its module declares, and what the modules below it declare where that is one. Name the module that is meant.",
    ),
    code("at-least-out-of-range", "`at least N of { }` names more lines than the group holds, or none."),
    code("bad-attribute", "A statement of a vocabulary entry has another form; the help shows it."),
    code("bad-literal", "The literal is not of the type that its place needs, such as a version that its scheme does not read."),
    code("bad-metadata", "`summary`, `added`, `evidence` and their like each have one form; the help shows it."),
    code(
        "bad-pattern",
        "The regular expression cannot be read. ksig takes the syntax of Rust's `regex` crate with named groups only; `^` and `$` are the ends of the text, and there is no look-around and no backreference, so that every pattern runs in linear time.",
    ),
    code("bad-scheme", "A version scheme is `dotted`, `semver`, `date`, or `dotted(parts: N, train: leading N)`."),
    code(
        "bad-table-row",
        "A row of a table has the wrong number of cells, or a cell that is not of its column's type. Nothing is dropped silently: mend the row.",
    ),
    code("bad-type", "The type is not one of the language's."),
    code(
        "bound-twice",
        "A capture binds its name for the rest of the signature. Only branches of one `any { }` may bind the same name, since one of them is taken.",
    ),
    code(
        "bytes-text-mismatch",
        "Bytes are matched by `b/.../`, text by `/.../`. Text was decoded from some charset, bytes never were, so one pattern cannot mean the same for both.",
    ),
    code(
        "capture-outside-match",
        "A named group stands where it would bind nothing: under `not`, in `none { }`, in a guard. Use `(?:...)`, or `(?<_>...)` for a value.",
    ),
    code("class-without-parent", "Classes are a tree: `router.home` needs `router`."),
    code("component-without-product", "A component names its `product`."),
    code("declared-twice", "Two items of a module have the same name."),
    code("empty-choice", "A choice lists the signatures of which the first that matches stands."),
    code("entry-without-name", "Every vendor has a `name`, every class and tag an `en`: the name that people are shown."),
    code("evidence-without-source", "`evidence observed`, `documented` and `derived` name where the knowledge comes from."),
    code("field-needs-key", "The field is a map, such as the headers: say which entry, `top.header[\"server\"]`."),
    code("field-takes-no-key", "The field is one value, not a map."),
    code(
        "follow-without-gate",
        "A `follow` is sent only after the first stage matched, so the signature needs lines of `match` about its first-stage probes.",
    ),
    code("identifies-nothing", "A signature says what a device is (`identify`) or what software runs (`component`)."),
    code("match-of-unknown-follow", "`match name { }` speaks of a `follow` of the same signature."),
    code("member-twice", "A signature stands once in one choice: its place there says what gives way to what."),
    code("missing-file", "A table or a fixture is not beside the signature."),
    code("missing-japanese", "Classes and tags have a Japanese name, `ja`, since answers and the search speak both languages."),
    code(
        "module-differs-from-path",
        "A module's name is its path below the root of the signatures, so that a signature is found where its name says.",
    ),
    code(
        "name-taken",
        "Two entries of a kind have one name. Ids, names, aliases and former names lead to one entry each; case, spaces and signs make no difference.",
    ),
    code(
        "negation-may-be-missing",
        "`not` over a value that may be missing is neither true nor false. Say what a missing one means: `x absent or not x ~ /.../`, or `x present and not ...`.",
    ),
    code("no-match-block", "A signature says what must hold: `match { ... }`."),
    code("no-such-part", "Only rows and probes have parts."),
    code("not-compiled-yet", "The form is part of the language, but this version of ksig cannot compile it. It is refused, never ignored."),
    code("not-ordered", "Only numbers, dates and versions are ordered. A version inside a text is read by a typed capture."),
    code("pen-taken", "IANA gives each enterprise number to one organisation."),
    code(
        "probe-not-benign",
        "The request is not one that a normal client sends. Paths are literal, without query, `..` or encoded separators.",
    ),
    code("rebrand-cycle", "`rebrand of` leads from a brand to the maker of its machines, never back."),
    code("refines-cycle", "`refines` must lead to a base, and not too deep."),
    code("said-twice", "A statement that may stand once stands twice."),
    code("second-key", "A table has one key column."),
    code("table-key-duplicate", "Two rows have the same key, so that a lookup would depend on their order."),
    code("table-without-key", "A table that is looked up, or whose keys a capture ranges over, has a key column."),
    code("test-expects-nothing", "A test without `expect` cannot fail."),
    code(
        "type-mismatch",
        "Types differ. Nothing is converted silently: literals and typed captures convert, and a capture that does not is missing.",
    ),
    code("unexpected-form", "The form is right elsewhere, not here."),
    code("unknown-attribute", "A vocabulary entry has no such statement."),
    code("unknown-base", "`refines` names no signature."),
    code("unknown-class", "The class is not in the vocabulary."),
    code("unknown-column", "The table has no such column."),
    code("unknown-field", "No protocol has such a field. `ksig show fields` lists all of them."),
    code("unknown-flag", "A pattern's flags are `i`, `iu` and `fold_width`."),
    code("unknown-import", "The module declares no such name."),
    code("unknown-member", "A choice names no such signature: it is not in this file, not imported, and no full name."),
    code("unknown-module", "No file of the set is that module."),
    code("unknown-name", "Nothing of that name is declared or imported here."),
    code("unknown-parameter", "The tag has no such parameter."),
    code("unknown-prefix", "Literals have the prefixes `v`, `h`, `b`, `sjis`, `eucjp` and `cpe`."),
    code("unknown-probe", "Probes are harmless by construction: only the constructors that the protocols declare exist."),
    code("unknown-slot", "The record has no such slot."),
    code("unknown-statement", "No statement of a signature starts with this word."),
    code("unknown-tag", "The tag is not in the vocabulary, or not imported."),
    code("unknown-vendor", "The vendor is not in the vocabulary, or not imported."),
    code("unknown-word", "The word is none of those that may stand here."),
    code("version-scheme-mismatch", "Versions are ordered only inside one scheme."),
];

const fn code(code: &'static str, meaning: &'static str) -> Code {
    Code { code, meaning }
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_problem_has_an_explanation() {
        let problems = concat!(include_str!("problems.rs"), include_str!("problems/vocabulary.rs"));
        let mut missing = Vec::new();
        for part in problems.split('"').filter(|part| part.contains('-') && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')) {
            if !CODES.iter().any(|code| code.code == part) {
                missing.push(part);
            }
        }
        assert!(missing.is_empty(), "not explained: {missing:?}");
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code), "sorted, no code twice");
        for code in CODES {
            assert!(problems.contains(&format!("\"{}\"", code.code)), "{} is never reported", code.code);
        }
    }
}
