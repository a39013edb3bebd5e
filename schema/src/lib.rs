//! What a fact is: types, values, fields, probes, observations, evidence and identifications. No protocol, syntax or file is known here.
//!
//! | word | means |
//! |---|---|
//! | *signature* | what people write in a `.ksig` file |
//! | *plan* | what runs: the lowered form of all signatures of a release |
//! | *release* | a named bundle of signatures with a date |
//! | *probe* | one harmless request and the answer it waits for; [`probe::ProbeKey`] names it |
//! | *observation* | the raw bytes of one conversation, when, where and how it ended; never altered |
//! | *fact* | a field with its values |
//! | *evidence* | all facts of one host |
//! | *identification* | the answer: what a device is, how sure, and the fact that decided |
//! | *service* | one (address, port, transport) |

pub mod duration;
pub mod evidence;
pub mod field;
pub mod foreign;
pub mod form;
pub mod host;
pub mod identification;
pub mod observation;
pub mod probe;
pub mod target;
pub mod value;
pub mod version;
pub mod vocabulary;

pub use duration::Duration;
pub use evidence::{Evidence, Fact, Facts, Response, Section, Sections, Service};
pub use field::{FieldDef, MachineName, Pick, Schema, SelectorDef};
pub use identification::Identification;
pub use observation::{Ended, Observation, Transport};
pub use probe::{
    Budget, ConstructorDef, Delivery, FollowUp, Gate, ParameterDef, PlannedProbe, Policy, ProbeCost, ProbeKey, ProbePlan, Request, Safety,
};
pub use target::{Origin, Refusal, TargetError};
pub use value::{Date, Time, Type, Value, day_of};
pub use version::{Scheme, SchemeKind, Version};
pub use vocabulary::{FormerName, Term, Vocabulary};
