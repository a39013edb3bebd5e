//! Which of many literals stand in a text, ignoring ASCII case, at less than a look for each byte.
//!
//! In: literals of two bytes or more, in lower case. Out: for a text, each literal that stands in it, at least once.
//!
//! A literal of seven bytes covers, wherever it stands, four neighbouring bytes that begin at a multiple of four. So its four ways to be cut are
//! noted in a table, and of a text only every fourth place is looked at; shorter literals take smaller steps. A bit for each hash of four bytes
//! says that nothing is noted for them, which is nearly always so, and what is noted is compared as a whole.
//!
//! ```text
//! literal  w w w - a u t h e n t i c a t e        noted: its rarest seven bytes, cut in four ways
//! text     . . . . w w w - a u t h e n t i c a t e : ...
//!          └looked┘└looked┘└looked┘└looked┘
//! ```

use std::collections::{BTreeMap, HashMap};

/// Fewest and most bits of a table.
const BITS_MIN: usize = 1 << 9;
const BITS_MAX: usize = 1 << 19;
/// Bits for each gram that is noted: one of so many others is taken for it.
const BITS_A_GRAM: usize = 32;

/// Bytes that are looked at together, as one number.
type Gram = u32;

/// Literals that are looked for.
#[derive(Debug)]
pub struct Literals {
    /// All, one after another.
    bytes: Vec<u8>,
    /// Where each begins; then the end of the last.
    starts: Vec<u32>,
    tables: Vec<Table>,
}

/// Literals that can be found by looks at places one step apart.
#[derive(Debug)]
struct Table {
    look: Look,
    bits: Vec<u64>,
    /// How far a hash is shifted for its place in `bits`, and in `buckets`.
    bits_shift: u32,
    bucket_shift: u32,
    /// Where each bucket's grams begin; then the end of the last.
    buckets: Vec<u32>,
    noted: Vec<Noted>,
}

/// How a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    /// Bytes of a gram: two or four.
    width: usize,
    /// From one look to the next.
    step: usize,
}

#[derive(Clone, Copy, Debug)]
struct Noted {
    gram: Gram,
    literal: u32,
    /// Bytes of the literal before the gram.
    before: u32,
}

impl Look {
    /// For literals of that length.
    fn of(length: usize) -> Look {
        match length {
            0..4 => Look { width: 2, step: 1 },
            4 => Look { width: 4, step: 1 },
            5 | 6 => Look { width: 4, step: 2 },
            _ => Look { width: 4, step: 4 },
        }
    }

    /// The shortest stretch in which a look falls wherever it stands.
    fn window(self) -> usize {
        self.width + self.step - 1
    }
}

/// Four bytes, or two; the bit that tells the cases of a letter apart is set in all of them.
fn gram(bytes: &[u8]) -> Gram {
    let folded = 0x2020_2020;
    match bytes {
        [a, b, c, d, ..] => Gram::from_le_bytes([*a, *b, *c, *d]) | folded,
        [a, b, ..] => Gram::from_le_bytes([*a, *b, 0, 0]) | folded,
        _ => folded,
    }
}

fn hash(gram: Gram) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

impl Literals {
    /// Of literals in lower case, each of two bytes or more.
    pub fn new(literals: &[Vec<u8>]) -> Literals {
        let mut starts = vec![0];
        starts.extend(literals.iter().scan(0, |end, literal| {
            *end += literal.len() as u32;
            Some(*end)
        }));
        let mut commonness = Commonness::default();
        literals.iter().for_each(|literal| commonness.count([literal]));
        let mut noted: BTreeMap<Look, Vec<Noted>> = BTreeMap::new();
        for (at, literal) in literals.iter().enumerate() {
            let look = Look::of(literal.len());
            let cut = |place: usize| gram(&literal[place..place + look.width]);
            let begin = commonness.rarest(literal).0;
            let cuts = (begin..begin + look.step).map(|place| Noted { gram: cut(place), literal: at as u32, before: place as u32 });
            noted.entry(look).or_default().extend(cuts);
        }
        let tables = noted.into_iter().map(|(look, noted)| Table::new(look, noted)).collect();
        Literals { bytes: literals.concat(), starts, tables }
    }

    /// Calls back with the number of each literal that stands in the text, once or more often.
    pub fn find(&self, text: &[u8], mut found: impl FnMut(usize)) {
        for table in &self.tables {
            let mut look = |at: usize, bytes: &[u8]| {
                let gram = gram(bytes);
                if table.may_know(gram) {
                    for noted in table.known(gram) {
                        if self.stands(noted, at, text) {
                            found(noted.literal as usize);
                        }
                    }
                }
            };
            match table.look {
                Look { width: 4, step: 4 } => text.chunks_exact(4).enumerate().for_each(|(at, bytes)| look(4 * at, bytes)),
                Look { width, step } => text.windows(width).enumerate().step_by(step).for_each(|(at, bytes)| look(at, bytes)),
            }
        }
    }

    fn stands(&self, noted: &Noted, at: usize, text: &[u8]) -> bool {
        let literal = self.starts[noted.literal as usize] as usize..self.starts[noted.literal as usize + 1] as usize;
        let Some(begin) = at.checked_sub(noted.before as usize) else { return false };
        text.get(begin..begin + literal.len()).is_some_and(|stands| stands.eq_ignore_ascii_case(&self.bytes[literal]))
    }
}

/// How many have a gram in common: what few patterns share is likely rare in texts too.
#[derive(Debug, Default)]
pub struct Commonness {
    shared: HashMap<Gram, u32>,
}

impl Commonness {
    /// Counts what one pattern has.
    pub fn count<'l>(&mut self, literals: impl IntoIterator<Item = &'l Vec<u8>>) {
        let mut grams: Vec<Gram> = literals.into_iter().flat_map(|literal| literal.windows(4)).map(gram).collect();
        grams.sort_unstable();
        grams.dedup();
        grams.into_iter().for_each(|gram| *self.shared.entry(gram).or_default() += 1);
    }

    /// What looking for a literal costs beside others: shorter ones take more looks, and stand in more texts.
    pub fn cost(&self, literal: &[u8]) -> u32 {
        let short = match literal.len() {
            0..=3 => 10_000,
            4 => 40,
            5 | 6 => 20,
            _ => 0,
        };
        short + self.rarest(literal).1
    }

    /// Where the stretch begins that is looked for, and how many share its most common gram.
    fn rarest(&self, literal: &[u8]) -> (usize, u32) {
        let look = Look::of(literal.len());
        let cost = |begin: usize| {
            let grams = (begin..begin + look.step).map(|place| gram(&literal[place..place + look.width]));
            grams.map(|gram| self.shared.get(&gram).copied().unwrap_or_default()).max().unwrap_or_default()
        };
        // What begins a text may be a single byte.
        let begins = 0..(literal.len() + 1).saturating_sub(look.window());
        begins.map(|begin| (begin, cost(begin))).min_by_key(|&(_, cost)| cost).unwrap_or_default()
    }
}

impl Table {
    fn new(look: Look, mut noted: Vec<Noted>) -> Table {
        let bits = (noted.len() * BITS_A_GRAM).next_power_of_two().clamp(BITS_MIN, BITS_MAX);
        let buckets = noted.len().next_power_of_two().clamp(2, BITS_MAX);
        let (bits_shift, bucket_shift) = (32 - bits.trailing_zeros(), 32 - buckets.trailing_zeros());
        let bucket = |noted: &Noted| (hash(noted.gram) >> bucket_shift) as usize;
        noted.sort_by_key(|noted| (bucket(noted), noted.literal));
        let mut table = Table { look, bits: vec![0; bits / 64], bits_shift, bucket_shift, buckets: Vec::new(), noted };
        let mut begin = 0;
        for at in 0..=buckets {
            table.buckets.push(begin as u32);
            begin += table.noted[begin..].iter().take_while(|noted| bucket(noted) == at).count();
        }
        for noted in &table.noted {
            let at = (hash(noted.gram) >> bits_shift) as usize;
            table.bits[at / 64] |= 1 << (at % 64);
        }
        table
    }

    fn may_know(&self, gram: Gram) -> bool {
        let at = (hash(gram) >> self.bits_shift) as usize;
        self.bits[at / 64] >> (at % 64) & 1 == 1
    }

    fn known(&self, gram: Gram) -> impl Iterator<Item = &Noted> {
        let bucket = (hash(gram) >> self.bucket_shift) as usize;
        let all = &self.noted[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize];
        all.iter().filter(move |noted| noted.gram == gram)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[Vec<u8>], text: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        Literals::new(literals).find(text, |literal| all.push(literal));
        all.sort_unstable();
        all.dedup();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_stands_in_a_text_is_found(
            literals in prop::collection::vec("[ab@`/é]{1,10}", 0..20),
            text in "[abAB@`/é]{0,60}",
        ) {
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).filter(|literal| literal.len() > 1).collect();
            let text = text.into_bytes();
            let stands = |literal: &Vec<u8>| text.windows(literal.len()).any(|window| window.eq_ignore_ascii_case(literal));
            let expected: Vec<usize> = (0..literals.len()).filter(|&at| stands(&literals[at])).collect();
            prop_assert_eq!(found(&literals, &text), expected);
        }
    }
}
