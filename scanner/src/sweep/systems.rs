//! Which network belongs to which autonomous system.
//!
//! In: a table of prefixes, as CAIDA publishes it from RouteViews (`prefix<TAB>length<TAB>system`), or lines of `prefix/length system`. Out: for
//! each /24 of IPv4 the number of its system. A longer prefix goes before a shorter one. Absent: IPv6, and prefixes longer than /24.

use std::collections::HashMap;
use std::path::Path;

use ipnet::Ipv4Net;

/// Most systems of one table: their numbers fit into three bytes.
const SYSTEMS_MAX: usize = (1 << 24) - 1;

/// Networks with their systems.
#[derive(Clone, Debug, Default)]
pub struct Systems {
    /// Shorter prefixes first, so that longer ones are painted over them; with the place of the system in the order of the file, from 1.
    networks: Vec<(Ipv4Net, u32)>,
    count: usize,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SystemsError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no prefix with a system.
    #[error("{file}:{line}: {reason}")]
    Wrong {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Systems {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Systems, SystemsError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Systems::parse(&file, &text),
            Err(source) => Err(SystemsError::Unreadable { file, source }),
        }
    }

    /// Reads a table; `file` is its name in errors.
    pub fn parse(file: &str, text: &str) -> Result<Systems, SystemsError> {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut networks = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = |reason: String| SystemsError::Wrong { file: file.to_string(), line: at + 1, reason };
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let (prefix, system) = match words.as_slice() {
                [address, length, system] => (format!("{address}/{length}"), *system),
                [prefix, system] => ((*prefix).to_string(), *system),
                _ => return Err(wrong(format!("`{line}` is not of the form 192.0.2.0 24 64500"))),
            };
            if prefix.contains(':') {
                continue;
            }
            let network: Ipv4Net = prefix.parse().map_err(|_| wrong(format!("`{prefix}` is not an IPv4 network")))?;
            // A prefix that several systems announce is written 64500_64501 or 64500,64501: the whole word stands for them together.
            if !system.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(wrong(format!("`{system}` is not the number of an autonomous system")));
            }
            let next = numbers.len() as u32 + 1;
            let number = *numbers.entry(system).or_insert(next);
            if numbers.len() > SYSTEMS_MAX {
                return Err(wrong("there are more systems than can be told apart".into()));
            }
            networks.push((network.trunc(), number));
        }
        networks.sort_by_key(|(network, _)| network.prefix_len());
        Ok(Systems { count: numbers.len(), networks })
    }

    /// How many systems.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Tells each /24 (as its first three bytes) with its system, from 1; one that is told twice belongs to the later.
    pub(super) fn each_network(&self, mut tell: impl FnMut(u32, u32)) {
        for (prefix, system) in self.networks.iter().filter(|(prefix, _)| prefix.prefix_len() <= 24) {
            let (first, last) = (u32::from(prefix.network()) >> 8, u32::from(prefix.broadcast()) >> 8);
            (first..=last).for_each(|network| tell(network, *system));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_prefix_goes_before_a_shorter_one() {
        let text = "# a table\n10.0.1.0\t24\t64502\n10.0.0.0/22 64500\nfd00::\t16\t64500\n10.0.0.128\t25\t64503_64504\n";
        let systems = Systems::parse("t", text).expect("a table");
        let mut painted = std::collections::BTreeMap::new();
        systems.each_network(|network, system| {
            painted.insert(network, system);
        });
        let base = 10 << 16;
        assert_eq!(painted.into_iter().collect::<Vec<_>>(), [(base, 2), (base + 1, 1), (base + 2, 2), (base + 3, 2)]);
        assert_eq!(systems.count(), 3);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, reason) in [
            ("10.0.0.0\t8\t1\n10.0.0.0\t40\t1\n", "t:2: `10.0.0.0/40` is not an IPv4 network"),
            ("10.0.0.0\n", "t:1: `10.0.0.0` is not of the form"),
            ("10.0.0.0/8 AS1\n", "t:1: `AS1` is not the number"),
        ] {
            assert!(Systems::parse("t", text).expect_err(text).to_string().starts_with(reason), "{text}");
        }
    }
}
