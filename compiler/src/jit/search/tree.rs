//! A pattern as a tree of parts that code can walk, and what decides between their ways.
//!
//! In: the meaning of a pattern. Out: a [`Tree`], or none where walking it would need a stack, or too much code. Each part knows whether the
//! symbol at its place tells which way to go; where it does, the other ways are never tried.

use ksig_runtime::text_automaton::on_valid_text;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use regex_syntax::utf8::Utf8Sequences;

use super::symbols::{Bytes, Symbols};
use super::{PLACES_MAX, ROUNDS_MAX};

/// Most parts of a tree: a bound on code size and compile time.
const PARTS_MAX: usize = 1500;
/// Most slots of a frame, which must stay below a page.
const SLOTS_MAX: usize = 256;

/// A pattern.
#[derive(Clone, Debug)]
pub(in super::super) struct Tree {
    pub(super) root: Part,
    /// Where a match can begin.
    pub(super) begins: Begins,
    /// What a match can begin with.
    pub(super) first: Symbols,
}

/// Where a match can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// At the start of the text.
    Text,
    /// At the start of a line.
    Line,
    /// Behind a byte that is not one of these, or at the start: the pattern begins with a run of them, which has tried all places in it.
    Behind(Bytes),
    Anywhere,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Bytes as they stand; where `fold` has a bit, it is set before they are compared.
    Literal { bytes: Vec<u8>, fold: Vec<u8> },
    /// One byte.
    One(Bytes),
    /// An assertion.
    Look(Look),
    /// A run of bytes. `follow` is what can come after it; `decided` when the run is as long as it can be, because none of that is in it, or
    /// because what follows cannot fail.
    Run { bytes: Bytes, min: u32, max: Option<u32>, greedy: bool, follow: Symbols, decided: bool },
    /// Rounds, as many as there can be; each has one way only. `decided` when nothing after them begins as a round does; `sure` when what follows
    /// cannot fail.
    Rounds { part: Box<Part>, greedy: bool, first: Symbols, decided: bool, sure: bool },
    /// Named.
    Group { index: u32, part: Box<Part> },
    /// One after another.
    All(Vec<Part>),
    /// The first that leads to a match. `decided` when the symbol tells which; `sure` when what follows cannot fail.
    Choice { branches: Vec<Part>, firsts: Vec<Symbols>, decided: bool, sure: bool },
}

impl Tree {
    /// Absent for a pattern that is too large, can be empty inside a character, has a loop whose rounds have several ways, or an assertion about
    /// more than ASCII.
    pub fn of(hir: &Hir, on_bytes: bool) -> Option<Tree> {
        let properties = hir.properties();
        let groups = properties.explicit_captures_len();
        if !on_bytes && properties.minimum_len() == Some(0) || 2 + 2 * groups > PLACES_MAX {
            return None;
        }
        let smaller = (!on_bytes).then(|| on_valid_text(hir, true));
        let mut parts = Parts { left: PARTS_MAX };
        let mut root = parts.of(smaller.as_ref().unwrap_or(hir))?;
        root.decide(Symbols::ALL, true)?;
        let first = root.first(Symbols::ALL);
        let at_first = properties.look_set_prefix();
        let begins = match root.leading() {
            _ if at_first.contains(Look::Start) => Begins::Text,
            _ if at_first.contains(Look::StartLF) => Begins::Line,
            Some(Part::Run { bytes, max: None, .. }) => Begins::Behind(*bytes),
            _ => Begins::Anywhere,
        };
        (root.slots() <= SLOTS_MAX).then_some(Tree { root, begins, first })
    }
}

/// Makes parts, within a bound.
struct Parts {
    left: usize,
}

impl Parts {
    fn of(&mut self, hir: &Hir) -> Option<Part> {
        self.left = self.left.checked_sub(1)?;
        Some(match hir.kind() {
            HirKind::Empty => Part::All(Vec::new()),
            HirKind::Literal(literal) => Part::Literal { bytes: literal.0.to_vec(), fold: vec![0; literal.0.len()] },
            HirKind::Class(Class::Bytes(class)) => {
                let mut bytes = Bytes::default();
                class.ranges().iter().for_each(|range| bytes.add(range.start(), range.end()));
                Part::One(bytes)
            }
            HirKind::Class(Class::Unicode(class)) => {
                let sequences = class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
                let mut ascii = Bytes::default();
                let mut branches = Vec::new();
                for sequence in sequences {
                    match sequence.as_slice() {
                        [one] => ascii.add(one.start, one.end),
                        longer => {
                            self.left = self.left.checked_sub(longer.len())?;
                            branches.push(Part::All(longer.iter().map(|range| Part::One(Bytes::range(range.start, range.end))).collect()));
                        }
                    }
                }
                if !ascii.is_empty() {
                    branches.insert(0, Part::One(ascii));
                }
                choice(branches)
            }
            HirKind::Look(look) => match look {
                Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::WordAscii | Look::WordAsciiNegate => Part::Look(*look),
                _ => return None,
            },
            HirKind::Capture(group) => Part::Group { index: group.index, part: Box::new(self.of(&group.sub)?) },
            HirKind::Concat(parts) => all(parts.iter().map(|part| self.of(part)).collect::<Option<_>>()?),
            HirKind::Alternation(branches) => choice(branches.iter().map(|branch| self.of(branch)).collect::<Option<_>>()?),
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
        })
    }

    fn repetition(&mut self, repetition: &Repetition) -> Option<Part> {
        let Repetition { min, max, greedy, ref sub } = *repetition;
        let part = self.of(sub)?;
        if let Part::One(bytes) = part {
            return Some(Part::Run { bytes, min, max, greedy, follow: Symbols::ALL, decided: false });
        }
        if let Part::Literal { bytes, .. } = &part
            && let [byte] = bytes.as_slice()
        {
            return Some(Part::Run { bytes: Bytes::one(*byte), min, max, greedy, follow: Symbols::ALL, decided: false });
        }
        let properties = sub.properties();
        let once = max == Some(1);
        // What a round captured before would have to be remembered, where another way is tried after it.
        if !once && properties.explicit_captures_len() > 0 && (min > 0 || max.is_some() || part.has_optional_group()) {
            return None;
        }
        let mut copies = Vec::new();
        for _ in 0..min {
            copies.push(part.clone());
            self.left = self.left.checked_sub(part.size())?;
        }
        match max {
            None if properties.minimum_len() == Some(0) => return None,
            None => copies.push(Part::Rounds { part: Box::new(part), greedy, first: Symbols::ALL, decided: false, sure: false }),
            Some(max) => {
                let mut rest: Option<Part> = None;
                for _ in min..max {
                    self.left = self.left.checked_sub(part.size() + 2)?;
                    let inner = all([Some(part.clone()), rest].into_iter().flatten().collect());
                    let nothing = Part::All(Vec::new());
                    rest = Some(choice(if greedy { vec![inner, nothing] } else { vec![nothing, inner] }));
                }
                copies.extend(rest);
            }
        }
        Some(all(copies))
    }
}

/// Parts one after another, with neighbouring bytes as one literal.
fn all(parts: Vec<Part>) -> Part {
    let mut joined: Vec<Part> = Vec::new();
    let flat = parts.into_iter().flat_map(|part| match part {
        Part::All(parts) => parts,
        part => vec![part],
    });
    for part in flat {
        let part = match &part {
            Part::One(bytes) => match bytes.only() {
                Some((byte, fold)) => Part::Literal { bytes: vec![byte], fold: vec![fold] },
                None => part,
            },
            _ => part,
        };
        match (joined.last_mut(), part) {
            (Some(Part::Literal { bytes, fold }), Part::Literal { bytes: more, fold: more_fold }) => {
                bytes.extend(more);
                fold.extend(more_fold);
            }
            (_, part) => joined.push(part),
        }
    }
    match joined.len() {
        1 => joined.remove(0),
        _ => Part::All(joined),
    }
}

/// Branches, with those that begin with the same byte brought together: what lies between two of them begins with another byte, so that only one
/// of both can match.
fn choice(branches: Vec<Part>) -> Part {
    /// What a branch begins with, when it is one byte.
    fn head(part: &Part) -> Option<Bytes> {
        match part {
            Part::Literal { bytes, fold } => {
                let byte = bytes[0];
                let mut head = Bytes::one(byte);
                if fold[0] != 0 {
                    head.add(byte ^ fold[0], byte ^ fold[0]);
                }
                Some(head)
            }
            Part::One(bytes) => Some(*bytes),
            Part::All(parts) => parts.first().and_then(head),
            _ => None,
        }
    }
    /// What comes after that byte.
    fn tail(part: Part) -> Part {
        match part {
            Part::Literal { bytes, fold } if bytes.len() > 1 => Part::Literal { bytes: bytes[1..].to_vec(), fold: fold[1..].to_vec() },
            Part::All(mut parts) => {
                let first = parts.remove(0);
                all([tail(first)].into_iter().chain(parts).collect())
            }
            _ => Part::All(Vec::new()),
        }
    }
    let one_byte = |branch: &Part| match branch {
        Part::Literal { bytes, .. } if bytes.len() > 1 => None,
        Part::Literal { .. } | Part::One(_) => head(branch),
        _ => None,
    };
    if let Some(all) = branches.iter().map(one_byte).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty()) {
        return Part::One(all.iter().fold(Bytes::default(), |all, one| all.or(one)));
    }
    let mut grouped: Vec<(Option<Bytes>, Vec<Part>)> = Vec::new();
    for branch in branches {
        let own = head(&branch);
        // Back over branches that begin with other bytes; one of which too little is known stops the way.
        let place = own.and_then(|own| {
            let apart = |other: &Option<Bytes>| other.is_some_and(|other| other != own && other.and(&own).is_empty());
            let same = grouped.iter().rposition(|(other, _)| !apart(other))?;
            (grouped[same].0 == Some(own)).then_some(same)
        });
        match place {
            Some(place) => grouped[place].1.push(branch),
            None => grouped.push((own, vec![branch])),
        }
    }
    let merged = grouped.into_iter().map(|(head, mut branches)| match (head, branches.len()) {
        (_, 1) => branches.remove(0),
        (Some(head), _) => all(vec![Part::One(head), choice(branches.into_iter().map(tail).collect())]),
        (None, _) => unreachable!("only branches that begin with one byte are brought together"),
    });
    let mut branches: Vec<Part> = merged.collect();
    match branches.len() {
        1 => branches.remove(0),
        _ => Part::Choice { branches, firsts: Vec::new(), decided: false, sure: false },
    }
}

impl Part {
    /// How many parts it is made of.
    fn size(&self) -> usize {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) | Part::Run { .. } => 1,
            Part::Rounds { part, .. } | Part::Group { part, .. } => 1 + part.size(),
            Part::All(parts) => 1 + parts.iter().map(Part::size).sum::<usize>(),
            Part::Choice { branches, .. } => 1 + branches.iter().map(Part::size).sum::<usize>(),
        }
    }

    /// Most slots of the frame that it needs.
    fn slots(&self) -> usize {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) => 0,
            Part::Run { .. } => 7,
            Part::Rounds { part, decided: false, sure: false, .. } => 2 + ROUNDS_MAX as usize + part.slots(),
            Part::Rounds { part, .. } | Part::Group { part, .. } => 1 + part.slots(),
            Part::All(parts) => parts.iter().map(Part::slots).sum(),
            Part::Choice { branches, .. } => 2 + branches.iter().map(Part::slots).sum::<usize>(),
        }
    }

    /// Whether anything in it is ever tried again.
    pub fn goes_back(&self) -> bool {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) => false,
            Part::Run { decided, .. } => !decided,
            Part::Rounds { part, decided, sure, .. } => !(*decided || *sure) || part.goes_back(),
            Part::Group { part, .. } => part.goes_back(),
            Part::All(parts) => parts.iter().any(Part::goes_back),
            Part::Choice { branches, decided, sure, .. } => !(*decided || *sure) || branches.iter().any(Part::goes_back),
        }
    }

    /// Runs without an upper bound that may be asked again.
    pub fn unbounded_runs(&self) -> usize {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) => 0,
            Part::Run { max, decided, .. } => usize::from(max.is_none() && !decided),
            Part::Rounds { part, .. } | Part::Group { part, .. } => part.unbounded_runs(),
            Part::All(parts) => parts.iter().map(Part::unbounded_runs).sum(),
            Part::Choice { branches, .. } => branches.iter().map(Part::unbounded_runs).sum(),
        }
    }

    /// The groups in it.
    pub fn groups(&self) -> Vec<u32> {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) | Part::Run { .. } => Vec::new(),
            Part::Rounds { part, .. } => part.groups(),
            Part::Group { index, part } => [*index].into_iter().chain(part.groups()).collect(),
            Part::All(parts) => parts.iter().flat_map(Part::groups).collect(),
            Part::Choice { branches, .. } => branches.iter().flat_map(Part::groups).collect(),
        }
    }

    /// Whether a group in it need not take part.
    fn has_optional_group(&self) -> bool {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) | Part::Run { .. } => false,
            Part::Rounds { part, .. } => !part.groups().is_empty(),
            Part::Group { part, .. } => part.has_optional_group(),
            Part::All(parts) => parts.iter().any(Part::has_optional_group),
            Part::Choice { .. } => !self.groups().is_empty(),
        }
    }

    /// The first part, inside groups.
    fn leading(&self) -> Option<&Part> {
        match self {
            Part::All(parts) => parts.first().and_then(Part::leading),
            Part::Group { part, .. } => part.leading(),
            part => Some(part),
        }
    }

    /// What may stand where the part begins, given what may stand behind it. More than can is no mistake.
    fn first(&self, follow: Symbols) -> Symbols {
        match self {
            Part::Literal { bytes, fold } => {
                let mut first = Bytes::one(bytes[0]);
                if fold[0] != 0 {
                    first.add(bytes[0] ^ fold[0], bytes[0] ^ fold[0]);
                }
                first.into()
            }
            Part::One(bytes) => (*bytes).into(),
            Part::Look(Look::End) => follow.and(&Symbols::END),
            Part::Look(Look::EndLF) => follow.and(&Symbols { bytes: Bytes::one(b'\n'), end: true }),
            Part::Look(_) => follow,
            Part::Run { bytes, min: 0, .. } => follow.or(&(*bytes).into()),
            Part::Run { bytes, .. } => (*bytes).into(),
            Part::Rounds { part, .. } => part.first(Symbols::default()).or(&follow),
            Part::Group { part, .. } => part.first(follow),
            Part::All(parts) => parts.iter().rev().fold(follow, |follow, part| part.first(follow)),
            Part::Choice { branches, .. } => {
                branches.iter().map(|branch| branch.first(follow)).fold(Symbols::default(), |all, one| all.or(&one))
            }
        }
    }

    /// Whether it exits wherever it is called, once or after another way.
    fn never_fails(&self) -> bool {
        match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) => false,
            Part::Run { min, .. } => *min == 0,
            // A round that has begun may fail, and then the rounds before it stand.
            Part::Rounds { greedy, .. } => *greedy,
            Part::Group { part, .. } => part.never_fails(),
            Part::All(parts) => parts.iter().all(Part::never_fails),
            Part::Choice { branches, .. } => branches.iter().any(Part::never_fails),
        }
    }

    /// Says of each part what may follow it, and what that decides; `sure` when what follows cannot fail. Whether nothing in it is ever tried
    /// again; absent for rounds that have several ways.
    fn decide(&mut self, behind: Symbols, is_sure: bool) -> Option<bool> {
        Some(match self {
            Part::Literal { .. } | Part::One(_) | Part::Look(_) => true,
            Part::Run { bytes, min, max, greedy, follow, decided } => {
                *follow = behind;
                if is_sure && !*greedy {
                    *max = Some(*min);
                }
                *decided = is_sure || Some(*min) == *max || bytes.and(&behind.bytes).is_empty();
                *decided
            }
            Part::Rounds { part, greedy, first, decided, sure } => {
                *first = part.first(Symbols::default());
                *decided = first.and(&behind).is_empty();
                *sure = is_sure;
                // After a round come more of them, or what is behind.
                let alone = part.decide(first.or(&behind), is_sure && *greedy)?;
                // What is given back, or was begun in vain, would have to forget its captures.
                if !alone || !*decided && (!*greedy || !part.groups().is_empty()) {
                    return None;
                }
                *decided || is_sure
            }
            Part::Group { part, .. } => part.decide(behind, is_sure)?,
            Part::All(parts) => {
                let (mut follow, mut sure, mut alone) = (behind, is_sure, true);
                for part in parts.iter_mut().rev() {
                    alone &= part.decide(follow, sure)?;
                    follow = part.first(follow);
                    sure &= part.never_fails();
                }
                alone
            }
            Part::Choice { branches, firsts, decided, sure } => {
                let mut alone = true;
                for branch in branches.iter_mut() {
                    alone &= branch.decide(behind, is_sure)?;
                }
                *firsts = branches.iter().map(|branch| branch.first(behind)).collect();
                let mut seen = Symbols::default();
                *decided = firsts.iter().all(|first| {
                    let apart = seen.and(first).is_empty();
                    seen = seen.or(first);
                    apart
                });
                *sure = is_sure;
                alone && (*decided || is_sure)
            }
        })
    }
}
