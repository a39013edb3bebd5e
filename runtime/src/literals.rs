//! Literals that a pattern cannot match without: what prefilters look for.
//!
//! In: the meaning of a pattern. Out: sets of literals in ASCII lower case, to be looked for ignoring ASCII case, so that `/i` costs nothing.
//! An absent set says that nothing is known, never that nothing matches.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Most literals in one set.
pub const LITERALS_MAX: usize = 64;
/// Longest literal that is kept; longer ones are cut.
pub const LITERAL_BYTES_MAX: usize = 32;

/// Literals of which at least one stands in each match; none of them is empty.
pub fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    all_required(hir).into_iter().reduce(better).map(|set| set.literals)
}

/// Sets of literals: of each set, at least one stands in each match.
pub fn all_required(hir: &Hir) -> Vec<Required> {
    summarise(hir).sets()
}

/// A set of literals of which one stands in each match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// None of them is empty.
    pub literals: Vec<Vec<u8>>,
    /// Where in a match: so many bytes behind its beginning.
    pub behind: Distance,
}

/// Between two places of a match, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Distance {
    /// Fewest.
    pub least: usize,
    /// Most. Absent when there is no bound.
    pub most: Option<usize>,
}

impl Distance {
    const NONE: Distance = Distance { least: 0, most: Some(0) };

    fn of(hir: &Hir) -> Distance {
        let properties = hir.properties();
        // What matches nothing has no lengths.
        Distance { least: properties.minimum_len().unwrap_or_default(), most: properties.maximum_len() }
    }

    fn and(self, next: Distance) -> Distance {
        Distance {
            least: self.least.saturating_add(next.least),
            most: self.most.zip(next.most).and_then(|(most, next)| most.checked_add(next)),
        }
    }

    fn or(self, other: Distance) -> Distance {
        Distance { least: self.least.min(other.least), most: self.most.zip(other.most).map(|(most, other)| most.max(other)) }
    }
}

impl Required {
    fn further(self, by: Distance) -> Required {
        Required { behind: self.behind.and(by), ..self }
    }
}

/// Texts that are all that a pattern matches, as wholes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// As they stand.
    pub values: Vec<Vec<u8>>,
    /// Of a line; else of the text.
    pub lines: bool,
}

/// For a pattern that is bound to both ends, and between them matches some texts only: these.
pub fn exact(hir: &Hir) -> Option<Exact> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let [first, inner @ .., last] = parts.as_slice() else { return None };
    let lines = match (first.kind(), last.kind()) {
        (HirKind::Look(Look::Start), HirKind::Look(Look::End)) => false,
        (HirKind::Look(Look::Start | Look::StartLF), HirKind::Look(Look::End | Look::EndLF)) => true,
        _ => return None,
    };
    let values = inner.iter().try_fold(vec![Vec::new()], |values, part| followed_by(&values, &texts(part)?))?;
    (!values.iter().any(Vec::is_empty)).then_some(Exact { values, lines })
}

/// Most texts that a pattern may be, and their bytes.
const TEXTS_MAX: usize = 4096;
const TEXTS_BYTES_MAX: usize = 256 * 1024;

/// All that an expression matches, as it stands; absent when that is too much.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let all = match hir.kind() {
        HirKind::Literal(literal) => vec![literal.0.to_vec()],
        HirKind::Capture(group) => texts(&group.sub)?,
        HirKind::Class(Class::Bytes(class)) => {
            class.ranges().iter().flat_map(|range| (range.start()..=range.end()).map(|byte| vec![byte])).collect()
        }
        HirKind::Class(Class::Unicode(class)) => {
            let all = class.ranges().iter().flat_map(|range| range.start()..=range.end());
            all.take(TEXTS_MAX + 1).map(|c| c.to_string().into_bytes()).collect()
        }
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |all, part| followed_by(&all, &texts(part)?))?,
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(texts(branch)?);
            }
            all
        }
        _ => return None,
    };
    (all.len() <= TEXTS_MAX).then_some(all)
}

fn followed_by(heads: &[Vec<u8>], tails: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let bytes = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).sum::<usize>();
    let all = bytes(heads).saturating_mul(tails.len()).saturating_add(bytes(tails).saturating_mul(heads.len()));
    let few = heads.len().saturating_mul(tails.len()) <= TEXTS_MAX && all <= TEXTS_BYTES_MAX;
    few.then(|| heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat())).collect())
}

/// What a text begins with, or one of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// One of these, in lower case; none of them is empty.
    pub literals: Vec<Vec<u8>>,
    /// Of a line; else of the text.
    pub lines: bool,
}

impl Prefixes {
    /// A text begins so.
    pub fn of_text(literal: Vec<u8>) -> Prefixes {
        Prefixes { literals: vec![literal], lines: false }
    }
}

/// For a pattern that begins with `^`, or with that of a line: what each text that it matches begins with, or a line of it.
pub fn prefixes(hir: &Hir) -> Option<Prefixes> {
    let parts: &[Hir] = match hir.kind() {
        HirKind::Concat(parts) => parts,
        HirKind::Capture(group) => return prefixes(&group.sub),
        HirKind::Alternation(branches) => {
            let found: Vec<Prefixes> = branches.iter().map(prefixes).collect::<Option<_>>()?;
            let lines = found.iter().any(|branch| branch.lines);
            let literals = tidy(found.into_iter().flat_map(|branch| branch.literals).collect());
            return literals.filter(|set| usable(set)).map(|literals| Prefixes { literals, lines });
        }
        _ => return None,
    };
    let (first, rest) = parts.split_first()?;
    let lines = match first.kind() {
        HirKind::Look(Look::Start) => false,
        HirKind::Look(Look::StartLF) => true,
        _ => return prefixes(first),
    };
    let mut set = ExactSet::empty_literal();
    for part in rest {
        match summarise_prefix(part) {
            (next, true) => match set.extend(&next) {
                Some(joined) => set = joined,
                None => break,
            },
            (next, false) => {
                set = set.extend(&next).unwrap_or(set);
                break;
            }
        }
    }
    Some(set.literals).filter(|set| usable(set)).map(|literals| Prefixes { literals, lines })
}

/// What a part can begin with, and whether that is all of it.
fn summarise_prefix(hir: &Hir) -> (ExactSet, bool) {
    let all = |hir: &Hir| summarise(hir).exact;
    if let Some(set) = all(hir) {
        return (set, true);
    }
    match hir.kind() {
        HirKind::Capture(group) => summarise_prefix(&group.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => (summarise_prefix(&repetition.sub).0, false),
        HirKind::Concat(parts) => {
            let mut set = ExactSet::empty_literal();
            for part in parts {
                let (next, whole) = summarise_prefix(part);
                match set.extend(&next) {
                    Some(joined) => set = joined,
                    None => break,
                }
                if !whole {
                    break;
                }
            }
            (set, false)
        }
        HirKind::Alternation(branches) => {
            let mut literals = Vec::new();
            for branch in branches {
                literals.extend(summarise_prefix(branch).0.literals);
            }
            let fits = tidy(literals.clone()).or_else(|| cut_to_fit(literals));
            (fits.map_or_else(ExactSet::empty_literal, |literals| ExactSet { literals }), false)
        }
        _ => (ExactSet::empty_literal(), false),
    }
}

/// A finite language, in lower case.
#[derive(Clone, Debug)]
struct ExactSet {
    literals: Vec<Vec<u8>>,
}

impl ExactSet {
    fn empty_literal() -> ExactSet {
        ExactSet { literals: vec![Vec::new()] }
    }

    /// As [`ExactSet::join`], and absent when the longer beginnings cost more than they tell apart.
    fn extend(&self, next: &ExactSet) -> Option<ExactSet> {
        let told_apart = self.literals.iter().all(|literal| literal.len() >= 3);
        if told_apart && next.literals.len() > 2 { None } else { self.join(next) }
    }

    /// Each of these followed by each of those; absent when that is too many or too long.
    fn join(&self, next: &ExactSet) -> Option<ExactSet> {
        if self.literals.len().saturating_mul(next.literals.len()) > LITERALS_MAX {
            return None;
        }
        let mut literals = Vec::with_capacity(self.literals.len() * next.literals.len());
        for head in &self.literals {
            for tail in &next.literals {
                if head.len() + tail.len() > LITERAL_BYTES_MAX {
                    return None;
                }
                literals.push([head.as_slice(), tail.as_slice()].concat());
            }
        }
        Some(ExactSet { literals: tidy(literals)? })
    }
}

/// What is known of an expression.
struct Summary {
    /// All that it matches.
    exact: Option<ExactSet>,
    /// Beside what is in `exact`.
    required: Vec<Required>,
}

impl Summary {
    fn unknown() -> Summary {
        Summary { exact: None, required: Vec::new() }
    }

    /// All sets of which one stands in each match.
    fn sets(self) -> Vec<Required> {
        let exact = self.exact.and_then(|set| required_at(set, Distance::NONE));
        self.required.into_iter().chain(exact).collect()
    }
}

/// Absent for a set that tells nothing.
fn required_at(set: ExactSet, behind: Distance) -> Option<Required> {
    usable(&set.literals).then_some(Required { literals: set.literals, behind })
}

fn summarise(hir: &Hir) -> Summary {
    let exactly = |literals: Vec<Vec<u8>>| Summary { exact: tidy(literals).map(|literals| ExactSet { literals }), required: Vec::new() };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => exactly(vec![Vec::new()]),
        HirKind::Literal(literal) => {
            let lower = literal.0.to_ascii_lowercase();
            if lower.len() <= LITERAL_BYTES_MAX {
                return exactly(vec![lower]);
            }
            let literals = vec![lower[..LITERAL_BYTES_MAX].to_vec()];
            Summary { exact: None, required: vec![Required { literals, behind: Distance::NONE }] }
        }
        HirKind::Class(class) => match class_members(class) {
            Some(members) => exactly(members),
            None => Summary::unknown(),
        },
        HirKind::Capture(group) => summarise(&group.sub),
        HirKind::Repetition(repetition) => {
            let inner = summarise(&repetition.sub);
            if repetition.min == 0 {
                let optional = inner
                    .exact
                    .filter(|_| repetition.max == Some(1))
                    .and_then(|set| tidy(set.literals.into_iter().chain([Vec::new()]).collect()).map(|literals| ExactSet { literals }));
                return Summary { exact: optional, required: Vec::new() };
            }
            let mut repeated = inner.exact.clone();
            for _ in 1..repetition.min.min(LITERAL_BYTES_MAX as u32 + 1) {
                repeated = repeated.and_then(|set| set.join(inner.exact.as_ref()?));
            }
            if repetition.max == Some(repetition.min) && repeated.is_some() {
                return Summary { exact: repeated, required: Vec::new() };
            }
            let required = Summary { exact: repeated.or(inner.exact), required: inner.required }.sets();
            Summary { exact: None, required }
        }
        HirKind::Concat(parts) => {
            let mut run = ExactSet::empty_literal();
            let (mut run_behind, mut behind) = (Distance::NONE, Distance::NONE);
            let mut whole = true;
            let mut required = Vec::new();
            for part in parts {
                let found = summarise(part);
                required.extend(found.required.into_iter().map(|set| set.further(behind)));
                let next_behind = behind.and(Distance::of(part));
                match found.exact.as_ref().and_then(|next| run.join(next)) {
                    Some(joined) => run = joined,
                    None => {
                        whole = false;
                        required.extend(required_at(run, run_behind));
                        // A run goes on with this part, or begins behind it.
                        (run, run_behind) = match found.exact {
                            Some(exact) => (exact, behind),
                            None => (ExactSet::empty_literal(), next_behind),
                        };
                    }
                }
                behind = next_behind;
            }
            if whole {
                return Summary { exact: Some(run), required: Vec::new() };
            }
            required.extend(required_at(run, run_behind));
            Summary { exact: None, required }
        }
        HirKind::Alternation(branches) => {
            let found: Vec<Summary> = branches.iter().map(summarise).collect();
            if found.iter().all(|branch| branch.exact.is_some()) {
                let literals: Vec<_> = found.iter().filter_map(|branch| branch.exact.clone()).flat_map(|set| set.literals).collect();
                if let Some(literals) = tidy(literals.clone()) {
                    return Summary { exact: Some(ExactSet { literals }), required: Vec::new() };
                }
            }
            let mut joined: Option<Required> = None;
            for branch in found {
                let Some(set) = branch.sets().into_iter().reduce(better) else { return Summary::unknown() };
                joined = Some(match joined {
                    Some(before) => Required { literals: [before.literals, set.literals].concat(), behind: before.behind.or(set.behind) },
                    None => set,
                });
            }
            let fits = joined.and_then(|set| Some(Required { literals: cut_to_fit(set.literals)?, ..set }));
            Summary { exact: None, required: fits.into_iter().collect() }
        }
    }
}

/// The members of a small class; both cases of a letter are one.
fn class_members(class: &Class) -> Option<Vec<Vec<u8>>> {
    const MEMBERS_MAX: u32 = 24;
    let mut members = Vec::new();
    match class {
        Class::Unicode(set) => {
            let count: u32 = set.iter().map(|range| range.end() as u32 - range.start() as u32 + 1).try_fold(0u32, u32::checked_add)?;
            if count > MEMBERS_MAX {
                return None;
            }
            for c in set.iter().flat_map(|range| range.start()..=range.end()) {
                members.push(c.to_ascii_lowercase().to_string().into_bytes());
            }
        }
        Class::Bytes(set) => {
            let count: u32 = set.iter().map(|range| u32::from(range.end() - range.start()) + 1).sum();
            if count > MEMBERS_MAX {
                return None;
            }
            members.extend(set.iter().flat_map(|range| range.start()..=range.end()).map(|b| vec![b.to_ascii_lowercase()]));
        }
    }
    tidy(members)
}

/// Sorted, without duplicates; absent when there are too many or none.
fn tidy(mut literals: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    literals.sort_unstable();
    literals.dedup();
    (!literals.is_empty() && literals.len() <= LITERALS_MAX).then_some(literals)
}

/// A larger alternation (a table spliced in) is cut to shorter common beginnings until it fits; a table of thousands of keys still helps.
fn cut_to_fit(literals: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    (2..=LITERAL_BYTES_MAX).rev().find_map(|length| {
        let cut = literals.iter().map(|literal| literal[..literal.len().min(length)].to_vec()).collect();
        tidy(cut).filter(|set| usable(set))
    })
}

fn usable(set: &[Vec<u8>]) -> bool {
    set.iter().all(|literal| !literal.is_empty())
}

/// The set that lets fewer texts pass, judged by its shortest literal, then by its size.
fn better(a: Required, b: Required) -> Required {
    let worth =
        |Required { literals, .. }: &Required| (literals.iter().map(Vec::len).min().unwrap_or(0).min(8), std::cmp::Reverse(literals.len()));
    if worth(&b) > worth(&a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::hir;
    use crate::plan::Pattern;

    fn meaning(source: &str, ignore_case: bool) -> Hir {
        hir(&Pattern { source: source.into(), ignore_case, ignore_case_unicode: false, bytes: false }).expect(source)
    }

    fn set(literals: &[&str]) -> Option<Vec<Vec<u8>>> {
        Some(literals.iter().map(|literal| literal.as_bytes().to_vec()).collect())
    }

    #[test]
    fn required_literals_are_the_rarest_looking() {
        assert_eq!(required(&meaning(r"^\d+ Apache/(?<v>[\d.]+)", false)), set(&[" apache/"]));
        assert_eq!(required(&meaning("(?:foo|barbaz)x", true)), set(&["barbazx", "foox"]));
        assert_eq!(required(&meaning("a?b?", false)), None);
        assert_eq!(required(&meaning(".*", false)), None);
        assert_eq!(required(&meaning("(?:ab)+", false)), set(&["ab"]));
        assert_eq!(required(&meaning("(?:xyz|q.*)", false)), set(&["q", "xyz"]));
    }

    #[test]
    fn all_that_is_required_is_known() {
        let sets = all_required(&meaning(r"^ntpd (?<v>\S+) (?:on|at) .*system=(?<os>a|bc)", false));
        let literals: Vec<_> = sets.into_iter().map(|set| set.literals).collect();
        assert_eq!(
            literals,
            [vec![b"ntpd ".to_vec()], vec![b" at ".to_vec(), b" on ".to_vec()], vec![b"system=a".to_vec(), b"system=bc".to_vec()]]
        );
    }

    #[test]
    fn what_is_required_lies_so_far_behind_the_beginning() {
        let behind = |source: &str| -> Vec<(usize, Option<usize>)> {
            all_required(&meaning(source, false)).iter().map(|set| (set.behind.least, set.behind.most)).collect()
        };
        assert_eq!(behind(r"abc\w{2,4}defg"), [(0, Some(0)), (5, Some(7))]);
        assert_eq!(behind(r".?word\w+end"), [(0, Some(4)), (5, None)], "a character has up to four bytes");
        assert_eq!(behind(r"\w(?:\wab|.cd.)x"), [(2, Some(5)), (4, Some(11))]);
        assert_eq!(behind(r"(?:\wab\w)+"), [(1, Some(1))], "that of the first round");
        assert_eq!(behind(r".*ab"), [(0, None)]);
    }

    #[test]
    fn some_patterns_are_a_list_of_texts() {
        let values = |values: &[&str]| Some(values.iter().map(|value| value.as_bytes().to_vec()).collect::<Vec<_>>());
        let found = |source: &str| exact(&meaning(source, false)).map(|exact| exact.values);
        assert_eq!(found("^(?:ab|ac)(?<x>d|E)$"), values(&["abE", "abd", "acE", "acd"]));
        assert_eq!(exact(&meaning("(?m)^a$", false)), Some(Exact { values: vec![b"a".to_vec()], lines: true }));
        for other in ["ab", "^ab", "^a?$", "^a+$", "^$", "^a.$"] {
            assert_eq!(found(other), None, "{other}");
        }
        let long = format!("^[0-9][0-9][0-9]{}$", "x".repeat(1000));
        assert_eq!(found(&long), None, "a thousand texts of a thousand bytes are too much");
    }

    #[test]
    fn prefixes_need_an_anchor() {
        let prefixes = |hir: &Hir| super::prefixes(hir).map(|found| found.literals);
        assert_eq!(prefixes(&meaning(r"^Apache/(?<v>[\d.]+)", false)), set(&["apache/"]));
        assert_eq!(prefixes(&meaning(r"^(?:RT-A|WSR)\d", false)), set(&["rt-a", "wsr"]));
        assert_eq!(prefixes(&meaning("Apache", false)), None);
        assert_eq!(prefixes(&meaning("^.*Apache", false)), None);
        assert_eq!(prefixes(&meaning("^a*Apache", false)), None);
        assert_eq!(prefixes(&meaning("^[ab]Apache", false)), set(&["aapache", "bapache"]));
        let of_lines = super::prefixes(&meaning("(?m:^)a(?:b|c)", false));
        assert_eq!(of_lines, Some(Prefixes { literals: vec![b"ab".to_vec(), b"ac".to_vec()], lines: true }));
    }
}
