//! What a signature costs at most, against what the policy allows (V17).
//!
//! In: a signature whose probes and patterns are checked, the cost of each probe, the budget. Out: a problem for each limit that it passes.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use ksig_runtime::plan::Pattern;
use ksig_runtime::{CompiledPattern, PatternError};
use ksig_schema::{ProbeCost, Request};

use super::Checker;
use crate::{hir, problems};

/// Most patterns whose size is remembered, so that one who types new ones for years is not remembered for ever.
const PATTERNS_MAX: usize = 1 << 16;

/// What the requests and the patterns of a set cost: each is worked out once, a request by having its whole conversation, a pattern by making
/// it as a release makes it.
pub(crate) struct Costs {
    of: fn(&Request) -> ProbeCost,
    known: RefCell<HashMap<Request, ProbeCost>>,
    states: RefCell<HashMap<Pattern, usize>>,
}

impl Costs {
    pub fn new(of: fn(&Request) -> ProbeCost) -> Costs {
        Costs { of, known: RefCell::default(), states: RefCell::default() }
    }

    /// Most states of a pattern, or why it cannot be made.
    pub fn states(&self, pattern: &Pattern) -> Result<usize, PatternError> {
        if let Some(states) = self.states.borrow().get(pattern) {
            return Ok(*states);
        }
        let states = CompiledPattern::new(pattern)?.states_at_most();
        let mut known = self.states.borrow_mut();
        if known.len() >= PATTERNS_MAX {
            known.clear();
        }
        known.insert(pattern.clone(), states);
        Ok(states)
    }

    fn of(&self, request: &Request) -> ProbeCost {
        if let Some(cost) = self.known.borrow().get(request) {
            return *cost;
        }
        let cost = (self.of)(request);
        self.known.borrow_mut().insert(request.clone(), cost);
        cost
    }
}

impl Checker<'_> {
    pub(super) fn spending(&mut self, out: &hir::Signature) {
        let requests: BTreeSet<Request> = out.sent_probes().into_iter().map(|id| out.probe(id).asks.request()).collect();
        let cost: ProbeCost = requests.iter().map(|request| self.costs.of(request)).sum();
        let budget = self.budget;
        let spent = [
            ("probes", requests.len(), budget.probes),
            ("bytes_sent", cost.bytes_sent, budget.bytes_sent),
            ("bytes_kept", cost.bytes_kept, budget.bytes_kept),
            ("regex_states", out.regex_states, budget.regex_states),
        ];
        for (what, spent, limit) in spent.into_iter().filter(|(_, spent, limit)| spent > limit) {
            self.diagnostics.push(problems::probe_budget_exceeded(what, spent, limit, self.file, out.name_span));
        }
    }
}
