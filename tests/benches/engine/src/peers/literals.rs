//! Aho-corasick over the literals that patterns need, then `regex` for those that are woken.

use std::cell::RefCell;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use anyhow::Result;

use super::regex_loop::RegexLoop;
use super::{Peer, Winner};
use crate::work::{Banner, Work};

struct Field {
    automaton: AhoCorasick,
    /// By literal: the patterns that it wakes.
    woken: Vec<usize>,
    /// Patterns without a literal.
    always: Vec<usize>,
}

/// The automata, and the patterns.
pub struct Literals {
    fields: Vec<Field>,
    regexes: RegexLoop,
    scratch: RefCell<Vec<usize>>,
}

impl Literals {
    pub fn new(work: &Work) -> Result<Literals> {
        let field = |field: &crate::work::Field| {
            let (mut literals, mut woken, mut always) = (Vec::new(), Vec::new(), Vec::new());
            for (place, (_, pattern)) in field.patterns.iter().enumerate() {
                match ksig_runtime::pattern::required_literals(&work.plan.plan().patterns[*pattern as usize]) {
                    Ok(Some(needed)) => {
                        woken.extend(needed.iter().map(|_| place));
                        literals.extend(needed);
                    }
                    _ => always.push(place),
                }
            }
            let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(&literals)?;
            Ok(Field { automaton, woken, always })
        };
        let fields = work.fields.iter().map(field).collect::<Result<_>>()?;
        Ok(Literals { fields, regexes: RegexLoop::new(work)?, scratch: RefCell::default() })
    }
}

impl Peer for Literals {
    fn name(&self) -> &'static str {
        "literals"
    }

    fn find(&self, banner: &Banner) -> Option<Winner> {
        let field = &self.fields[banner.field];
        let mut woken = self.scratch.borrow_mut();
        woken.clone_from(&field.always);
        woken.extend(field.automaton.find_overlapping_iter(banner.bytes).map(|found| field.woken[found.pattern().as_usize()]));
        woken.sort_unstable();
        woken.dedup();
        woken.iter().find_map(|&place| self.regexes.captures(banner, place))
    }
}
