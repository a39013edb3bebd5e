//! What a signature lives on: the probes whose answers it reads, the patterns that it asks, and whether a plan sends enough to feed it.
//!
//! In: a plan that was verified. Out: [`Needs`] of a signature; the signatures whose condition cannot hold with the plan's probes alone.

use std::collections::BTreeSet;

use crate::plan::*;
use crate::trigger;

/// What one signature reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Probes whose answers it reads, and those that lead to them.
    pub probes: BTreeSet<ProbeId>,
    /// Patterns that it asks.
    pub patterns: BTreeSet<PatternId>,
}

/// Names of the signatures whose condition is false as long as only planned probes are answered.
pub fn unfed(plan: &Plan) -> Vec<&str> {
    let sent: Vec<bool> = plan.probes.iter().map(|probe| is_planned(plan, probe)).collect();
    let is_sent = |test: &TestId| sent[plan.slots[plan.tests[*test as usize].slot as usize].probe as usize];
    // The question is the one that triggers answer: can it hold while all these tests are false?
    let unanswered: Vec<TestId> = (0..plan.tests.len() as TestId).filter(|test| !is_sent(test)).collect();
    if unanswered.is_empty() {
        return Vec::new();
    }
    let starves = |signature: &&Signature| trigger::suffice(&signature.condition, &unanswered);
    plan.signatures.iter().filter(starves).map(|signature| signature.name.as_str()).collect()
}

fn is_planned(plan: &Plan, probe: &Probe) -> bool {
    // What is known of the host comes with whatever is answered.
    if *probe == Probe::Exactly(ksig_schema::host::probe()) {
        return true;
    }
    plan.probe_plan.probes.iter().any(|planned| probe.is_fed_by(&planned.request))
}

/// What a signature reads.
pub fn needs(plan: &Plan, signature: SignatureId) -> Needs {
    let described = &plan.signatures[signature as usize];
    let mut needs = Needs::default();
    condition(plan, &described.condition, &mut needs);
    let identities = described.identities.iter().flat_map(|identity| identity.slots.iter().map(|(_, value)| value));
    let components = described.components.iter().flat_map(ComponentPlan::parts).chain(described.details.iter().map(|(_, value)| value));
    let tags = described.tags.iter().flat_map(|tag| tag.params.iter().map(|(_, value)| value).chain(&tag.when));
    let support = described.support.iter().flat_map(|support| support.ends.iter().chain(&support.latest));
    let steps = described.steps.iter().map(|(_, value)| value);
    identities.chain(components).chain(tags).chain(support).chain(steps).for_each(|value| expr(plan, value, &mut needs));
    let mut open: Vec<ProbeId> = described.follows.iter().map(|follow| follow.probe).collect();
    while let Some(probe) = open.pop() {
        needs.probes.insert(probe);
        if let Probe::Named(Named { from: NamedFrom::Slot(slot, _), .. }) = &plan.probes[probe as usize] {
            let source = plan.slots[*slot as usize].probe;
            if needs.probes.insert(source) {
                open.push(source);
            }
        }
    }
    needs
}

fn slot(plan: &Plan, slot: SlotId, needs: &mut Needs) {
    needs.probes.insert(plan.slots[slot as usize].probe);
}

fn condition(plan: &Plan, of: &Condition, needs: &mut Needs) {
    match of {
        Condition::Test(leaf) => {
            let test = &plan.tests[leaf.test as usize];
            slot(plan, test.slot, needs);
            if let Predicate::Matches(pattern) = test.predicate {
                needs.patterns.insert(pattern);
            }
        }
        Condition::Late(value, _) => expr(plan, value, needs),
        Condition::Search(search) => {
            needs.patterns.insert(search.pattern);
            expr(plan, &search.value, needs);
        }
        Condition::Each(each) => {
            expr(plan, &each.list, needs);
            condition(plan, &each.lines, needs);
        }
        Condition::All(parts) | Condition::Any(parts) | Condition::AtLeast(_, parts) => {
            parts.iter().for_each(|part| condition(plan, part, needs));
        }
        Condition::Not(part) => condition(plan, part, needs),
    }
}

fn expr(plan: &Plan, of: &Expr, needs: &mut Needs) {
    match of {
        Expr::Slot(read, _) | Expr::Pick(read, ..) | Expr::Whole(read) => slot(plan, *read, needs),
        Expr::Matches(pattern, _) | Expr::Extract(pattern, ..) => drop(needs.patterns.insert(*pattern)),
        _ => {}
    }
    of.each_part(&mut |part| expr(plan, part, needs));
}

#[cfg(test)]
mod tests {
    use ksig_schema::{PlannedProbe, ProbeKey, Request, Safety};

    use super::*;
    use crate::sample;

    #[test]
    fn a_signature_starves_without_the_probe_that_it_lives_on() {
        let mut plan = sample::plan();
        assert_eq!(unfed(&plan).len(), plan.signatures.len(), "nothing is planned");
        plan.probe_plan.probes.push(PlannedProbe {
            request: Request::Exactly(ProbeKey::with("http.get", "/")),
            ports: vec![80],
            any_tls: false,
            follow_up: false,
            safety: Safety::Benign,
        });
        assert!(unfed(&plan).is_empty());
        let model = needs(&plan, 1);
        assert_eq!(model.probes.into_iter().collect::<Vec<_>>(), [0, 1]);
        assert!(model.patterns.contains(&0));
    }
}
