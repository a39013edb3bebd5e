//! Every mistake that the compiler can find, as a constructor: what is wrong, where, and what to do. [`crate::codes`] explains each code.

use ksig_lang::ast::Name;
use ksig_lang::source::Span;
use ksig_lang::{Diagnostic, FileId};
use ksig_schema::Type;

/// The known name that is nearest to what was written; absent when none is near.
pub fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + written.chars().count() / 4;
    let distance = |name: &str| strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase());
    known.map(|name| (distance(name), name)).filter(|(far, _)| *far <= most).min().map(|(_, name)| name)
}

/// An unknown name: the nearest known one is offered as a fix.
fn unknown<'a>(
    code: &'static str,
    what: &str,
    written: &str,
    file: FileId,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let problem = Diagnostic::error(code, format!("there is no {what} `{written}` here"), file, span, "not known");
    match nearest(written, known) {
        Some(near) => problem.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), file, span, near),
        None => problem,
    }
}

pub fn declared_twice(name: &Name, file: FileId, first_file: FileId, first: Span) -> Diagnostic {
    Diagnostic::error("declared-twice", format!("`{}` is declared twice", name.value), file, name.span, "here again").label(
        first_file,
        first,
        "first declared here",
    )
}

pub fn unknown_module<'a>(path: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-module", "module", path, file, span, known)
}

pub fn unknown_import<'a>(module: &str, name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let mut problem = unknown("unknown-import", "name", &name.value, file, name.span, known);
    problem.message = format!("module `{module}` declares no `{}`", name.value);
    problem
}

pub fn module_differs(expected: &str, written: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("module-differs-from-path", format!("this file is module `{expected}`, not `{written}`"), file, span, "not its path")
        .note("a module's name is its path below the root of the signatures, with dots")
        .fix(format!("write `{expected}`"), file, span, expected)
}

pub fn not_compiled_yet(what: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("not-compiled-yet", format!("{what} is read, but this version of ksig cannot compile it"), file, span, "")
        .note("nothing is compiled in its place, so that no answer rests on a guess")
}

pub fn bad_scheme(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-scheme", reason, file, span, "not a scheme")
}

pub fn bad_type(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-type", reason, file, span, "not a type")
}

pub fn second_key(file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("second-key", "a table has one key column", file, span, "a second key")
}

pub fn missing_file(name: &str, folder: &str, file: FileId, span: Span) -> Diagnostic {
    let place = if folder.is_empty() { "the folder of this file".to_string() } else { format!("`{folder}`") };
    Diagnostic::error("missing-file", format!("there is no file `{name}` in {place}"), file, span, "not found")
        .help("paths are relative to the folder of the signature")
}

pub fn bad_table_file(name: &str, line: u64, reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-table-row", format!("{name}:{line}: {reason}"), file, span, "read here")
}

pub fn bad_row(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-table-row", reason, file, span, "in this row")
}

pub fn key_twice(key: &str, file: FileId, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("table-key-duplicate", format!("the key `{key}` stands in this table twice"), file, span, "here again").label(
        file,
        first,
        "first here",
    )
}

pub fn table_without_key(name: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("table-without-key", format!("table `{name}` has no key column"), file, span, "looked up by key here")
        .help("write `key` after the type of the column that names a row")
}

pub fn unknown_column<'a>(table: &str, name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let mut problem = unknown("unknown-column", "column", &name.value, file, name.span, known);
    problem.message = format!("table `{table}` has no column `{}`", name.value);
    problem
}

pub fn unexpected(found: &str, wanted: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("unexpected-form", format!("{found} cannot stand here"), file, span, format!("expected {wanted}"))
}

pub fn type_mismatch(what: &str, wanted: &Type, found: &Type, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("type-mismatch", format!("{what} is {wanted}, and this is {found}"), file, span, format!("this is {found}"))
        .note("nothing is converted silently; a literal or a typed capture is")
}

pub fn cannot_compare(left: &Type, right: &Type, file: FileId, left_span: Span, right_span: Span) -> Diagnostic {
    Diagnostic::error("type-mismatch", format!("{left} and {right} cannot be compared"), file, right_span, format!("this is {right}"))
        .label(file, left_span, format!("this is {left}"))
}

pub fn scheme_mismatch(left: &str, right: &str, file: FileId, span: Span) -> Diagnostic {
    let message = format!("versions of `{left}` and of `{right}` have no order between them");
    Diagnostic::error("version-scheme-mismatch", message, file, span, "two schemes").help("read both by one scheme")
}

pub fn not_ordered(ty: &Type, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("not-ordered", format!("values of type {ty} have no order"), file, span, "compared here")
        .help("numbers, dates and versions have one; a version in text is read by a typed capture: (?<fw: version(dotted)>...)")
}

pub fn bad_literal(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-literal", reason, file, span, "")
}

pub fn unknown_prefix(prefix: &str, file: FileId, span: Span) -> Diagnostic {
    unknown("unknown-prefix", "kind of literal", prefix, file, span, ["v", "h", "b", "sjis", "eucjp", "cpe"].into_iter())
}

pub fn unknown_name<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-name", "name", name, file, span, known)
}

pub fn unknown_field<'a>(full: &str, written: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let problem = Diagnostic::error("unknown-field", format!("there is no field `{full}`"), file, span, "not a field");
    match nearest(written, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`ksig show fields` lists every field with what it holds"),
    }
}

pub fn field_needs_key(written: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("field-needs-key", format!("`{written}` is looked up by a key"), file, span, "no key")
        .help(format!("write {written}[\"...\"]"))
}

pub fn field_takes_no_key(written: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("field-takes-no-key", format!("`{written}` is one value, not a map"), file, span, "no key can stand here")
}

pub fn no_such_part(part: &str, ty: &Type, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("no-such-part", format!("{ty} has no part `{part}`"), file, span, "rows and probes have parts")
}

pub fn unknown_class<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    unknown("unknown-class", "class", name, file, span, known.map(String::as_str))
}

pub fn unknown_vendor<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let known: Vec<&str> = known.map(String::as_str).collect();
    if known.contains(&name) {
        return Diagnostic::error("unknown-vendor", format!("vendor `{name}` is not imported here"), file, span, "not imported")
            .help(format!("write `use vocab.vendors {{ {name} }}` at the top of the file"));
    }
    unknown("unknown-vendor", "vendor", name, file, span, known.into_iter())
        .note("vendors are declared once, in signatures/vocab/vendors.ksig, and imported")
}

pub fn unknown_tag<'a>(name: &Name, file: FileId, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    let known: Vec<&str> = known.map(String::as_str).collect();
    if known.contains(&name.value.as_str()) {
        return Diagnostic::error("unknown-tag", format!("tag `{}` is not imported here", name.value), file, name.span, "not imported")
            .help(format!("write `use vocab.tags {{ {} }}` at the top of the file", name.value));
    }
    unknown("unknown-tag", "tag", &name.value, file, name.span, known.into_iter())
}

pub fn unknown_parameter<'a>(tag: &str, name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let mut problem = unknown("unknown-parameter", "parameter", &name.value, file, name.span, known);
    problem.message = format!("tag `{tag}` has no parameter `{}`", name.value);
    problem
}

pub fn unknown_slot<'a>(name: &Name, file: FileId, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    unknown("unknown-slot", "slot", &name.value, file, name.span, known.iter().copied()).note(format!("the slots are {}", known.join(", ")))
}

pub fn unknown_word(written: &str, what: &str, known: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("unknown-word", format!("`{written}` is no {what}"), file, span, format!("expected {known}"))
}

pub fn unknown_statement(name: &Name, file: FileId) -> Diagnostic {
    const STATEMENTS: &[&str] = &[
        "summary",
        "evidence",
        "added",
        "confidence",
        "scope",
        "redact",
        "allow",
        "reference",
        "probe",
        "match",
        "follow",
        "extract",
        "let",
        "identify",
        "component",
        "support",
        "tag",
        "test",
        "example",
    ];
    unknown("unknown-statement", "statement", &name.value, file, name.span, STATEMENTS.iter().copied())
}

pub fn unknown_constructor<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    unknown("unknown-probe", "probe", name, file, span, known.iter().copied())
        .note(format!("probes are harmless by construction; the language has {}", known.join(", ")))
}

pub fn probe_not_benign(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("probe-not-benign", format!("this request is not allowed: {reason}"), file, span, "refused")
        .note("ksig sends only what a normal client sends to an address that it was given")
}

pub fn unknown_base<'a>(name: &str, file: FileId, span: Span, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    unknown("unknown-base", "signature", name, file, span, known)
}

pub fn refines_cycle(name: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("refines-cycle", format!("`{name}` refines itself, or stands too deep"), file, span, "the circle closes here")
}

pub fn unknown_flag(flag: &Name, file: FileId) -> Diagnostic {
    unknown("unknown-flag", "flag", &flag.value, file, flag.span, ["i", "iu", "fold_width"].into_iter())
}

pub fn bad_pattern(reason: &str, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("bad-pattern", format!("this pattern cannot be read: {reason}"), file, span, "here")
}

pub fn bytes_and_text(value_is_bytes: bool, file: FileId, value: Span, pattern: Span) -> Diagnostic {
    let (is, write) = if value_is_bytes { ("bytes", "b/.../") } else { ("text", "/.../") };
    Diagnostic::error("bytes-text-mismatch", "bytes and text do not match each other", file, pattern, "a pattern of the other kind")
        .label(file, value, format!("this is {is}"))
        .help(format!("write {write}"))
}

pub fn capture_binds_nothing(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("capture-outside-match", format!("the capture `{}` would bind nothing here", name.value), file, name.span, "")
        .help("captures bind in lines of `match` that hold; elsewhere use (?:...), or (?<_>...) for a value")
}

pub fn bound_twice(name: &Name, file: FileId, first: Span) -> Diagnostic {
    Diagnostic::error("bound-twice", format!("`{}` is bound already", name.value), file, name.span, "again")
        .label(file, first, "bound here")
        .help("only branches of one `any { }` may bind the same name")
}

pub fn capture_types_differ(name: &Name, first: &Type, now: &Type, file: FileId, place: Span) -> Diagnostic {
    let message = format!("`{}` is {first} in one branch and {now} in another", name.value);
    Diagnostic::error("type-mismatch", message, file, name.span, format!("{now} here")).label(file, place, format!("{first} here"))
}

pub fn negation_may_be_missing(file: FileId, span: Span, place: Span, text: &str) -> Diagnostic {
    let what = text.get(place.start as usize..place.end as usize).unwrap_or("x");
    Diagnostic::error("negation-may-be-missing", "`not` over something that may be missing says neither yes nor no", file, span, "")
        .label(file, place, "may be missing")
        .help(format!("say what a missing one means: `{what} absent or not ...`, or `{what} present and not ...`"))
}

pub fn at_least_out_of_range(count: u32, lines: usize, file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("at-least-out-of-range", format!("at least {count} of {lines} lines"), file, span, format!("from 1 to {lines}"))
}

pub fn no_match_block(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("no-match-block", format!("signature `{}` says nothing that must hold", name.value), file, name.span, "")
        .help("add `match { ... }`")
}

pub fn identifies_nothing(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("identifies-nothing", format!("signature `{}` identifies nothing", name.value), file, name.span, "")
        .help("add `identify { vendor = ... }`, or `component { ... }` for software")
}

pub fn match_of_unknown_follow(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("match-of-unknown-follow", format!("`{}` is no follow of this signature", name.value), file, name.span, "")
        .help("`match name { }` speaks of a `follow name = ...`")
}

pub fn said_twice(name: &Name, file: FileId, first: Span) -> Diagnostic {
    Diagnostic::error("said-twice", format!("`{}` is said twice", name.value), file, name.span, "again").label(file, first, "first here")
}

pub fn evidence_without_source(file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("evidence-without-source", "evidence names its source", file, span, "")
        .help("write `evidence observed \"where the banner was seen\"`; only `unverified` stands alone")
}

pub fn bad_metadata(word: &str, file: FileId, span: Span) -> Diagnostic {
    let form = match word {
        "summary" => "summary \"one line\"",
        "added" => "added 2026-12-31",
        "allow" => "allow lint_name \"why\"",
        "confidence" => "confidence strong",
        "evidence" => "evidence observed \"where it was seen\"",
        "scope" => "scope service",
        _ => "reference \"https://...\"",
    };
    Diagnostic::error("bad-metadata", format!("`{word}` is written otherwise"), file, span, "").help(format!("write `{form}`"))
}

pub fn component_without_product(file: FileId, span: Span) -> Diagnostic {
    Diagnostic::error("component-without-product", "a component has a `product`", file, span, "")
}

pub fn test_expects_nothing(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("test-expects-nothing", "this test expects nothing, so it cannot fail", file, name.span, "").help("add `expect ...`")
}

pub fn follow_without_gate(name: &Name, file: FileId) -> Diagnostic {
    Diagnostic::error("follow-without-gate", format!("nothing gates the follows of `{}`", name.value), file, name.span, "")
        .help("add lines of `match` about a first-stage probe")
}
