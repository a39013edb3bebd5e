//! What benches share: corpora of two sizes, evidence, times of single calls, and rows as lines of JSON below `target/bench`.

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use ksig_compiler::{Input, Source};
use ksig_schema::{Evidence, Schema, Sections};
use serde::Serialize;

use crate::binary::workspace;
use crate::facts::Row as FactsRow;

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `identify`, or the phase of `compile`.
    pub bench: &'static str,
    /// `interpreter` or `jit`; `-` for a phase before both.
    pub engine: String,
    /// `mixed`: shuffled; `by_field`: one field after another; `-` where there is no order.
    pub order: &'static str,
    /// Which signatures and which evidence.
    pub corpus: String,
    /// Median of all calls.
    pub ns_median: u64,
    /// 99 of 100 calls took no longer.
    pub ns_p99: u64,
    /// Resident memory afterwards.
    pub rss_mb: u64,
    /// Whether the answers are those of the interpreter; absent where nothing is answered.
    pub equal: Option<bool>,
}

/// The rows of one bench: printed as they come, kept in `target/bench/<name>.ndjson`.
pub struct Rows {
    path: PathBuf,
    file: fs::File,
}

impl Rows {
    /// Begins a bench.
    ///
    /// # Panics
    /// When `target/bench` cannot be written.
    pub fn begin(name: &str) -> Rows {
        let folder = workspace().join("target/bench");
        fs::create_dir_all(&folder).expect("the target folder can be written");
        let path = folder.join(format!("{name}.ndjson"));
        println!(
            "{:<10} {:<12} {:<9} {:<34} {:>12} {:>12} {:>7} equal",
            "bench", "engine", "order", "corpus", "ns median", "ns p99", "rss MB"
        );
        Rows { file: fs::File::create(&path).expect("the target folder can be written"), path }
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Row) {
        let equal = row.equal.map_or("-".into(), |equal| equal.to_string());
        let Row { bench, engine, order, corpus, ns_median, ns_p99, rss_mb, .. } = row;
        println!("{bench:<10} {engine:<12} {order:<9} {corpus:<34} {ns_median:>12} {ns_p99:>12} {rss_mb:>7} {equal}");
        let line = serde_json::to_string(row).expect("a row is JSON");
        writeln!(self.file, "{line}").expect("the target folder can be written");
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        println!("{}", self.path.display());
    }
}

/// Nanoseconds of single calls, sorted.
pub struct Times(Vec<u64>);

impl Times {
    /// Times a call for each item, in their order, `rounds` times; an item counts with its fastest round, which the machine's other work
    /// disturbed least. What an empty call takes, which is the clock's own time, is taken off.
    pub fn of<T, R>(items: &[T], rounds: usize, mut call: impl FnMut(&T) -> R) -> Times {
        let mut empty: Vec<u64> = (0..1001).map(|_| timed(|| ())).collect();
        empty.sort_unstable();
        let clock = empty[empty.len() / 2];
        let mut fastest = vec![u64::MAX; items.len()];
        for _ in 0..rounds {
            for (item, fastest) in items.iter().zip(&mut fastest) {
                *fastest = (*fastest).min(timed(|| call(black_box(item))).saturating_sub(clock));
            }
        }
        fastest.sort_unstable();
        Times(fastest)
    }

    /// Times each of `runs` calls.
    pub fn of_runs<R>(runs: usize, mut call: impl FnMut() -> R) -> Times {
        let items: Vec<usize> = (0..runs).collect();
        Times::of(&items, 1, |_| call())
    }

    /// The one in the middle.
    pub fn median(&self) -> u64 {
        self.at(50)
    }

    /// 99 of 100 are no longer.
    pub fn p99(&self) -> u64 {
        self.at(99)
    }

    fn at(&self, percent: usize) -> u64 {
        self.0.get((self.0.len() * percent / 100).min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

fn timed<R>(call: impl FnOnce() -> R) -> u64 {
    let begin = Instant::now();
    black_box(call());
    begin.elapsed().as_nanos() as u64
}

/// Resident memory of this process in megabytes; 0 where the system does not tell.
pub fn rss_mb() -> u64 {
    rss_mb_of("self")
}

/// As [`rss_mb`], of the process with this id.
pub fn rss_mb_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

/// Families in one file of [`synthetic`].
const FAMILIES_PER_FILE: usize = 20;

/// Signatures of a fictitious maker: `count` families of pages and headers, each with model and version captures, in files of a few.
pub fn synthetic(count: usize) -> Input {
    let vocabulary =
        "ksig 1\nmodule acme.vocab\n\nvendor acme {\n  name \"ACME\"\n}\nclass router {\n  en \"Router\"\n  ja \"ルーター\"\n}\n";
    let mut sources = vec![source("acme.vocab", vocabulary.into())];
    for (file, families) in (0..count).collect::<Vec<_>>().chunks(FAMILIES_PER_FILE).enumerate() {
        let module = format!("acme.family_{file}");
        let mut text = format!("ksig 1\nmodule {module}\n\nuse acme.vocab {{ acme }}\n\nprobe top = http.get(\"/\")\n");
        families.iter().for_each(|&family| text += &signature(family));
        sources.push(source(&module, text));
    }
    Input { sources, ..Input::default() }
}

fn source(module: &str, text: String) -> Source {
    let path = format!("{}.ksig", module.replace('.', "/"));
    Source { path, module: Some(module.into()), folder: "acme".into(), text }
}

fn signature(family: usize) -> String {
    let line = family_line(family);
    format!(
        "\nsignature family_{family} {{\n  summary \"SYNTHETIC\"\n  evidence derived \"invented for a bench\"\n  match {{\n    {line}\n  }}\n  \
         identify {{\n    vendor = acme\n    model = model\n    version = fw\n    class = router\n  }}\n}}\n"
    )
}

/// The line of one family; `tests/benches/peers/compile_yara.py` has the same patterns.
fn family_line(family: usize) -> String {
    let word = word(family);
    match family % 3 {
        0 => format!(r#"top.html.title ~ /^{word} (?<model>[A-Z]{{2}}-\d{{2,4}}) Ver\.(?<fw: version(dotted)>\d+\.\d+)$/"#),
        1 => format!(r#"top.header["server"] ~ /^{word}-(?<model>[A-Z]{{2}}\d{{2,4}})\/(?<fw: version(dotted)>\d+\.\d+)/"#),
        _ => format!(r#"top.auth.basic.realm ~ /^{word} (?<model>[A-Z]{{2}}-\d{{2,4}})(?: V(?<fw: version(dotted)>[\d.]+))?$/"#),
    }
}

/// One signature over one table of `rows` rows, in a CSV beside it.
pub fn with_table(rows: usize) -> Input {
    let mut input = synthetic(1);
    let text = "ksig 1\nmodule acme.table\n\nuse acme.vocab { acme }\n\nprobe top = http.get(\"/\")\n\ntable models from \"models.csv\" {\n  \
                model : text key\n  series : text\n  ends : date?\n  latest : version(dotted)?\n}\n\nsignature listed {\n  match { \
                top.auth.basic.realm in models }\n  let row = models[top.auth.basic.realm]\n  identify { vendor = acme; series = row.series; model = \
                row.model }\n  support { ends = row.ends; latest = row.latest }\n}\n";
    input.sources.push(source("acme.table", text.into()));
    let mut csv = String::from("model,series,ends,latest\n");
    (0..rows).for_each(|row| csv += &format!("{}-{row},S{},20{:02}-06-30,{}.{}\n", word(row), row % 97, 10 + row % 30, row % 9, row % 77));
    input.assets.insert("acme/models.csv".into(), csv.into_bytes());
    input
}

/// Evidence lines for [`synthetic`]: every second one is of a family, the others of none.
pub fn synthetic_lines(families: usize, count: usize) -> Vec<String> {
    let line = |at: usize| {
        let family = at.wrapping_mul(7919) % families;
        let word = if at.is_multiple_of(2) { word(family) } else { format!("{}x", word(family)) };
        let (field, value) = match family % 3 {
            0 => ("http.html.title", format!("{word} AB-{} Ver.{}.{}", 10 + at % 900, at % 5, at % 77)),
            1 => ("http.header.server", format!("{word}-AB{}/{}.{} (embedded)", 10 + at % 900, at % 5, at % 77)),
            _ => ("http.header.www-authenticate", format!("Basic realm=\"{word} AB-{} V{}.{}\"", 10 + at % 900, at % 5, at % 77)),
        };
        serde_json::json!({ "id": at.to_string(), "evidence": { field: [value] } }).to_string()
    };
    (0..count).map(line).collect()
}

/// A made-up family name: different for each number.
fn word(number: usize) -> String {
    const SYLLABLES: [&str; 20] =
        ["ka", "mo", "ri", "su", "te", "no", "ha", "yu", "ze", "lo", "pi", "gu", "ba", "de", "fo", "ji", "ke", "mu", "wa", "xi"];
    let mut rest = number + 400;
    let mut word = String::from("Acme");
    while rest > 0 {
        word += SYLLABLES[rest % SYLLABLES.len()];
        rest /= SYLLABLES.len();
    }
    word
}

/// The banners of the facts file that `KSIG_FACTS` names, each as the whole answer of its probe: evidence by field, in the order of the
/// file. Absent without that variable.
///
/// # Panics
/// When the file cannot be read.
pub fn facts(schema: &Schema) -> Option<Vec<(String, Evidence)>> {
    let path = std::env::var_os("KSIG_FACTS")?;
    let text = fs::read(&path).unwrap_or_else(|error| panic!("KSIG_FACTS={}: {error}", path.display()));
    let rows = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let evidence = rows.filter_map(|line| {
        let row = FactsRow::read(line).expect("KSIG_FACTS names a facts file");
        let line = row.evidence_line(schema)?;
        Some((row.field.clone(), whole(ksig::evidence_line::parse(&line, schema).expect("a fact's value is of its field's type").evidence)))
    });
    Some(evidence.collect())
}

/// The same evidence as if each response had been read to its end.
fn whole(mut evidence: Evidence) -> Evidence {
    for response in evidence.services.iter_mut().flat_map(|service| &mut service.responses) {
        response.partial = false;
        response.complete = Sections::ALL;
    }
    evidence
}

/// Shuffles alike on every machine.
pub fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for end in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(end, (state >> 33) as usize % (end + 1));
    }
    items
}
