//! The oracle: says what a signature means by walking it as it was written, over the facts as they are. Obvious and slow.
//!
//! In: [`hir::Program`](ksig_compiler::hir::Program), one service's facts, the date of the observation. Out: for each signature an
//! [`Outcome`]. It is written from `spec/` alone and shares no evaluation with `ksig-runtime`: no plan, no tests shared between signatures,
//! no triggers, no prefilter, and its own reading of the regex dialect. What it shares are plain data types and the order of versions, which
//! `schema` defines.
//!
//! [`answer`] makes one answer of all outcomes (V15, V16). Proofs are absent from it.

mod binding;
mod expr;
mod facts;
mod follow;
mod host;
mod join;
pub mod pattern;
mod resolution;
mod value;

use std::cell::Cell;
use std::collections::BTreeMap;

use ksig_compiler::hir::{Expr, Program, Signature, TagUse};
use ksig_runtime::plan::{BoundKind, CompareOp, Datum, IdentitySlot};
use ksig_schema::identification::{Component, Grade, Identity, Known, Support, Tag};
use ksig_schema::{Date, Evidence, Scheme, Service};

use expr::{Names, World};

/// Most tags that one statement attaches for rows.
const TAGS_OF_ROWS_MAX: usize = 64;

pub use binding::evaluate_host;
pub use join::host_line;
pub use resolution::{answer, sorted};

/// Kleene's three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// No.
    False,
    /// Nobody looked (V3b).
    NotObserved,
    /// Yes.
    True,
}

impl Truth {
    fn and(self, other: Truth) -> Truth {
        self.min(other)
    }

    fn or(self, other: Truth) -> Truth {
        self.max(other)
    }

    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::NotObserved => Truth::NotObserved,
            Truth::True => Truth::False,
        }
    }

    fn datum(self) -> Datum {
        match self {
            Truth::NotObserved => Datum::NotObserved,
            known => Datum::Bool(known == Truth::True),
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }
}

/// What one signature says of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it matches.
    pub truth: Truth,
    /// Captures, extracts and lets that have a value and may be shown, as text.
    pub captures: BTreeMap<String, String>,
    /// One for each facet. What follows is worth something only where `truth` is not false.
    pub identities: Vec<Identity>,
    /// Software.
    pub components: Vec<Component>,
    /// What else it read, by name.
    pub details: BTreeMap<String, String>,
    /// Sorted, each once.
    pub tags: Vec<Tag>,
    /// Of the model that it names, by the version of its first identity.
    pub support: Support,
    /// The weaker of its own grade and those of the rows that its identities are read from.
    pub grade: Grade,
    /// Something was seen that speaks for it: what makes an open one consistent (V3b).
    pub observed: bool,
    /// What `support` is made of: the end, the latest version, and how versions are ordered.
    pub figures: Figures,
}

impl Outcome {
    /// That of a signature that does not match.
    pub fn nothing() -> Outcome {
        Outcome {
            truth: Truth::False,
            captures: BTreeMap::new(),
            identities: Vec::new(),
            details: BTreeMap::new(),
            components: Vec::new(),
            tags: Vec::new(),
            support: Support::default(),
            grade: Grade::Observed,
            observed: false,
            figures: Figures::default(),
        }
    }
}

/// What a signature knows of the support of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// When it ends.
    pub ends: Datum,
    /// The latest version.
    pub latest: Datum,
    /// How versions are ordered.
    pub scheme: Option<Scheme>,
}

/// Evaluates one signature of a program on one service of a host.
pub fn evaluate(program: &Program, signature: &Signature, evidence: &Evidence, service: &Service, date: Option<Date>) -> Outcome {
    let standing = vec![Some(service); signature.probes.len()];
    let cut = service.responses.iter().any(|response| response.partial);
    of_standing(program, signature, evidence, &standing, cut, date)
}

/// Evaluates a signature whose probes stand on these services.
fn of_standing(
    program: &Program,
    signature: &Signature,
    evidence: &Evidence,
    standing: &follow::Standing<'_>,
    cut: bool,
    date: Option<Date>,
) -> Outcome {
    let host = host::facts(evidence);
    let answers = follow::first_answers(signature, standing, &host, cut);
    let mut world = World { tables: &program.tables, signature, answers, date, grade: Cell::new(Grade::Observed) };
    for hop in 1..=2 {
        follow::answer(&mut world, hop, evidence, standing);
    }
    // What was read on the way to the follows does not count.
    world.grade.set(Grade::Observed);
    let mut names = Names::none(signature);
    let truth = world.condition(&signature.condition, &mut names);
    let names = world.with_steps(&names);
    let open = Names { values: visible(signature, &names), ..names.clone() };
    let text = |expr: &Expr| value::shown(&world.value(expr, &open));
    let said = |expr: &Expr| text(expr).filter(|text| !text.is_empty());

    world.grade.set(Grade::Observed);
    let identities: Vec<Identity> = signature
        .identities
        .iter()
        .map(|identity| {
            let slot =
                |wanted: IdentitySlot| identity.slots.iter().rev().find(|(slot, _)| *slot == wanted).and_then(|(_, expr)| said(expr));
            Identity {
                facet: identity.facet.clone(),
                vendor: slot(IdentitySlot::Vendor),
                brand: slot(IdentitySlot::Brand),
                series: slot(IdentitySlot::Series),
                model: slot(IdentitySlot::Model),
                version: slot(IdentitySlot::Version),
                class: slot(IdentitySlot::Class),
                cpe: slot(IdentitySlot::Cpe),
            }
        })
        .collect();
    let grade = signature.meta.grade.min(world.grade.get());
    let components = signature.components.iter().filter_map(|slots| {
        let slot = |wanted: &str| slots.iter().find(|(name, _)| name == wanted).and_then(|(_, expr)| said(expr));
        let product = slot("product")?;
        Some(Component { vendor: slot("vendor"), product, series: slot("series"), version: slot("version"), cpe: slot("cpe") })
    });
    let details = signature.details.iter().filter_map(|(name, expr)| Some((name.clone(), said(expr)?))).collect();
    let tag_of = |tag: &TagUse, names: &Names| {
        let shown = Names { values: visible(signature, names), ..names.clone() };
        let params = tag.params.iter().filter_map(|(name, expr)| Some((name.clone(), value::shown(&world.value(expr, &shown))?)));
        let attached = tag.when.as_ref().is_none_or(|when| world.truth(when, names) == Truth::True);
        attached.then(|| Tag { name: tag.name.clone(), params: params.collect() })
    };
    let mut tags: Vec<Tag> = Vec::new();
    for tag in &signature.tags {
        let Some(each) = &tag.each else {
            tags.extend(tag_of(tag, &names));
            continue;
        };
        let at = program.tables.iter().position(|table| table.name == each.table).unwrap_or_default();
        let rows = (0..program.tables[at].rows.len()).filter_map(|row| {
            let mut names = names.clone();
            names.values[each.row as usize] = Datum::Row(at as u32, row as u32);
            let wanted = each.filter.as_ref().is_none_or(|filter| world.truth(filter, &names) == Truth::True);
            tag_of(tag, &names).filter(|_| wanted)
        });
        tags.extend(rows.take(TAGS_OF_ROWS_MAX));
    }
    tags.sort();
    tags.dedup();
    let has_model = identities.iter().any(|identity| identity.model.is_some());
    let figures = signature.support.as_ref().map_or_else(Figures::default, |support| {
        let of = |expr: &Option<Expr>| expr.as_ref().map_or(Datum::Missing, |expr| world.value(expr, &open));
        Figures { ends: of(&support.ends), latest: of(&support.latest), scheme: support.scheme.clone() }
    });
    let version = identities.first().and_then(|identity| identity.version.clone());
    let support = if has_model { support_block(&figures, version, date) } else { Support::default() };
    let captures = signature.vars.iter().zip(&open.values);
    let captures = captures.filter_map(|(var, value)| Some((var.name.clone(), value::written(value, &var.ty)?))).collect();
    let observed = names.text_seen || names_capture(signature, &names);
    Outcome { truth, captures, components: components.collect(), details, identities, tags, support, grade, observed, figures }
}

/// Whether a slot of an identity is said by a capture that is bound.
fn names_capture(signature: &Signature, names: &Names) -> bool {
    let mut bound = false;
    for (_, expr) in signature.identities.iter().flat_map(|identity| &identity.slots) {
        expr.walk(&mut |part| {
            if let ksig_compiler::hir::ExprKind::Var(var) = part.kind {
                bound |= names.bound[var as usize] && names.values[var as usize] != Datum::Missing;
            }
        });
    }
    bound
}

/// The values that may leave the engine: not one marked `redact`, nor one that is made from it.
fn visible(signature: &Signature, names: &Names) -> Vec<Datum> {
    let mut hidden: Vec<bool> = signature.vars.iter().map(|var| var.redact).collect();
    for (var, expr) in &signature.steps {
        expr.walk(&mut |part| {
            if let ksig_compiler::hir::ExprKind::Var(read) = part.kind
                && hidden[read as usize]
            {
                hidden[*var as usize] = true;
            }
        });
    }
    names.values.iter().zip(hidden).map(|(value, hidden)| if hidden { Datum::Missing } else { value.clone() }).collect()
}

/// Whether support has ended and whether the version is the latest, where that is known (V11).
fn support_block(figures: &Figures, version: Option<String>, date: Option<Date>) -> Support {
    let Figures { ends, latest, scheme } = figures;
    let scheme = scheme.as_ref();
    use CompareOp::{Ge, Gt, Le, Lt};
    let known = |yes: bool, no: bool| match (yes, no) {
        (true, _) => Known::Yes,
        (_, true) => Known::No,
        _ => Known::Unknown,
    };
    let mut support = Support::default();
    if let Some(today) = date.map(Datum::Date) {
        support.ended = known(value::compare(Le, None, ends, &today), value::compare(Gt, None, ends, &today));
    }
    if let Some(version) = version.map(|text| value::read_version(&text)) {
        support.latest = known(value::compare(Ge, scheme, &version, latest), value::compare(Lt, scheme, &version, latest));
    }
    support.ends = match ends {
        Datum::Date(day) => Some(*day),
        Datum::Bound(BoundKind::Exactly, day) => {
            if let Datum::Date(day) = **day {
                Some(day)
            } else {
                None
            }
        }
        _ => None,
    };
    support.latest_version = match latest {
        Datum::Bound(BoundKind::Exactly | BoundKind::AtLeast, newest) => value::shown(newest),
        newest => value::shown(newest),
    };
    support
}
