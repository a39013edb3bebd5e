//! Banners that are built alike: of one skeleton, or of one skeleton but for parts that some of them lack.
//!
//! In: banners. Out: [`Cluster`]s. Where a banner is another's with one run of words more, no longer than what the two share, and either of the
//! two alone is too rare, they are one cluster in which that run is optional: `ACME AC-1` and `ACME AC-1 Ver.1.02`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::words::{Shape, Word, cut, skeleton, skeleton_of};
use super::{Banner, Place, is_somebodys};

/// Most words of a banner that is compared with longer and shorter ones.
const WORDS_MAX: usize = 40;

/// Most optional parts of a cluster.
const OPTIONAL_MAX: usize = 4;

/// Banners that are built alike.
pub(super) struct Cluster {
    pub place: Place,
    /// Each text with how often it was seen, and which optional part it has.
    rows: BTreeMap<String, (usize, Option<usize>)>,
    /// How many words all have.
    spine: usize,
    /// In the order of their places; no two at one place.
    optional: Vec<Optional>,
}

/// A run of words that some banners have.
#[derive(Clone, Copy)]
struct Optional {
    /// Before which word of the spine.
    at: usize,
    words: usize,
}

/// A banner's words in the columns of its cluster; absent in those of an optional part that it lacks.
pub(super) type Row = Vec<Option<Word>>;

/// All clusters, in no order that matters. `least`: how many observations make a cluster worth a draft.
pub(super) fn clusters(banners: &[Banner], least: usize) -> Vec<Cluster> {
    let mut exact: BTreeMap<(Place, String), Cluster> = BTreeMap::new();
    for banner in banners {
        let words = cut(&banner.text);
        let new = || Cluster { place: banner.place.clone(), rows: BTreeMap::new(), spine: words.len(), optional: Vec::new() };
        let cluster = exact.entry((banner.place.clone(), skeleton(&words))).or_insert_with(new);
        cluster.rows.entry(banner.text.clone()).or_insert((0, None)).0 += 1;
    }
    join(exact.into_values().collect(), least)
}

/// One cluster that has another's words and one run more.
struct Longer {
    short: usize,
    long: usize,
    part: Optional,
    observations: usize,
}

fn join(clusters: Vec<Cluster>, least: usize) -> Vec<Cluster> {
    let mut found = longer(&clusters, least);
    // What is seen most says best how a family writes itself; the run that leaves most in common comes first.
    found.sort_by_key(|pair| (std::cmp::Reverse(pair.observations), pair.part.words, pair.short, pair.long));
    let (mut parts, mut taken): (BTreeMap<usize, Vec<Longer>>, BTreeSet<usize>) = Default::default();
    for pair in found {
        let free = !taken.contains(&pair.short) && !taken.contains(&pair.long) && !parts.contains_key(&pair.long);
        let known = parts
            .get(&pair.short)
            .is_some_and(|known| known.len() == OPTIONAL_MAX || known.iter().any(|known| known.part.at == pair.part.at));
        if free && !known {
            taken.insert(pair.long);
            parts.entry(pair.short).or_default().push(pair);
        }
    }
    let mut clusters: Vec<Option<Cluster>> = clusters.into_iter().map(Some).collect();
    for (short, mut longer) in parts {
        longer.sort_by_key(|pair| pair.part.at);
        let Some(mut cluster) = clusters[short].take() else { continue };
        for pair in longer {
            let Some(long) = clusters[pair.long].take() else { continue };
            let part = Some(cluster.optional.len());
            cluster.optional.push(pair.part);
            cluster.rows.extend(long.rows.into_iter().map(|(text, (count, _))| (text, (count, part))));
        }
        clusters[short] = Some(cluster);
    }
    clusters.into_iter().flatten().collect()
}

/// Pairs of which one is too rare by itself.
fn longer(clusters: &[Cluster], least: usize) -> Vec<Longer> {
    let words: Vec<Vec<u64>> =
        clusters.iter().map(|cluster| cluster.rows.keys().next().map(|text| hashes(&cluster.place, text)).unwrap_or_default()).collect();
    let by_words: HashMap<&[u64], usize> = words.iter().enumerate().map(|(at, words)| (words.as_slice(), at)).collect();
    let mut found = Vec::new();
    let mut rest = Vec::new();
    for (long, all) in words.iter().enumerate().filter(|(_, all)| all.len() <= WORDS_MAX) {
        // The first hash is that of the place.
        for run in 1..=all.len().saturating_sub(1) / 2 {
            for at in 1..=all.len() - run {
                rest.clear();
                rest.extend(all[..at].iter().chain(&all[at + run..]));
                let Some(&short) = by_words.get(rest.as_slice()) else { continue };
                let counts = [short, long].map(|cluster| clusters[cluster].observations());
                if counts.iter().any(|count| *count < least) {
                    let part = Optional { at: at - 1, words: run };
                    found.push(Longer { short, long, part, observations: counts.iter().sum() });
                }
            }
        }
    }
    found
}

/// The place, then each word's part of the skeleton.
fn hashes(place: &Place, text: &str) -> Vec<u64> {
    let hash = |of: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        of(&mut hasher);
        hasher.finish()
    };
    let words = cut(text).into_iter().map(|word| hash(&|hasher| skeleton_of(&word).hash(hasher)));
    let place = hash(&|hasher| format!("{place:?}").hash(hasher));
    std::iter::once(place).chain(words).collect()
}

impl Cluster {
    /// Observations of all its banners.
    pub fn observations(&self) -> usize {
        self.rows.values().map(|(count, _)| count).sum()
    }

    /// Each banner once, sorted.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The skeletons that its pattern takes: with each optional part, and without.
    pub fn skeletons(&self) -> BTreeSet<String> {
        let (rows, optional) = (self.rows(), self.optional_columns());
        let words: Vec<Option<&Word>> = (0..rows[0].len()).map(|column| rows.iter().find_map(|row| row[column].as_ref())).collect();
        let has =
            |chosen: usize, column: usize| !optional.iter().enumerate().any(|(at, range)| chosen & 1 << at == 0 && range.contains(&column));
        let of = |chosen: usize| {
            let words: Vec<Word> =
                words.iter().enumerate().filter(|(column, _)| has(chosen, *column)).filter_map(|(_, word)| word.cloned()).collect();
            skeleton(&words)
        };
        (0..1 << optional.len()).map(of).collect()
    }

    /// The columns of each optional part.
    pub fn optional_columns(&self) -> Vec<std::ops::Range<usize>> {
        let mut before = 0;
        let columns = self.optional.iter().map(|part| {
            let start = part.at + before;
            before += part.words;
            start..start + part.words
        });
        columns.collect()
    }

    /// The words of each banner, in columns.
    pub fn rows(&self) -> Vec<Row> {
        let columns = self.optional_columns();
        let all = self.spine + self.optional.iter().map(|part| part.words).sum::<usize>();
        let row = |(text, (_, part)): (&String, &(usize, Option<usize>))| {
            let mut words = cut(text).into_iter();
            let lacks = |column: usize| columns.iter().enumerate().any(|(at, range)| Some(at) != *part && range.contains(&column));
            (0..all).map(|column| if lacks(column) { None } else { words.next() }).collect()
        };
        self.rows.iter().map(row).collect()
    }

    /// A name that stays, or a model that stays, and that is not everybody's.
    pub fn tells(&self) -> bool {
        let rows = self.rows();
        let stays = |column: usize| {
            rows.iter().all(|row| {
                row[column].is_some() && row[column].as_ref().map(|word| &word.text) == rows[0][column].as_ref().map(|word| &word.text)
            })
        };
        let is_model = |column: usize| rows[0][column].as_ref().is_some_and(|word| word.shape == Shape::Model);
        names(&rows).iter().any(|word| is_somebodys(&word.text)) || (0..rows[0].len()).any(|column| is_model(column) && stays(column))
    }
}

/// The plain words that all banners have, without those that `=` follows: they are names of the protocol, `model=J137AP`.
pub(super) fn names(rows: &[Row]) -> Vec<&Word> {
    let column = |at: usize| rows.iter().map(move |row| row.get(at)?.as_ref()).collect::<Option<Vec<&Word>>>();
    let is_key = |at: usize| column(at + 1).is_some_and(|words| words.iter().any(|word| word.text.starts_with('=')));
    let all = (0..rows[0].len()).filter_map(|at| Some((at, *column(at)?.first()?)));
    all.filter(|(at, word)| word.shape == Shape::Plain && !is_key(*at)).map(|(_, word)| word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ksig_schema::ProbeKey;

    /// SYNTHETIC.
    fn clustered(texts: &[&str]) -> Vec<Vec<String>> {
        let place = Place { probe: ProbeKey::with("http.get", "/"), field: "http.html.title", key: None };
        let banners: Vec<Banner> = texts.iter().map(|text| Banner { place: place.clone(), text: (*text).into() }).collect();
        let of = |cluster: Cluster| {
            for (row, text) in cluster.rows().iter().zip(cluster.texts()) {
                assert_eq!(row.iter().flatten().map(|word| word.text.as_str()).collect::<String>(), text);
            }
            cluster.texts().map(str::to_string).collect()
        };
        let mut all: Vec<Vec<String>> = clusters(&banners, 3).into_iter().map(of).collect();
        all.sort();
        all
    }

    #[test]
    fn what_some_lack_is_optional_where_it_is_short() {
        let both = ["Zyltron Gate ZG-1", "Zyltron Gate ZG-2 Pro", "Zyltron Gate ZG-3"];
        assert_eq!(clustered(&both), [both.map(String::from).to_vec()]);
        // At two places.
        let three = ["Zyltron Gate ZG-1", "Zyltron Gate ZG-2 Pro", "Zyltron Mesh Gate ZG-3"];
        assert_eq!(clustered(&three), [three.map(String::from).to_vec()]);
        assert_eq!(clustered(&["Zyltron", "Zyltron Gate ZG-2 Pro"]).len(), 2, "more is left out than is shared");
        assert_eq!(clustered(&["Zyltron ZG-1", "Zyltron 5"]).len(), 2, "none is the other and a part more");
    }

    #[test]
    fn clusters_that_stand_alone_stay_apart() {
        let six = ["Zy Ga A-1", "Zy Ga A-2", "Zy Ga A-3", "Zy Ga A-1 Pro", "Zy Ga A-2 Pro", "Zy Ga A-3 Pro"];
        assert_eq!(clustered(&six).len(), 2);
    }
}
