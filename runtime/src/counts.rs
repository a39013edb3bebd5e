//! What a matcher's work cost: counted while it runs, on every machine that runs it.
//!
//! In: what boards and signatures did. Out: [`Counts`], by slot and by signature. Counting is an addition to numbers that lie beside what is touched
//! anyway. Time is measured where a matcher was given a [`Clock`]: there is none in this crate.

/// Nanoseconds since some moment.
pub type Clock = fn() -> u64;

/// What an action took by a clock; 0 without one.
pub(crate) fn timed<T>(clock: Option<Clock>, action: impl FnOnce() -> T) -> (T, u64) {
    let begin = clock.map(|clock| clock());
    let done = action();
    let end = clock.map(|clock| clock());
    (done, begin.zip(end).map_or(0, |(begin, end)| end.saturating_sub(begin)))
}

/// What was done, by slot and by signature of the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Boards that were filled: one for each service, and one for each binding of signatures about the whole host.
    pub boards: u64,
    /// By slot.
    pub slots: Vec<SlotCount>,
    /// By signature.
    pub signatures: Vec<SignatureCount>,
}

/// What the tests of a slot cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotCount {
    /// Values that were asked.
    pub values: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Tests that were tried on a value one by one, because what they require stood in it.
    pub tried: u64,
    /// Tests that held.
    pub held: u64,
    /// Nanoseconds by the matcher's clock.
    pub ns: u64,
}

/// What a signature cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureCount {
    /// Times that its gate was asked.
    pub woken: u64,
    /// Times that its gate let it be evaluated.
    pub evaluated: u64,
    /// Times that it matched, or could.
    pub stood: u64,
    /// Nanoseconds by the matcher's clock, from its gate to its verdict.
    pub ns: u64,
}

impl Counts {
    /// Adds what another one counted of the same plan.
    pub fn add(&mut self, other: &Counts) {
        self.boards += other.boards;
        self.slots.resize(self.slots.len().max(other.slots.len()), SlotCount::default());
        for (own, other) in self.slots.iter_mut().zip(&other.slots) {
            own.values += other.values;
            own.bytes += other.bytes;
            own.tried += other.tried;
            own.held += other.held;
            own.ns += other.ns;
        }
        self.signatures.resize(self.signatures.len().max(other.signatures.len()), SignatureCount::default());
        for (own, other) in self.signatures.iter_mut().zip(&other.signatures) {
            own.woken += other.woken;
            own.evaluated += other.evaluated;
            own.stood += other.stood;
            own.ns += other.ns;
        }
    }
}
