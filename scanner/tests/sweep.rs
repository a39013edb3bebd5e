//! A sweep of simulated hosts, over real sockets.

mod support;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use ksig_scanner::sim::{Population, Simulator};
use ksig_scanner::sweep::{Aims, Knock, Knocking, Ledger, Manners, News, Standing, SweepOptions, Unkept, sweep};
use ksig_scanner::{ScanOptions, Stop};
use ksig_schema::probe::NoFollowUps;
use ksig_schema::{Ended, Observation, Time};
use support::{options, plan, started};
use tokio::sync::mpsc;

/// Keeps everything in memory.
#[derive(Default)]
struct Kept(Vec<Observation>);

impl Ledger for Kept {
    fn keep(&mut self, observations: &[Observation]) -> Result<(), Unkept> {
        self.0.extend_from_slice(observations);
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Unkept> {
        Ok(())
    }
}

const EVERYWHERE: &str = r#"
synthetic = true
network = "127.62.0.0/24"
hosts = 1

[[device]]
name = "web"
every_port = true
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
body = "<title>ACME</title>"
"#;

/// Five hosts that behave.
const PLAIN: &str = r#"
synthetic = true
network = "127.63.0.0/24"
hosts = 5

[[device]]
name = "web"
[[device.service]]
on = "http"
[[device.service.response]]
path = "/"
body = "<title>ACME</title>"
"#;

/// Sweeps as if that were the time, to the end of a cycle.
fn swept(simulator: &Simulator, state: &Path, clock: impl Fn() -> Time + Send + Sync + 'static, last_cycle: u32) -> (Standing, Kept) {
    let manners = Manners { host_gap: Duration::ZERO, network_gap: Duration::ZERO, ..Manners::default() };
    let options = SweepOptions {
        scan: ScanOptions { clock: Arc::new(clock), ..options(simulator) },
        aims: Aims { knock: Knock::Connection, cycle: Duration::from_secs(2), rate: NonZeroU32::new(100), manners, key: 3 },
        knocking: Knocking::default(),
        state: state.to_path_buf(),
        canaries: Vec::new(),
        last_cycle: Some(last_cycle),
    };
    let mut kept = Kept::default();
    let (_asking, asked) = mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let plan = plan(&["http.get(\"/\")"], &[]);
    let (stop, mut watch) = (Stop::new(), |_: News<'_>| {});
    let sweep = sweep(&options, &plan, Arc::new(NoFollowUps), &stop, &mut kept, asked, &mut watch);
    (runtime.block_on(sweep).expect("the sweep begins"), kept)
}

fn population(text: &str) -> Population {
    Population::parse("sweep.toml", text).expect("a population")
}

#[test]
fn a_host_that_answers_on_every_port_is_marked_and_left() {
    let simulator = started(population(EVERYWHERE), &["http"; 12]);
    let folder = tempfile::tempdir().expect("a folder");
    let (_, kept) = swept(&simulator, &folder.path().join("state"), || Time::UNIX_EPOCH, 1);
    let is_control = |o: &Observation| o.probe == ksig_schema::host::control();
    let ended: Vec<Ended> = kept.0.iter().filter(|o| is_control(o)).map(|o| o.ended).collect();
    assert_eq!(ended, [Ended::Complete; 3], "three controls, once");
    let last = kept.0.iter().rposition(is_control).expect("a control");
    // The eighth port made the host suspect. None of the other places of the pass was called; renewals ask eight ports.
    let before: BTreeSet<u16> = kept.0[..last].iter().filter(|o| !is_control(o)).map(|o| o.port).collect();
    assert_eq!((before.len(), kept.0[last + 1..].len() % 8), (8, 0));
}

#[test]
fn a_wall_clock_that_jumps_loses_nothing() {
    let simulator = started(population(PLAIN), &["http"]);
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state");
    let day = 86_400;
    let at = |second: i64| Time::from_second(second).expect("a time");
    // While it runs, by a year each time that anybody looks; between the runs, back by a month and on by ten years.
    let looks = AtomicI64::new(0);
    let jumping = move || at(1_700_000_000 + [0, 365, -365, 20][looks.fetch_add(1, Relaxed) as usize % 4] * day);
    let check = |(standing, kept): (Standing, Kept), cycle: u32| {
        let hosts: BTreeSet<_> = kept.0.iter().map(|o| o.address).collect();
        assert_eq!((hosts.len(), standing.cycle, standing.hosts, standing.doubted), (5, cycle, 5, 0));
        assert!(kept.0.iter().all(|o| o.ended == Ended::Complete), "{:?}", kept.0);
    };
    check(swept(&simulator, &state, jumping, 1), 1);
    for (second, cycle) in [(1_700_000_000 - 30 * day, 2), (1_700_000_000 + 3650 * day, 3)] {
        check(swept(&simulator, &state, move || at(second), cycle), cycle);
    }
}
