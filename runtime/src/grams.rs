//! Which of many literals stand in a text, ignoring ASCII case, at less than a look for each byte.
//!
//! In: literals of two bytes or more, in lower case. Out: for a text, each literal that stands in it, at least once.
//!
//! A literal of eleven bytes covers, wherever it stands, eight neighbouring bytes that begin at a multiple of four. So its four ways to be cut
//! are noted in a table, and of a text only every fourth place is looked at; literals of seven to ten are found by four bytes at every fourth
//! place, those of four to six by three bytes at every second. A bit for each hash of such bytes says that nothing is noted for them, which is
//! nearly always so; these bits are asked of many places together, without a branch for each, and what is noted of the places that are left is
//! compared by eight bytes, then as a whole.
//!
//! ```text
//! literal  w w w - a u t h e n t i c a t e        noted: its rarest eleven bytes, cut in four ways
//! text     . . . . w w w - a u t h e n t i c a t e : ...
//!          └───looked────┘└───looked────┘
//!                  └───looked────┘└───looked─── ...
//! ```

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use crate::hash_bits::{HashBits, Looks, Nothing};

/// What a gram costs for each place where [`COMMON`] has it, beside one for each literal that has it.
const BACKGROUND: u32 = 64;
/// Steps of four bytes that are looked at before any place in them is seen closer: a bit of a word for each.
const BLOCK: usize = 64;
/// Buckets of a table for each gram, so that most hold one at most; and most in all.
const BUCKETS_A_GRAM: usize = 4;
const BUCKETS_MAX: usize = 1 << 21;

/// What pages of HTML are full of: the elements, attributes, events, properties and functions that most pages have, as the HTML, CSS and DOM
/// standards name them, in the signs that stand about them, and the commonest words of pages to log in on. Of a literal, what stands here is
/// not looked for if it has anything else.
const COMMON: &str = "<!doctype html><html lang=\"en\"><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><meta charset=\"utf-8\"/><meta \
    http-equiv=\"content-type\" content=\"text/html; charset=utf-8\"><meta name=\"viewport\" \
    content=\"width=device-width, initial-scale=1.0\"><meta name=\"description\" content=\"\"/><meta name=\"keywords\" \
    content='' /><meta name=\"generator\" <meta name=\"author\" content=\"no-cache\"><meta property=\"og:title\" \
    content=\"https://www. <title></title><base href=\"/\"><link rel=\"stylesheet\" type=\"text/css\" \
    href=\"css/style.css\"><link rel=\"icon\" href=\"favicon.ico\" type=\"image/x-icon\"><link rel=\"shortcut icon\" \
    href=\"images/ <link href='/static/ <script type=\"text/javascript\" language=\"javascript\" \
    src=\"js/jquery.min.js\"></script><script src='/assets/ ?v=1.0.0\"></script> <style type=\"text/css\"> .css\" /> \
    .js\" ></script> .php\" .html\" .htm\" .asp\" .cgi\" .png\" .gif\" .jpg\" .svg\" .com/ margin: 0 auto; padding: \
    0px; color: #fff; background-color: #000; background: url(img/ font-family: arial, helvetica, sans-serif; \
    font-size: 12px; text-align: center; display: none; display: block; width: 100%; height: 100%; border: 1px solid \
    #ccc; position: absolute; float: left; </style></head><body onload=\"\" bgcolor=\"#ffffff\"><div \
    id=\"root\"></div><div id=\"app\"></div><div class=\"container\"><div class=\"row\"><div class=\"content\"><div \
    class=\"header\"><div id=\"main\"><div id=\"header\"><div id=\"footer\"><header><footer \
    class=\"footer\"><section><nav><main><p class=\"text\"><p align=\"center\"></p><h1 \
    class=\"title\"></h1><h2></h2><h3></h3><br><br /><hr><strong></strong><b></b><font color=\"#\" \
    size=\"2\"></font><center></center><span class=\"\" style=\"\"></span><ul class=\"\"><li class=\"\"><a \
    href=\"http://\" target=\"_blank\" title=\"\" rel=\"nofollow\"></a></li></ul><a href='#' onclick=\"return \
    false;\"><i class=\"fa fa-icon\"></i><img src=\"images/logo.png\" alt=\"logo\" width=\"\" height=\"\" border=\"0\" \
    /><table width=\"100%\" border=\"0\" cellpadding=\"0\" cellspacing=\"0\" align=\"center\"><tbody><tr><td \
    class=\"\" colspan=\"2\" valign=\"top\"></td></tr></table><form name=\"form\" id=\"login\" method=\"post\" \
    action=\"login\" autocomplete=\"off\"><input type=\"text\" name=\"username\" value=\"\" size=\"\" \
    maxlength=\"\"><input type=\"password\" name=\"password\" id=\"password\" class=\"form-control\" \
    placeholder=\"\"/><input type=\"hidden\" name=\"\" value=\"1\"/><input type=\"submit\" value=\"login\" class=\"btn \
    btn-primary\"><input type='checkbox' <button type=\"submit\" class=\"button\"></button><label \
    for=\"\"></label><select name=\"\"><option value=\"\" selected></option></select></form><iframe src=\"\" \
    frameborder=\"0\"></iframe><noscript></noscript><frame src=\" <!-- --> function() { } if ( ) { } else { return \
    true; } var i = 0; for (var new array(); window.location.href = \"\"; document.getelementbyid(\"\").innerhtml \
    document.write(\"\"); window.onload = function () { document.cookie $(document).ready(function(){ this. null \
    undefined { \"\": \"\", \"version\":\" navigator.useragent.indexof(\"\") settimeout( .value = location.reload() \
    xmlhttprequest() .open(\"get\", \"\", true); javascript: try { } catch(e) &nbsp;&copy; 20 powered by copyright all \
    rights reserved. welcome to please login sign in user name enter your username and password the web server \
    management system control panel admin administrator page home error not found is for of and with this you \
    </body></html> \r\n        \t\t";

/// Bytes that are looked at together, as one number.
type Gram = u64;

/// Eight bytes of a text, or fewer at its end; the bit that tells the cases of a letter apart is set in all of them.
type Stretch = u64;
const STRETCH: usize = 8;
const FOLDED: Stretch = 0x2020_2020_2020_2020;

/// Literals that are looked for.
#[derive(Debug)]
pub struct Literals {
    /// All, one after another.
    bytes: Vec<u8>,
    /// Where each begins; then the end of the last.
    starts: Vec<u32>,
    /// Of what is noted in `wide`.
    wide_bits: HashBits,
    /// In `long` and `short`.
    narrow_bits: HashBits,
    tiny_bits: HashBits,
    wide: Table,
    long: Table,
    short: Table,
    /// Of two bytes or three.
    tiny: Table,
}

/// Literals that can be found by looks at places one step apart.
#[derive(Debug)]
struct Table {
    look: Look,
    /// How far a hash is shifted for its bucket.
    bucket_shift: u32,
    /// Where each bucket's grams begin; then the end of the last.
    buckets: Vec<u32>,
    /// Then one that stands nowhere.
    noted: Vec<Noted>,
}

/// How a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    /// Bytes of a gram.
    width: usize,
    /// From one look to the next.
    step: usize,
}

#[derive(Clone, Copy, Debug)]
struct Noted {
    /// A stretch of the literal, the gram in it: all of a literal that is no longer.
    stands: Stretch,
    literal: u32,
    /// Bytes of the literal before the gram.
    before: u32,
    /// How many of those begin the stretch.
    back: u8,
    /// Bits of the stretch that are not the literal's.
    beyond: u8,
}

impl Noted {
    /// Stretches have the folded bits, this has none.
    const NOWHERE: Noted = Noted { stands: 0, literal: 0, before: 0, back: 0, beyond: 0 };
}

impl Look {
    const WIDE: Look = Look { width: 8, step: 4 };
    const LONG: Look = Look { width: 4, step: 4 };
    const SHORT: Look = Look { width: 3, step: 2 };
    const TINY: Look = Look { width: 2, step: 1 };

    /// For literals of that length: the more bytes, the fewer looks.
    fn of(length: usize) -> Look {
        match length {
            0..4 => Look::TINY,
            4..7 => Look::SHORT,
            7..11 => Look::LONG,
            _ => Look::WIDE,
        }
    }

    /// The shortest stretch in which a look falls wherever it stands.
    fn window(self) -> usize {
        self.width + self.step - 1
    }

    fn hash(self, stretch: Stretch) -> u32 {
        hash(self.gram(stretch))
    }

    fn gram(self, stretch: Stretch) -> Gram {
        stretch & (Gram::MAX >> (64 - 8 * self.width))
    }
}

impl Noted {
    /// The stretch from its gram on.
    fn gram(&self) -> Stretch {
        self.stands >> (8 * self.back)
    }

    /// Whether that much of the literal stands in a text, its gram at a place.
    #[inline(always)]
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let (stretch, _) = first(text.get(at.wrapping_sub(self.back as usize)..).unwrap_or_default());
        (stretch ^ self.stands) << self.beyond == 0
    }
}

fn folded(bytes: [u8; STRETCH]) -> Stretch {
    Stretch::from_le_bytes(bytes) | FOLDED
}

/// The first bytes, as many as there are, and which bits those are.
fn first(bytes: &[u8]) -> (Stretch, Stretch) {
    if let Some(whole) = bytes.first_chunk::<STRETCH>() {
        return (folded(*whole), Stretch::MAX);
    }
    let mut padded = [0; STRETCH];
    let length = bytes.len();
    padded[..length].copy_from_slice(bytes);
    let mask = Stretch::MAX.checked_shr(64 - 8 * length as u32).unwrap_or_default();
    (folded(padded) & mask, mask)
}

fn hash(gram: Gram) -> u32 {
    (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
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
            let begin = commonness.rarest(literal);
            let cuts = (begin..begin + look.step).map(|place| {
                let from = place.min(literal.len().saturating_sub(STRETCH));
                let (stands, _) = first(&literal[from..]);
                let beyond = 8 * STRETCH.saturating_sub(literal.len()) as u8;
                Noted { stands, literal: at as u32, before: place as u32, back: (place - from) as u8, beyond }
            });
            noted.entry(look).or_default().extend(cuts);
        }
        let mut table = |look| Table::new(look, noted.remove(&look).unwrap_or_default());
        let (wide, long, short, tiny) = (table(Look::WIDE), table(Look::LONG), table(Look::SHORT), table(Look::TINY));
        let narrow: Vec<u32> = long.hashes().chain(short.hashes()).collect();
        Literals {
            bytes: literals.concat(),
            starts,
            wide_bits: HashBits::of(wide.hashes()),
            narrow_bits: HashBits::of(narrow.into_iter()),
            tiny_bits: HashBits::of(tiny.hashes()),
            wide,
            long,
            short,
            tiny,
        }
    }

    /// Calls back with each literal that stands in the text, by its number, and where; with each place once.
    pub fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        match &self.wide_bits {
            HashBits::None => self.find_beside(&Nothing, text, &mut found),
            HashBits::Few(wide) => self.find_beside(wide, text, &mut found),
            HashBits::Some(wide) => self.find_beside(wide, text, &mut found),
            HashBits::Many(wide) => self.find_beside(wide, text, &mut found),
            HashBits::More(wide) => self.find_beside(wide, text, &mut found),
        }
        if !self.tiny.is_empty() {
            for at in 0..text.len() {
                if self.tiny_bits.look(Look::TINY.hash(first(&text[at..]).0)) & 1 == 1 {
                    self.see(&self.tiny, text, at, &mut found);
                }
            }
        }
    }

    fn find_beside(&self, wide: &impl Looks, text: &[u8], found: &mut impl FnMut(usize, usize)) {
        match &self.narrow_bits {
            HashBits::None => self.find_by(wide, &Nothing, text, found),
            HashBits::Few(narrow) => self.find_by(wide, narrow, text, found),
            HashBits::Some(narrow) => self.find_by(wide, narrow, text, found),
            HashBits::Many(narrow) => self.find_by(wide, narrow, text, found),
            HashBits::More(narrow) => self.find_by(wide, narrow, text, found),
        }
    }

    /// What is noted of tables whose steps are four and two.
    fn find_by(&self, wide: &impl Looks, narrow: &impl Looks, text: &[u8], found: &mut impl FnMut(usize, usize)) {
        let (steps, _) = text.as_chunks::<4>();
        let whole = steps.len().saturating_sub(1);
        let tables = [(&self.wide, 0), (&self.long, 0), (&self.short, 0), (&self.short, 2)];
        for begin in (0..whole).step_by(BLOCK) {
            // First all steps of a block, without a branch on what stands there.
            let mut seen = 0u64;
            let mut low = u32::from_le_bytes(steps[begin]);
            let block = &steps[begin + 1..=whole.min(begin + BLOCK)];
            for next in block {
                let high = u32::from_le_bytes(*next);
                let stretch = Stretch::from(low) | Stretch::from(high) << 32 | FOLDED;
                let shorts = narrow.look(Look::SHORT.hash(stretch)) | narrow.look(Look::SHORT.hash(stretch >> 16));
                let known = wide.look(Look::WIDE.hash(stretch)) | narrow.look(Look::LONG.hash(stretch)) | shorts;
                seen = seen >> 1 | known << 63;
                low = high;
            }
            seen >>= BLOCK - block.len();
            // Then of each place which look it was, and, without a branch that is hard to foresee, whether a literal stands about it.
            while seen != 0 {
                let at = 4 * (begin + seen.trailing_zeros() as usize);
                seen &= seen - 1;
                let (stretch, _) = first(&text[at..]);
                let mut by = wide.look(Look::WIDE.hash(stretch)) & 1
                    | (narrow.look(Look::LONG.hash(stretch)) & 1) << 1
                    | (narrow.look(Look::SHORT.hash(stretch)) & 1) << 2
                    | (narrow.look(Look::SHORT.hash(stretch >> 16)) & 1) << 3;
                while by != 0 {
                    let (table, behind) = tables[by.trailing_zeros() as usize % 4];
                    by &= by - 1;
                    if table.may_know(text, at + behind) {
                        self.see(table, text, at + behind, found);
                    }
                }
            }
        }
        // Less than a stretch is left, and so nothing wide; behind its end there are zeros, which no gram has.
        let (rest, _) = first(&text[4 * whole..]);
        if narrow.look(Look::LONG.hash(rest)) & 1 == 1 {
            self.see(&self.long, text, 4 * whole, found);
        }
        for place in (0..STRETCH - Look::SHORT.width).step_by(2) {
            if narrow.look(Look::SHORT.hash(rest >> (8 * place))) & 1 == 1 {
                self.see(&self.short, text, 4 * whole + place, found);
            }
        }
    }

    /// Calls back with what is noted of a place of a text.
    fn see(&self, table: &Table, text: &[u8], at: usize, found: &mut impl FnMut(usize, usize)) {
        let (stretch, _) = first(text.get(at..).unwrap_or_default());
        for noted in table.known(table.look.hash(stretch)) {
            if noted.stands_at(text, at)
                && let Some(begin) = at.checked_sub(noted.before as usize)
                && self.stands(noted.literal, begin, text)
            {
                found(noted.literal as usize, begin);
            }
        }
    }

    fn stands(&self, literal: u32, begin: usize, text: &[u8]) -> bool {
        let literal = self.starts[literal as usize] as usize..self.starts[literal as usize + 1] as usize;
        text.get(begin..begin + literal.len()).is_some_and(|stands| stands.eq_ignore_ascii_case(&self.bytes[literal]))
    }
}

/// How many have a gram in common: what few patterns share is likely rare in texts too.
#[derive(Debug, Default)]
pub struct Commonness {
    shared: HashMap<Gram, u32>,
}

/// What [`COMMON`] has.
static IN_PAGES: LazyLock<Commonness> = LazyLock::new(|| {
    let mut pages = Commonness::default();
    for width in [3, 4, 8] {
        let look = Look { width, step: 1 };
        COMMON.as_bytes().windows(width).for_each(|bytes| *pages.shared.entry(look.gram(first(bytes).0)).or_default() += 1);
    }
    pages
});

impl Commonness {
    /// Counts what one pattern has.
    pub fn count<'l>(&mut self, literals: impl IntoIterator<Item = &'l Vec<u8>>) {
        let grams = |literal: &'l Vec<u8>| {
            let look = Look::of(literal.len());
            literal.windows(look.width).map(move |bytes| look.gram(first(bytes).0))
        };
        let mut grams: Vec<Gram> = literals.into_iter().flat_map(grams).collect();
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
        let shared = |begin| looked_for(literal, begin).map(|gram| self.of(gram)).max().unwrap_or_default();
        short + begins(literal).map(shared).min().unwrap_or_default()
    }

    /// Where the stretch begins that is looked for.
    fn rarest(&self, literal: &[u8]) -> usize {
        let cost = |gram| self.of(gram) + BACKGROUND * IN_PAGES.of(gram);
        begins(literal).min_by_key(|&begin| looked_for(literal, begin).map(cost).sum::<u32>()).unwrap_or_default()
    }

    fn of(&self, gram: Gram) -> u32 {
        self.shared.get(&gram).copied().unwrap_or_default()
    }
}

/// Where the stretch that is looked for may begin. What begins a text may be a single byte.
fn begins(literal: &[u8]) -> Range<usize> {
    0..(literal.len() + 1).saturating_sub(Look::of(literal.len()).window())
}

/// The grams of a stretch.
fn looked_for(literal: &[u8], begin: usize) -> impl Iterator<Item = Gram> {
    let look = Look::of(literal.len());
    (begin..begin + look.step).map(move |place| look.gram(first(&literal[place..]).0))
}

impl Table {
    fn new(look: Look, mut noted: Vec<Noted>) -> Table {
        let buckets = (BUCKETS_A_GRAM * noted.len()).next_power_of_two().clamp(2, BUCKETS_MAX);
        let bucket_shift = 32 - buckets.trailing_zeros();
        let bucket = |noted: &Noted| (look.hash(noted.gram()) >> bucket_shift) as usize;
        noted.sort_by_key(|noted| (bucket(noted), noted.literal));
        let mut table = Table { look, bucket_shift, buckets: Vec::new(), noted };
        let mut begin = 0;
        for at in 0..=buckets {
            table.buckets.push(begin as u32);
            begin += table.noted[begin..].iter().take_while(|noted| bucket(noted) == at).count();
        }
        table.noted.push(Noted::NOWHERE);
        table
    }

    /// Of all that is noted.
    fn hashes(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.noted[..self.noted.len() - 1].iter().map(|noted| self.look.hash(noted.gram()))
    }

    fn is_empty(&self) -> bool {
        self.noted.len() == 1
    }

    /// Whether a literal may stand with its gram at a place of a text, as far as a stretch says, or one of several may.
    fn may_know(&self, text: &[u8], at: usize) -> bool {
        let (stretch, _) = first(text.get(at..).unwrap_or_default());
        let bucket = (self.look.hash(stretch) >> self.bucket_shift) as usize;
        let (begin, end) = (self.buckets[bucket], self.buckets[bucket + 1]);
        (end - begin > 1) | self.noted[begin as usize].stands_at(text, at)
    }

    /// What is noted of this hash, and of others that share its bucket.
    fn known(&self, hash: u32) -> &[Noted] {
        let bucket = (hash >> self.bucket_shift) as usize;
        &self.noted[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[Vec<u8>], text: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        Literals::new(literals).find(text, |literal, at| all.push((literal, at)));
        all.sort_unstable();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_stands_in_a_text_is_found(
            literals in prop::collection::vec("[ab@`/é]{1,14}|[ab]{11,16}", 0..20),
            text in "[abAB@`/é]{0,60}|[abAB]{0,200}",
        ) {
            let literals: Vec<Vec<u8>> = literals.into_iter().map(String::into_bytes).filter(|literal| literal.len() > 1).collect();
            let text = text.into_bytes();
            let (text, literals) = (text.as_slice(), literals.as_slice());
            let stands = |at: usize| {
                let windows = text.windows(literals[at].len()).enumerate();
                windows.filter(move |(_, window)| window.eq_ignore_ascii_case(&literals[at])).map(move |(place, _)| (at, place))
            };
            let expected: Vec<_> = (0..literals.len()).flat_map(stands).collect();
            prop_assert_eq!(found(literals, text), expected);
        }
    }
}
