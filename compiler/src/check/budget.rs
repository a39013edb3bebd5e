//! What a signature costs at most, against what the policy allows (V17).
//!
//! In: a signature whose probes and patterns are checked, the cost of each probe, the budget. Out: a problem for each limit that it passes.

use std::collections::BTreeSet;

use ksig_schema::Request;

use super::Checker;
use crate::{hir, problems};

impl Checker<'_> {
    pub(super) fn spending(&mut self, out: &hir::Signature) {
        let requests: BTreeSet<Request> = out.sent_probes().into_iter().map(|id| out.probe(id).asks.request()).collect();
        let costs: Vec<_> = requests.iter().map(self.cost).collect();
        let budget = self.budget;
        let spent = [
            ("probes", requests.len(), budget.probes),
            ("bytes_sent", costs.iter().map(|cost| cost.bytes_sent).sum(), budget.bytes_sent),
            ("bytes_kept", costs.iter().map(|cost| cost.bytes_kept).sum(), budget.bytes_kept),
            ("regex_states", out.regex_states, budget.regex_states),
        ];
        for (what, spent, limit) in spent.into_iter().filter(|(_, spent, limit)| spent > limit) {
            self.diagnostics.push(problems::probe_budget_exceeded(what, spent, limit, self.file, out.name_span));
        }
    }
}
