//! Whether a signature's triggers catch every case in which its gate is not false.
//!
//! In: a condition and the tests that may wake it. Out: yes or no. The matcher only tries signatures of which a trigger is not false, so a plan
//! whose triggers miss a case would give another answer than its conditions.

use std::collections::HashSet;

use crate::plan::{Condition, TestId};

/// Whether the condition is false whenever all triggers are.
pub fn suffice(condition: &Condition, triggers: &[TestId]) -> bool {
    let triggers: HashSet<TestId> = triggers.iter().copied().collect();
    !range(condition, &triggers).can_hold
}

/// What a condition can be while all triggers are false and all else is free.
#[derive(Clone, Copy)]
struct Range {
    can_hold: bool,
    can_fail: bool,
}

fn range(condition: &Condition, triggers: &HashSet<TestId>) -> Range {
    match condition {
        Condition::Test(leaf) => Range { can_hold: !triggers.contains(&leaf.test), can_fail: true },
        Condition::Late(..) | Condition::Search(_) => Range { can_hold: true, can_fail: true },
        Condition::Each(each) => Range { can_hold: each.present.is_none_or(|test| !triggers.contains(&test)), can_fail: true },
        Condition::Not(part) => {
            let Range { can_hold, can_fail } = range(part, triggers);
            Range { can_hold: can_fail, can_fail: can_hold }
        }
        Condition::All(parts) => at_least(parts.len(), parts, triggers),
        Condition::Any(parts) => at_least(1, parts, triggers),
        Condition::AtLeast(count, parts) => at_least(*count as usize, parts, triggers),
    }
}

fn at_least(count: usize, parts: &[Condition], triggers: &HashSet<TestId>) -> Range {
    let ranges: Vec<Range> = parts.iter().map(|part| range(part, triggers)).collect();
    let most = ranges.iter().filter(|range| range.can_hold).count();
    let least = ranges.iter().filter(|range| !range.can_fail).count();
    Range { can_hold: most >= count, can_fail: least < count }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Leaf;

    fn test(test: TestId) -> Condition {
        Condition::Test(Leaf { test, captures: Vec::new(), note: Default::default() })
    }

    #[test]
    fn a_trigger_in_each_branch_suffices() {
        let condition = Condition::All(vec![test(0), Condition::Any(vec![test(1), test(2)])]);
        assert!(suffice(&condition, &[0]) && suffice(&condition, &[1, 2]));
        assert!(!suffice(&condition, &[1]) && !suffice(&condition, &[]));
    }

    #[test]
    fn what_is_negated_wakes_nothing() {
        assert!(!suffice(&Condition::Not(Box::new(test(0))), &[0]));
        assert!(suffice(&Condition::AtLeast(2, vec![test(0), test(1), test(2)]), &[0, 1]));
        assert!(!suffice(&Condition::All(Vec::new()), &[0]), "an empty condition always holds");
    }
}
