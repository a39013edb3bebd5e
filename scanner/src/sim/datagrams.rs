//! What a simulated device answers to a datagram: a list of parcels, computed without any I/O.
//!
//! In: an address, a service, a request, and how many the same peer sent before. Out: [`Parcel`]s in order; none from an address without the
//! service. Faults change the parcels here and
//! nowhere else.

use std::net::Ipv4Addr;
use std::time::Duration;

use ksig_protocols::ber;

use super::agent::Agent;
use super::fault::Fault;
use super::population::{Answers, Population};
use super::template::Template;
use crate::ports::ServiceName;

/// One datagram of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parcel {
    /// How long after the request.
    pub after: Duration,
    /// From another port than the one that was asked.
    pub from_another_port: bool,
    pub payload: Vec<u8>,
}

/// What a service over UDP answers with.
#[derive(Clone, Debug)]
pub(super) enum DatagramAnswers {
    /// All of those that fit the request, each in a datagram.
    Texts(Vec<DatagramText>),
    /// What an SNMP agent computes.
    Agent(Agent),
}

#[derive(Clone, Debug)]
pub(super) struct DatagramText {
    /// The request contains it; empty: any request.
    pub to: Vec<u8>,
    pub text: Template,
}

/// When nobody waits any more.
const LATE: Duration = Duration::from_secs(4);
const BOMB_BYTES: usize = 60_000;

/// The datagrams that answer a request; `earlier` requests came from the same peer before.
pub(super) fn answers(population: &Population, address: Ipv4Addr, name: &ServiceName, request: &[u8], earlier: u32) -> Vec<Parcel> {
    let Some(host) = population.host(address) else { return Vec::new() };
    let Some(Answers::Datagrams(answers)) = host.service(name).map(|service| &service.answers) else { return Vec::new() };
    let fault = host.fault_on(name);
    let filling = host.filling();
    let payloads: Vec<Vec<u8>> = match answers {
        DatagramAnswers::Texts(texts) => {
            let fits = |text: &&DatagramText| text.to.is_empty() || request.windows(text.to.len()).any(|window| window == text.to);
            texts.iter().filter(fits).map(|text| text.text.fill(&filling)).collect()
        }
        DatagramAnswers::Agent(agent) => agent.answer(request, &filling).into_iter().collect(),
    };
    let times = match fault {
        Some(Fault::Silent) => 0,
        Some(Fault::LostDatagram) if earlier == 0 => 0,
        Some(Fault::AnsweredTwice) => 2,
        Some(Fault::HundredAnswers) => 100,
        _ => 1,
    };
    let parcel = |payload: &Vec<u8>| {
        let mut parcel = Parcel { after: Duration::ZERO, from_another_port: false, payload: payload.clone() };
        match fault {
            Some(Fault::Truncate) => parcel.payload.truncate(payload.len() / 2),
            Some(Fault::AnswerFromAnotherPort) => parcel.from_another_port = true,
            Some(Fault::LateAnswer) => parcel.after = LATE,
            Some(Fault::BerBomb) => parcel.payload = ber_bomb(),
            _ => {}
        }
        parcel
    };
    payloads.iter().flat_map(|payload| std::iter::repeat_n(parcel(payload), times)).collect()
}

/// A sequence in a sequence in a sequence, as deep as a datagram holds.
fn ber_bomb() -> Vec<u8> {
    const HEAD_BYTES: usize = 4;
    let mut bomb = Vec::with_capacity(BOMB_BYTES);
    while bomb.len() < BOMB_BYTES {
        let inside = BOMB_BYTES - bomb.len() - HEAD_BYTES;
        bomb.extend([ber::SEQUENCE, 0x82, (inside >> 8) as u8, inside as u8]);
    }
    bomb
}
