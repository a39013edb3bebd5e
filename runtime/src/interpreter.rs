//! The reference engine: each answer comes straight from [`holds`] and [`gate`], on the candidates of a prefilter.

use crate::backend::{Backend, Truth, ValueView, gate, holds};
use crate::plan::{SignatureId, SlotId, TestId};
use crate::prefilter::{Settled, SlotFilter};
use crate::verify::VerifiedPlan;

/// Runs a plan as it stands, on any machine.
pub struct Interpreter {
    plan: VerifiedPlan,
    filters: Vec<SlotFilter>,
}

impl Interpreter {
    /// For a plan.
    pub fn new(plan: &VerifiedPlan) -> Interpreter {
        let slots = 0..plan.plan().slots.len() as SlotId;
        Interpreter { plan: plan.clone(), filters: slots.map(|slot| SlotFilter::new(plan, slot)).collect() }
    }
}

impl Backend for Interpreter {
    fn name(&self) -> &'static str {
        "interpreter"
    }

    fn eval_slot(&self, slot: SlotId, values: &[ValueView<'_>], hits: &mut Vec<TestId>) -> usize {
        let tests = &self.plan.plan().tests;
        let mut tried = 0;
        for &value in values {
            self.filters[slot as usize].candidates(value, |candidate| {
                tried += 1;
                if holds(&self.plan, &tests[candidate.test as usize].predicate, value) {
                    hits.push(candidate.test);
                }
                // It was asked of the whole value.
                Settled::Yes
            });
        }
        tried
    }

    fn eval_gate(&self, signature: SignatureId, truths: &[u8]) -> Truth {
        gate(&self.plan.plan().signatures[signature as usize].condition, truths)
    }
}
