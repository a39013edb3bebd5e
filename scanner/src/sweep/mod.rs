//! The sweep: the whole target set again and again, each cycle in another order, at the pace that the cycle needs.
//!
//! | module | holds | in | out |
//! |---|---|---|---|
//! | [`schedule`] | who is called next | the moment; how calls went | [`Job`]s; [`Changes`] to keep |
//! | `discovery` | the pass through the whole set | places that are through | places |
//! | `known` | hosts with services, their age, services in doubt | what visits found | whom to visit again |
//! | `courtesy` | gaps and limits towards networks, hosts, systems | who, when, how it went | whether now |
//! | `knocker` | discovery by packets | jobs | what came of them |
//! | [`run`](sweep) | the sweep over the network | what the schedule says | observations, kept before the schedule learns of them |
//! | [`State`] | the file | changes | what was kept |
//! | `low_water`, `moment`, `pace`, `port_set`, `systems` | their parts | | |
//!
//! Nothing here reads a clock or opens a socket but [`sweep`].

mod courtesy;
mod discovery;
mod knocker;
mod known;
mod low_water;
mod moment;
mod pace;
mod port_set;
mod run;
mod schedule;
mod state;
mod systems;

pub use courtesy::Manners;
pub use discovery::Cycle;
pub use knocker::Knocking;
pub use known::{Ages, Doubt, Found, HostRecord, KnownHost, RECHECKS};
pub use moment::Moment;
pub use port_set::{PORTS_MAX, PortSet};
pub use run::{Ledger, News, SweepError, SweepOptions, Unkept, sweep};
pub use schedule::{Aims, Changes, Counts, Job, Kept, Knock, Lane, Outcome, Schedule, Standing, Turn};
pub use state::{State, StateError, World};
pub use systems::{Systems, SystemsError};
