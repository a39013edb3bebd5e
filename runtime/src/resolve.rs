//! From what each signature says to one answer (V15).
//!
//! In: the [`Verdict`]s of one service, or of the signatures about the whole host. Out: what it is, per facet. The answer is a function of the
//! set of verdicts: they are put in the order of names first. [`crate::join`] makes one line of a host of them.
//!
//! 1. A verdict that a matching `refines` replaces is dropped, and named in `also`.
//! 2. Of the members of a `choice` those at the first place that matched stand; a later one is dropped. Where an earlier one was not observed, so
//!    that it may match, a later one is at most consistent.
//! 3. Identities of one facet that agree wherever both say something are merged, each merge as large as it can be. Versions and CPE names that
//!    differ do not part two identities: they are cleared, with a note.
//! 4. Of several merges the one with the surest member that it does not share with the others stands; the others' members are noted as
//!    overruled. Equally sure ones are ambiguous.
//! 5. Signatures that only name software, or only attach tags, never compete: together they are one answer of the facet `software`.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

use ksig_schema::Date;
use ksig_schema::identification::{Component, Confidence, Identified, Identity, Known, Note, Proof, Support, Tag};

use crate::backend::Truth;
use crate::evaluate::{SupportFacts, Verdict};
use crate::expr::text_of;
use crate::interval;
use crate::plan::{BoundKind, CompareOp, Datum, Member, Plan, Signature, SignatureId};
use crate::proof::PROOFS_MAX;

/// Most different identities of one facet that are merged; the surest are kept.
pub const IDENTITIES_MAX: usize = 48;
/// Most merges that are told apart, and most consistent answers that are listed.
pub const ANSWERS_MAX: usize = 64;
/// The facet of signatures without an identity.
pub const SOFTWARE: &str = "software";

/// The answer for one service.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    pub identifications: Vec<Identified>,
    pub consistent: Vec<Identified>,
    pub ambiguous: Vec<Identified>,
    pub notes: Vec<Note>,
}

/// One identity with the verdict that it belongs to.
#[derive(Clone, Copy)]
struct Claim<'v> {
    verdict: &'v Verdict,
    signature: &'v Signature,
    /// Absent for a verdict without an identity.
    identity: Option<&'v Identity>,
    /// Carries the verdict's tags and software.
    first: bool,
}

/// Resolves the verdicts of one service.
pub(crate) fn service(plan: &Plan, mut verdicts: Vec<Verdict>, date: Option<Date>) -> Resolution {
    verdicts.sort_by_key(|verdict| verdict.signature);
    let (matched, rest): (Vec<_>, Vec<_>) = verdicts.iter().partition(|verdict| verdict.truth == Truth::True);
    let refined = refined_by(plan, matched.iter().copied());
    let standing: Vec<&Verdict> = matched.into_iter().filter(|verdict| !refined.contains(&verdict.signature)).collect();
    let resolver = Resolver { plan, date, refined };

    let mut resolution = Resolution::default();
    let choices = Choices::of(plan, &standing, &rest);
    resolution.notes.extend(standing.iter().filter_map(|verdict| choices.not_chosen(verdict)));
    let (sure, unsure): (Vec<_>, Vec<_>) =
        standing.into_iter().filter(|verdict| choices.may_stand(verdict)).partition(|verdict| !choices.waits(verdict));
    let open = rest.into_iter().filter(|verdict| verdict.observed && choices.may_stand(verdict)).chain(unsure).collect();
    let mut facets: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for verdict in &sure {
        let signature = &plan.signatures[verdict.signature as usize].name;
        resolution.notes.extend(verdict.incomparable.iter().map(|found| Note::Incomparable {
            signature: signature.clone(),
            scheme: found.scheme.clone(),
            versions: found.versions.clone(),
        }));
    }
    for claim in sure.iter().flat_map(|verdict| resolver.claims(verdict)) {
        facets.entry(claim.identity.map_or(SOFTWARE, |identity| &identity.facet)).or_default().push(claim);
    }
    for (facet, claims) in facets {
        let (software, identities): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.identity.is_none());
        resolver.facet(facet, &identities, &mut resolution);
        if !software.is_empty() {
            resolution.identifications.push(resolver.software(&software));
        }
    }
    resolution.consistent = resolver.consistent(open);
    resolution.notes.sort();
    resolution.notes.dedup();
    resolution
}

/// All signatures that one of these refines, directly or not.
fn refined_by<'v>(plan: &Plan, verdicts: impl Iterator<Item = &'v Verdict>) -> BTreeSet<SignatureId> {
    let mut refined = BTreeSet::new();
    for verdict in verdicts {
        let mut base = plan.signatures[verdict.signature as usize].refines;
        while let Some(id) = base.filter(|&id| refined.insert(id)) {
            base = plan.signatures[id as usize].refines;
        }
    }
    refined
}

/// What choices make of the matching and the open verdicts.
struct Choices<'p> {
    plan: &'p Plan,
    /// By choice: the first place at which a signature matches.
    first: BTreeMap<u32, u32>,
    /// By choice: the places of signatures that may match.
    open: BTreeMap<u32, Vec<(u32, SignatureId)>>,
}

impl<'p> Choices<'p> {
    fn of(plan: &'p Plan, standing: &[&Verdict], rest: &[&Verdict]) -> Choices<'p> {
        let mut choices = Choices { plan, first: BTreeMap::new(), open: BTreeMap::new() };
        for member in standing.iter().filter_map(|verdict| member(plan, verdict)) {
            let first = choices.first.entry(member.choice).or_insert(member.place);
            *first = (*first).min(member.place);
        }
        for verdict in rest {
            if let Some(member) = member(plan, verdict) {
                choices.open.entry(member.choice).or_default().push((member.place, verdict.signature));
            }
        }
        choices
    }

    /// No earlier member matches.
    fn may_stand(&self, verdict: &Verdict) -> bool {
        member(self.plan, verdict).is_none_or(|member| self.first.get(&member.choice).is_none_or(|&first| member.place <= first))
    }

    /// An earlier member may match; one that refines this one says nothing against it.
    fn waits(&self, verdict: &Verdict) -> bool {
        let Some(member) = member(self.plan, verdict) else { return false };
        let earlier = self.open.get(&member.choice).into_iter().flatten().filter(|(place, _)| *place < member.place);
        earlier.into_iter().any(|&(_, id)| !bases(self.plan, id).any(|base| base == verdict.signature))
    }

    fn not_chosen(&self, verdict: &Verdict) -> Option<Note> {
        let member = member(self.plan, verdict).filter(|_| !self.may_stand(verdict))?;
        let signature = self.plan.signatures[verdict.signature as usize].name.clone();
        Some(Note::NotChosen { signature, choice: self.plan.choices[member.choice as usize].clone() })
    }
}

fn member(plan: &Plan, verdict: &Verdict) -> Option<Member> {
    plan.signatures[verdict.signature as usize].choice
}

/// What a signature refines, nearest first.
fn bases(plan: &Plan, id: SignatureId) -> impl Iterator<Item = SignatureId> + '_ {
    std::iter::successors(plan.signatures[id as usize].refines, |&id| plan.signatures[id as usize].refines)
}

struct Resolver<'p> {
    plan: &'p Plan,
    date: Option<Date>,
    /// Matching signatures that a matching one refines.
    refined: BTreeSet<SignatureId>,
}

impl<'p> Resolver<'p> {
    fn claims<'v>(&self, verdict: &'v Verdict) -> Vec<Claim<'v>>
    where
        'p: 'v,
    {
        let signature = &self.plan.signatures[verdict.signature as usize];
        if verdict.identities.is_empty() {
            return vec![Claim { verdict, signature, identity: None, first: true }];
        }
        let identities = verdict.identities.iter().enumerate();
        identities.map(|(at, identity)| Claim { verdict, signature, identity: Some(identity), first: at == 0 }).collect()
    }

    /// One facet: merges, and which of them stands.
    fn facet(&self, facet: &str, claims: &[Claim<'_>], resolution: &mut Resolution) {
        let merges = maximal_merges(claims);
        let shared: BTreeSet<SignatureId> =
            claims.iter().map(|claim| claim.verdict.signature).filter(|id| merges.iter().all(|merge| has(merge, *id))).collect();
        let sureness = |merge: &[Claim<'_>]| {
            merge.iter().filter(|claim| !shared.contains(&claim.verdict.signature)).map(|claim| claim.signature.confidence).max()
        };
        let Some(surest) = merges.iter().map(|merge| sureness(merge)).max() else { return };
        let (standing, fallen): (Vec<_>, Vec<_>) = merges.iter().partition(|merge| sureness(merge) == surest);
        for claim in fallen.into_iter().flatten() {
            if !standing.iter().any(|merge| has(merge, claim.verdict.signature)) {
                let (signature, confidence) = (claim.signature.name.clone(), claim.signature.confidence);
                resolution.notes.push(Note::Overruled { signature, confidence });
            }
        }
        let into = if standing.len() == 1 { &mut resolution.identifications } else { &mut resolution.ambiguous };
        for merge in standing {
            let (identified, versions) = self.identified(facet, merge);
            into.push(identified);
            if versions.len() > 1 {
                resolution.notes.push(Note::VersionsDiffer { facet: facet.to_string(), versions });
            }
        }
    }

    /// One answer from claims that agree, and the versions that they name.
    fn identified(&self, facet: &str, claims: &[Claim<'_>]) -> (Identified, Vec<String>) {
        let mut claims: Vec<Claim<'_>> = claims.to_vec();
        claims.sort_by(leading);
        let identities: Vec<&Identity> = claims.iter().filter_map(|claim| claim.identity).collect();
        let (identity, versions) = merge_identities(facet, &identities);
        let carrying: Vec<&Verdict> = claims.iter().filter(|claim| claim.first).map(|claim| claim.verdict).collect();
        let facts: Vec<&SupportFacts> = claims.iter().map(|claim| &claim.verdict.support).collect();
        let leader = claims[0].signature;
        let identified = Identified {
            support: if identity.model.is_some() { support(&facts, identity.version.as_deref(), self.date) } else { Support::default() },
            identity,
            components: merge_components(carrying.iter().flat_map(|verdict| &verdict.components)),
            details: merge_details(carrying.iter().flat_map(|verdict| &verdict.details)),
            tags: merge_tags(carrying.iter().flat_map(|verdict| &verdict.tags)),
            signature: leader.name.clone(),
            confidence: claims.iter().map(|claim| claim.signature.confidence).max().unwrap_or_default(),
            evidence: claims[0].verdict.grade,
            proof: merge_proofs(claims.iter().flat_map(|claim| &claim.verdict.proof)),
            also: self.also(&claims, leader),
        };
        (identified, versions)
    }

    /// The other claims, and the signatures that all of them refine.
    fn also(&self, claims: &[Claim<'_>], leader: &Signature) -> Vec<String> {
        let mut also: BTreeSet<&str> = claims.iter().map(|claim| claim.signature.name.as_str()).collect();
        for claim in claims {
            let mut base = claim.signature.refines;
            while let Some(id) = base {
                let signature = &self.plan.signatures[id as usize];
                if self.refined.contains(&id) {
                    also.insert(&signature.name);
                }
                base = signature.refines;
            }
        }
        also.remove(leader.name.as_str());
        also.into_iter().map(str::to_string).collect()
    }

    fn software(&self, claims: &[Claim<'_>]) -> Identified {
        let (mut identified, _) = self.identified(SOFTWARE, claims);
        // Nothing was decided between them: the first by name stands for all.
        if let Some(first) = claims.iter().min_by_key(|claim| claim.verdict.signature) {
            identified.signature = first.signature.name.clone();
            identified.evidence = first.verdict.grade;
            identified.also = self.also(claims, first.signature);
        }
        identified
    }

    /// What could be, were the missing fields observed (V3b): each identity once.
    fn consistent(&self, open: Vec<&Verdict>) -> Vec<Identified> {
        let refined = refined_by(self.plan, open.iter().copied());
        let mut by_identity: BTreeMap<Vec<Option<&str>>, Vec<Claim<'_>>> = BTreeMap::new();
        let standing =
            open.into_iter().filter(|verdict| !refined.contains(&verdict.signature) && !self.refined.contains(&verdict.signature));
        for claim in standing.flat_map(|verdict| self.claims(verdict)) {
            by_identity.entry(claim.identity.map_or_else(Vec::new, |identity| all_slots(identity).to_vec())).or_default().push(claim);
        }
        let mut consistent: Vec<Identified> = by_identity
            .into_values()
            .map(|claims| match claims[0].identity {
                Some(identity) => self.identified(&identity.facet, &claims).0,
                None => self.software(&claims),
            })
            .collect();
        consistent.sort_by(|a, b| {
            (Reverse(a.confidence), &a.signature, &a.identity.facet).cmp(&(Reverse(b.confidence), &b.signature, &b.identity.facet))
        });
        consistent.truncate(ANSWERS_MAX);
        consistent
    }
}

fn has(merge: &[Claim<'_>], signature: SignatureId) -> bool {
    merge.iter().any(|claim| claim.verdict.signature == signature)
}

/// The surest first, then the one that says most, then by name.
fn leading(a: &Claim<'_>, b: &Claim<'_>) -> Ordering {
    let said = |claim: &Claim<'_>| claim.identity.map_or(0, |identity| all_slots(identity).iter().flatten().count());
    let key = |claim: &Claim<'_>| (Reverse(claim.signature.confidence), Reverse(said(claim)), claim.verdict.signature);
    key(a).cmp(&key(b))
}

/// The slots that part two identities when they differ.
pub(crate) fn parting_slots(identity: &Identity) -> [Option<&str>; 5] {
    [&identity.vendor, &identity.brand, &identity.series, &identity.model, &identity.class].map(Option::as_deref)
}

pub(crate) fn all_slots(identity: &Identity) -> [Option<&str>; 8] {
    let [vendor, brand, series, model, class] = parting_slots(identity);
    [Some(&identity.facet), vendor, brand, series, model, class, identity.version.as_deref(), identity.cpe.as_deref()]
}

fn agree(a: &[Option<&str>; 5], b: &[Option<&str>; 5]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

/// All largest sets of claims that agree with each other. Agreement slot by slot is agreement of all, so pairs suffice.
fn maximal_merges<'v>(claims: &[Claim<'v>]) -> Vec<Vec<Claim<'v>>> {
    let mut groups: BTreeMap<[Option<&str>; 5], Vec<Claim<'v>>> = BTreeMap::new();
    for claim in claims {
        if let Some(identity) = claim.identity {
            groups.entry(parting_slots(identity)).or_default().push(*claim);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    let rank = |claims: &[Claim<'_>]| claims.iter().map(|claim| claim.signature.confidence).max().unwrap_or(Confidence::Hint);
    groups.sort_by(|(a_slots, a), (b_slots, b)| (Reverse(rank(a)), a_slots).cmp(&(Reverse(rank(b)), b_slots)));
    groups.truncate(IDENTITIES_MAX);

    let neighbours: Vec<u64> = groups
        .iter()
        .enumerate()
        .map(|(at, (slots, _))| {
            let others = groups.iter().enumerate().filter(|(other, (theirs, _))| *other != at && agree(slots, theirs));
            others.fold(0, |mask, (other, _)| mask | 1 << other)
        })
        .collect();
    let mut cliques = Vec::new();
    let everyone = (0..groups.len()).fold(0u64, |mask, at| mask | 1 << at);
    grow(0, everyone, 0, &neighbours, &mut cliques);
    let members = |clique: u64| {
        groups.iter().enumerate().filter(move |(at, _)| clique >> at & 1 == 1).flat_map(|(_, (_, claims))| claims.iter().copied())
    };
    cliques.into_iter().map(|clique| members(clique).collect()).collect()
}

/// Bron and Kerbosch with a pivot, over sets as masks.
fn grow(clique: u64, mut open: u64, mut done: u64, neighbours: &[u64], found: &mut Vec<u64>) {
    if found.len() >= ANSWERS_MAX {
        return;
    }
    if open == 0 {
        if done == 0 && clique != 0 {
            found.push(clique);
        }
        return;
    }
    let each = |mask: u64| (0..neighbours.len()).filter(move |at| mask >> at & 1 == 1);
    let pivot = each(open | done).max_by_key(|&at| ((neighbours[at] & open).count_ones(), Reverse(at))).unwrap_or(0);
    for at in each(open & !neighbours[pivot]) {
        grow(clique | 1 << at, open & neighbours[at], done & neighbours[at], neighbours, found);
        open &= !(1 << at);
        done |= 1 << at;
    }
}

/// What all say together, and the versions that they name; a version or CPE name on which they differ is left out.
pub(crate) fn merge_identities(facet: &str, identities: &[&Identity]) -> (Identity, Vec<String>) {
    let first = |slot: fn(&Identity) -> &Option<String>| identities.iter().find_map(|identity| slot(identity).clone());
    let versions: BTreeSet<&String> = identities.iter().filter_map(|identity| identity.version.as_ref()).collect();
    let names: BTreeSet<&String> = identities.iter().filter_map(|identity| identity.cpe.as_ref()).collect();
    let one = |set: &BTreeSet<&String>| if set.len() == 1 { set.first().map(|text| text.to_string()) } else { None };
    let identity = Identity {
        facet: facet.to_string(),
        vendor: first(|identity| &identity.vendor),
        brand: first(|identity| &identity.brand),
        series: first(|identity| &identity.series),
        model: first(|identity| &identity.model),
        version: one(&versions),
        class: first(|identity| &identity.class),
        cpe: if versions.len() > 1 { None } else { one(&names) },
    };
    (identity, versions.into_iter().cloned().collect())
}

pub(crate) fn merge_tags<'v>(tags: impl Iterator<Item = &'v Tag>) -> Vec<Tag> {
    tags.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Each name once; one of which two signatures say different things is left out.
pub(crate) fn merge_details<'v>(details: impl Iterator<Item = (&'v String, &'v String)>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    for (name, value) in details {
        all.entry(name).or_default().insert(value);
    }
    let alike = all.into_iter().filter(|(_, values)| values.len() == 1);
    alike.filter_map(|(name, values)| Some((name.clone(), (*values.first()?).clone()))).collect()
}

/// Each once; one that says less gives way to one of the same product that says the same and more.
pub(crate) fn merge_components<'v>(components: impl Iterator<Item = &'v Component>) -> Vec<Component> {
    let all: BTreeSet<&Component> = components.collect();
    let within = |poor: &Option<String>, rich: &Option<String>| poor.is_none() || poor == rich;
    let better = |poor: &Component| {
        all.iter().any(|rich| {
            rich.product == poor.product
                && **rich != *poor
                && within(&poor.version, &rich.version)
                && within(&poor.vendor, &rich.vendor)
                && within(&poor.series, &rich.series)
                && within(&poor.cpe, &rich.cpe)
        })
    };
    all.iter().filter(|component| !better(component)).map(|component| (*component).clone()).collect()
}

pub(crate) fn merge_proofs<'v>(proofs: impl Iterator<Item = &'v Proof>) -> Vec<Proof> {
    let mut merged: Vec<Proof> = Vec::new();
    for proof in proofs {
        if merged.len() < PROOFS_MAX && !merged.contains(proof) {
            merged.push(proof.clone());
        }
    }
    merged
}

/// The support block (V11): what a bound leaves open is unknown.
pub(crate) fn support(facts: &[&SupportFacts], version: Option<&str>, date: Option<Date>) -> Support {
    let known = |datum: &Option<Datum>| datum.clone().filter(|datum| !matches!(datum, Datum::Missing | Datum::NotObserved));
    let ends = facts.iter().find_map(|facts| known(&facts.ends));
    let latest = facts.iter().find_map(|facts| Some((known(&facts.latest)?, facts.scheme.as_ref())));
    let mut support = Support::default();
    if let Some(ends) = ends {
        let (kind, day) = bound(&ends);
        if let (Datum::Date(day), Some(date)) = (day, date) {
            support.ended = match kind {
                BoundKind::Exactly | BoundKind::By if *day <= date => Known::Yes,
                BoundKind::Exactly | BoundKind::AtLeast if *day > date => Known::No,
                _ => Known::Unknown,
            };
        }
        if let (BoundKind::Exactly, Datum::Date(day)) = (kind, day) {
            support.ends = Some(*day);
        }
    }
    if let Some((latest, scheme)) = latest {
        let (kind, newest) = bound(&latest);
        support.latest_version = text_of(newest).filter(|_| kind != BoundKind::By);
        if let (Some(scheme), Some(version)) = (scheme, version) {
            let version = interval::read_version(version);
            let order = |a: &Datum, b: &Datum| interval::order(Some(scheme), a, b);
            support.latest = match interval::compare(CompareOp::Ge, &version, &latest, &order) {
                true => Known::Yes,
                false if interval::compare(CompareOp::Lt, &version, &latest, &order) => Known::No,
                false => Known::Unknown,
            };
        }
    }
    support
}

fn bound(datum: &Datum) -> (BoundKind, &Datum) {
    match datum {
        Datum::Bound(kind, value) => (*kind, value),
        value => (BoundKind::Exactly, value),
    }
}
