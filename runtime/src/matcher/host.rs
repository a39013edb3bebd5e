//! Signatures about the whole host: each is tried on the bindings of its probes to services, and the first binding that makes it true stands
//! (V14).
//!
//! In: the evidence of a host. Out: [`Across`] for the host's line, follow-ups, and explanations. A service whose answer alone makes a condition
//! false is left out of the bindings: its tests are read once for all signatures that ask the same.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ksig_schema::{Date, Evidence, FollowUp, Response, Service};

use super::{FOLLOW_UPS_MAX, Matcher, Scratch, scan_date};
use crate::backend::Truth;
use crate::binding::{Role, Services, each_binding};
use crate::board::{Board, BoardScratch, Seen, View};
use crate::counts::SignatureCount;
use crate::evaluate::Verdict;
use crate::join::Across;
use crate::plan::*;
use crate::resolve;

/// One host, its services by what they were asked, and which of them are hopeless.
struct Host<'e> {
    evidence: &'e Evidence,
    known: Option<&'e Response>,
    services: Services<'e>,
    date: Option<Date>,
}

/// What a visit of a binding sees: the board, and the services.
type Visit<'v, 'e> = dyn FnMut(&Board<'_>, &[(ProbeId, &'e Service)]) -> ControlFlow<()> + 'v;

impl Matcher {
    /// Whether a signature is about the whole host.
    pub(super) fn is_across(&self, id: SignatureId) -> bool {
        self.plan.plan().signatures[id as usize].scope != Scope::Service
    }

    /// What the signatures about the whole host say.
    pub(super) fn across<'e>(&self, evidence: &'e Evidence, known: Option<&'e Response>, date: Option<Date>) -> Across<'e> {
        let mut across = Across { resolution: Default::default(), bound: HashMap::new() };
        if self.across.is_empty() {
            return across;
        }
        let host = Host { evidence, known, services: Services::of(evidence), date };
        let mut verdicts = Vec::new();
        self.with_scratch(|scratch| {
            scratch.counts.resize(self.plan.plan().signatures.len(), SignatureCount::default());
            let hopeless = self.hopeless(&host, &self.across, &mut scratch.board);
            for &id in &self.across {
                if let Some((verdict, services)) = self.verdict_across(id, &host, &hopeless, scratch) {
                    across.bound.insert(self.plan.plan().signatures[id as usize].name.clone(), services);
                    verdicts.push(verdict);
                }
            }
        });
        across.resolution = resolve::service(self.plan.plan(), verdicts, date);
        across
    }

    /// The verdict on the first binding that makes the condition true, else on the first that may; absent where none does.
    fn verdict_across<'e>(
        &self,
        id: SignatureId,
        host: &Host<'e>,
        hopeless: &Hopeless,
        scratch: &mut Scratch,
    ) -> Option<(Verdict, Vec<&'e Service>)> {
        let mut standing: Option<(Verdict, Vec<&'e Service>)> = None;
        let count = &mut scratch.counts[id as usize];
        self.each_board(id, host, hopeless, &mut scratch.board, &mut |board, binding| {
            let Some(verdict) = self.verdict(board, id, host.date, count) else { return ControlFlow::Continue(()) };
            let holds = verdict.truth == Truth::True;
            if holds || standing.is_none() {
                standing = Some((verdict, binding.iter().map(|&(_, service)| service).collect()));
            }
            if holds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        standing
    }

    /// Fills a board for each binding of a signature in order, until the visit breaks.
    fn each_board<'e>(&self, id: SignatureId, host: &Host<'e>, hopeless: &Hopeless, scratch: &mut BoardScratch, visit: &mut Visit<'_, 'e>) {
        let roles: Vec<Role<'_, 'e>> = self
            .roles(id)
            .map(|(probe, key)| {
                let candidates = host.services.asked(key);
                let hopeless = hopeless.get(&(id, probe)).cloned().unwrap_or_else(|| vec![false; candidates.len()]);
                Role { probe, key, candidates, hopeless }
            })
            .collect();
        each_binding(&roles, &mut |binding| {
            let view = View { evidence: host.evidence, seen: Seen::Bound { binding, whole: true }, host: host.known };
            visit(&Board::fill(self.running(host.date), view, scratch), binding)
        });
    }

    /// The first-stage probes of a signature with what they ask.
    fn roles(&self, id: SignatureId) -> impl Iterator<Item = (ProbeId, &ksig_schema::ProbeKey)> {
        let plan = self.plan.plan();
        plan.signatures[id as usize].scope.roles().iter().filter_map(|&probe| match &plan.probes[probe as usize] {
            Probe::Bound { key, .. } => Some((probe, key)),
            _ => None,
        })
    }

    /// By signature and probe: which candidates cannot be part of a binding that holds, whatever the other probes were answered.
    fn hopeless(&self, host: &Host<'_>, signatures: &[SignatureId], scratch: &mut BoardScratch) -> Hopeless {
        let mut asking: HashMap<(ProbeId, &ksig_schema::ProbeKey), Vec<SignatureId>> = HashMap::new();
        for &id in signatures {
            self.roles(id).for_each(|role| asking.entry(role).or_default().push(id));
        }
        let mut hopeless = Hopeless::new();
        for ((probe, key), signatures) in asking {
            for service in host.services.asked(key) {
                let view =
                    View { evidence: host.evidence, seen: Seen::Bound { binding: &[(probe, service)], whole: false }, host: host.known };
                let board = Board::fill(self.running(host.date), view, scratch);
                for &id in &signatures {
                    let fails = self.backend.eval_gate(id, board.truths()) == Truth::False;
                    hopeless.entry((id, probe)).or_default().push(fails);
                }
            }
        }
        hopeless
    }

    /// Probes that gates of signatures about the whole host ask for and that have no response yet, sorted; at most [`FOLLOW_UPS_MAX`].
    pub fn follow_ups_of_host(&self, evidence: &Evidence) -> Vec<FollowUp> {
        let mut asked: Vec<FollowUp> = self.asked_across(&self.across, evidence).into_iter().map(|(_, follow_up)| follow_up).collect();
        asked.sort();
        asked.dedup();
        asked.truncate(FOLLOW_UPS_MAX);
        asked
    }

    /// The follows that signatures about the whole host ask for, on each binding for which their gate holds, by the names that these gave them:
    /// about [`FOLLOW_UPS_MAX`] of each signature.
    pub(super) fn asked_across(&self, signatures: &[SignatureId], evidence: &Evidence) -> Vec<(String, FollowUp)> {
        let follows = |id: &SignatureId| !self.plan.plan().signatures[*id as usize].follows.is_empty();
        let following: Vec<SignatureId> = signatures.iter().copied().filter(follows).collect();
        if following.is_empty() {
            return Vec::new();
        }
        let known = self.host(evidence);
        let host = Host { evidence, known: known.as_ref(), services: Services::of(evidence), date: scan_date(evidence) };
        let mut all: Vec<(String, FollowUp)> = Vec::new();
        self.with_scratch(|scratch| {
            let hopeless = self.hopeless(&host, &following, &mut scratch.board);
            for id in following {
                let mut asked: Vec<(String, FollowUp)> = Vec::new();
                self.each_board(id, &host, &hopeless, &mut scratch.board, &mut |board, _| {
                    for (follow, place) in self.asked_by(board, id, host.date) {
                        let new = (follow.name.clone(), place);
                        if !asked.contains(&new) {
                            asked.push(new);
                        }
                    }
                    if asked.len() < FOLLOW_UPS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                all.append(&mut asked);
            }
        });
        all
    }

    /// What `of` says, beside the truth of the condition, on the board of the binding that stands; where none does, on that of the first.
    pub(super) fn on_standing_binding<T>(
        &self,
        id: SignatureId,
        evidence: &Evidence,
        known: Option<&Response>,
        date: Option<Date>,
        of: &dyn Fn(&Board<'_>) -> (Truth, T),
    ) -> Option<T> {
        let host = Host { evidence, known, services: Services::of(evidence), date };
        self.with_scratch(|scratch| {
            let mut standing: Option<(Truth, T)> = None;
            let hopeless = self.hopeless(&host, &[id], &mut scratch.board);
            self.each_board(id, &host, &hopeless, &mut scratch.board, &mut |board, _| {
                let said = of(board);
                let holds = said.0 == Truth::True;
                if standing.as_ref().is_none_or(|(truth, _)| said.0 > *truth) {
                    standing = Some(said);
                }
                if holds { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            if standing.is_none() {
                self.each_board(id, &host, &Hopeless::new(), &mut scratch.board, &mut |board, _| {
                    standing = Some(of(board));
                    ControlFlow::Break(())
                });
            }
            standing.map(|(_, said)| said)
        })
    }
}

/// By signature and bound probe: for each candidate whether it is hopeless.
type Hopeless = HashMap<(SignatureId, ProbeId), Vec<bool>>;
