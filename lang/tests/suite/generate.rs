//! Files drawn from the normative grammar itself: what a rule of it can be, that a file holds sooner or later.
//!
//! In: `spec/ksig.pest` as a text, dice, and a rule that the file shall hold. Out: texts. Look-aheads are not obeyed, so most files keep to
//! the grammar and some nearly do.
//!
//! **Goals.** Rules that stand deep, or that ask for much around them, are seldom in a file that is taken. So a drawing can have a goal: from
//! the file on it takes the ways that lead there, and everywhere else the smallest one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use pest_meta::ast::{Expr, Rule as Ast, RuleType};
use pest_meta::parser;

use crate::oracle::Dice;

/// Words that are drawn more often than letters, so that files look like files.
const WORDS: [&str; 16] = ["a", "b", "top", "model", "x1", "fw", "any", "first", "of", "key", "least", "version", "v", "http", "_", "true"];

/// Words that mean something at most places. They are drawn in files that may fail.
const RISKY: [&str; 16] =
    ["in", "ends", "and", "not", "when", "absent", "tag", "table", "row", "at", "by", "match", "probe x", "signature y", "module", "b"];

/// Characters where any may stand.
const CHARACTERS: [&str; 24] =
    ["a", " ", "0", "{", "}", "\t", "あ", "\u{e9}", "n", "(", "*", "b", "c", "-", "_", ".", "1", "A", "無", "[", "]", "^", "$", "?"];

/// Characters that end a text, a regex or a line.
const ENDING: [&str; 6] = ["\"", "\\", "/", "//", "\r", "\n"];

/// Frames around one rule: in a whole file a mistake anywhere hides all the rest, so what stands deep is drawn alone too.
const FRAMES: [(&str, &str, &str); 6] = [
    ("ksig 1\nmodule a\n", "item", "\n"),
    ("ksig 1\nmodule a\nlet x = ", "expr", "\n"),
    ("ksig 1\nmodule a\nsignature s {\n", "statement", "\n}\n"),
    ("ksig 1\nmodule a\nsignature s {\n  match {\n", "line", "\n  }\n}\n"),
    ("ksig 1\nmodule a\nsignature s {\n  test \"t\" {\n", "test_line", "\n  }\n}\n"),
    ("ksig 1\nmodule a\nsignature s {\n", "tag", "\n}\n"),
];

/// A file may grow so many pieces; then each rule takes its smallest way out.
const PIECES_MAX: usize = 150;

pub struct Grammar {
    rules: BTreeMap<String, Ast>,
    /// How many pieces the smallest text of each rule has.
    sizes: BTreeMap<String, usize>,
}

/// A rule that a drawing leads to.
pub struct Goal {
    name: String,
    /// For each rule that can hold it, how many rules lie between.
    distances: BTreeMap<String, usize>,
}

impl Goal {
    /// How far an expression is from the goal; absent when it cannot hold it.
    fn distance(&self, expr: &Expr) -> Option<usize> {
        named(expr).into_iter().filter_map(|name| self.distances.get(name).copied()).min()
    }
}

/// A drawn text and the rules that it holds.
pub struct Drawn {
    pub text: String,
    pub rules: BTreeSet<String>,
}

impl Grammar {
    pub fn read(text: &str) -> Grammar {
        let pairs = parser::parse(parser::Rule::grammar_rules, text).unwrap();
        let rules: BTreeMap<String, Ast> =
            parser::consume_rules(pairs).unwrap().into_iter().map(|rule| (rule.name.clone(), rule)).collect();
        let mut grammar = Grammar { sizes: BTreeMap::new(), rules };
        loop {
            let known = grammar.rules.iter().filter_map(|(name, rule)| Some((name.clone(), 1 + grammar.size(&rule.expr)?))).collect();
            if grammar.sizes == known {
                return grammar;
            }
            grammar.sizes = known;
        }
    }

    /// The rules that a file can hold: those that are named outside look-aheads, from the file on.
    pub fn names(&self) -> BTreeSet<&str> {
        self.below_file(|_| true)
    }

    /// The rules that pest names in its tree of a file: not the silent ones, and nothing inside an atomic one.
    pub fn shown(&self) -> BTreeSet<&str> {
        let mut names = self.below_file(|rule| !is_atomic(rule.ty));
        names.retain(|name| self.rules[*name].ty != RuleType::Silent);
        names
    }

    /// The rules named from the file on, through those that are entered.
    fn below_file(&self, enters: fn(&Ast) -> bool) -> BTreeSet<&str> {
        let mut names = BTreeSet::from(["file"]);
        let mut open = vec!["file"];
        while let Some(name) = open.pop() {
            let Some(rule) = self.rules.get(name).filter(|rule| enters(rule)) else { continue };
            for name in named(&rule.expr).into_iter().filter(|name| self.rules.contains_key(*name)) {
                if names.insert(name) {
                    open.push(name);
                }
            }
        }
        names
    }

    /// The ways to a rule.
    pub fn goal(&self, name: &str) -> Goal {
        let mut goal = Goal { name: name.to_owned(), distances: BTreeMap::from([(name.to_owned(), 0)]) };
        loop {
            let found: Vec<(String, usize)> = self
                .rules
                .iter()
                .filter(|(name, _)| !goal.distances.contains_key(*name))
                .filter_map(|(name, rule)| Some((name.clone(), 1 + goal.distance(&rule.expr)?)))
                .collect();
            if found.is_empty() {
                return goal;
            }
            goal.distances.extend(found);
        }
    }

    /// Pieces of the smallest text; absent while none is known.
    fn size(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Ident(name) if self.rules.contains_key(name) => self.sizes.get(name).copied(),
            Expr::Ident(_) | Expr::Str(_) | Expr::Insens(_) | Expr::Range(..) => Some(1),
            Expr::Seq(left, right) => Some(self.size(left)? + self.size(right)?),
            Expr::Choice(left, right) => [left, right].into_iter().filter_map(|way| self.size(way)).min(),
            Expr::RepOnce(inner) => self.size(inner),
            Expr::RepExact(inner, least) | Expr::RepMin(inner, least) | Expr::RepMinMax(inner, least, _) => {
                Some(self.size(inner)? * *least as usize)
            }
            _ => Some(0),
        }
    }

    /// A file from the first rule on, by the ways that lead to a goal.
    pub fn draw_towards(&self, goal: &Goal, dice: &mut Dice) -> Drawn {
        let mut pen = Pen { goal: Some(goal), careful: true, ..Pen::new(self, dice) };
        pen.rule("file", false, true);
        Drawn { text: pen.out, rules: pen.rules }
    }

    /// A file, drawn whole or in a frame.
    pub fn draw(&self, dice: &mut Dice) -> Drawn {
        let careful = dice.roll(3) > 0;
        let mut pen = Pen { careful, ..Pen::new(self, dice) };
        match FRAMES.get(pen.dice.roll(FRAMES.len() + 2)) {
            None => pen.rule("file", false, false),
            Some((before, rule, after)) => {
                assert!(self.rules.contains_key(*rule), "the grammar has no rule {rule}");
                pen.out.push_str(before);
                pen.rule(rule, false, false);
                pen.out.push_str(after);
            }
        }
        Drawn { text: pen.out, rules: pen.rules }
    }
}

struct Pen<'g, 'd> {
    grammar: &'g Grammar,
    dice: &'d mut Dice,
    /// Where the drawing leads, until it is there; meanwhile all that does not lead there is small.
    goal: Option<&'g Goal>,
    /// What look-aheads refuse is seldom drawn.
    careful: bool,
    out: String,
    rules: BTreeSet<String>,
    /// Rules drawn so far, but for those inside atomic ones: a long word is no more than a short one.
    pieces: usize,
}

impl<'g, 'd> Pen<'g, 'd> {
    fn new(grammar: &'g Grammar, dice: &'d mut Dice) -> Pen<'g, 'd> {
        Pen { grammar, dice, goal: None, careful: false, out: String::new(), rules: BTreeSet::new(), pieces: 0 }
    }
}

// In what follows, `leads` says that the goal shall stand in this piece.
impl Pen<'_, '_> {
    fn rule(&mut self, name: &str, atomic: bool, leads: bool) {
        self.pieces += usize::from(!atomic);
        let Some(rule) = self.grammar.rules.get(name) else { return self.builtin(name) };
        self.rules.insert(name.to_owned());
        let arrives = leads && self.goal.is_some_and(|goal| goal.name == name);
        let leads = leads && !arrives;
        match name {
            "raw_word" if !leads && self.risks(12) => return self.one_of(&RISKY),
            "raw_word" if !leads && self.dice.roll(4) > 0 => return self.one_of(&WORDS),
            // A comment ends its line, so it stands before the end of one.
            "nl" if self.dice.roll(8) == 0 => self.out.push_str([" // note", "/// doc", "//"][self.dice.roll(3)]),
            _ => {}
        }
        // Half of the goals are drawn as freely as all is without a goal.
        let goal = if arrives && self.dice.roll(2) == 0 { self.goal.take() } else { None };
        self.expr(&rule.expr, is_atomic(rule.ty) || atomic && rule.ty != RuleType::NonAtomic, leads);
        self.goal = goal.or(self.goal);
    }

    fn builtin(&mut self, name: &str) {
        match name {
            "SOI" | "EOI" => {}
            "ASCII_DIGIT" => self.one_of(&["0", "1", "2", "9"]),
            "ASCII_HEX_DIGIT" => self.one_of(&["0", "7", "a", "F", "d", "8"]),
            "ASCII_ALPHA" => self.one_of(&["a", "B", "z"]),
            "ASCII_ALPHANUMERIC" => self.one_of(&["a", "0", "Z"]),
            "ASCII" => self.one_of(&["a", " ", "~", "0"]),
            "ANY" if self.risks(12) => self.one_of(&ENDING),
            "ANY" => self.one_of(&CHARACTERS),
            other => panic!("say what may stand for {other}"),
        }
    }

    /// Once in so many times, in a file that may fail.
    fn risks(&mut self, many: usize) -> bool {
        !self.careful && self.dice.roll(many) == 0
    }

    fn one_of(&mut self, all: &[&str]) {
        self.out.push_str(all[self.dice.roll(all.len())]);
    }

    fn expr(&mut self, expr: &Expr, atomic: bool, leads: bool) {
        match expr {
            Expr::Str(text) | Expr::Insens(text) => self.out.push_str(text),
            Expr::Range(from, to) => {
                let (from, to) = (from.chars().next().unwrap() as u32, to.chars().next().unwrap() as u32);
                self.out.extend(char::from_u32(from + self.dice.roll((to - from + 1) as usize) as u32));
            }
            Expr::Ident(name) => self.rule(name, atomic, leads),
            Expr::PosPred(_) | Expr::NegPred(_) => {}
            Expr::Seq(left, right) => {
                let leads_left = leads && self.nearer(left, right);
                self.expr(left, atomic, leads_left);
                self.between(atomic);
                self.expr(right, atomic, leads && !leads_left);
            }
            Expr::Choice(..) => {
                let mut ways = Vec::new();
                choices(expr, &mut ways);
                let way = if leads {
                    self.way_to_goal(&ways)
                } else if self.is_small() {
                    ways.into_iter().min_by_key(|way| self.grammar.size(way).unwrap_or(usize::MAX)).unwrap()
                } else {
                    ways[self.dice.roll(ways.len())]
                };
                self.expr(way, atomic, leads);
            }
            Expr::Opt(inner) => self.times(inner, 0, 1, atomic, leads),
            Expr::Rep(inner) => self.times(inner, 0, 3, atomic, leads),
            Expr::RepOnce(inner) => self.times(inner, 1, 3, atomic, leads),
            Expr::RepExact(inner, count) => self.times(inner, *count, *count, atomic, leads),
            Expr::RepMin(inner, least) => self.times(inner, *least, least + 2, atomic, leads),
            Expr::RepMax(inner, most) => self.times(inner, 0, *most, atomic, leads),
            Expr::RepMinMax(inner, least, most) => self.times(inner, *least, (*most).min(least + 6), atomic, leads),
            other => panic!("say what may stand for {other}"),
        }
    }

    fn times(&mut self, inner: &Expr, least: u32, most: u32, atomic: bool, leads: bool) {
        let count = if self.is_small() { least } else { least + self.dice.roll((most - least + 1) as usize) as u32 };
        let count = count.max(u32::from(leads));
        for number in 0..count {
            if number > 0 {
                self.between(atomic);
            }
            self.expr(inner, atomic, leads && number == 0);
        }
    }

    fn distance(&self, expr: &Expr) -> usize {
        self.goal.and_then(|goal| goal.distance(expr)).unwrap_or(usize::MAX)
    }

    /// The goal is nearer to the left part of a sequence; where both are as near, the dice say.
    fn nearer(&mut self, left: &Expr, right: &Expr) -> bool {
        match self.distance(left).cmp(&self.distance(right)) {
            Ordering::Less => true,
            Ordering::Equal => self.dice.roll(2) == 0,
            Ordering::Greater => false,
        }
    }

    /// One of the shortest ways to the goal, and now and then a longer one.
    fn way_to_goal<'e>(&mut self, ways: &[&'e Expr]) -> &'e Expr {
        let nearest = ways.iter().map(|way| self.distance(way)).min().unwrap();
        let most = if self.is_full() || self.dice.roll(8) > 0 { nearest } else { usize::MAX - 1 };
        let leading: Vec<&Expr> = ways.iter().copied().filter(|way| self.distance(way) <= most).collect();
        leading[self.dice.roll(leading.len())]
    }

    /// What the grammar lets stand between two of its pieces.
    fn between(&mut self, atomic: bool) {
        if atomic {
            return;
        }
        let ends = self.out.chars().next_back().unwrap_or(' ');
        let is_word = ends.is_ascii_alphanumeric() || matches!(ends, '_' | '"' | '/');
        match self.dice.roll(200) {
            0..=9 => self.out.push_str("  \t"),
            // Two words without a space are one.
            10 if !self.careful => {}
            11..=60 if !is_word => {}
            _ if matches!(ends, '\n' | ' ' | '(' | '[' | '.') => {}
            _ => self.out.push(' '),
        }
    }

    fn is_full(&self) -> bool {
        self.pieces > PIECES_MAX
    }

    /// What may be left out is left out.
    fn is_small(&self) -> bool {
        self.is_full() || self.goal.is_some()
    }
}

fn is_atomic(ty: RuleType) -> bool {
    matches!(ty, RuleType::Atomic | RuleType::CompoundAtomic)
}

fn choices<'e>(expr: &'e Expr, ways: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Choice(left, right) => {
            choices(left, ways);
            choices(right, ways);
        }
        way => ways.push(way),
    }
}

/// The rules that an expression names outside look-aheads.
fn named(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::Ident(name) => vec![name.as_str()],
        Expr::Seq(left, right) | Expr::Choice(left, right) => [named(left), named(right)].concat(),
        Expr::Opt(inner)
        | Expr::Rep(inner)
        | Expr::RepOnce(inner)
        | Expr::RepExact(inner, _)
        | Expr::RepMin(inner, _)
        | Expr::RepMax(inner, _)
        | Expr::RepMinMax(inner, ..)
        | Expr::Push(inner) => named(inner),
        _ => Vec::new(),
    }
}
