//! The plan: what runs. Plain data without machine code, so that loading one from a stranger is safe once [`crate::verify`] has read it.
//!
//! In: a typed program (`compiler::lower` writes it). Out: [`crate::Matcher`] runs it. Every index below points into a list of the same
//! plan; [`crate::VerifiedPlan`] is the proof that they all do.
//!
//! ```text
//! evidence -> slots -> tests -> gates -> conditions with captures -> steps -> identity, components, tags, support
//!             \______ engine (interpreter or JIT) ____/  \____________ one evaluator for all engines _____________/
//! ```

use ksig_schema::identification::{Confidence, Grade};
use ksig_schema::{Date, Duration, Pick, ProbeKey, ProbePlan, Request, Scheme, Section, Type, Vocabulary};
use serde::{Deserialize, Serialize};

/// Index into [`Plan::probes`].
pub type ProbeId = u32;
/// Index into [`Plan::slots`].
pub type SlotId = u32;
/// Index into [`Plan::tests`].
pub type TestId = u32;
/// Index into [`Plan::patterns`].
pub type PatternId = u32;
/// Index into [`Plan::tables`].
pub type TableId = u32;
/// Index into [`Plan::signatures`].
pub type SignatureId = u32;
/// Index into [`Signature::vars`].
pub type VarId = u32;

/// Everything that a release runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The release's name, as written in every answer.
    pub release: String,
    /// The release's date, if it has one.
    pub date: Option<Date>,
    /// Probes that fields are read from, each once.
    pub probes: Vec<Probe>,
    /// Fields that are read, each once.
    pub slots: Vec<Slot>,
    /// Regular expressions, each once.
    pub patterns: Vec<Pattern>,
    /// Tests on slots, each once: signatures share them.
    pub tests: Vec<Test>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Signatures sorted by name: the plan is a function of the set, never of file order.
    pub signatures: Vec<Signature>,
    /// Names of the choices; [`Signature::choice`] says who stands where in them.
    pub choices: Vec<String>,
    /// Names in both languages.
    pub vocabulary: Vocabulary,
    /// What a scan sends for this release.
    pub probe_plan: ProbePlan,
    /// SHA-256 of the requests that `probe_plan` stands for, with their holes, as hexadecimal digits; empty where nobody wrote them out.
    pub requests_sha256: String,
}

/// A probe whose answer is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Probe {
    /// Exactly this one.
    Exactly(ProbeKey),
    /// The one that an earlier answer leads to: its key is computed from the evidence, and the response with that key is read (V13).
    Named(Named),
    /// A first-stage probe of a signature about the whole host, which is bound to a service of its own (V14).
    Bound {
        /// What is asked.
        key: ProbeKey,
        /// Counts the probes of one signature that ask the same: they are bound to different services.
        nth: u32,
    },
    /// A follow of such a signature, asked on the service to which a first-stage probe is bound.
    Beside {
        /// What is asked.
        key: ProbeKey,
        /// A [`Probe::Bound`].
        at: ProbeId,
    },
}

impl Probe {
    /// The request that is sent for it. Absent for what is known without asking.
    pub fn request(&self) -> Option<Request> {
        match self {
            Probe::Exactly(key) | Probe::Bound { key, .. } | Probe::Beside { key, .. } => {
                key.is_sent().then(|| Request::Exactly(key.clone()))
            }
            Probe::Named(named) => Some(Request::Named(named.constructor.clone())),
        }
    }

    /// Whether the answer to a planned request is one that this probe reads.
    pub fn is_fed_by(&self, request: &Request) -> bool {
        match self {
            Probe::Exactly(key) | Probe::Bound { key, .. } | Probe::Beside { key, .. } => request.covers(key),
            Probe::Named(named) => *request == Request::Named(named.constructor.clone()),
        }
    }
}

/// A probe for a place that an earlier answer names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// `http.get`.
    pub constructor: String,
    /// What of the place counts.
    pub reach: Reach,
    /// Where the place is written.
    pub from: NamedFrom,
    /// In a signature about the whole host: the [`Probe::Bound`] on whose service it is asked.
    pub at: Option<ProbeId>,
}

/// How far a named place may lie from the answer that names it; never on another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reach {
    /// The same origin: a page of HTTP names a path.
    Origin,
    /// The same address: another protocol names a page of HTTP on any port.
    Address,
}

/// Where a place is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NamedFrom {
    /// In a field: the first value, or the first that the selector picks.
    Slot(SlotId, Option<(Pick, String)>),
    /// In a capture, which the gate of the follow binds.
    Capture(SignatureId, VarId),
}

/// A field of one probe's answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot {
    /// Which probe.
    pub probe: ProbeId,
    /// `http.header`.
    pub field: String,
    /// `server`, lower case, or a path that begins with `/`; for keyed fields only.
    pub key: Option<String>,
    /// What must be complete before an absence is proven.
    pub section: Section,
    /// Full and half width are folded before tests see the text (`/fold_width`).
    pub fold_width: bool,
    /// The bytes that the text was read from, in its place (`.raw`).
    pub raw: bool,
}

impl Slot {
    /// The field with its key, as an evidence line names it: `http.header.server`.
    pub fn path(&self) -> String {
        match &self.key {
            Some(key) => format!("{}.{key}", self.field),
            None => self.field.clone(),
        }
    }
}

/// A regular expression in ksig's dialect, with typed captures already taken out and tables spliced in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pattern {
    /// `regex` crate syntax, named groups only; `\d \w \s \b` mean ASCII.
    pub source: String,
    /// ASCII case is ignored (`/i`).
    pub ignore_case: bool,
    /// Unicode case is ignored (`/iu`).
    pub ignore_case_unicode: bool,
    /// Runs on bytes: `.` is a byte (`b/.../`).
    pub bytes: bool,
}

/// A question to one slot. With several values it asks whether any of them does (V4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Test {
    /// Which slot.
    pub slot: SlotId,
    /// What is asked.
    pub predicate: Predicate,
}

/// What a test asks. A missing slot makes each of them false, except [`Predicate::Absent`] where absence is proven.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Predicate {
    /// There is a value.
    Present,
    /// There is none, the probe answered, and the section is complete.
    Absent,
    /// The probe answered and the slot's section is complete, whatever the value: what `not` and `none` need besides.
    Complete,
    /// A bool equals.
    Bool(bool),
    /// An int is in the closed range `low..=high`.
    IntIn(i64, i64),
    /// Text or bytes equal.
    Equals(Vec<u8>),
    /// Text or bytes begin so.
    Starts(Vec<u8>),
    /// Text or bytes end so.
    Ends(Vec<u8>),
    /// Text or bytes contain.
    Contains(Vec<u8>),
    /// Text or bytes equal one of these; sorted, no duplicates.
    OneOf(Vec<Vec<u8>>),
    /// An object id as dotted text is that one or below it.
    Under(String),
    /// A pattern is found.
    Matches(PatternId),
}

/// A table with typed cells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// `router.buffalo.airstation.airstation`.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Which column is the key: its cells are text, hashes or numbers, and unique, or ranges that share no value.
    pub key: Option<u32>,
    /// How keys are made equal before they are compared.
    pub folds: Vec<KeyFold>,
    /// The column that says from which day a row holds; then keys are not unique, and rows of one key stand by that day.
    pub history: Option<u32>,
    /// Rows, sorted by key where there is one: one cell a column.
    pub rows: Vec<Vec<Datum>>,
}

/// What is made equal in keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyFold {
    /// ASCII letters, as `/i` does.
    Case,
    /// Full and half width, as `/fold_width` does.
    Width,
    /// Blanks at both ends.
    Trim,
}

impl Table {
    /// A key as it is compared: width first, then blanks, then case, whatever the order they were written in.
    pub fn folded<'t>(&self, key: &'t str) -> std::borrow::Cow<'t, str> {
        use std::borrow::Cow;
        let has = |fold: KeyFold| self.folds.contains(&fold);
        let mut key = if has(KeyFold::Width) { crate::fold::width(key) } else { Cow::Borrowed(key) };
        if has(KeyFold::Trim) && key.trim().len() < key.len() {
            key = Cow::Owned(key.trim().to_string());
        }
        if has(KeyFold::Case) && key.bytes().any(|byte| byte.is_ascii_uppercase()) {
            key = Cow::Owned(key.to_ascii_lowercase());
        }
        key
    }

    /// A key as text: hashes as hexadecimal digits, numbers in decimal; absent for what is no key.
    pub fn key_text(key: &Datum) -> Option<std::borrow::Cow<'_, str>> {
        match key {
            Datum::Text(text) => Some(text.as_str().into()),
            Datum::Int(number) => Some(number.to_string().into()),
            Datum::Bytes(bytes) => Some(ksig_schema::form::hex_digits(bytes).into()),
            _ => None,
        }
    }

    /// The rows whose key is equal to that one, as [`Table::key_text`] writes both.
    pub fn rows_of(&self, key: &str) -> std::ops::Range<usize> {
        let Some(column) = self.key.map(|key| key as usize) else { return 0..0 };
        let key = self.folded(key);
        let before = |row: &Vec<Datum>, or_equal: bool| {
            let own = Self::key_text(&row[column]);
            own.is_none_or(|own| {
                let order = self.folded(&own).cmp(&key);
                order.is_lt() || or_equal && order.is_eq()
            })
        };
        self.rows.partition_point(|row| before(row, false))..self.rows.partition_point(|row| before(row, true))
    }

    /// The grade of a row's evidence; absent where the table does not say.
    pub fn grade(&self, row: usize) -> Option<Grade> {
        let column = self.columns.iter().position(|column| column.name == "evidence")?;
        match self.rows.get(row)?.get(column)? {
            Datum::Text(word) => match word.as_str() {
                "observed" => Some(Grade::Observed),
                "documented" => Some(Grade::Documented),
                "derived" => Some(Grade::Derived),
                _ => Some(Grade::Unverified),
            },
            _ => None,
        }
    }
}

/// A table's column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// How its versions are ordered.
    pub scheme: Option<Scheme>,
}

/// A value while a signature is evaluated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Datum {
    /// Not there.
    #[default]
    Missing,
    /// Not observed (V3b): neither present nor absent.
    NotObserved,
    /// true or false.
    Bool(bool),
    /// 64-bit signed.
    Int(i64),
    /// Text; also versions as written, urls, paths, ips, hardware addresses, object ids, cves, words of an enum, vendors and classes by id.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A day.
    Date(Date),
    /// What is known of a version or date.
    Bound(BoundKind, Box<Datum>),
    /// From a lower end to an upper one; an end that is absent is open.
    Range {
        /// The lowest value that is allowed.
        low: Option<Box<Datum>>,
        /// The upper end.
        high: Option<Box<Datum>>,
        /// The upper end is allowed itself.
        closed: bool,
    },
    /// One of these, which is not known.
    Set(Vec<Datum>),
    /// A row of a table.
    Row(TableId, u32),
    /// Several, in order.
    List(Vec<Datum>),
    /// A span of time.
    Duration(Duration),
}

/// How a bound is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoundKind {
    /// `= x`.
    Exactly,
    /// `at_least x`: x or later.
    AtLeast,
    /// `by x`: x or earlier.
    By,
}

/// One signature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// `router.planex.brl.basic_realm`.
    pub name: String,
    /// Its `summary`.
    pub summary: String,
    /// How sure.
    pub confidence: Confidence,
    /// Grade of its evidence.
    pub grade: Grade,
    /// Which signature it refines; its condition already contains that one's.
    pub refines: Option<SignatureId>,
    /// Its place in a choice, its own or else that of the nearest signature that it refines.
    pub choice: Option<Member>,
    /// What its probes are looked up in.
    pub scope: Scope,
    /// Captures, extracts and lets.
    pub vars: Vec<Var>,
    /// What must hold.
    pub condition: Condition,
    /// Tests of which at least one is not false whenever the gate is not false; empty: the signature is always tried.
    pub triggers: Vec<TestId>,
    /// Probes that are sent only after their gate held.
    pub follows: Vec<Follow>,
    /// By hop: the part of the condition that speaks of earlier probes only, and so gates the follows of that hop.
    pub gates: Vec<Condition>,
    /// Extracts and lets in source order.
    pub steps: Vec<(VarId, Expr)>,
    /// One for each facet; empty for a signature of components only.
    pub identities: Vec<IdentityPlan>,
    /// Software.
    pub components: Vec<ComponentPlan>,
    /// What else was read, by name.
    pub details: Vec<(String, Expr)>,
    /// Tags.
    pub tags: Vec<TagPlan>,
    /// Where the support block comes from.
    pub support: Option<SupportPlan>,
}

/// What a signature speaks of (V14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// One service.
    #[default]
    Service,
    /// All services of one address: each of these [`Probe::Bound`] stands on one of them.
    Host(Vec<ProbeId>),
}

impl Scope {
    /// The first-stage probes that are bound to services; none of a signature about one service.
    pub fn roles(&self) -> &[ProbeId] {
        match self {
            Scope::Service => &[],
            Scope::Host(roles) => roles,
        }
    }
}

/// A place in a choice: of the signatures that match, those at the first place stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// Index into [`Plan::choices`].
    pub choice: u32,
    /// Counted from the first.
    pub place: u32,
}

/// A second-stage probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Which.
    pub probe: ProbeId,
    /// 1 when its inputs come from the first stage, 2 when one comes from a follow.
    pub hop: u32,
    /// What the signature calls it.
    pub name: String,
    /// As written, for explanations.
    pub text: String,
}

/// Most hops from the first stage.
pub const HOPS_MAX: u32 = 2;

/// A named value of a signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Var {
    /// As written.
    pub name: String,
    /// A capture or extract whose text does not convert to it is missing.
    pub ty: Type,
    /// The version scheme, for versions.
    pub scheme: Option<Scheme>,
    /// Never leaves the engine.
    pub redact: bool,
}

/// A tree of lines. Truth is Kleene's: false, true, or not observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// A test; its captures are bound when it is true and nothing bound them before (V7).
    Test(Leaf),
    /// A condition over captures and columns: decided after the captures before it.
    Late(Expr, LineNote),
    /// A pattern with captures over an element of [`Condition::Each`].
    Search(Search),
    /// Lines about each element of a list.
    Each(Box<Each>),
    /// Every one.
    All(Vec<Condition>),
    /// At least one.
    Any(Vec<Condition>),
    /// At least that many.
    AtLeast(u32, Vec<Condition>),
    /// Not so. The lowering puts the [`Predicate::Complete`] tests that proof needs beside it.
    Not(Box<Condition>),
}

impl Default for Condition {
    fn default() -> Self {
        Condition::All(Vec::new())
    }
}

/// A test in a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    /// Which test.
    pub test: TestId,
    /// Named groups of its pattern and the variables they bind.
    pub captures: Vec<(String, VarId)>,
    /// What the author called the line.
    pub note: LineNote,
}

/// A pattern over an expression, that binds captures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// Which pattern.
    pub pattern: PatternId,
    /// What it is searched in.
    pub value: Expr,
    /// Named groups and the variables they bind.
    pub captures: Vec<(String, VarId)>,
    /// What the author called the line.
    pub note: LineNote,
}

/// Lines that hold for every or for some element of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Each {
    /// Every element, and the list is whole; not only some.
    pub every: bool,
    /// The variable that is the element; missing outside.
    pub element: VarId,
    /// The list: a slot with all of its values, or an expression.
    pub list: Expr,
    /// Of a slot: the test that it is there. The lines are false where it is.
    pub present: Option<TestId>,
    /// What must hold of an element.
    pub lines: Condition,
    /// What the author called it.
    pub note: LineNote,
}

/// Where a line stands in the source, for explanations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineNote {
    /// `"label":` before the line; empty without one.
    pub label: String,
    /// The line as written, shortened to 160 characters.
    pub text: String,
}

/// What a device is said to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IdentityPlan {
    /// `device` or `os`.
    pub facet: String,
    /// Values of `vendor brand series model version class cpe`.
    pub slots: Vec<(IdentitySlot, Expr)>,
}

/// A slot of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdentitySlot {
    /// Maker.
    Vendor,
    /// Brand it is sold under.
    Brand,
    /// Series.
    Series,
    /// Model.
    Model,
    /// Version.
    Version,
    /// Class.
    Class,
    /// CPE 2.3 name.
    Cpe,
}

/// Software on the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentPlan {
    /// Maker.
    pub vendor: Option<Expr>,
    /// Name; a component without one is left out.
    pub product: Expr,
    /// Product series.
    pub series: Option<Expr>,
    /// Version.
    pub version: Option<Expr>,
    /// CPE 2.3 name.
    pub cpe: Option<Expr>,
}

impl ComponentPlan {
    /// All that is said of it.
    pub fn parts(&self) -> impl Iterator<Item = &Expr> {
        [self.vendor.as_ref(), Some(&self.product), self.series.as_ref(), self.version.as_ref(), self.cpe.as_ref()].into_iter().flatten()
    }
}

/// A tag and its guard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagPlan {
    /// Its name.
    pub name: String,
    /// Once for each row of a table.
    pub each: Option<EachRow>,
    /// Parameters; one that is missing is left out.
    pub params: Vec<(String, Expr)>,
    /// Attached only when this is true.
    pub when: Option<Expr>,
}

/// The rows that a tag is attached for, in the table's order; at most [`TAGS_OF_ROWS_MAX`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EachRow {
    /// Which table.
    pub table: TableId,
    /// The variable that is the row; missing outside.
    pub row: VarId,
    /// Rows for which this is not true are left out.
    pub filter: Option<Expr>,
}

/// Most tags that one statement attaches for rows of a table.
pub const TAGS_OF_ROWS_MAX: usize = 64;

/// Where the support block's figures come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SupportPlan {
    /// A date or a bound of one.
    pub ends: Option<Expr>,
    /// A version or a bound of one.
    pub latest: Option<Expr>,
    /// How versions of this model are ordered.
    pub scheme: Option<Scheme>,
}

/// An expression over captures, tables and the observation's date. A missing operand makes a comparison false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A constant.
    Const(Datum),
    /// A capture, extract or let.
    Var(VarId),
    /// A slot's value: all of a field with several as a list, where a question is put to each of them, or the first.
    Slot(SlotId, bool),
    /// The first of a slot's values that fits: a selector.
    Pick(SlotId, Pick, String),
    /// The date of the observation; missing without one.
    ScanDate,
    /// The table's row with that key.
    Row(TableId, Box<Expr>),
    /// A column of a row; missing for a missing row.
    Column(Box<Expr>, u32),
    /// `== < <= > >=`; versions by their scheme, incomparable ones are not true.
    Compare(CompareOp, Option<Scheme>, Box<Expr>, Box<Expr>),
    /// `starts ends contains`.
    TextTest(TextOp, Box<Expr>, Box<Expr>),
    /// A pattern is found in a text.
    Matches(PatternId, Box<Expr>),
    /// What a named group of a pattern matched in a text.
    Extract(PatternId, String, Box<Expr>),
    /// A range of its two ends; the flag: the upper end is allowed itself.
    Range(Box<Expr>, Box<Expr>, bool),
    /// Whether a value lies in a range, or in one of a list of them.
    Within(Option<Scheme>, Box<Expr>, Box<Expr>),
    /// Whether a value, or any of several, is a key of the table.
    InTable(TableId, Box<Expr>),
    /// Of a table with history: what this column says for a key on a day; of versions the highest until then, as a bound.
    Latest {
        /// Which table.
        table: TableId,
        /// Which column.
        column: u32,
        /// Of what.
        key: Box<Expr>,
        /// On which day.
        at: Box<Expr>,
    },
    /// Membership in a list, or in a table's keys as a list.
    In(Box<Expr>, Box<Expr>),
    /// Missing.
    Absent(Box<Expr>),
    /// Not missing.
    Present(Box<Expr>),
    /// Not true; of a condition that is never missing.
    Not(Box<Expr>),
    /// Both.
    And(Box<Expr>, Box<Expr>),
    /// Either.
    Or(Box<Expr>, Box<Expr>),
    /// `if c then a else b`; a condition that is not true takes `b`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// The first that is not missing: `first of { }`, `otherwise`.
    FirstOf(Vec<Expr>),
    /// Text and holes one after another; missing if a hole is. The flag: the hole is escaped for a CPE name.
    Template(Vec<(Expr, bool)>),
    /// Reads a text as that type; missing if it is not one.
    Convert(Type, Option<Scheme>, Box<Expr>),
    /// The probe answered and the slot's section is complete: what `not` needs besides (V3).
    Whole(SlotId),
}

impl Expr {
    /// Calls `visit` on each expression that stands directly in this one.
    pub fn each_part(&self, visit: &mut dyn FnMut(&Expr)) {
        match self {
            Expr::Const(_) | Expr::Var(_) | Expr::Slot(..) | Expr::Pick(..) | Expr::Whole(_) | Expr::ScanDate => {}
            Expr::Row(_, e)
            | Expr::Column(e, _)
            | Expr::Matches(_, e)
            | Expr::Extract(_, _, e)
            | Expr::Absent(e)
            | Expr::Present(e)
            | Expr::Not(e)
            | Expr::InTable(_, e)
            | Expr::Convert(_, _, e) => visit(e),
            Expr::Latest { key, at, .. } => {
                visit(key);
                visit(at);
            }
            Expr::Compare(_, _, a, b)
            | Expr::TextTest(_, a, b)
            | Expr::In(a, b)
            | Expr::Range(a, b, _)
            | Expr::Within(_, a, b)
            | Expr::And(a, b)
            | Expr::Or(a, b) => {
                visit(a);
                visit(b);
            }
            Expr::If(a, b, c) => [a, b, c].into_iter().for_each(|part| visit(part)),
            Expr::FirstOf(items) => items.iter().for_each(visit),
            Expr::Template(parts) => parts.iter().for_each(|(part, _)| visit(part)),
        }
    }
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A question to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextOp {
    /// Begins so.
    Starts,
    /// Ends so.
    Ends,
    /// Contains.
    Contains,
}
