//! Who lives at an address: a pure function of (seed, address).
//!
//! In: a [`Population`] and an address or index. Out: a [`Host`] with its device, its variables and perhaps its fault. Addresses outside the
//! population have no host.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;

use super::fault::Fault;
use super::population::{Device, Population, Service, address_of};
use super::template::{Filling, Template};
use crate::mix::keyed;
use crate::ports::ServiceName;

/// One simulated host.
pub struct Host<'a> {
    /// Where it lives.
    pub address: Ipv4Addr,
    /// How it misbehaves, if it does.
    pub fault: Option<Fault>,
    pub(super) device: &'a Device,
    seed: u64,
    vars: BTreeMap<&'a str, &'a str>,
}

/// What a host really is, to compare answers with. Slots that the population file leaves out are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// Which host.
    pub address: Ipv4Addr,
    /// The device's name in the population file.
    pub device: String,
    /// Vendor.
    pub vendor: Option<String>,
    /// Series.
    pub series: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Whether the population file states a truth: without one, the right answer is that nothing is known.
    pub known: bool,
    /// How it misbehaves.
    pub faults: Vec<Fault>,
}

impl Population {
    /// The host at an address; absent outside the population.
    pub fn host(&self, address: Ipv4Addr) -> Option<Host<'_>> {
        self.index_of(address).map(|index| self.host_at(index))
    }

    /// Every host, by address.
    pub fn every_host(&self) -> impl Iterator<Item = Host<'_>> {
        (0..self.hosts()).map(|index| self.host_at(index))
    }

    /// The place of an address among the hosts; absent outside the population.
    pub(super) fn index_of(&self, address: Ipv4Addr) -> Option<u32> {
        u32::from(address).checked_sub(self.first_address()).filter(|index| *index < self.hosts())
    }

    fn host_at(&self, index: u32) -> Host<'_> {
        let address = address_of(self, index);
        let draw = |what: &str| keyed(self.seed, u64::from(u32::from(address)), what);
        let device = weighted(&self.devices, |device| device.weight, draw("device")).expect("weights were checked when the file was read");
        let mut vars = BTreeMap::new();
        if let Some(variant) = weighted(&device.variants, |variant| variant.weight, draw("variant")) {
            vars.extend(variant.vars.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
        for (name, values) in &device.lists {
            vars.insert(name.as_str(), values[(draw(name) % values.len() as u64) as usize].as_str());
        }
        Host { address, fault: drawn_fault(device, draw("fault")), device, seed: self.seed, vars }
    }
}

/// The item on which a draw falls; absent when there is no weight at all.
fn weighted<T>(items: &[T], weight: impl Fn(&T) -> u32, draw: u64) -> Option<&T> {
    let sum: u64 = items.iter().map(|item| u64::from(weight(item))).sum();
    let mut left = draw.checked_rem(sum)?;
    items.iter().find(|item| {
        let weight = u64::from(weight(item));
        let here = left < weight;
        left = left.saturating_sub(weight);
        here
    })
}

fn drawn_fault(device: &Device, draw: u64) -> Option<Fault> {
    let mut left = (draw >> 11) as f64 / (1u64 << 53) as f64;
    let hit = device.faults.iter().find(|fault| {
        let here = left < fault.share;
        left -= fault.share;
        here
    });
    hit.map(|hit| hit.fault)
}

impl Host<'_> {
    /// What it really is.
    pub fn truth(&self) -> Truth {
        let filling = self.filling();
        let truth = self.device.truth.as_ref();
        let text = |template: Option<&Template>| template.map(|template| template.fill_text(&filling));
        Truth {
            address: self.address,
            device: self.device.name.clone(),
            vendor: text(truth.and_then(|truth| truth.vendor.as_ref())),
            series: text(truth.and_then(|truth| truth.series.as_ref())),
            model: text(truth.and_then(|truth| truth.model.as_ref())),
            version: text(truth.and_then(|truth| truth.version.as_ref())),
            known: truth.is_some(),
            faults: self.fault.into_iter().collect(),
        }
    }

    /// What fills the holes of its templates.
    pub(super) fn filling(&self) -> Filling<'_> {
        Filling { seed: self.seed, address: self.address, vars: &self.vars }
    }

    /// What it answers there; absent when it has no such service.
    pub(super) fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.device.services.iter().find(|service| service.on.contains(name))
    }

    /// Its fault, if that befalls this service.
    pub(super) fn fault_on(&self, name: &ServiceName) -> Option<Fault> {
        self.fault.filter(|fault| fault.befalls(name))
    }
}
