//! The places of a discovery: which address and port comes next, and how far a run has come.
//!
//! In: targets, ports, a key, a part of the order. Out: one place after another, none that the blocklist names at that moment.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use super::{DiscoverCounts, DiscoverOptions};
use crate::order::Permutation;

/// The places of a shard, in their order.
pub(super) struct Places {
    order: Permutation,
    ports: u64,
    index: u64,
    step: u64,
    /// How many are through.
    pub next: u64,
    /// How many there are.
    pub count: u64,
}

impl Places {
    pub fn new(options: &DiscoverOptions) -> Places {
        let ports = options.ports.len() as u64;
        let order = Permutation::new(options.targets.count() * ports, options.order_key);
        let (index, step) = (options.shard.0, options.shard.1.max(1));
        let count = order.size().saturating_sub(index).div_ceil(step);
        Places { order, ports, index, step, next: options.skip.min(count), count }
    }

    /// The next place that the blocklist does not name at this moment: the last line before the packet.
    pub fn next(&mut self, options: &DiscoverOptions, counts: &mut DiscoverCounts) -> Option<(IpAddr, u16)> {
        while self.next < self.count {
            let number = self.order.at(self.index + self.next * self.step)?;
            self.next += 1;
            let address = options.targets.at(number / self.ports)?;
            if !options.blocklist.blocks(address) {
                return Some((address, options.ports[(number % self.ports) as usize]));
            }
            counts.blocked += 1;
        }
        None
    }
}

/// Places whose answers are still waited for.
#[derive(Debug, Default)]
pub(super) struct Settling(VecDeque<(Instant, u64)>);

impl Settling {
    /// So many places are through, and the last of them is waited for until that moment.
    pub fn through(&mut self, places: u64, until: Instant) {
        self.0.push_back((until, places));
    }

    /// How many places need no more waiting, where that has changed.
    pub fn settled(&mut self, now: Instant) -> Option<u64> {
        let mut settled = None;
        while let Some((_, places)) = self.0.pop_front_if(|(until, _)| *until <= now) {
            settled = Some(places);
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::num::NonZeroU32;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::blocklist::Blocklist;
    use crate::discovery::{LinkHints, Method};
    use crate::targets::TargetSet;

    #[test]
    fn shards_together_are_the_whole_and_a_run_goes_on_behind_what_it_skips() {
        let targets: TargetSet = "10.0.0.0/28,10.0.9.7".parse().expect("targets");
        let options = |shard, skip| DiscoverOptions {
            targets: targets.clone(),
            ports: vec![22, 80, 443],
            blocklist: Arc::new(Blocklist::nobody()),
            rate: NonZeroU32::MIN,
            cooldown: Duration::ZERO,
            order_key: 7,
            method: Method::Syn,
            shard,
            skip,
            link: LinkHints::default(),
        };
        let all = |options: &DiscoverOptions| {
            let (mut places, mut counts) = (Places::new(options), DiscoverCounts::default());
            std::iter::from_fn(|| places.next(options, &mut counts)).collect::<Vec<_>>()
        };
        let whole = all(&options((0, 1), 0));
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 51);
        for count in [1, 2, 3, 7, 60] {
            let parts: Vec<_> = (0..count).flat_map(|index| all(&options((index, count), 0))).collect();
            assert_eq!(parts.len(), whole.len());
            assert_eq!(parts.iter().collect::<HashSet<_>>(), whole.iter().collect::<HashSet<_>>());
        }
        assert_eq!(all(&options((1, 2), 9)), all(&options((1, 2), 0))[9..]);
        assert!(all(&options((0, 1), 1000)).is_empty());
    }
}
