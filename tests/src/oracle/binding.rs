//! Signatures about the whole host: all ways in which their first-stage probes can stand on services, one after the other (V14).

use ksig_compiler::hir::{Asks, Program, Signature};
use ksig_schema::{Date, Evidence, Service};

use super::{Outcome, Truth, of_standing};

/// What a signature about the whole host says of it, and the services that it is bound to: on the first binding that makes it true, else on the
/// first that may, else on the first.
pub fn evaluate_host<'e>(
    program: &Program,
    signature: &Signature,
    evidence: &'e Evidence,
    date: Option<Date>,
) -> (Outcome, Vec<&'e Service>) {
    let mut services: Vec<&Service> = evidence.services.iter().collect();
    services.sort_by_key(|service| (service.port, service.transport));
    let cut = services.iter().any(|service| service.responses.iter().any(|response| response.partial));
    let mut outcomes = Vec::new();
    for binding in bindings(signature, &services, &[]) {
        let standing: Vec<Option<&Service>> = (0..signature.probes.len())
            .map(|id| {
                if let Asks::Exactly(key) = &signature.probes[id].asks
                    && !key.is_sent()
                {
                    return services.iter().copied().find(|service| service.responses.iter().any(|one| one.probe == *key));
                }
                let role = signature.probes[id].at.unwrap_or(id as u32);
                let place = signature.first_stage().iter().position(|first| *first == role)?;
                binding[place]
            })
            .collect();
        let outcome = of_standing(program, signature, evidence, &standing, cut, date);
        outcomes.push((outcome, binding.into_iter().flatten().collect()));
    }
    let first = |wanted: Truth| outcomes.iter().position(|(outcome, _)| outcome.truth == wanted);
    let standing = first(Truth::True).or(first(Truth::NotObserved)).unwrap_or_default();
    outcomes.swap_remove(standing)
}

/// Every binding that begins so, in order: a service for each first-stage probe, or none where no service is left that answered it.
fn bindings<'e>(signature: &Signature, services: &[&'e Service], begun: &[Option<&'e Service>]) -> Vec<Vec<Option<&'e Service>>> {
    let roles = signature.first_stage();
    let Some(role) = roles.get(begun.len()) else { return vec![begun.to_vec()] };
    let asks = &signature.probe(*role).asks;
    let Asks::Exactly(key) = asks else { return Vec::new() };
    let taken = |service: &Service| {
        let siblings = roles.iter().zip(begun).filter(|(other, _)| signature.probe(**other).asks == *asks);
        siblings.into_iter().any(|(_, taken)| taken.is_some_and(|taken| std::ptr::eq(taken, service)))
    };
    let answered = |service: &Service| service.responses.iter().any(|response| response.probe == *key && response.answered());
    let asked = |service: &Service| service.responses.iter().any(|response| response.probe == *key);
    let mut fit: Vec<&Service> = services.iter().copied().filter(|service| answered(service)).collect();
    if fit.is_empty() {
        fit.extend(services.iter().copied().find(|service| asked(service)));
    }
    let mut left: Vec<Option<&Service>> = fit.into_iter().filter(|service| !taken(service)).map(Some).collect();
    if left.is_empty() {
        left.push(None);
    }
    left.into_iter().flat_map(|next| bindings(signature, services, &[begun, &[next]].concat())).collect()
}
