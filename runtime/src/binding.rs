//! Which services the first-stage probes of a signature about the whole host stand on (V14).
//!
//! In: the services of a host, and what the probes ask. Out: bindings, each probe with its service, in the order in which they are tried: the
//! lowest port first, of the first probe before the others. Probes that ask the same stand on different services. One that nobody
//! answered stands on the first that was asked, and one for which nobody is left stands on none.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ksig_schema::{Evidence, ProbeKey, Service};

use crate::plan::ProbeId;

/// Most steps in which the probes of one signature are bound on one host: a step binds one probe, or tries a binding of all.
pub const BINDING_STEPS_MAX: usize = 4096;

/// The services of a host by what they were asked.
pub(crate) struct Services<'e> {
    by_key: HashMap<&'e ProbeKey, Vec<&'e Service>>,
}

impl<'e> Services<'e> {
    pub fn of(evidence: &'e Evidence) -> Services<'e> {
        let mut services: Vec<&Service> = evidence.services.iter().collect();
        services.sort_by_key(|service| (service.port, service.transport));
        let mut by_key: HashMap<&ProbeKey, Vec<(bool, &Service)>> = HashMap::new();
        for service in services {
            for response in &service.responses {
                by_key.entry(&response.probe).or_default().push((response.answered(), service));
            }
        }
        Services { by_key: by_key.into_iter().map(|(key, found)| (key, answering(found))).collect() }
    }

    /// Where that request was answered; where nobody did, one that was asked, so that an explanation can say how it ended.
    pub fn asked(&self, key: &ProbeKey) -> &[&'e Service] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }
}

fn answering(found: Vec<(bool, &Service)>) -> Vec<&Service> {
    let answered: Vec<&Service> = found.iter().filter(|(answered, _)| *answered).map(|&(_, service)| service).collect();
    if answered.is_empty() { found.into_iter().take(1).map(|(_, service)| service).collect() } else { answered }
}

/// A first-stage probe that looks for its service.
pub(crate) struct Role<'p, 'e> {
    pub probe: ProbeId,
    pub key: &'p ProbeKey,
    /// Where it was answered, by port.
    pub candidates: &'p [&'e Service],
    /// By candidate: it may be left out, since its answer alone makes the condition false.
    pub hopeless: Vec<bool>,
}

/// What is called with each binding, until it breaks.
pub(crate) type Visit<'v, 'e> = dyn FnMut(&[(ProbeId, &'e Service)]) -> ControlFlow<()> + 'v;

/// Calls `visit` with the bindings in order, until it breaks or [`BINDING_STEPS_MAX`] is reached. Those with a hopeless service are passed over.
pub(crate) fn each_binding<'e>(roles: &[Role<'_, 'e>], visit: &mut Visit<'_, 'e>) {
    let _ = Binder { roles, bound: Vec::new(), steps_left: BINDING_STEPS_MAX, visit }.bind(0);
}

struct Binder<'b, 'p, 'e> {
    roles: &'b [Role<'p, 'e>],
    bound: Vec<(ProbeId, &'e Service)>,
    steps_left: usize,
    visit: &'b mut Visit<'b, 'e>,
}

impl Binder<'_, '_, '_> {
    /// Binds the probes from this one on.
    fn bind(&mut self, at: usize) -> ControlFlow<()> {
        if self.steps_left == 0 {
            return ControlFlow::Break(());
        }
        self.steps_left -= 1;
        let roles = self.roles;
        let Some(role) = roles.get(at) else { return (self.visit)(&self.bound) };
        let mut alone = true;
        for (service, hopeless) in role.candidates.iter().zip(&role.hopeless) {
            if self.is_taken(at, service) {
                continue;
            }
            alone = false;
            if !hopeless {
                self.bound.push((role.probe, service));
                self.bind(at + 1)?;
                self.bound.pop();
            }
        }
        if alone { self.bind(at + 1) } else { ControlFlow::Continue(()) }
    }

    /// Whether an earlier probe that asks the same stands on that service.
    fn is_taken(&self, at: usize, service: &Service) -> bool {
        let stands = |probe: ProbeId| self.bound.iter().any(|(other, taken)| *other == probe && std::ptr::eq(*taken, service));
        self.roles[..at].iter().any(|other| other.key == self.roles[at].key && stands(other.probe))
    }
}
