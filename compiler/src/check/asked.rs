//! The probes that a signature may speak of, in the order in which they were entered, found by name in one step.

use std::collections::HashMap;
use std::ops::Deref;

use crate::hir::{Probe, ProbeId};

/// Probes by name. Of two with one name, as when a base brings one that a `let` of another file reads, the first is found.
#[derive(Clone, Default)]
pub(super) struct Asked {
    all: Vec<Probe>,
    by_name: HashMap<String, ProbeId>,
}

impl Asked {
    /// Those that a base has, by their numbers there.
    pub fn of(all: Vec<Probe>) -> Asked {
        let mut asked = Asked::default();
        all.into_iter().for_each(|probe| asked.push(probe));
        asked
    }

    pub fn named(&self, name: &str) -> Option<ProbeId> {
        self.by_name.get(name).copied()
    }

    pub fn push(&mut self, probe: Probe) {
        self.by_name.entry(probe.name.clone()).or_insert(self.all.len() as ProbeId);
        self.all.push(probe);
    }

    /// Puts a probe in the place of one of the same name.
    pub fn replace(&mut self, id: ProbeId, probe: Probe) {
        self.all[id as usize] = probe;
    }

    pub fn get_mut(&mut self, id: ProbeId) -> &mut Probe {
        &mut self.all[id as usize]
    }

    /// All of them by number.
    pub fn into_vec(self) -> Vec<Probe> {
        self.all
    }
}

impl Deref for Asked {
    type Target = [Probe];

    fn deref(&self) -> &[Probe] {
        &self.all
    }
}
