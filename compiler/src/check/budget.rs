//! What a signature costs at most, against what the policy allows (V17).
//!
//! In: a signature whose probes and patterns are checked, the cost of each probe, the budget. Out: a problem for each limit that it passes.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use ksig_schema::{ProbeCost, Request};

use super::Checker;
use crate::{hir, problems};

/// What the requests of a set cost: each is worked out once, by having its whole conversation.
pub(crate) struct Costs {
    of: fn(&Request) -> ProbeCost,
    known: RefCell<HashMap<Request, ProbeCost>>,
}

impl Costs {
    pub fn new(of: fn(&Request) -> ProbeCost) -> Costs {
        Costs { of, known: RefCell::default() }
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
