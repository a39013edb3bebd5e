//! yara-x, rules for each field, then `regex` for the captures of the first.

use std::cell::RefCell;

use anyhow::{Context as _, Result};
use yara_x::{Compiler, Rules, Scanner};

use super::regex_loop::RegexLoop;
use super::{Peer, Winner};
use crate::dialect::YARA;
use crate::work::{Banner, Work};

struct Field {
    scanner: RefCell<Scanner<'static>>,
    /// Patterns that yara-x does not take.
    refused: Vec<usize>,
}

/// The rules, and the patterns for captures.
pub struct Yara {
    fields: Vec<Field>,
    regexes: RegexLoop,
}

impl Yara {
    pub fn new(work: &Work) -> Result<Yara> {
        let mut fields = Vec::new();
        for field in &work.fields {
            let mut compiler = Compiler::new();
            let mut refused = Vec::new();
            for (place, (_, pattern)) in field.patterns.iter().enumerate() {
                let rule = YARA.write(work.plan.pattern(*pattern).hir()).map(|written| rule(place, &written));
                if rule.is_none_or(|rule| compiler.add_source(rule.as_str()).is_err()) {
                    refused.push(place);
                }
            }
            // Rules live as long as the bench.
            let rules: &'static Rules = Box::leak(Box::new(compiler.build()));
            fields.push(Field { scanner: RefCell::new(Scanner::new(rules)), refused });
        }
        let refused: usize = fields.iter().map(|field| field.refused.len()).sum();
        println!("    yara-x does not take {refused} patterns; `regex` asks them");
        Ok(Yara { fields, regexes: RegexLoop::new(work)? })
    }
}

fn rule(place: usize, written: &str) -> String {
    format!("rule p{place} {{ strings: $a = /{}/s condition: $a }}", written.replace('/', "\\/"))
}

impl Peer for Yara {
    fn name(&self) -> &'static str {
        "yara-x"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let field = &self.fields[banner.field];
        let mut scanner = field.scanner.borrow_mut();
        let results = scanner.scan(banner.bytes).context("a banner can be scanned").ok()?;
        let place = |name: &str| name.strip_prefix('p').and_then(|place| place.parse().ok());
        let refused = field.refused.iter().copied().find(|&place| self.regexes.is_match(banner, place));
        let first = results.matching_rules().filter_map(|rule| place(rule.identifier())).chain(refused).min()?;
        self.regexes.captures(banner, first)
    }
}
