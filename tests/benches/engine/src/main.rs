//! Which signature of a field wins on a banner, and what it captures: ksig beside its peers, on the same patterns in the same run.
//!
//! `tests/benches/engine/run` or `... run DATABASES FACTS`. Rows go to `target/bench/engine.ndjson`. `KSIG_BANNERS=20000` asks of fewer banners,
//! `KSIG_ENGINES=hyperscan,ksig` runs some of the engines.
//!
//! `tests/benches/engine/run bodies [TOKENS]` finds patterns in the bodies of pages ([`bodies`]), `... run growth` measures releases of 5,000 to
//! 50,000 signatures ([`growth`]), `... run retro` identifies a log anew ([`retro`]).
//!
//! | row | what runs |
//! |---|---|
//! | `regex` | each pattern in turn until one matches, with its captures: what all others must equal |
//! | `regex-set` | `RegexSet` of a field, then the captures of the first |
//! | `literals` | one aho-corasick of a field finds required literals, then the patterns that they wake |
//! | `hyperscan` | Hyperscan 5.4.0, then `regex` for the captures of the first |
//! | `yara-x` | YARA-X 1.22, a rule a pattern, then `regex` for the captures of the first |
//! | `ksig` | the tests of a slot as machine code, then the captures as the production path takes them |
//! | `identify` | all of `Matcher::identify`: evidence in, identifications out |

mod bodies;
mod dialect;
mod growth;
mod peers;
mod retro;
mod work;

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use ksig_tests::bench::{Row, Rows, Times, rss_mb};

use peers::Peer;
use work::{Banner, Work};

/// Banners of a run, where `KSIG_BANNERS` does not say how many.
const BANNERS: usize = 200_000;
/// Rounds over all of them, where `KSIG_ROUNDS` does not say how many; a banner counts with its fastest.
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from).peekable();
    let numbers = || std::env::args().skip(2).map(|argument| argument.parse::<usize>()).collect::<Result<Vec<_>, _>>();
    match arguments.peek().and_then(|first| first.to_str()) {
        Some("bodies") => return bodies::run(&arguments.nth(1).context("the argument of `bodies` is a file of tokens")?),
        Some("growth") => return growth::run(&numbers()?),
        Some("growth-of") => return growth::of(&arguments.nth(1).context("the argument of `growth-of` is a bundle")?),
        Some("retro") => return retro::run(numbers()?.first().copied()),
        _ => {}
    }
    let databases = arguments.next().context("the first argument is a folder of Recog's databases")?;
    let facts = arguments.next();
    let work = Work::read(&databases, facts.as_deref())?;
    println!("{} patterns on {} fields, {} different banners", work.patterns(), work.fields.len(), work.banners.len());
    let mut rows = Rows::begin("engine");
    let (count, rounds) = (number("KSIG_BANNERS", BANNERS)?, number("KSIG_ROUNDS", ROUNDS)?);
    let mixed = work.replicated(count);
    let mut by_field = mixed.clone();
    by_field.sort_by_key(|banner| banner.field);
    let nothing = work.matching_nothing(count);
    let orders =
        [("mixed", "examples and facts", mixed), ("by_field", "examples and facts", by_field), ("mixed", "that match nothing", nothing)];

    let reference = peers::regex_loop::RegexLoop::new(&work)?;
    let expected: Vec<Vec<_>> = orders.iter().map(|(.., banners)| expected(&reference, banners)).collect();
    let asked = std::env::var("KSIG_ENGINES").ok();
    let is_asked = |name: &str| asked.as_ref().is_none_or(|asked| asked.split(',').any(|asked| asked == name));
    type Make<'w> = fn(&'w Work) -> Result<Box<dyn Peer + 'w>>;
    let peers: Vec<(&str, Make<'_>)> = vec![
        ("regex", |work| Ok(Box::new(peers::regex_loop::RegexLoop::new(work)?))),
        ("regex-set", |work| Ok(Box::new(peers::regex_set::RegexSets::new(work)?))),
        ("literals", |work| Ok(Box::new(peers::literals::Literals::new(work)?))),
        ("hyperscan", |work| Ok(Box::new(peers::hyperscan::Hyperscan::new(work)?))),
        #[cfg(feature = "yara-x")]
        ("yara-x", |work| Ok(Box::new(peers::yara::Yara::new(work)?))),
        ("ksig", |work| Ok(Box::new(peers::ksig::Ksig::new(work)?))),
    ];
    for (_, make) in peers.iter().filter(|(name, _)| is_asked(name)) {
        measure(&mut rows, &*make(&work)?, &orders, &expected, rounds);
    }
    if !is_asked("identify") {
        return Ok(());
    }
    let identify = peers::ksig::Identify::new(&work)?;
    for (order, corpus, banners) in &orders {
        let evidence: Vec<_> = banners.iter().map(|banner| identify.evidence(banner)).collect();
        let times = Times::of(&evidence, rounds, |evidence| identify.identify(evidence));
        rows.add(&row("identify", order, corpus, &times, None));
    }
    Ok(())
}

/// A number that a variable of the environment gives.
fn number(name: &str, default: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(number) => number.parse().with_context(|| format!("{name} is no number")),
        Err(_) => Ok(default),
    }
}

/// The winner of each banner; the same banner is asked once.
fn expected<'w>(reference: &dyn Peer, banners: &[Banner<'w>]) -> Vec<Option<peers::Winner>> {
    let mut found: HashMap<(usize, &'w [u8]), Option<peers::Winner>> = HashMap::new();
    banners.iter().map(|banner| found.entry((banner.field, banner.bytes)).or_insert_with(|| reference.find(banner)).clone()).collect()
}

fn measure(
    rows: &mut Rows,
    peer: &dyn Peer,
    orders: &[(&'static str, &str, Vec<Banner<'_>>)],
    expected: &[Vec<Option<peers::Winner>>],
    rounds: usize,
) {
    for ((order, corpus, banners), expected) in orders.iter().zip(expected) {
        let found = banners.iter().zip(expected).map(|(banner, expected)| (banner, expected, peer.find(banner)));
        let differ: Vec<_> = found.filter(|(_, expected, found)| found != *expected).collect();
        let times = Times::of(banners, rounds, |banner| peer.find(banner));
        rows.add(&row(peer.name(), order, corpus, &times, Some(differ.is_empty())));
        if let Some((banner, expected, found)) = differ.first() {
            println!("    {} of {} differ, the first is \"{}\"", differ.len(), banners.len(), banner.bytes.escape_ascii());
            println!("    expected {expected:?}, found {found:?}");
        }
    }
}

fn row(engine: &str, order: &'static str, corpus: &str, times: &Times, equal: Option<bool>) -> Row {
    Row {
        bench: "engine",
        engine: engine.into(),
        order,
        corpus: corpus.into(),
        ns_median: times.median(),
        ns_p99: times.p99(),
        rss_mb: rss_mb(),
        equal,
    }
}
