//! YARA-X, a set of rules for each field, then `regex` for the captures of the first.
//!
//! A rule a pattern; fast scan, so that one match of a pattern is enough.

use std::cell::RefCell;

use anyhow::{Result, anyhow};
use yara_x::{Compiler, Scanner};

use super::regex_loop::RegexLoop;
use super::{Peer, Winner};
use crate::dialect::{Dialect, written};
use crate::work::{Banner, Work};

/// Rules that are looked for together. They live as long as the bench.
pub struct Rules {
    scanner: RefCell<Scanner<'static>>,
    /// By rule, in the order of `taken`: the number of its pattern.
    places: Vec<usize>,
}

impl Rules {
    /// Of strings as YARA writes them, with their numbers. Returned beside: the numbers of those that it does not take.
    pub fn new(patterns: impl Iterator<Item = (usize, Option<String>)>) -> Result<(Rules, Vec<usize>)> {
        let mut compiler = Compiler::new();
        let (mut places, mut refused) = (Vec::new(), Vec::new());
        for (place, string) in patterns {
            let rule = string.map(|string| format!("rule p{} {{ strings: $a = {string} condition: $a }}", places.len()));
            match rule.map(|rule| compiler.add_source(rule.as_str()).map(drop)) {
                Some(Ok(())) => places.push(place),
                _ => refused.push(place),
            }
        }
        let rules = Box::leak(Box::new(compiler.build()));
        let mut scanner = Scanner::new(rules);
        scanner.fast_scan(true);
        Ok((Rules { scanner: RefCell::new(scanner), places }, refused))
    }

    /// Appends the numbers of the patterns that match, each once.
    pub fn scan(&self, bytes: &[u8], found: &mut Vec<usize>) -> Result<()> {
        let mut scanner = self.scanner.borrow_mut();
        let results = scanner.scan(bytes).map_err(|error| anyhow!("YARA-X: {error}"))?;
        found.extend(results.matching_rules().filter_map(|rule| self.places.get(rule.identifier()[1..].parse::<usize>().ok()?).copied()));
        Ok(())
    }
}

struct Field {
    rules: Rules,
    /// Patterns that YARA-X does not take.
    refused: Vec<usize>,
}

/// The rules, and the patterns for captures.
pub struct Yara {
    fields: Vec<Field>,
    regexes: RegexLoop,
    found: RefCell<Vec<usize>>,
}

impl Yara {
    pub fn new(work: &Work) -> Result<Yara> {
        let string = |pattern: u32| Some(format!("/{}/", written(&work.plan.pattern(pattern).hir(), Dialect::Yara)?));
        let field = |field: &crate::work::Field| {
            let patterns = field.patterns.iter().enumerate().map(|(place, (_, pattern))| (place, string(*pattern)));
            let (rules, refused) = Rules::new(patterns)?;
            Ok(Field { rules, refused })
        };
        let fields: Vec<Field> = work.fields.iter().map(field).collect::<Result<_>>()?;
        let refused: usize = fields.iter().map(|field| field.refused.len()).sum();
        println!("    yara-x does not take {refused} patterns; `regex` asks them");
        Ok(Yara { fields, regexes: RegexLoop::new(work)?, found: RefCell::default() })
    }
}

impl Peer for Yara {
    fn name(&self) -> &'static str {
        "yara-x"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let field = &self.fields[banner.field];
        let mut found = self.found.borrow_mut();
        found.clear();
        field.rules.scan(banner.bytes, &mut found).ok()?;
        let refused = field.refused.iter().copied().find(|&place| self.regexes.is_match(banner, place));
        let first = found.iter().copied().chain(refused).min()?;
        self.regexes.captures(banner, first)
    }
}
