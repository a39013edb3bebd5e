//! What a query can visit, and what it can ask of it.
//!
//! In: the typed program. Out: a [`Node`] at a time, and the value of each of its attributes. An attribute that is not there is an empty text
//! or list, or 0.

use ksig_lang::{FileId, Span};
use ksig_runtime::plan::{CompareOp, Datum, IdentitySlot};
use ksig_schema::Safety;
use ksig_schema::identification::{Confidence, Grade};

use crate::Analysis;
use crate::hir::{Condition, Expect, Expr, ExprKind, Fixture, Identity, Match, Probe, Scope, Signature, Test};
use crate::lints::own;
use crate::lints::told::Told;

/// What a query looks at, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Each signature.
    Signature,
    /// Each line of `match` that a signature adds to its base's.
    Condition,
    /// Each pattern of these lines.
    Pattern,
    /// Each capture, extract and `let` that it adds.
    Capture,
    /// Each probe that it reads.
    Probe,
    /// Each record of `identify`.
    Identity,
    /// Each test and example.
    Test,
    /// Each table that a signature reads, once.
    Table,
}

/// All of them, by the word that `visits` says.
pub const VISITS: [(&str, Visit); 8] = [
    ("capture", Visit::Capture),
    ("condition", Visit::Condition),
    ("identity", Visit::Identity),
    ("pattern", Visit::Pattern),
    ("probe", Visit::Probe),
    ("signature", Visit::Signature),
    ("table", Visit::Table),
    ("test", Visit::Test),
];

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Truth,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Numbers,
    /// Parts of a signature, for `any`, `all` and `count`.
    Nodes(Visit),
}

/// A value of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Text(String),
    Number(i64),
    Truth(bool),
    Texts(Vec<String>),
    Numbers(Vec<i64>),
    Nodes(Vec<Node<'a>>),
}

/// Something that can be asked of a node.
#[derive(Clone, Copy)]
pub struct Attribute {
    /// As expressions say it.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it says, for the chapter.
    pub about: &'static str,
    pub(super) of: for<'a> fn(&Node<'a>) -> Value<'a>,
}

impl std::fmt::Debug for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Attribute {
    fn eq(&self, other: &Attribute) -> bool {
        self.name == other.name && self.kind == other.kind
    }
}

/// Something that a query visits.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// The number of the signature that it is told.
    pub number: usize,
    /// That signature.
    pub signature: &'a Signature,
    analysis: &'a Analysis,
    what: What<'a>,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number && self.name() == other.name()
    }
}

#[derive(Clone, Copy)]
enum What<'a> {
    Signature,
    Condition(&'a Expr, &'a str),
    Pattern(&'a Expr, &'a Match),
    Capture(usize),
    Probe(&'a Probe),
    Identity(&'a Identity),
    Test(&'a Test),
    Table(&'a Told<'a>),
}

/// Shows each node of a kind.
pub(super) fn each<'a>(visit: Visit, analysis: &'a Analysis, tables: &'a [Told<'a>], see: &mut dyn FnMut(Node<'a>)) {
    let signatures = &analysis.program.signatures;
    if visit == Visit::Table {
        for told in tables {
            let number = told.readers[0];
            see(Node { number, signature: &signatures[number], analysis, what: What::Table(told) });
        }
        return;
    }
    for (number, signature) in signatures.iter().enumerate() {
        parts(&Node { number, signature, analysis, what: What::Signature }, visit).into_iter().for_each(&mut *see);
    }
}

/// The parts of a signature of a kind.
fn parts<'a>(of: &Node<'a>, visit: Visit) -> Vec<Node<'a>> {
    let (signature, analysis) = (of.signature, of.analysis);
    let what: Vec<What<'a>> = match visit {
        Visit::Signature => vec![What::Signature],
        Visit::Condition => {
            let mut lines = Vec::new();
            own::blocks(signature, analysis).iter().for_each(|block| lines_of(block, "all", &mut lines));
            lines.into_iter().map(|(expr, group)| What::Condition(expr, group)).collect()
        }
        Visit::Pattern => own::patterns(signature, analysis).iter().map(|asked| What::Pattern(asked.expr, asked.matched)).collect(),
        Visit::Capture => {
            let inherited = own::base(signature, analysis).map_or(0, |base| base.vars.len());
            let mine = |at: &usize| signature.var_files[*at] == signature.file;
            (inherited..signature.vars.len()).filter(mine).map(What::Capture).collect()
        }
        Visit::Probe => signature.used_probes().into_iter().map(|id| What::Probe(signature.probe(id))).collect(),
        Visit::Identity => signature.identities.iter().map(What::Identity).collect(),
        Visit::Test => signature.tests.iter().map(What::Test).collect(),
        Visit::Table => Vec::new(),
    };
    what.into_iter().map(|what| Node { what, ..*of }).collect()
}

/// Lines, each with the group that it stands in.
fn lines_of<'a>(condition: &'a Condition, group: &'static str, lines: &mut Vec<(&'a Expr, &'static str)>) {
    let (group, inside): (_, &[Condition]) = match condition {
        Condition::Line { expr, .. } => return lines.push((expr, group)),
        Condition::All(inside) => (group, inside),
        Condition::Any(inside) => ("any", inside),
        Condition::None(inside) => ("none", inside),
        Condition::AtLeast(_, inside) => ("at least", inside),
        Condition::Each { lines: inside, .. } => ("each", inside),
    };
    inside.iter().for_each(|line| lines_of(line, group, lines));
}

impl<'a> Node<'a> {
    /// What a finding about it is called.
    pub fn name(&self) -> String {
        match self.what {
            What::Signature => self.signature.name.clone(),
            What::Condition(expr, _) => self.written(expr.span),
            What::Pattern(_, matched) => matched.pattern.source.clone(),
            What::Capture(at) => self.signature.vars[at].name.clone(),
            What::Probe(probe) => probe.name.clone(),
            What::Identity(identity) => identity.facet.clone(),
            What::Test(test) => test.name.clone(),
            What::Table(told) => told.table.name.clone(),
        }
    }

    /// Where it stands; what is written in another file is shown at its signature's name.
    pub fn place(&self, analysis: &Analysis) -> (FileId, Span) {
        let (file, span) = match self.what {
            What::Signature => (self.signature.file, self.signature.name_span),
            What::Condition(expr, _) | What::Pattern(expr, _) => (self.signature.file, expr.span),
            What::Capture(at) => (self.signature.var_files[at], self.signature.var_spans[at]),
            What::Probe(probe) => (probe.file, probe.span),
            What::Identity(identity) => {
                let first = identity.slots.first().map_or(self.signature.name_span, |(_, expr)| expr.span);
                (self.signature.file, first)
            }
            What::Test(test) => (self.signature.file, test.span),
            What::Table(told) => (told.file, told.item.name.span),
        };
        let own = matches!(self.what, What::Table(_))
            || file == self.signature.file && (self.signature.holds(span) || matches!(self.what, What::Probe(_)));
        debug_assert!(analysis.sources.get(file).is_some(), "a node stands in a file of the program");
        if own && span.start < span.end { (file, span) } else { (self.signature.file, self.signature.name_span) }
    }

    fn written(&self, span: Span) -> String {
        own::written(self.signature, self.analysis, span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The same signature, as a whole.
    pub fn whole(&self) -> Node<'a> {
        Node { what: What::Signature, ..*self }
    }

    fn slot(&self, slot: IdentitySlot) -> Value<'a> {
        let identities = &self.signature.identities;
        let of = |identity: &&'a Identity| identity.facet == "device";
        let identity = if let What::Identity(identity) = self.what { Some(identity) } else { identities.iter().find(of) };
        Value::Text(identity.and_then(|identity| slot_of(identity, slot)).unwrap_or_default())
    }
}

/// What a record says where it is one text; nothing for what is read from the device.
fn slot_of(identity: &Identity, slot: IdentitySlot) -> Option<String> {
    match &identity.slots.iter().find(|(known, _)| *known == slot)?.1.kind {
        ExprKind::Const(Datum::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn text<'a>(text: impl Into<String>) -> Value<'a> {
    Value::Text(text.into())
}

fn count<'a>(count: usize) -> Value<'a> {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Declares attributes: name, type, what it says, and the value of a node that is of the kind they stand under.
macro_rules! attributes {
    ($($name:literal $kind:expr, $about:literal, $of:expr;)*) => {
        &[$(Attribute { name: $name, kind: $kind, about: $about, of: $of }),*]
    };
}

/// An attribute of one kind of node. Asked of another it would be empty, and the checker lets nobody ask.
macro_rules! of {
    ($kind:path, $of:expr) => {
        |node| match node.what {
            $kind(it) => $of(it),
            _ => Value::Truth(false),
        }
    };
}

const SIGNATURE: &[Attribute] = attributes! {
    "added" Kind::Text, "the day it was added, `2026-11-23`", |node| text(node.signature.meta.added.map(|day| day.to_string()).unwrap_or_default());
    "allowed" Kind::Texts, "the lints that it allows, with `-`", |node| Value::Texts(node.signature.meta.allowed.iter().map(|(name, _)| name.replace('_', "-")).collect());
    "captures" Kind::Nodes(Visit::Capture), "its captures, extracts and lets", |node| Value::Nodes(parts(node, Visit::Capture));
    "class" Kind::Text, "the class of the device, where it is written there", |node| node.slot(IdentitySlot::Class);
    "conditions" Kind::Nodes(Visit::Condition), "its lines", |node| Value::Nodes(parts(node, Visit::Condition));
    "confidence" Kind::Text, "`hint`, `weak`, `strong`, `certain`", |node| text(match node.signature.meta.confidence {
        Confidence::Hint => "hint",
        Confidence::Weak => "weak",
        Confidence::Strong => "strong",
        Confidence::Certain => "certain",
    });
    "evidence" Kind::Text, "`observed`, `documented`, `derived`, `unverified`; `unverified` too where it does not say", |node| text(match node.signature.meta.grade {
        Grade::Unverified => "unverified",
        Grade::Derived => "derived",
        Grade::Documented => "documented",
        Grade::Observed => "observed",
    });
    "fields" Kind::Texts, "the fields that it reads", |node| {
        let mut fields = Vec::new();
        node.signature.walk(&mut |expr| fields.extend(field(expr)));
        fields.sort();
        fields.dedup();
        Value::Texts(fields)
    };
    "file" Kind::Text, "the path of its file", |node| text(node.analysis.sources.get(node.signature.file).map_or("", |source| source.path.as_str()));
    "identities" Kind::Nodes(Visit::Identity), "its records of `identify`", |node| Value::Nodes(parts(node, Visit::Identity));
    "model" Kind::Text, "the model, where it is written there", |node| node.slot(IdentitySlot::Model);
    "name" Kind::Text, "its full name, `router.acme.brl.realm`", |node| text(&node.signature.name);
    "patterns" Kind::Nodes(Visit::Pattern), "its patterns", |node| Value::Nodes(parts(node, Visit::Pattern));
    "probes" Kind::Nodes(Visit::Probe), "the probes that it reads", |node| Value::Nodes(parts(node, Visit::Probe));
    "refines" Kind::Text, "the full name of its base", |node| text(node.signature.refines.clone().unwrap_or_default());
    "scope" Kind::Text, "`service` or `host`", |node| text(if node.signature.scope == Scope::Host { "host" } else { "service" });
    "series" Kind::Text, "the series, where it is written there", |node| node.slot(IdentitySlot::Series);
    "source" Kind::Text, "what `evidence` names", |node| text(&node.signature.meta.evidence);
    "summary" Kind::Text, "its summary", |node| text(&node.signature.meta.summary);
    "tags" Kind::Texts, "the tags that it can attach", |node| Value::Texts(node.signature.tags.iter().map(|tag| tag.name.clone()).collect());
    "tests" Kind::Nodes(Visit::Test), "its tests and examples", |node| Value::Nodes(parts(node, Visit::Test));
    "vendor" Kind::Text, "the maker's id, where it is written there", |node| node.slot(IdentitySlot::Vendor);
};

fn field(expr: &Expr) -> Option<String> {
    if let ExprKind::Field(field) = &expr.kind { Some(field.field.name.to_string()) } else { None }
}

const CONDITION: &[Attribute] = attributes! {
    "asks" Kind::Text, "`==`, `<` (any order), `contains` (`starts` and `ends` too), `~`, `in`, `absent`, `present`, `not`, `and`, `or`, or nothing", |node| match node.what {
        What::Condition(expr, _) => text(match &expr.kind {
            ExprKind::Compare(CompareOp::Eq, ..) => "==",
            ExprKind::Compare(..) => "<",
            ExprKind::TextTest(..) => "contains",
            ExprKind::Matches(..) => "~",
            ExprKind::InList(..) | ExprKind::InTable(..) | ExprKind::InRange { .. } | ExprKind::Within(..) => "in",
            ExprKind::Absent(_) => "absent",
            ExprKind::Present(_) => "present",
            ExprKind::Not(_) => "not",
            ExprKind::And(..) => "and",
            ExprKind::Or(..) => "or",
            _ => "",
        }),
        _ => text(""),
    };
    "fields" Kind::Texts, "the fields that it reads", |node| match node.what {
        What::Condition(expr, _) => Value::Texts(own::fields(expr).into_iter().map(str::to_string).collect()),
        _ => Value::Texts(Vec::new()),
    };
    "group" Kind::Text, "the group it stands in: `all`, `any`, `none`, `at least`, `each`", |node| match node.what {
        What::Condition(_, group) => text(group),
        _ => text(""),
    };
    "text" Kind::Text, "as it is written, on one line", |node| text(node.name());
};

const PATTERN: &[Attribute] = attributes! {
    "bytes" Kind::Truth, "`b/.../`", |node| Value::Truth(matches!(node.what, What::Pattern(_, matched) if matched.pattern.bytes));
    "captures" Kind::Texts, "the names that it binds", |node| match node.what {
        What::Pattern(_, matched) => {
            let name = |(_, var): &(String, u32)| node.signature.vars[*var as usize].name.clone();
            Value::Texts(matched.captures.iter().map(name).collect())
        }
        _ => Value::Texts(Vec::new()),
    };
    "fields" Kind::Texts, "the fields that it is asked of", |node| match node.what {
        What::Pattern(expr, _) => Value::Texts(own::fields(expr).into_iter().map(str::to_string).collect()),
        _ => Value::Texts(Vec::new()),
    };
    "ignores_case" Kind::Truth, "`/i` or `/iu`", |node| match node.what {
        What::Pattern(_, matched) => Value::Truth(matched.pattern.ignore_case || matched.pattern.ignore_case_unicode),
        _ => Value::Truth(false),
    };
    "source" Kind::Text, "the pattern, with tables spliced in and without types", |node| text(node.name());
};

const CAPTURE: &[Attribute] = attributes! {
    "name" Kind::Text, "its name", |node| text(node.name());
    "redacted" Kind::Truth, "it never leaves the engine", |node| Value::Truth(matches!(node.what, What::Capture(at) if node.signature.vars[at].redact));
    "type" Kind::Text, "its type, `text` or `version(dotted)?`", |node| match node.what {
        What::Capture(at) => text(node.signature.vars[at].ty.to_string()),
        _ => text(""),
    };
};

const PROBE: &[Attribute] = attributes! {
    "argument" Kind::Text, "its argument, `/status.html`", of!(What::Probe, |probe: &Probe| match &probe.asks {
        crate::hir::Asks::Exactly(key) => text(key.argument.clone().unwrap_or_default()),
        crate::hir::Asks::Named { .. } => text(""),
    });
    "constructor" Kind::Text, "what it is made with, `http.get`", of!(What::Probe, |probe: &Probe| text(probe.asks.constructor()));
    "hop" Kind::Number, "0 for one that is sent first, 1 and 2 for follows", of!(What::Probe, |probe: &Probe| Value::Number(probe.hop.into()));
    "name" Kind::Text, "its name", |node| text(node.name());
    "ports" Kind::Numbers, "where it is expected", of!(What::Probe, |probe: &Probe| Value::Numbers(probe.ports.iter().map(|port| (*port).into()).collect()));
    "safety" Kind::Text, "`passive`, `benign`, `review`", of!(What::Probe, |probe: &Probe| text(match probe.safety {
        Safety::Passive => "passive",
        Safety::Benign => "benign",
        Safety::Review => "review",
    }));
};

const IDENTITY: &[Attribute] = attributes! {
    "class" Kind::Text, "the class, where it is written there", |node| node.slot(IdentitySlot::Class);
    "facet" Kind::Text, "`device` or `os`", |node| text(node.name());
    "model" Kind::Text, "the model, where it is written there", |node| node.slot(IdentitySlot::Model);
    "series" Kind::Text, "the series, where it is written there", |node| node.slot(IdentitySlot::Series);
    "slots" Kind::Texts, "the slots that it fills", of!(What::Identity, |identity: &Identity| {
        let word = |slot: &IdentitySlot| crate::check::IDENTITY_SLOTS.iter().find(|(_, known)| known == slot).map(|(word, _)| (*word).to_string());
        Value::Texts(identity.slots.iter().filter_map(|(slot, _)| word(slot)).collect())
    });
    "vendor" Kind::Text, "the maker's id, where it is written there", |node| node.slot(IdentitySlot::Vendor);
    "version" Kind::Text, "the version, where it is written there", |node| node.slot(IdentitySlot::Version);
};

const TEST: &[Attribute] = attributes! {
    "at" Kind::Text, "its day, `2026-11-23`", of!(What::Test, |test: &Test| text(test.at.map(|day| day.to_string()).unwrap_or_default()));
    "expects" Kind::Texts, "`identify`, `captures`, `resolved`, `no_match`, `tags`, `sent`; an example with `nothing` expects `no_match`", of!(What::Test, |test: &Test| {
        let word = |expect: &Expect| match expect {
            Expect::Identify(..) => "identify",
            Expect::Captures(..) => "captures",
            Expect::Resolved(..) => "resolved",
            Expect::NoMatch(..) => "no_match",
            Expect::Tags(..) => "tags",
            Expect::Sent(..) => "sent",
        };
        Value::Texts(test.expect.iter().map(|expect| word(expect).to_string()).collect())
    });
    "given" Kind::Texts, "how each answer is given: the kind of its text (`http`), `file`, `value`, `facts`, `timeout`, `refused`", of!(What::Test, |test: &Test| {
        let word = |fixture: &Fixture| match fixture {
            Fixture::Inline { kind, .. } => kind.clone(),
            Fixture::Bytes(_) => "file".into(),
            Fixture::Value(..) => "value".into(),
            Fixture::Facts(_) => "facts".into(),
            Fixture::Timeout => "timeout".into(),
            Fixture::Refused => "refused".into(),
        };
        Value::Texts(test.given.iter().map(|(_, fixture)| word(fixture)).collect())
    });
    "name" Kind::Text, "its name; of an example its value", |node| text(node.name());
};

const TABLE: &[Attribute] = attributes! {
    "columns" Kind::Texts, "the names of its columns", of!(What::Table, |told: &Told| Value::Texts(told.table.columns.iter().map(|column| column.name.clone()).collect()));
    "file" Kind::Text, "the file beside the signature that holds its rows", of!(What::Table, |told: &Told| text(told.item.from.as_ref().map(|from| from.value.clone()).unwrap_or_default()));
    "key" Kind::Text, "the column that is its key", of!(What::Table, |told: &Told| text(told.table.key.map(|key| told.table.columns[key as usize].name.clone()).unwrap_or_default()));
    "name" Kind::Text, "its full name", |node| text(node.name());
    "readers" Kind::Number, "how many signatures read it", of!(What::Table, |told: &Told| count(told.readers.len()));
    "rows" Kind::Number, "how many rows it has", of!(What::Table, |told: &Told| count(told.table.rows.len()));
};

impl Visit {
    /// As `visits` says it.
    pub fn word(self) -> &'static str {
        VISITS.iter().find(|(_, visit)| *visit == self).map_or("", |(word, _)| word)
    }

    /// What can be asked of it, by name.
    pub fn attributes(self) -> &'static [Attribute] {
        match self {
            Visit::Signature => SIGNATURE,
            Visit::Condition => CONDITION,
            Visit::Pattern => PATTERN,
            Visit::Capture => CAPTURE,
            Visit::Probe => PROBE,
            Visit::Identity => IDENTITY,
            Visit::Test => TEST,
            Visit::Table => TABLE,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Text => f.write_str("text"),
            Kind::Number => f.write_str("int"),
            Kind::Truth => f.write_str("bool"),
            Kind::Texts => f.write_str("list<text>"),
            Kind::Numbers => f.write_str("list<int>"),
            Kind::Nodes(visit) => write!(f, "list<{}>", visit.word()),
        }
    }
}
