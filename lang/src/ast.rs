//! The typed syntax tree: one [`File`] for one `.ksig` source, alone.
//!
//! In: the lossless tree of [`crate::parse`]. Out: plain data with spans. Names are not resolved here and no field is known;
//! `compiler::resolve` does that. What could not be parsed is absent (its problem is in [`crate::Parsed::diagnostics`]), never guessed.

pub use crate::source::Span;

/// A piece of syntax and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Byte range in the source.
    pub span: Span,
}

/// An identifier as written.
pub type Name = Spanned<String>;
/// A text literal after its escapes.
pub type Text = Spanned<String>;
/// A dotted name, `vocab.vendors`, one entry a segment.
pub type Path = Spanned<Vec<Name>>;

/// One `.ksig` file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// `ksig 1`.
    pub edition: Option<Spanned<u32>>,
    /// `module router.planex.brl`.
    pub module: Option<Path>,
    /// `use vocab.vendors { planex }`.
    pub uses: Vec<Use>,
    /// In source order.
    pub items: Vec<Item>,
}

/// `use vocab.vendors { buffalo, nec }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// What module.
    pub path: Path,
    /// Which of its names; empty when a broken list was skipped.
    pub names: Vec<Name>,
    /// The whole statement.
    pub span: Span,
}

/// A top-level item; `doc` is the text of its `///` lines, joined by newlines, empty without them.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `table airstation from "airstation.csv" { ... }`
    Table(Table),
    /// `scheme yamaha_rev = dotted(parts: 3, train: leading 2)`
    Scheme(Scheme),
    /// `vendor buffalo { name "Buffalo" ... }`
    Vendor(Entry),
    /// `class router.home { en "Home router" ... }`
    Class(Entry),
    /// `tag eol(on: bound<date>) { en "..." ja "..." }`
    Tag(Entry),
    /// `probe top = http.get("/")`
    Probe(Probe),
    /// `let row = airstation[model]` outside a signature.
    Let(Let),
    /// `signature name refines base { ... }`
    Signature(Signature),
    /// `choice name { a  b  c }`
    Choice(Choice),
}

impl Item {
    /// All of it.
    pub fn span(&self) -> Span {
        match self {
            Item::Table(item) => item.span,
            Item::Scheme(item) => item.span,
            Item::Vendor(item) | Item::Class(item) | Item::Tag(item) => item.span,
            Item::Probe(item) => item.span,
            Item::Let(item) => item.span,
            Item::Signature(item) => item.span,
            Item::Choice(item) => item.span,
        }
    }
}

/// A table's columns and where its rows are.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `///` lines.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// `from "file.csv"`; absent for an inline table.
    pub from: Option<Text>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Inline rows, `row "WSR-1166DHP4", "WSR", 2026-12-31`: one expression a column.
    pub rows: Vec<Spanned<Vec<Expr>>>,
    /// The whole item.
    pub span: Span,
}

/// `model : text key(fold_case)`, `released : date history`.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// `key` was written.
    pub key: bool,
    /// `key(fold_case, trim)`: how keys are made equal before they are compared.
    pub folds: Vec<Name>,
    /// `history` was written: the day from which a row holds.
    pub history: bool,
}

/// `text`, `date?`, `version(dotted)?`, `enum(bridge, router)`, `list<cve>`, `bound<date>`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// `text`, `version`, `list`.
    pub name: Name,
    /// `<...>`: for `list` and `bound`.
    pub of: Option<Box<TypeExpr>>,
    /// `(dotted)`: a version's scheme, or the words of an enum; empty without parentheses.
    pub words: Vec<Name>,
    /// `?` was written.
    pub optional: bool,
    /// The whole type.
    pub span: Span,
}

/// A named version scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheme {
    /// `///` lines.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// `dotted(parts: 3, train: leading 2)`: a name or a call; `leading 2` is a call `leading(2)`.
    pub value: Expr,
    /// The whole item.
    pub span: Span,
}

/// A vocabulary entry: vendor, class or tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `///` lines.
    pub doc: String,
    /// `buffalo`, `router.home`, `eol`.
    pub path: Path,
    /// A tag's typed parameters; empty for others.
    pub params: Vec<Param>,
    /// The statements of its body: `name "Buffalo"`, `ja "バッファロー"`, `alias "MELCO", "Melco Inc."`, `pen 5227`.
    pub attributes: Vec<Attribute>,
    /// The whole item.
    pub span: Span,
}

/// `on: bound<date>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
}

/// `name value, value`: metadata of an entry, a probe block or a signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The word it starts with.
    pub name: Name,
    /// Its values; may be empty.
    pub values: Vec<Expr>,
    /// The whole line.
    pub span: Span,
}

/// `probe rtsp = rtsp.options("*") on 554, 8554 { safety review }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `///` lines.
    pub doc: String,
    /// What the signature calls it.
    pub name: Name,
    /// The constructor call.
    pub call: Expr,
    /// `on 554, 8554`; empty means the constructor's own ports.
    pub ports: Vec<Spanned<u16>>,
    /// `on any tls`.
    pub on_any_tls: Option<Span>,
    /// `charset [...]`, `safety review`, `requires policy.x` of its block.
    pub options: Vec<Attribute>,
    /// The whole item.
    pub span: Span,
}

/// `follow ver = http.get(top.html.script_src("/js/version.js")) at rtsp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// What the signature calls it.
    pub name: Name,
    /// The constructor call.
    pub call: Expr,
    /// `at rtsp`: on the port where that probe was answered.
    pub at: Option<Name>,
    /// The whole statement.
    pub span: Span,
}

/// `let row = airstation[model]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// What it binds.
    pub name: Name,
    /// To what.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// One signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// `///` lines.
    pub doc: String,
    /// Its name in the module.
    pub name: Name,
    /// `refines any_model`.
    pub refines: Option<Path>,
    /// In source order.
    pub body: Vec<Statement>,
    /// The whole item.
    pub span: Span,
}

/// A statement of a signature's body.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `summary "..."`, `evidence observed "..."`, `added 2026-11-23`, `confidence weak`, `scope host`, `redact serial`, `allow lint "why"`.
    /// Words that are not literals come as [`ExprKind::Name`].
    Meta(Attribute),
    /// A probe of this signature alone.
    Probe(Probe),
    /// `match { ... }`; `of` is the follow in `match desc { ... }`.
    Match {
        /// `match desc { }`: the follow that it speaks of.
        of: Option<Name>,
        /// Joined by *and*.
        lines: Vec<Line>,
        /// The whole statement.
        span: Span,
    },
    /// A second-stage probe.
    Follow(Follow),
    /// `extract { fw : version(dotted) = ... }`.
    Extract(Vec<Extract>, Span),
    /// `let row = table[key]`.
    Let(Let),
    /// `identify { ... }`; `facet` is `os` in `identify os { ... }`.
    Identify(Record),
    /// `component { vendor = "x"; product = "y"; version = v }`.
    Component(Record),
    /// `details { edition = edition }`: what else was read.
    Details(Record),
    /// `support { ends = row.ends; latest = row.latest }`: where the support block of the answer comes from.
    Support(Record),
    /// `tag eol(on: row.eol) when row.eol <= scan.date`.
    Tag(TagUse),
    /// `test "name" at DATE { ... }`.
    Test(Test),
    /// `example "BRL-04UR" in top.auth.basic.realm => { model: "BRL-04UR" }` or `=> nothing`.
    Example(Example),
}

/// A line of `match`, perhaps a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What must hold.
    pub kind: LineKind,
    /// `"label":` before the line; `because` names it.
    pub label: Option<Text>,
    /// The whole line or group.
    pub span: Span,
}

/// What a line of `match` says.
#[derive(Clone, Debug, PartialEq)]
pub enum LineKind {
    /// A condition.
    Condition(Expr),
    /// `any { }`.
    Any(Vec<Line>),
    /// `all { }`.
    All(Vec<Line>),
    /// `none { }`.
    None(Vec<Line>),
    /// `at least 2 of { }`.
    AtLeast(Spanned<u32>, Vec<Line>),
    /// `all h in xs { }` (`every`) or `any h in xs { }`: the lines hold for every or some element.
    Each {
        /// `all`, not `any`.
        every: bool,
        /// The element's name.
        element: Name,
        /// The list.
        list: Expr,
        /// Joined by *and*.
        lines: Vec<Line>,
    },
}

/// `fw : version(dotted) = first of { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Extract {
    /// What it binds.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// Where it comes from.
    pub value: Expr,
    /// The whole line.
    pub span: Span,
}

/// `identify` and `component` bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// `os` in `identify os { }`.
    pub facet: Option<Name>,
    /// `slot = value`, in source order.
    pub slots: Vec<(Name, Expr)>,
    /// The whole statement.
    pub span: Span,
}

/// A tag attached.
#[derive(Clone, Debug, PartialEq)]
pub struct TagUse {
    /// Which tag.
    pub name: Name,
    /// `on: row.eol`.
    pub args: Vec<(Name, Expr)>,
    /// `for r in cves where ...`: one tag for each row.
    pub each: Option<(Name, Expr, Option<Expr>)>,
    /// `when ...`.
    pub when: Option<Expr>,
    /// The whole statement.
    pub span: Span,
}

/// `test "name" at 2027-01-15 { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What it shows.
    pub name: Text,
    /// `at DATE`.
    pub at: Option<Expr>,
    /// Fixtures.
    pub given: Vec<Given>,
    /// `with airstation = [{ ... }]`: rows that replace a table's in this test.
    pub with: Vec<(Name, Expr)>,
    /// What must come out.
    pub expect: Vec<Expect>,
    /// The whole test.
    pub span: Span,
}

/// `given top = http"""..."""`.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The probe that is answered.
    pub probe: Name,
    /// With what.
    pub fixture: Fixture,
    /// `from 198.51.100.5`: the address that answers.
    pub from: Option<Text>,
    /// The whole line.
    pub span: Span,
}

/// What a probe was answered in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Fixture {
    /// `http"""..."""`, `banner"""..."""`: a heredoc after dedent. `kind` is the word before it.
    Inline {
        /// `http`, `rtsp`, `banner`, `ssh`.
        kind: Name,
        /// The text after dedent, lines joined by `\n`; each protocol says what line end it sends.
        text: Text,
    },
    /// `fixture("airstation/realm-only.http")`, relative to the signature's folder.
    File(Text),
    /// `favicon { mmh3: -1 }`, `snmp { sysDescr.0: "..." }`: facts given directly.
    Facts {
        /// The word before the braces.
        kind: Name,
        /// Keys as written (dots allowed) and values.
        facts: Vec<(Name, Expr)>,
    },
    /// `timeout`.
    Timeout(Span),
    /// `refused`.
    Refused(Span),
}

/// `expect ...`.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// `expect identify { model: "X", version: absent }`.
    Identify(Vec<(Name, Expr)>, Span),
    /// `expect captures { httpd: v"2.23" }`.
    Captures(Vec<(Name, Expr)>, Span),
    /// `expect resolved { ... }` or `expect resolved unknown`.
    Resolved(Vec<(Name, Expr)>, Span),
    /// `expect no_match because "label"`.
    NoMatch(Option<Text>, Span),
    /// `expect tags [a, b]`.
    Tags(Vec<Name>, Span),
    /// `expect sent [top, ver]`.
    Sent(Vec<Name>, Span),
}

/// `example VALUE in FIELD => { model: "X" }` or `=> nothing`.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The value seen; text or bytes.
    pub value: Expr,
    /// In which field.
    pub field: Expr,
    /// Slots that must come out; absent for `nothing`.
    pub expect: Option<Vec<(Name, Expr)>>,
    /// The whole statement.
    pub span: Span,
}

/// `choice dell_ssh { first  second }`: the first that matches stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// `///` lines.
    pub doc: String,
    /// Its name.
    pub name: Name,
    /// Signatures in order.
    pub members: Vec<Path>,
    /// The whole item.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `"text"` after escapes; holes `{model|cpe}` stay as written.
    Text(String),
    /// `sjis"..."`, `eucjp"..."`, `cpe"..."`, `h"00ff"`, `v"1.2"`, `b"\x00"`: the prefix and the text.
    Prefixed(String, String),
    /// `401`, `-5`.
    Int(i64),
    /// `true`, `false`.
    Bool(bool),
    /// `2026-12-31`, as written (checked to be a real date).
    Date(jiff::civil::Date),
    /// `5s`, `250ms`, `14d`: as written.
    Duration(String),
    /// `1.3.6.1.4.1.1182` or `192.0.2.1`: dotted numbers, at least two dots, as written.
    Dotted(String),
    /// `/re/i` or `b/re/`: pattern text between the slashes (with `\/` unescaped to `/`), flags after it.
    Regex {
        /// The pattern, still in ksig's dialect.
        pattern: String,
        /// Where `pattern` starts in the source.
        pattern_span: Span,
        /// Letters or words after the slash: `i`, `iu`, `fold_width`, ...; several are joined by nothing but order, split here.
        flags: Vec<Name>,
        /// `b/.../`.
        bytes: bool,
    },
    /// `model`.
    Name(String),
    /// `base.name`.
    Field(Box<Expr>, Name),
    /// `base["key"]`, `table[key]`.
    Index(Box<Expr>, Box<Expr>),
    /// `http.get("/")`, `latest(model, at scan.date)`.
    Call(Box<Expr>, Vec<Arg>),
    /// `not x`.
    Not(Box<Expr>),
    /// `x absent`.
    Absent(Box<Expr>),
    /// `x present`.
    Present(Box<Expr>),
    /// `a == b` and its like.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `if c then a else b`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `from_upnp[maker] otherwise unknown`.
    Otherwise(Box<Expr>, Box<Expr>),
    /// `first of { a  b }`.
    FirstOf(Vec<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{ model: "x" }`.
    Record(Vec<(Name, Expr)>),
    /// `lo ..< hi` (half open) or `lo ..= hi`.
    Range {
        /// Lower end.
        low: Box<Expr>,
        /// Upper end.
        high: Box<Expr>,
        /// `..=`.
        inclusive: bool,
    },
    /// `at_least x`, `by x`, `leading 2`: a word before a value.
    Worded(Name, Box<Expr>),
}

/// An argument: `"x"` or `mx: 1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `mx` in `mx: 1`.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
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
    /// `~`: a regex is found.
    Matches,
    /// `contains`: a substring.
    Contains,
    /// `starts`
    Starts,
    /// `ends`
    Ends,
    /// `has`: membership.
    Has,
    /// `in`: membership the other way round, in a list, a table or a range.
    In,
    /// `under`: an object id below another.
    Under,
    /// `and`
    And,
    /// `or`
    Or,
}
