//! A sweep over the network: carries out what the schedule says, and keeps what comes before it tells the schedule.
//!
//! In: options, a plan, a gate, a [`Ledger`] that keeps observations. Out: observations into the ledger, changes into the [`State`], and
//! [`News`] for whoever watches. The order is what makes an end at any moment harmless: observations are safe first, then the schedule
//! learns of them, then its changes are safe. What was not safe is called again.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ksig_schema::{Ended, Gate, Observation, ProbePlan};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::knocker::{self, Knocker, Knocking};
use super::known::{Ages, Found};
use super::moment::{Moment, Timeline};
use super::port_set::{PORTS_MAX, PortSet};
use super::schedule::{Aims, Changes, Job, Knock, Lane, Outcome, Schedule, Standing, Turn};
use super::state::{State, StateError, World};
use crate::calls::{Carrier, PortCalls};
use crate::discovery::DiscoverError;
use crate::engine::{ScanError, ScanOptions, prepare};
use crate::everywhere::{Judged, Suspicion};
use crate::host::{Heard, Scan, Worker};
use crate::limits::conversations_max;
use crate::stop::Stop;

/// What a sweep does, apart from the plan.
#[derive(Clone)]
pub struct SweepOptions {
    /// Whom, where, who asks, under which limits. Its rate, its order and its gap for hosts are those of `aims`.
    pub scan: ScanOptions,
    /// How long a cycle is, and the limits towards those who are called.
    pub aims: Aims,
    /// How packets go out where `aims` has discovery knock by them. Ports where something speaks over UDP, and addresses of the other family than the first
    /// target's, are talked to at once in either case.
    pub knocking: Knocking,
    /// The file that holds where the sweep stands.
    pub state: PathBuf,
    /// Own hosts that always answer: when none does, our own connection is at fault. Empty: silence is always taken as theirs.
    pub canaries: Vec<SocketAddr>,
    /// The sweep ends when this cycle's pass is through. Absent: it goes on until it is stopped.
    pub last_cycle: Option<u32>,
}

/// Keeps observations.
pub trait Ledger {
    /// Takes the observations of one call, all of them or none.
    fn keep(&mut self, observations: &[Observation]) -> Result<(), Unkept>;
    /// Makes everything taken so far survive a crash of the machine.
    fn commit(&mut self) -> Result<(), Unkept>;
}

/// Why observations were not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// For people.
    pub reason: String,
    /// What was taken since the last commit may be gone too, and is to be kept again.
    pub since_commit: bool,
}

/// What a watcher is told.
#[derive(Debug)]
pub enum News<'a> {
    /// Where the sweep stands; about once a second, and at the end.
    Standing(&'a Standing),
    /// What came cannot be kept: nothing is called until it can.
    Held(&'a str),
    /// What came is kept again.
    Resumed,
    /// No canary answers: nothing is called until one does.
    Deaf,
}

/// Why a sweep did not begin, or broke off.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The options.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Where the sweep stands cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Packets cannot be sent.
    #[error(transparent)]
    Packets(#[from] DiscoverError),
    /// More ports than a sweep can tell apart.
    #[error("{0} ports are more than one sweep can take ({PORTS_MAX})")]
    Ports(usize),
    /// It was stopped while what had come could not be kept; it is called again when the sweep goes on.
    #[error("what came last could not be kept: {0}")]
    Unkept(String),
}

/// What came is made safe at least so often, and when so many calls have ended.
const COMMIT_EVERY: Duration = Duration::from_millis(500);
const COMMIT_CALLS: usize = 512;
/// While knocks are out, it is looked at so often whether they are answered.
const KNOCKS_EVERY: Duration = Duration::from_millis(2);
/// Ended calls that wait to be made safe, at most; while there are so many, nothing is called.
const UNKEPT_MAX: usize = 4 * COMMIT_CALLS;
/// How often a failure to keep what came is tried again.
const HELD_FOR: Duration = Duration::from_secs(1);
/// How often the canaries are called, and how long they may take.
const CANARY_EVERY: Duration = Duration::from_secs(5);
const CANARY_PATIENCE: Duration = Duration::from_secs(3);
/// How often a watcher is told where the sweep stands.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Sweeps until it is stopped, or the last cycle is through. `asked` brings hosts that are to be called before all others.
pub async fn sweep(
    options: &SweepOptions,
    plan: &ProbePlan,
    gate: Arc<dyn Gate>,
    stop: &Stop,
    ledger: &mut dyn Ledger,
    mut asked: mpsc::Receiver<Vec<IpAddr>>,
    watch: &mut dyn FnMut(News<'_>),
) -> Result<Standing, SweepError> {
    let mut run = Run::begin(options, plan, gate, stop, ledger, watch)?;
    let mut commits = ticks(COMMIT_EVERY);
    let mut telling = ticks(TELL_EVERY);
    let mut canaries = ticks(CANARY_EVERY);
    let mut calling = JoinSet::new();
    loop {
        let wake = run.give_out()?;
        if run.is_over() {
            break;
        }
        tokio::select! {
            Some(done) = run.talking.join_next(), if !run.talking.is_empty() => {
                run.take(done);
                while let Some(done) = run.talking.try_join_next() {
                    run.take(done);
                }
                if run.ended.len() >= COMMIT_CALLS {
                    run.commit();
                }
            }
            () = sleep_until(wake) => {}
            _ = commits.tick() => run.commit(),
            _ = telling.tick() => run.tell(),
            _ = canaries.tick(), if !options.canaries.is_empty() && calling.is_empty() => {
                calling.spawn(any_answers(options.canaries.clone(), run.now()));
            }
            Some(Ok((asked, answered))) = calling.join_next(), if !calling.is_empty() => run.canaries(asked, answered),
            Some(hosts) = asked.recv() => drop(run.schedule.ask_for(hosts)),
            () = stop.stopped(), if !run.stopping => run.stopping = true,
        }
    }
    run.end()
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Whether any canary takes a connection; with the moment at which it was asked.
async fn any_answers(canaries: Vec<SocketAddr>, asked: Moment) -> (Moment, bool) {
    let mut calls: JoinSet<bool> = canaries
        .into_iter()
        .map(|canary| async move { matches!(timeout(CANARY_PATIENCE, TcpStream::connect(canary)).await, Ok(Ok(_))) })
        .collect();
    while let Some(answered) = calls.join_next().await {
        if matches!(answered, Ok(true)) {
            return (asked, true);
        }
    }
    (asked, false)
}

/// A call that has ended.
struct EndedCall {
    job: Job,
    heard: Heard,
    /// The ledger has it, though it may not be safe yet.
    kept: bool,
}

struct Run<'a> {
    schedule: Schedule,
    state: State,
    ledger: &'a mut dyn Ledger,
    watch: &'a mut dyn FnMut(News<'_>),
    timeline: Timeline,
    scan: Arc<Scan>,
    ports: Vec<u16>,
    /// Places in `ports` that can be knocked at.
    knocked: PortSet,
    knocker: Option<Knocker>,
    conversations_max: usize,
    last_cycle: Option<u32>,
    judged: Judged,
    idle: Vec<Worker>,
    talking: JoinSet<(Worker, Job, Heard)>,
    ended: Vec<EndedCall>,
    /// What the schedule changed and the state does not hold yet.
    unsaved: Changes,
    held: Option<String>,
    held_until: Instant,
    ages: Ages,
    /// The ages hold until then.
    ages_until: Instant,
    stopping: bool,
}

impl<'a> Run<'a> {
    fn begin(
        options: &SweepOptions,
        plan: &ProbePlan,
        gate: Arc<dyn Gate>,
        stop: &Stop,
        ledger: &'a mut dyn Ledger,
        watch: &'a mut dyn FnMut(News<'_>),
    ) -> Result<Run<'a>, SweepError> {
        let mut scan_options = options.scan.clone();
        scan_options.rate = None;
        scan_options.host_gap = options.aims.manners.host_gap;
        scan_options.order_key = options.aims.key;
        let targets = scan_options.targets.clone();
        let (scan, _, _) = prepare(&scan_options, plan, gate, stop)?;
        let ports: Vec<u16> = scan.calls.iter().map(|calls| calls.port).collect();
        let count =
            u8::try_from(ports.len()).ok().filter(|count| usize::from(*count) <= PORTS_MAX).ok_or(SweepError::Ports(ports.len()))?;
        let (state, kept) = State::open(&options.state, World { targets: targets.digest(), ports: ports.clone() })?;
        let wall = u64::try_from(scan.options.clock.now().as_microsecond()).unwrap_or_default();
        let last =
            kept.hosts.iter().map(|(_, host)| Moment::of_second(host.record.visited)).chain(kept.cycle.map(|cycle| cycle.began)).max();
        let timeline = Timeline::begin(Moment(wall), last.unwrap_or_default(), std::time::Instant::now());
        let now = timeline.moment(std::time::Instant::now());
        let knocker = match targets.at(0).filter(|_| options.aims.knock == Knock::Packet) {
            Some(first) => Some(Knocker::open(&options.knocking, first)?),
            None => None,
        };
        let over_tcp = |calls: &PortCalls| calls.first.iter().all(|call| call.carrier != Carrier::Datagrams);
        let knocked = (0..count).filter(|place| over_tcp(&scan.calls[usize::from(*place)])).collect();
        // The whole set, not the one without the blocklist: indexes must not move when somebody opts out.
        let mut schedule = Schedule::resume(targets, count, options.aims.clone(), scan.blocklist.clone(), kept, now);
        if !options.canaries.is_empty() {
            schedule.heed_canaries();
        }
        Ok(Run {
            schedule,
            state,
            ledger,
            watch,
            timeline,
            conversations_max: scan.options.conversations_max.map_or_else(conversations_max, std::num::NonZeroUsize::get),
            scan,
            ports,
            knocked,
            knocker,
            last_cycle: options.last_cycle,
            judged: Judged::default(),
            idle: Vec::new(),
            talking: JoinSet::new(),
            ended: Vec::new(),
            unsaved: Changes::default(),
            held: None,
            held_until: Instant::now(),
            ages: Ages::default(),
            ages_until: Instant::now(),
            stopping: false,
        })
    }

    fn now(&self) -> Moment {
        self.timeline.moment(std::time::Instant::now())
    }

    /// Gives out what may be called now; says when there may be more. An error says that no packet can be sent any more.
    fn give_out(&mut self) -> Result<Instant, SweepError> {
        let mut wake = Instant::now() + COMMIT_EVERY;
        while !self.stopping && self.held.is_none() && self.talking.len() < self.conversations_max && self.ended.len() < UNKEPT_MAX {
            let now = self.now();
            if self.last_cycle.is_some_and(|last| self.schedule.cycle().number >= last && self.schedule.cycle_is_through()) {
                self.stopping = true;
                break;
            }
            if !self.may_knock() {
                self.look_after_knocks()?;
                if !self.may_knock() {
                    break;
                }
            }
            match self.schedule.turn(now) {
                Turn::Go(job) => self.knock_or_call(job, now),
                Turn::Wait(moment) => {
                    wake = wake.min(Instant::from_std(self.timeline.instant(moment)));
                    break;
                }
            }
        }
        self.look_after_knocks()?;
        let knocks = self.knocker.as_ref().is_some_and(|knocker| !knocker.is_idle());
        Ok(if knocks { wake.min(Instant::now() + KNOCKS_EVERY) } else { wake })
    }

    /// Whether one more knock may go out, where there are any.
    fn may_knock(&self) -> bool {
        self.knocker.as_ref().is_none_or(Knocker::has_room)
    }

    /// Sends knocks, and tells the schedule what came of those before. They bring no observation that would have to be safe first.
    fn look_after_knocks(&mut self) -> Result<(), SweepError> {
        let Some(knocker) = &mut self.knocker else { return Ok(()) };
        let ended = knocker.turn(std::time::Instant::now()).map_err(DiscoverError::Network)?;
        let now = self.now();
        for (job, state) in ended {
            self.schedule.finish(job, knocker::outcome(&job, state), now);
        }
        Ok(())
    }

    /// Knocks at a place of discovery that can be knocked at, and talks to everyone else.
    fn knock_or_call(&mut self, job: Job, now: Moment) {
        let port = job.ports.iter().next().filter(|place| job.lane == Lane::Discovery && self.knocked.contains(*place));
        let port = port.and_then(|place| self.ports.get(usize::from(place)).copied());
        match (&mut self.knocker, port) {
            (Some(knocker), Some(port)) if knocker.reaches(job.address) => knocker.knock(job, port, std::time::Instant::now()),
            (Some(_), _) => {
                let job = self.schedule.talk(job, now);
                self.call(job);
            }
            (None, _) => self.call(job),
        }
    }

    fn call(&mut self, job: Job) {
        let judged = self.judged.of(job.address);
        if judged == Some(true) && matches!(job.lane, Lane::Discovery | Lane::Found) {
            // One more port of a host that answers on every one: nothing is asked.
            self.ended.push(EndedCall { job, heard: Heard { everywhere: judged, ..Heard::default() }, kept: false });
            return;
        }
        // Ports that answered in earlier calls; those of this one will be counted as they do.
        let open = self.schedule.services(job.address).without(job.ports).count();
        let suspicion = Suspicion::of(open as usize, judged);
        let mut worker = self.idle.pop().unwrap_or_else(|| Worker::new(self.scan.clone()));
        let host = format!("{}@{}{}", job.address, self.scan.options.cycle, self.schedule.cycle().number);
        let ports: Vec<u16> = job.ports.iter().filter_map(|place| self.ports.get(usize::from(place)).copied()).collect();
        self.talking.spawn(async move {
            let heard = worker.call(job.address, &host, suspicion, |port| ports.contains(&port)).await;
            (worker, job, heard)
        });
    }

    fn take(&mut self, done: Result<(Worker, Job, Heard), tokio::task::JoinError>) {
        match done {
            Ok((worker, job, heard)) => {
                self.idle.push(worker);
                if let Some(everywhere) = heard.everywhere {
                    self.judged.note(job.address, everywhere);
                }
                self.ended.push(EndedCall { job, heard, kept: false });
            }
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Makes safe what came, tells the schedule, and makes safe what follows.
    fn commit(&mut self) {
        if self.held.is_some() && Instant::now() < self.held_until {
            return;
        }
        match self.try_commit() {
            Ok(()) => {
                if self.held.take().is_some() {
                    (self.watch)(News::Resumed);
                }
            }
            Err(reason) => {
                if self.held.is_none() {
                    (self.watch)(News::Held(&reason));
                }
                self.held = Some(reason);
                self.held_until = Instant::now() + HELD_FOR;
            }
        }
    }

    /// Hands what came to the ledger.
    fn keep(&mut self) -> Result<(), Unkept> {
        for call in self.ended.iter_mut().filter(|call| !call.kept) {
            self.ledger.keep(&call.heard.observations)?;
            call.kept = true;
        }
        if self.ended.is_empty() { Ok(()) } else { self.ledger.commit() }
    }

    fn try_commit(&mut self) -> Result<(), String> {
        if let Err(unkept) = self.keep() {
            for call in self.ended.iter_mut().filter(|_| unkept.since_commit) {
                call.kept = false;
            }
            return Err(unkept.reason);
        }
        let now = self.now();
        for call in std::mem::take(&mut self.ended) {
            let outcome = self.outcome(&call);
            self.schedule.finish(call.job, outcome, now);
        }
        self.unsaved.then(self.schedule.take_changes());
        if self.unsaved != Changes::default() {
            self.state.commit(&self.unsaved).map_err(|error| error.to_string())?;
            self.unsaved = Changes::default();
        }
        Ok(())
    }

    /// What the observations of a call say of its ports.
    fn outcome(&self, call: &EndedCall) -> Outcome {
        let mut found = Found::default();
        for place in call.job.ports.iter() {
            let Some(port) = self.ports.get(usize::from(place)) else { continue };
            if call.heard.reached.contains(port) {
                found.answered.insert(place);
                continue;
            }
            let Some(observation) = call.heard.observations.iter().find(|observation| observation.port == *port) else {
                if call.heard.everywhere == Some(true) {
                    // It was left out because it would have answered too: so it stays what it is, and is not tried again.
                    found.answered.insert(place);
                }
                continue;
            };
            match observation.ended {
                Ended::Refused | Ended::Reset => found.refused.insert(place),
                // Nothing was asked: this says nothing of the host.
                Ended::Local | Ended::Stopped => {}
                _ => found.silent.insert(place),
            }
        }
        Outcome { found, prohibited: false }
    }

    fn canaries(&mut self, asked: Moment, answered: bool) {
        let now = self.now();
        if answered {
            self.schedule.canaries_answered(asked, now);
        } else {
            if !self.schedule.is_paused() {
                (self.watch)(News::Deaf);
            }
            self.schedule.canaries_silent(now);
        }
    }

    fn standing(&mut self) -> Standing {
        let now = self.now();
        // Ages take a look at every host; they may take a hundredth of the time.
        if Instant::now() >= self.ages_until {
            let begun = Instant::now();
            self.ages = self.schedule.ages(now);
            self.ages_until = Instant::now() + 100 * begun.elapsed();
        }
        self.schedule.standing(self.ages, now)
    }

    fn tell(&mut self) {
        let standing = self.standing();
        (self.watch)(News::Standing(&standing));
    }

    fn is_over(&self) -> bool {
        self.stopping && self.talking.is_empty()
    }

    /// Makes safe what came last.
    fn end(mut self) -> Result<Standing, SweepError> {
        self.held_until = Instant::now();
        self.commit();
        self.tell();
        match self.held.take() {
            Some(reason) => Err(SweepError::Unkept(reason)),
            None => Ok(self.standing()),
        }
    }
}
