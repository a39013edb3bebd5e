//! Files drawn from the normative grammar itself: what a rule of it can be, that a file holds sooner or later.
//!
//! In: `spec/ksig.pest` as a text, and dice. Out: texts. Look-aheads are not obeyed, so most files keep to the grammar and some nearly do.

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

/// A file may grow so many pieces; then each rule takes its shortest way out.
const PIECES_MAX: usize = 250;

pub struct Grammar {
    rules: BTreeMap<String, Ast>,
    /// How deep the shortest text of each rule is.
    depths: BTreeMap<String, usize>,
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
        let mut grammar = Grammar { depths: BTreeMap::new(), rules };
        loop {
            let known: Vec<(String, usize)> =
                grammar.rules.iter().filter_map(|(name, rule)| Some((name.clone(), 1 + grammar.depth(&rule.expr)?))).collect();
            let before = grammar.depths.len();
            for (name, depth) in known {
                grammar.depths.entry(name).or_insert(depth);
            }
            if grammar.depths.len() == before {
                return grammar;
            }
        }
    }

    /// The rules that a file can hold: those that are named outside look-aheads, from the file on.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::from(["file"]);
        let mut open = vec!["file"];
        while let Some(rule) = open.pop().and_then(|name| self.rules.get(name)) {
            for name in named(&rule.expr).into_iter().filter(|name| self.rules.contains_key(*name)) {
                if names.insert(name) {
                    open.push(name);
                }
            }
        }
        names
    }

    fn depth(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Ident(name) if self.rules.contains_key(name) => self.depths.get(name).copied(),
            Expr::Seq(left, right) => Some(self.depth(left)?.max(self.depth(right)?)),
            Expr::Choice(left, right) => match (self.depth(left), self.depth(right)) {
                (Some(left), Some(right)) => Some(left.min(right)),
                (left, right) => left.or(right),
            },
            Expr::RepOnce(inner) | Expr::RepExact(inner, _) | Expr::RepMin(inner, _) | Expr::RepMinMax(inner, ..) => self.depth(inner),
            _ => Some(0),
        }
    }

    /// A file, drawn whole or in a frame.
    pub fn draw(&self, dice: &mut Dice) -> Drawn {
        let careful = dice.roll(3) > 0;
        let mut pen = Pen { grammar: self, dice, careful, out: String::new(), rules: BTreeSet::new(), pieces: 0 };
        match FRAMES.get(pen.dice.roll(FRAMES.len() + 2)) {
            None => pen.rule("file", false),
            Some((before, rule, after)) => {
                assert!(self.rules.contains_key(*rule), "the grammar has no rule {rule}");
                pen.out.push_str(before);
                pen.rule(rule, false);
                pen.out.push_str(after);
            }
        }
        Drawn { text: pen.out, rules: pen.rules }
    }
}

struct Pen<'g, 'd> {
    grammar: &'g Grammar,
    dice: &'d mut Dice,
    /// What look-aheads refuse is seldom drawn.
    careful: bool,
    out: String,
    rules: BTreeSet<String>,
    pieces: usize,
}

impl Pen<'_, '_> {
    fn rule(&mut self, name: &str, atomic: bool) {
        self.pieces += 1;
        let Some(rule) = self.grammar.rules.get(name) else { return self.builtin(name) };
        self.rules.insert(name.to_owned());
        match name {
            "raw_word" if self.risks(12) => return self.one_of(&RISKY),
            "raw_word" if self.dice.roll(4) > 0 => return self.one_of(&WORDS),
            // A comment ends its line, so it stands before the end of one.
            "nl" if self.dice.roll(8) == 0 => self.out.push_str([" // note", "/// doc", "//"][self.dice.roll(3)]),
            _ => {}
        }
        let atomic = match rule.ty {
            RuleType::Atomic | RuleType::CompoundAtomic => true,
            RuleType::NonAtomic => false,
            RuleType::Normal | RuleType::Silent => atomic,
        };
        self.expr(&rule.expr, atomic);
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

    fn expr(&mut self, expr: &Expr, atomic: bool) {
        match expr {
            Expr::Str(text) | Expr::Insens(text) => self.out.push_str(text),
            Expr::Range(from, to) => {
                let (from, to) = (from.chars().next().unwrap() as u32, to.chars().next().unwrap() as u32);
                self.out.extend(char::from_u32(from + self.dice.roll((to - from + 1) as usize) as u32));
            }
            Expr::Ident(name) => self.rule(name, atomic),
            Expr::PosPred(_) | Expr::NegPred(_) => {}
            Expr::Seq(left, right) => {
                self.expr(left, atomic);
                self.between(atomic);
                self.expr(right, atomic);
            }
            Expr::Choice(..) => {
                let mut ways = Vec::new();
                choices(expr, &mut ways);
                let way = if self.is_full() {
                    ways.into_iter().min_by_key(|way| self.grammar.depth(way).unwrap_or(usize::MAX))
                } else {
                    let at = self.dice.roll(ways.len());
                    Some(ways[at])
                };
                self.expr(way.unwrap(), atomic);
            }
            Expr::Opt(inner) => self.times(inner, 0, 1, atomic),
            Expr::Rep(inner) => self.times(inner, 0, 3, atomic),
            Expr::RepOnce(inner) => self.times(inner, 1, 3, atomic),
            Expr::RepExact(inner, count) => self.times(inner, *count, *count, atomic),
            Expr::RepMin(inner, least) => self.times(inner, *least, least + 2, atomic),
            Expr::RepMax(inner, most) => self.times(inner, 0, *most, atomic),
            Expr::RepMinMax(inner, least, most) => self.times(inner, *least, (*most).min(least + 6), atomic),
            other => panic!("say what may stand for {other}"),
        }
    }

    fn times(&mut self, inner: &Expr, least: u32, most: u32, atomic: bool) {
        let count = if self.is_full() { least } else { least + self.dice.roll((most - least + 1) as usize) as u32 };
        for number in 0..count {
            if number > 0 {
                self.between(atomic);
            }
            self.expr(inner, atomic);
        }
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
