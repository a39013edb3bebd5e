//! What a test expects against what came out.
//!
//! In: a release, a signature and its test. Out: each expectation that does not hold, with its place and the reason.

use std::collections::BTreeSet;

use ksig_compiler::hir::{self, Expect, Fixture, Scope};
use ksig_lang::{Span, Text, say};
use ksig_runtime::Truth;
use ksig_runtime::explain::Trace;
use ksig_runtime::plan::Datum;
use ksig_schema::identification::{Identification, Identity};
use ksig_schema::{Evidence, Type, form};

use super::play::{Played, play};
use crate::release::Release;

/// The expectations of a test that do not hold, each where it stands and with what came instead.
pub fn broken(release: &Release, signature: &hir::Signature, test: &hir::Test) -> Vec<(Span, Text)> {
    let played = play(release.matcher(), signature, test);
    let Some(trace) = trace_of(release, signature, test, &played) else { return Vec::new() };
    let broken = |expect: &Expect| holds(release, &played, signature, test, expect, &trace).err().map(|reason| (expect.span(), reason));
    test.expect.iter().filter_map(broken).collect()
}

/// The signature line by line on what was played; absent when the release does not hold it.
pub fn trace_of(release: &Release, signature: &hir::Signature, test: &hir::Test, played: &Played) -> Option<Trace> {
    release.matcher().why(&signature.name, &played.evidence, &played.evidence.services[0], test.at)
}

/// Whether one expectation holds; the error says what came instead.
fn holds(
    release: &Release,
    Played { evidence, sent }: &Played,
    signature: &hir::Signature,
    test: &hir::Test,
    expect: &Expect,
    trace: &Trace,
) -> Result<(), Text> {
    let partial = is_partial(test);
    match expect {
        Expect::Identify(slots, _) => {
            if trace.truth == Truth::False || (trace.truth == Truth::NotObserved && !partial) {
                return Err(does_not_match(trace));
            }
            same_slots(slots, device_of(trace))
        }
        Expect::Resolved(slots, _) => {
            let answers = release.identify(evidence);
            let device = own_answer(signature, &answers).and_then(|answer| answer.identifications.first());
            match (slots.is_empty(), device) {
                (true, Some(found)) => {
                    let name = &found.signature;
                    Err(say!("expected unknown, resolved to {name}", "`unknown`のはずが、{name}と判定されました"))
                }
                _ => same_slots(slots, device.map(|found| &found.identity)),
            }
        }
        Expect::NoMatch(because, _) => no_match(release, evidence, signature, because.as_deref(), trace),
        Expect::Captures(values, _) => {
            let (service, none) = (&evidence.services[0], Default::default());
            let captures = release.matcher().captures(&signature.name, evidence, service, test.at).unwrap_or(none);
            for (name, wanted) in values {
                let found = captures.get(name);
                let hash = signature.vars.iter().any(|var| var.name == *name && *var.ty.required() == Type::Hash);
                let wanted = match wanted {
                    Datum::Missing => None,
                    Datum::Bytes(bytes) if hash => Some(form::hex_digits(bytes)),
                    other => Some(shown(other)),
                };
                if wanted.as_ref() != found {
                    let what = say!("capture `{name}`", "キャプチャ`{name}`");
                    return Err(differs(&what, wanted.as_deref(), found.map(String::as_str)));
                }
            }
            Ok(())
        }
        Expect::Tags(wanted, _) => {
            let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
            let found: BTreeSet<&str> = trace.tags.iter().map(|tag| tag.name.as_str()).collect();
            if wanted == found {
                Ok(())
            } else {
                Err(say!("expected the tags {wanted:?}, found {found:?}", "期待したタグは{wanted:?}ですが、{found:?}が付きました"))
            }
        }
        Expect::Sent(names, _) => {
            let wanted: BTreeSet<String> = names.iter().cloned().collect();
            if wanted == *sent {
                Ok(())
            } else {
                Err(say!("expected {wanted:?} to be sent, and {sent:?} is", "{wanted:?}を送信するはずが、{sent:?}を送信しました"))
            }
        }
    }
}

/// What a signature says of the device itself, or of the first thing that it names.
pub(super) fn device_of(trace: &Trace) -> Option<&Identity> {
    trace.identities.iter().find(|identity| identity.facet == "device").or(trace.identities.first())
}

/// A slot by the name that an expectation gives it.
pub(super) fn slot_of<'a>(identity: &'a Identity, name: &str) -> &'a Option<String> {
    match name {
        "vendor" => &identity.vendor,
        "brand" => &identity.brand,
        "series" => &identity.series,
        "model" => &identity.model,
        "version" => &identity.version,
        "class" => &identity.class,
        _ => &identity.cpe,
    }
}

/// The answer that a signature takes part in: of its service, or of the host.
pub(super) fn own_answer<'a>(signature: &hir::Signature, answers: &'a [Identification]) -> Option<&'a Identification> {
    match signature.scope {
        Scope::Service => answers.first(),
        Scope::Host => answers.last(),
    }
}

fn is_partial(test: &hir::Test) -> bool {
    test.given.iter().any(|(_, fixture)| matches!(fixture, Fixture::Value(..)))
}

fn no_match(release: &Release, evidence: &Evidence, signature: &hir::Signature, because: Option<&str>, trace: &Trace) -> Result<(), Text> {
    let shown = crate::trace::text(trace);
    if trace.truth == Truth::True {
        return Err(say!("matches\n{shown}", "該当しました\n{shown}"; shown));
    }
    let consistent = release.identify(evidence).iter().any(|answer| answer.consistent.iter().any(|one| one.signature == signature.name));
    if consistent {
        return Err(say!("could match\n{shown}", "該当する可能性があります\n{shown}"; shown));
    }
    let Some(because) = because else { return Ok(()) };
    let named = |line: &&ksig_runtime::explain::Line| line.label == because || line.text.contains(because);
    match trace.lines.iter().filter(named).map(|line| line.truth).min() {
        Some(Truth::False) => Ok(()),
        Some(_) => Err(say!(
            "does not match, but not because of \"{because}\"\n{shown}",
            "該当しませんが、理由は\"{because}\"ではありません\n{shown}"; shown
        )),
        None => Err(say!(
            "no line is called or contains \"{because}\"\n{shown}",
            "\"{because}\"という名前の行も、それを含む行もありません\n{shown}"; shown
        )),
    }
}

fn does_not_match(trace: &Trace) -> Text {
    let shown = crate::trace::text(trace);
    say!("does not match\n{shown}", "該当しません\n{shown}"; shown)
}

/// `what`: the thing that has another value than it should.
fn differs(what: &Text, wanted: Option<&str>, found: Option<&str>) -> Text {
    let said = |value: Option<&str>| value.map_or_else(|| say!("nothing", "値なし"), |value| Text::quoted(value.to_string()));
    let (wanted, found) = (said(wanted), said(found));
    say!("{what}: expected {wanted}, found {found}", "{what}: 期待した値は{wanted}、実際の値は{found}"; what, wanted, found)
}

fn same_slots(slots: &[(String, Datum)], identity: Option<&Identity>) -> Result<(), Text> {
    let empty = Identity::default();
    let identity = identity.unwrap_or(&empty);
    for (name, wanted) in slots {
        let found = slot_of(identity, name);
        let wanted = (*wanted != Datum::Missing).then(|| shown(wanted));
        if wanted != *found {
            return Err(differs(&Text::quoted(name.clone()), wanted.as_deref(), found.as_deref()));
        }
    }
    Ok(())
}

/// As answers write it.
fn shown(datum: &Datum) -> String {
    match datum {
        Datum::Missing | Datum::NotObserved => "nothing".into(),
        Datum::Bool(v) => v.to_string(),
        Datum::Int(v) => v.to_string(),
        Datum::Text(v) => v.clone(),
        Datum::Bytes(v) => v.escape_ascii().to_string(),
        Datum::Date(v) => v.to_string(),
        Datum::Duration(v) => v.to_string(),
        other => format!("{other:?}"),
    }
}
