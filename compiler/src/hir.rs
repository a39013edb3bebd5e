//! The typed program: names are resolved, types agree, fields are fields of the schema.
//!
//! In: [`ksig_lang::ast::File`]s, through [`crate::resolve`] and [`crate::check`]. Out: [`crate::lower`] makes the plan of it, and the
//! oracle of the tests evaluates it as it stands. Nothing here is shared or optimised: one signature holds all of its own.

use ksig_lang::{FileId, Span};
use ksig_runtime::plan::{CompareOp, Datum, IdentitySlot, LineNote, Pattern, Table, TextOp, Var, VarId};
use ksig_schema::identification::{Confidence, Grade};
use ksig_schema::probe::Requirement;
use ksig_schema::{Date, FieldDef, Pick, ProbeKey, Request, Safety, Scheme, Type, Vocabulary};

/// All signatures of a set.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Sorted by name.
    pub signatures: Vec<Signature>,
    /// Sorted by name.
    pub tables: Vec<Table>,
    /// Sorted by name.
    pub choices: Vec<Choice>,
    /// Vendors, classes, tags.
    pub vocabulary: Vocabulary,
}

/// An ordered list of signatures, of which the first that matches stands (V16).
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// `import.banners.ssh`.
    pub name: String,
    /// Full names in order.
    pub members: Vec<String>,
}

/// One signature, with everything that it inherits already in it.
#[derive(Clone, Debug)]
pub struct Signature {
    /// `router.planex.brl.basic_realm`.
    pub name: String,
    /// Where it stands.
    pub file: FileId,
    /// Its name in the source.
    pub name_span: Span,
    /// The whole item.
    pub span: Span,
    /// `summary`, `evidence`, `added`, ...
    pub meta: Meta,
    /// Whether it speaks of one service or of the whole host.
    pub scope: Scope,
    /// The name of the signature that it refines.
    pub refines: Option<String>,
    /// Probes that it reads, its base's first.
    pub probes: Vec<Probe>,
    /// Captures, extracts and lets.
    pub vars: Vec<Var>,
    /// Where each of `vars` was first written.
    pub var_spans: Vec<Span>,
    /// In which file; an inherited one stands in its base's.
    pub var_files: Vec<FileId>,
    /// What must hold.
    pub condition: Condition,
    /// By hop, as far as there are follows: the part of it that speaks of earlier probes only, and so gates the follows of that hop.
    pub gates: Vec<Condition>,
    /// Extracts and lets in source order.
    pub steps: Vec<(VarId, Expr)>,
    /// One for each facet.
    pub identities: Vec<Identity>,
    /// Software.
    pub components: Vec<Vec<(String, Expr)>>,
    /// What else was read, by name, inherited ones first.
    pub details: Vec<(String, Expr)>,
    /// Tags.
    pub tags: Vec<TagUse>,
    /// `support { ends = ...; latest = ... }`.
    pub support: Option<Support>,
    /// Most states of all its patterns (V17).
    pub regex_states: usize,
    /// Its own tests, not its base's.
    pub tests: Vec<Test>,
}

/// What a signature speaks of (V14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// One service.
    #[default]
    Service,
    /// All services of one address.
    Host,
}

/// What a signature says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// One line.
    pub summary: String,
    /// How sure.
    pub confidence: Confidence,
    /// Where its knowledge comes from.
    pub grade: Grade,
    /// The source that `evidence` names.
    pub evidence: String,
    /// When it was added.
    pub added: Option<Date>,
    /// Lints that it may break, each with its reason.
    pub allowed: Vec<(String, String)>,
}

/// A probe under the name that the signature gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `top`.
    pub name: String,
    /// What is asked.
    pub asks: Asks,
    /// `http`: fields are looked up below it.
    pub root: &'static str,
    /// Where it is expected, sorted.
    pub ports: Vec<u16>,
    /// `on any tls`: every port that answers TLS besides.
    pub any_tls: bool,
    /// Of a follow in a signature about the whole host: the first-stage probe on whose service it is asked.
    pub at: Option<ProbeId>,
    /// 0 for a probe that is sent first; 1 for a follow, 2 for one that a follow's answer leads to.
    pub hop: u32,
    /// As written, on one line.
    pub text: String,
    /// How much it does.
    pub safety: Safety,
    /// What a release must allow besides.
    pub requires: Vec<Requirement>,
    /// Where it was declared.
    pub span: Span,
    /// In which file.
    pub file: FileId,
}

/// Index into [`Signature::probes`].
pub type ProbeId = u32;

/// What a probe asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Exactly this.
    Exactly(ProbeKey),
    /// The place that an earlier answer names, with this constructor (V13).
    Named {
        /// `http.get`.
        constructor: &'static str,
        /// It may be on another port of the host: a place that another protocol than HTTP names.
        any_port: bool,
        /// A link field, a selector of one, or a capture of type path or url.
        from: Box<Expr>,
    },
}

impl Asks {
    /// Whether a scan asks: not for what is known of the host, nor for what another tool was answered.
    pub fn is_sent(&self) -> bool {
        !matches!(self, Asks::Exactly(key) if !key.is_sent())
    }

    /// The request that a scan sends, a hole where a device names the place.
    pub fn request(&self) -> Request {
        match self {
            Asks::Exactly(key) => Request::Exactly(key.clone()),
            Asks::Named { constructor, .. } => Request::Named((*constructor).into()),
        }
    }

    /// The constructor's name.
    pub fn constructor(&self) -> &str {
        match self {
            Asks::Exactly(key) => &key.constructor,
            Asks::Named { constructor, .. } => constructor,
        }
    }
}

/// A tree of lines, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A line; its expression is a bool. `captures`: groups of its pattern and the variables they bind.
    Line {
        /// What must be true.
        expr: Expr,
        /// The author's label and text.
        note: LineNote,
    },
    /// `all { }` and `match { }`.
    All(Vec<Condition>),
    /// `any { }`.
    Any(Vec<Condition>),
    /// `none { }`.
    None(Vec<Condition>),
    /// `at least N of { }`.
    AtLeast(u32, Vec<Condition>),
    /// `all h in xs { }` (`every`) or `any h in xs { }`.
    Each {
        /// The lines hold for every element, not for some.
        every: bool,
        /// The variable that stands for the element; it has a value inside only.
        element: VarId,
        /// A field or a list column.
        list: Expr,
        /// Joined by *and*; none of them is an `Each`.
        lines: Vec<Condition>,
        /// The author's label and text.
        note: LineNote,
    },
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; optional when it may be missing.
    pub ty: Type,
    /// Where it stands.
    pub span: Span,
}

/// A field of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRef {
    /// Which probe.
    pub probe: ProbeId,
    /// Which field.
    pub field: &'static FieldDef,
    /// Its key, as facts hold it, for a keyed field.
    pub key: Option<String>,
    /// Compared after width folding.
    pub fold_width: bool,
    /// `.raw`: the bytes that the text was read from (V5).
    pub raw: bool,
}

/// A pattern with the variables that its groups bind.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// After typed captures were taken out and tables spliced in.
    pub pattern: Pattern,
    /// Group name and variable.
    pub captures: Vec<(String, VarId)>,
    /// Variables that are a key of a table, `(?<model in models>)`, and the table's full name.
    pub keys: Vec<(VarId, String)>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Const(Datum),
    /// A capture, extract or let.
    Var(VarId),
    /// A field.
    Field(FieldRef),
    /// `top.html.script_src("/a.js")`: of a field, the first value that fits.
    Pick(Box<Expr>, Pick, String),
    /// `scan.date`.
    ScanDate,
    /// `table[key]`: the table's full name.
    Row(String, Box<Expr>),
    /// `row.column`: the column's index.
    Column(Box<Expr>, u32),
    /// `== < <= > >=`.
    Compare(CompareOp, Option<Scheme>, Box<Expr>, Box<Expr>),
    /// `starts ends contains`.
    TextTest(TextOp, Box<Expr>, Box<Expr>),
    /// `~`.
    Matches(Box<Expr>, Match),
    /// A pattern's `(?<_>...)` as a value.
    Extract(Box<Expr>, Pattern, String),
    /// `in` a list, or in a table's keys (its full name).
    InList(Box<Expr>, Vec<Datum>),
    /// `in` a table's keys.
    InTable(Box<Expr>, String),
    /// `in low ..< high`.
    InRange {
        /// What is compared.
        value: Box<Expr>,
        /// Lower end, included.
        low: Box<Expr>,
        /// Upper end.
        high: Box<Expr>,
        /// `..=`: the upper end is included.
        inclusive: bool,
        /// For versions.
        scheme: Option<Scheme>,
    },
    /// A range of two ends; the upper one is included or not.
    Range(Box<Expr>, Box<Expr>, bool),
    /// `latest(table.column, key, at day)`: the table's full name.
    Latest {
        /// Which table, with history.
        table: String,
        /// Which column.
        column: u32,
        /// Of what.
        key: Box<Expr>,
        /// On which day.
        at: Box<Expr>,
    },
    /// `in` a range, a list of ranges, a set or a bound.
    Within(Option<Scheme>, Box<Expr>, Box<Expr>),
    /// An object id at or below that one.
    Under(Box<Expr>, String),
    /// `absent`.
    Absent(Box<Expr>),
    /// `present`.
    Present(Box<Expr>),
    /// `not`.
    Not(Box<Expr>),
    /// `and`.
    And(Box<Expr>, Box<Expr>),
    /// `or`.
    Or(Box<Expr>, Box<Expr>),
    /// `if then else`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `first of { }` and `otherwise`.
    FirstOf(Vec<Expr>),
    /// `cpe"..{model|cpe}.."` and `t"..{model}.."`: text, and holes with whether they are escaped.
    Template(Vec<(Expr, bool)>),
    /// A text read as the expression's own type.
    Convert(Box<Expr>, Option<Scheme>),
}

/// `identify { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// `device` or `os`.
    pub facet: String,
    /// In source order, inherited ones first.
    pub slots: Vec<(IdentitySlot, Expr)>,
}

/// A tag and its guard.
#[derive(Clone, Debug, PartialEq)]
pub struct TagUse {
    /// Its name.
    pub name: String,
    /// `for row in table where ...`: once for each row.
    pub each: Option<EachRow>,
    /// Parameters.
    pub params: Vec<(String, Expr)>,
    /// Guard.
    pub when: Option<Expr>,
}

/// The rows that a tag is attached for, in the table's order.
#[derive(Clone, Debug, PartialEq)]
pub struct EachRow {
    /// The table's full name.
    pub table: String,
    /// The variable that stands for the row.
    pub row: VarId,
    /// `where ...`.
    pub filter: Option<Expr>,
}

/// Where the support block comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Support {
    /// When support ends.
    pub ends: Option<Expr>,
    /// The latest version.
    pub latest: Option<Expr>,
    /// How versions are ordered.
    pub scheme: Option<Scheme>,
}

/// A test or an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What it shows; for an example, its value.
    pub name: String,
    /// Where.
    pub span: Span,
    /// The observation's date.
    pub at: Option<Date>,
    /// The address that answers, where a fixture says it.
    pub address: Option<std::net::IpAddr>,
    /// What each probe was answered.
    pub given: Vec<(ProbeId, Fixture)>,
    /// Rows that replace a table's: full name and rows.
    pub with: Vec<(String, Vec<Vec<Datum>>)>,
    /// What must come out.
    pub expect: Vec<Expect>,
}

/// What a probe was answered in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Fixture {
    /// Text of a heredoc with its kind.
    Inline {
        /// `http`.
        kind: String,
        /// After dedent.
        text: String,
    },
    /// Bytes of a file beside the signature.
    Bytes(Vec<u8>),
    /// One value of one field, and nothing else observed (an example).
    Value(FieldRef, Datum),
    /// Facts given directly.
    Facts(Vec<(FieldRef, Datum)>),
    /// No answer in time.
    Timeout,
    /// Refused.
    Refused,
}

/// What must come out of a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// The signature matches and its identity has these slots; a missing datum means absent.
    Identify(Vec<(String, Datum)>, Span),
    /// Variables have these values.
    Captures(Vec<(String, Datum)>, Span),
    /// The answer after resolution has these slots.
    Resolved(Vec<(String, Datum)>, Span),
    /// The signature does not match; the line with that label or text is the reason.
    NoMatch(Option<String>, Span),
    /// Exactly these tags.
    Tags(Vec<String>, Span),
    /// Exactly these probes went out.
    Sent(Vec<String>, Span),
}

impl Test {
    /// A test that gives and expects nothing yet.
    pub fn named(name: &str) -> Test {
        Test { name: name.into(), span: Span::default(), at: None, address: None, given: vec![], with: vec![], expect: vec![] }
    }
}

impl Expect {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Expect::Identify(_, span)
            | Expect::Captures(_, span)
            | Expect::Resolved(_, span)
            | Expect::NoMatch(_, span)
            | Expect::Tags(_, span)
            | Expect::Sent(_, span) => *span,
        }
    }
}

impl Expr {
    /// Calls `visit` on this expression and all below it, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Const(_) | ExprKind::Var(_) | ExprKind::Field(_) | ExprKind::ScanDate => {}
            ExprKind::Pick(a, ..)
            | ExprKind::Row(_, a)
            | ExprKind::Column(a, _)
            | ExprKind::Matches(a, _)
            | ExprKind::Extract(a, ..)
            | ExprKind::InList(a, _)
            | ExprKind::InTable(a, _)
            | ExprKind::Under(a, _)
            | ExprKind::Absent(a)
            | ExprKind::Present(a)
            | ExprKind::Not(a)
            | ExprKind::Convert(a, _) => a.walk(visit),
            ExprKind::Compare(_, _, a, b)
            | ExprKind::Within(_, a, b)
            | ExprKind::Range(a, b, _)
            | ExprKind::TextTest(_, a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            ExprKind::Latest { key, at, .. } => [key, at].into_iter().for_each(|e| e.walk(visit)),
            ExprKind::InRange { value, low, high, .. } => [value, low, high].into_iter().for_each(|e| e.walk(visit)),
            ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|e| e.walk(visit)),
            ExprKind::FirstOf(all) => all.iter().for_each(|e| e.walk(visit)),
            ExprKind::Template(parts) => parts.iter().for_each(|(e, _)| e.walk(visit)),
        }
    }

    /// The same without its places: equal to what is written alike elsewhere.
    pub fn without_places(&self) -> Expr {
        let mut expr = self.clone();
        expr.leave_places();
        expr
    }

    fn leave_places(&mut self) {
        self.span = Span::default();
        self.children_mut().into_iter().for_each(Expr::leave_places);
    }

    /// The expressions that stand directly in this one.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Const(_) | ExprKind::Var(_) | ExprKind::Field(_) | ExprKind::ScanDate => Vec::new(),
            ExprKind::Pick(a, ..)
            | ExprKind::Row(_, a)
            | ExprKind::Column(a, _)
            | ExprKind::Matches(a, _)
            | ExprKind::Extract(a, ..)
            | ExprKind::InList(a, _)
            | ExprKind::InTable(a, _)
            | ExprKind::Under(a, _)
            | ExprKind::Absent(a)
            | ExprKind::Present(a)
            | ExprKind::Not(a)
            | ExprKind::Convert(a, _) => vec![a],
            ExprKind::Compare(_, _, a, b)
            | ExprKind::Within(_, a, b)
            | ExprKind::Range(a, b, _)
            | ExprKind::TextTest(_, a, b)
            | ExprKind::And(a, b)
            | ExprKind::Or(a, b) => vec![a, b],
            ExprKind::Latest { key, at, .. } => vec![key, at],
            ExprKind::InRange { value, low, high, .. } => vec![value, low, high],
            ExprKind::If(a, b, c) => vec![a, b, c],
            ExprKind::FirstOf(all) => all.iter_mut().collect(),
            ExprKind::Template(parts) => parts.iter_mut().map(|(expr, _)| expr).collect(),
        }
    }
}

impl Condition {
    /// Calls `visit` on every expression of every line, outermost first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        match self {
            Condition::Line { expr, .. } => expr.walk(visit),
            Condition::All(lines) | Condition::Any(lines) | Condition::None(lines) | Condition::AtLeast(_, lines) => {
                lines.iter().for_each(|line| line.walk(visit));
            }
            Condition::Each { list, lines, .. } => {
                list.walk(visit);
                lines.iter().for_each(|line| line.walk(visit));
            }
        }
    }
}

impl Signature {
    /// Whether it holds that place of its file.
    pub fn holds(&self, span: Span) -> bool {
        self.span.start <= span.start && span.end <= self.span.end
    }

    /// What its records say of the device.
    pub fn device_slots(&self) -> impl Iterator<Item = &(IdentitySlot, Expr)> {
        self.identities.iter().filter(|identity| identity.facet == "device").flat_map(|identity| &identity.slots)
    }

    /// Calls `visit` on every expression of the signature.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.condition.walk(visit);
        self.steps.iter().for_each(|(_, expr)| expr.walk(visit));
        self.identities.iter().flat_map(|identity| &identity.slots).for_each(|(_, expr)| expr.walk(visit));
        self.components.iter().flatten().chain(&self.details).for_each(|(_, expr)| expr.walk(visit));
        for tag in &self.tags {
            let filter = tag.each.iter().filter_map(|each| each.filter.as_ref());
            tag.params.iter().map(|(_, expr)| expr).chain(&tag.when).chain(filter).for_each(|expr| expr.walk(visit));
        }
        if let Some(support) = &self.support {
            support.ends.iter().chain(&support.latest).for_each(|expr| expr.walk(visit));
        }
    }

    /// [`Signature::used_probes`] that are sent: what is known of the host, and what another tool was answered, is asked of nobody.
    pub fn sent_probes(&self) -> Vec<ProbeId> {
        self.used_probes().into_iter().filter(|id| self.probe(*id).asks.is_sent()).collect()
    }

    /// The first-stage probes that are sent; in a signature about the whole host each is bound to a service.
    pub fn first_stage(&self) -> Vec<ProbeId> {
        self.sent_probes().into_iter().filter(|id| self.probe(*id).hop == 0).collect()
    }

    /// The probe of an index of this signature.
    pub fn probe(&self, id: ProbeId) -> &Probe {
        &self.probes[id as usize]
    }

    /// Probes of which the signature reads a field, and those whose answers lead to them; a probe of the file that it does not mention is
    /// not its own.
    pub fn used_probes(&self) -> Vec<ProbeId> {
        let mut used = std::collections::BTreeSet::new();
        let mut open: Vec<ProbeId> = Vec::new();
        self.walk(&mut |expr| open.extend(expr.probe()));
        while let Some(id) = open.pop() {
            if !used.insert(id) {
                continue;
            }
            open.extend(self.probe(id).at);
            if let Asks::Named { from, .. } = &self.probe(id).asks {
                from.walk(&mut |expr| open.extend(expr.probe()));
            }
        }
        used.into_iter().collect()
    }
}

impl Expr {
    /// The probe whose field this is.
    fn probe(&self) -> Option<ProbeId> {
        if let ExprKind::Field(field) = &self.kind { Some(field.probe) } else { None }
    }
}
