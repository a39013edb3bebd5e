//! From what each signature says to one answer of a service (V15, V16), step by step as `spec/identify.md` lists them.
//!
//! In: outcomes of all signatures. Out: an [`Identification`] without proofs, digest and place. Lists without an order of their own come sorted.

use std::collections::{BTreeMap, BTreeSet};

use ksig_compiler::hir::{Program, Signature};
use ksig_schema::Date;
use ksig_schema::identification::{Component, Confidence, Identification, Identified, Identity, Note, Support};

use super::{Figures, Outcome, Truth, support_block};

/// A signature that says something, and what.
type Said<'o> = (&'o Signature, &'o Outcome);
/// One of its identities; absent for software alone.
type Claim<'o> = (Said<'o>, Option<&'o Identity>);

/// Makes one answer of the outcomes of a program's signatures, in the program's order.
pub fn answer(program: &Program, outcomes: &[Outcome], date: Option<Date>) -> Identification {
    let book = Book { program, date };
    let all = || program.signatures.iter().zip(outcomes);
    let matching: Vec<Said<'_>> = all().filter(|(_, outcome)| outcome.truth == Truth::True).collect();
    let open: Vec<Said<'_>> = all().filter(|(_, outcome)| outcome.truth == Truth::NotObserved).collect();
    let mut answer = Identification::default();

    let refined = |one: &Said<'_>, by: &[Said<'_>]| by.iter().any(|other| book.bases(other.0).contains(&one.0.name.as_str()));
    let left: Vec<Said<'_>> = matching.iter().copied().filter(|one| !refined(one, &matching)).collect();

    let (mut standing, mut waiting) = (Vec::new(), Vec::new());
    for one in &left {
        match book.place(one.0) {
            Some((choice, place)) if left.iter().any(|other| book.is_before(other.0, choice, place)) => {
                let (signature, choice) = (one.0.name.clone(), program.choices[choice].name.clone());
                answer.notes.push(Note::NotChosen { signature, choice });
            }
            Some((choice, place))
                if open
                    .iter()
                    .any(|other| book.is_before(other.0, choice, place) && !book.bases(other.0).contains(&one.0.name.as_str())) =>
            {
                waiting.push(*one);
            }
            _ => standing.push(*one),
        }
    }

    let facets: BTreeSet<&str> = standing.iter().flat_map(|one| one.1.identities.iter().map(|identity| identity.facet.as_str())).collect();
    for facet in facets {
        let claims: Vec<Claim<'_>> = claims(&standing).into_iter().filter(|claim| claim.1.is_some_and(|one| one.facet == facet)).collect();
        book.compete(facet, &claims, &matching, &mut answer);
    }
    let software: Vec<Claim<'_>> = claims(&standing).into_iter().filter(|claim| claim.1.is_none()).collect();
    if !software.is_empty() {
        answer.identifications.push(book.together("software", &software, &matching).0);
    }

    let possible: Vec<Said<'_>> = open
        .iter()
        .copied()
        .filter(|one| one.1.observed)
        .filter(|one| !book.place(one.0).is_some_and(|(choice, place)| left.iter().any(|other| book.is_before(other.0, choice, place))))
        .chain(waiting)
        .collect();
    let possible_left: Vec<Said<'_>> =
        possible.iter().copied().filter(|one| !refined(one, &possible) && !refined(one, &matching)).collect();
    let mut rest = claims(&possible_left);
    while let Some(first) = rest.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|claim| claim.1 == first.1);
        let facet = first.1.map_or("software", |identity| identity.facet.as_str());
        answer.consistent.push(book.together(facet, &same, &matching).0);
        rest = others;
    }
    answer.notes.sort();
    answer.notes.dedup();
    sorted(answer)
}

/// The same answer with every list that has no order of its own sorted, and without what only an engine knows.
pub fn sorted(mut answer: Identification) -> Identification {
    for list in [&mut answer.identifications, &mut answer.consistent, &mut answer.ambiguous] {
        list.iter_mut().for_each(|one| one.proof.clear());
        list.sort_by_key(|one| serde_json::to_string(one).unwrap_or_default());
    }
    // What could not be compared on the way is a note of the evaluation, not of the resolution; a fence shows it.
    answer.notes.retain(|note| !matches!(note, Note::Incomparable { .. }));
    Identification { id: String::new(), address: None, port: None, digest: None, release: String::new(), ..answer }
}

struct Book<'p> {
    program: &'p Program,
    date: Option<Date>,
}

impl<'p> Book<'p> {
    /// Names of all that a signature refines, nearest first.
    fn bases(&self, signature: &Signature) -> Vec<&'p str> {
        let mut bases = Vec::new();
        let mut base = signature.refines.as_deref();
        while let Some(found) = self.program.signatures.iter().find(|one| Some(one.name.as_str()) == base) {
            bases.push(found.name.as_str());
            base = found.refines.as_deref();
        }
        bases
    }

    /// Its place in a choice: its own, else that of the nearest base that has one.
    fn place(&self, signature: &Signature) -> Option<(usize, usize)> {
        let own = self.program.choices.iter().enumerate().find_map(|(choice, described)| {
            let place = described.members.iter().position(|member| *member == signature.name)?;
            Some((choice, place))
        });
        own.or_else(|| {
            let base = self.program.signatures.iter().find(|one| Some(&one.name) == signature.refines.as_ref())?;
            self.place(base)
        })
    }

    fn is_before(&self, other: &Signature, choice: usize, place: usize) -> bool {
        self.place(other).is_some_and(|(theirs, at)| theirs == choice && at < place)
    }

    /// Merges as large as they can be; the one with the surest member of its own stands.
    fn compete(&self, facet: &str, claims: &[Claim<'_>], matching: &[Said<'_>], answer: &mut Identification) {
        let sets = largest(claims);
        let signature = |at: usize| claims[at].0.0;
        let everywhere = |at: usize| sets.iter().all(|set| set.iter().any(|&one| signature(one).name == signature(at).name));
        let surest = |set: &BTreeSet<usize>| set.iter().filter(|&&at| !everywhere(at)).map(|&at| signature(at).meta.confidence).max();
        let Some(best) = sets.iter().map(surest).max() else { return };
        let (stand, fall): (Vec<_>, Vec<_>) = sets.iter().partition(|set| surest(set) == best);
        for &at in fall.into_iter().flatten() {
            if !stand.iter().any(|set| set.iter().any(|&one| signature(one).name == signature(at).name)) {
                let (signature, confidence) = (signature(at).name.clone(), signature(at).meta.confidence);
                answer.notes.push(Note::Overruled { signature, confidence });
            }
        }
        let alone = stand.len() == 1;
        for set in stand {
            let members: Vec<Claim<'_>> = set.iter().map(|&at| claims[at]).collect();
            let (identified, versions) = self.together(facet, &members, matching);
            if alone {
                answer.identifications.push(identified)
            } else {
                answer.ambiguous.push(identified)
            }
            if versions.len() > 1 {
                answer.notes.push(Note::VersionsDiffer { facet: facet.to_string(), versions });
            }
        }
    }

    /// What claims that agree say as one, and the versions that they name.
    fn together(&self, facet: &str, claims: &[Claim<'_>], matching: &[Said<'_>]) -> (Identified, Vec<String>) {
        let count = |claim: &Claim<'_>| claim.1.map_or(0, |identity| slots(identity).iter().filter(|slot| slot.is_some()).count());
        let mut claims = claims.to_vec();
        // The surest first, then what says most; software alone goes by name.
        claims.sort_by(|a, b| {
            let by_name = a.0.0.name.cmp(&b.0.0.name);
            let sure = b.0.0.meta.confidence.cmp(&a.0.0.meta.confidence);
            sure.then(count(b).cmp(&count(a))).then(by_name)
        });
        let leader = match claims[0].1 {
            Some(_) => claims[0].0.0,
            None => claims.iter().map(|claim| claim.0.0).min_by_key(|signature| &signature.name).unwrap_or(claims[0].0.0),
        };
        let said: Vec<&Identity> = claims.iter().filter_map(|claim| claim.1).collect();
        let (identity, versions) = one_identity(facet, &said);
        // Tags and software belong to the first identity of a signature.
        let carried: Vec<&Outcome> = claims
            .iter()
            .filter(|(said, identity)| identity.is_none_or(|one| said.1.identities.first() == Some(one)))
            .map(|(said, _)| said.1)
            .collect();
        let mut tags: Vec<_> = carried.iter().flat_map(|outcome| outcome.tags.clone()).collect();
        tags.sort();
        tags.dedup();
        let known = |of: fn(&Figures) -> &ksig_runtime::plan::Datum| {
            let mut figures = claims.iter().map(|claim| &claim.0.1.figures);
            figures.find(|figures| !matches!(of(figures), ksig_runtime::plan::Datum::Missing | ksig_runtime::plan::Datum::NotObserved))
        };
        let mut figures = Figures::default();
        if let Some(found) = known(|figures| &figures.ends) {
            figures.ends = found.ends.clone();
        }
        if let Some(found) = known(|figures| &figures.latest) {
            (figures.latest, figures.scheme) = (found.latest.clone(), found.scheme.clone());
        }
        let support = match identity.model {
            Some(_) => support_block(&figures, identity.version.clone(), self.date),
            None => Support::default(),
        };
        let mut also: BTreeSet<String> = claims.iter().map(|claim| claim.0.0.name.clone()).collect();
        for claim in &claims {
            let bases = self.bases(claim.0.0);
            // A matching signature was dropped because a matching one refines it.
            let dropped = |base: &&&str| matching.iter().any(|other| self.bases(other.0).contains(*base));
            also.extend(bases.iter().filter(dropped).map(|base| base.to_string()));
        }
        also.remove(&leader.name);
        let identified = Identified {
            identity,
            components: distinct(carried.iter().flat_map(|outcome| outcome.components.clone()).collect()),
            details: agreed(&carried.iter().map(|outcome| &outcome.details).collect::<Vec<_>>()),
            tags,
            signature: leader.name.clone(),
            confidence: claims.iter().map(|claim| claim.0.0.meta.confidence).max().unwrap_or(Confidence::Strong),
            evidence: claims.iter().find(|claim| claim.0.0.name == leader.name).map_or(leader.meta.grade, |claim| claim.0.1.grade),
            support,
            proof: Vec::new(),
            also: also.into_iter().collect(),
        };
        (identified, versions.into_iter().collect())
    }
}

/// What identities that agree say as one, and the versions that they name.
pub(super) fn one_identity(facet: &str, said: &[&Identity]) -> (Identity, BTreeSet<String>) {
    let first = |slot: fn(&Identity) -> &Option<String>| said.iter().find_map(|identity| slot(identity).clone());
    let set = |slot: fn(&Identity) -> &Option<String>| said.iter().filter_map(|one| slot(one).clone()).collect::<BTreeSet<_>>();
    let only = |all: &BTreeSet<String>| if all.len() == 1 { all.first().cloned() } else { None };
    let (versions, names) = (set(|one| &one.version), set(|one| &one.cpe));
    let identity = Identity {
        facet: facet.to_string(),
        vendor: first(|one| &one.vendor),
        brand: first(|one| &one.brand),
        series: first(|one| &one.series),
        model: first(|one| &one.model),
        version: only(&versions),
        class: first(|one| &one.class),
        cpe: if versions.len() > 1 { None } else { only(&names) },
    };
    (identity, versions)
}

/// The largest sets of claims that agree: as long as two of a set do not, each of the two leaves it once.
fn largest(claims: &[Claim<'_>]) -> Vec<BTreeSet<usize>> {
    let mut open: BTreeSet<BTreeSet<usize>> = BTreeSet::from([(0..claims.len()).collect()]);
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    while let Some(set) = open.pop_first() {
        let pairs = set.iter().flat_map(|&a| set.range(a + 1..).map(move |&b| (a, b)));
        match pairs.into_iter().find(|&(a, b)| !agree(claims[a].1, claims[b].1)) {
            Some((a, b)) => open.extend([a, b].map(|gone| set.iter().copied().filter(|&one| one != gone).collect())),
            None => found.push(set),
        }
    }
    let all = found.clone();
    found.retain(|set| !all.iter().any(|other| other.len() > set.len() && other.is_superset(set)));
    found
}

fn claims<'o>(all: &[Said<'o>]) -> Vec<Claim<'o>> {
    let of = |said: &Said<'o>| -> Vec<Claim<'o>> {
        if said.1.identities.is_empty() {
            return vec![(*said, None)];
        }
        said.1.identities.iter().map(|identity| (*said, Some(identity))).collect()
    };
    all.iter().flat_map(of).collect()
}

fn slots(identity: &Identity) -> [&Option<String>; 7] {
    let Identity { facet: _, vendor, brand, series, model, version, class, cpe } = identity;
    [vendor, brand, series, model, class, version, cpe]
}

/// Equal wherever both say something; versions and CPE names do not part.
fn agree(a: Option<&Identity>, b: Option<&Identity>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    slots(a).iter().zip(slots(b)).take(5).all(|(a, b)| a.is_none() || b.is_none() || **a == *b)
}

/// The details that nobody contradicts.
pub(super) fn agreed(all: &[&BTreeMap<String, String>]) -> BTreeMap<String, String> {
    let mut details = BTreeMap::new();
    for (name, value) in all.iter().copied().flatten() {
        if all.iter().all(|other| other.get(name).is_none_or(|theirs| theirs == value)) {
            details.insert(name.clone(), value.clone());
        }
    }
    details
}

/// Each program once; one that says less of it than another gives way.
pub(super) fn distinct(all: Vec<Component>) -> Vec<Component> {
    let all: Vec<Component> = all.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let less = |poor: &Component, rich: &Component| {
        poor != rich
            && poor.product == rich.product
            && (poor.version.is_none() || poor.version == rich.version)
            && (poor.vendor.is_none() || poor.vendor == rich.vendor)
            && (poor.series.is_none() || poor.series == rich.series)
            && (poor.cpe.is_none() || poor.cpe == rich.cpe)
    };
    all.iter().filter(|one| !all.iter().any(|other| less(one, other))).cloned().collect()
}
