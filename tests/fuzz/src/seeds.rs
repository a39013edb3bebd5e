//! Where the targets begin: the fences of `spec/`, and what they compile to.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{fs, io};

use ksig::analysis::world;
use ksig_compiler::{Input, ReleaseName, Source, compile};
use ksig_runtime::bundle::{FORMAT, MAGIC, write};
use ksig_tests::fences::{self, Book};

use crate::{SCHEMA, sealed};

/// The columns of [`TABLE`].
pub const COLUMNS: [&str; 16] =
    ["key", "bool", "int", "bytes", "date", "duration", "url", "ip", "mac", "oid", "cve", "cpe", "hash", "version", "bound", "list"];

/// A table with a column of every kind, over the file `FILE`.
pub const TABLE: &str = r#"ksig 1
module tables
table t from "FILE" {
  key: text key
  bool: bool?
  int: int?
  bytes: bytes?
  date: date?
  duration: duration?
  url: url?
  ip: ip?
  mac: mac?
  oid: oid?
  cve: cve?
  cpe: cpe?
  hash: hash?
  version: version(dotted)?
  bound: bound<version(dotted)>?
  list: list<text>
}
"#;

static BOOK: LazyLock<Book> = LazyLock::new(|| fences::whole(&root().join("spec")).expect("the chapters of the spec can be read"));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that stand beside every fence.
pub fn prelude() -> &'static [Source] {
    static PRELUDE: LazyLock<Vec<Source>> = LazyLock::new(|| BOOK.prelude().map(|text| source("prelude", text)).collect());
    &PRELUDE
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.into(), module: None, folder: String::new(), text: text.into() }
}

/// Writes the seeds of a target to `target/fuzz/seeds/TARGET`, where [`tests/fuzz/run`](../../run) has libFuzzer look for them.
///
/// # Panics
/// When that folder cannot be written.
pub fn plant(target: &str) {
    let folder = root().join("target/fuzz/seeds").join(target);
    let written = fs::create_dir_all(&folder).and_then(|()| {
        let seeds = of(target);
        seeds.iter().enumerate().try_for_each(|(number, seed)| fs::write(folder.join(format!("{number:04}")), seed))
    });
    written.unwrap_or_else(|error: io::Error| panic!("{}: {error}", folder.display()));
}

fn of(target: &str) -> Vec<Vec<u8>> {
    let texts = || BOOK.cases.iter().map(|case| case.text().to_owned());
    match target {
        "tables" => [0, 1, 2, 3].iter().map(|choice| table(*choice)).collect(),
        "bundle" => texts().filter_map(|text| plan(&text)).flat_map(|plan| [[&[1], &plan[..]].concat(), [&[0], &bundle_of(&plan)[..]].concat()]).collect(),
        "decoders" => crate::decoders::seeds(&root().join("protocols/captures")),
        "evidence" => BOOK.cases.iter().flat_map(|case| case.evidence()).map(|line| line.as_bytes().to_vec()).collect(),
        "engines" => (0..64u8).map(|seed| (0..=255u8).map(|at| seed.wrapping_mul(151).wrapping_add(at.wrapping_mul(seed | 1))).collect()).collect(),
        _ => texts().map(String::into_bytes).collect(),
    }
}

fn table(choice: u8) -> Vec<u8> {
    let cells = [
        "AC-1", "true", "5", "00ff", "2026-06-30", "5s", "http://192.0.2.1/", "192.0.2.1", "00:00:5e:00:53:01", "1.3.6.1", "CVE-2000-0001",
        "cpe:2.3:h:acme:ac-1:*:*:*:*:*:*:*:*", "00ff", "1.20", "at_least 1.20", "a|b",
    ];
    let separator = if choice & 1 == 0 { "," } else { "\t" };
    let header = if choice & 2 == 0 { String::new() } else { COLUMNS.join(separator) + "\n" };
    [&[choice], header.as_bytes(), cells.join(separator).as_bytes(), b"\n# a remark\n"].concat()
}

/// The plan of a text that compiles, as a bundle holds it.
fn plan(text: &str) -> Option<Vec<u8>> {
    let mut sources = prelude().to_vec();
    sources.push(source("a.ksig", text));
    let release = ReleaseName { id: "seed".into(), unverified: true, ..ReleaseName::default() };
    let (plan, _) = compile(&Input { sources, ..Input::default() }, world(&SCHEMA), &release);
    let bundle = write(&plan.filter(|plan| !plan.signatures.is_empty())?).ok()?;
    let (header, payload) = bundle.split_at_checked(48)?;
    let length = u32::from_le_bytes(header[12..16].try_into().ok()?);
    zstd::bulk::decompress(payload, length as usize).ok()
}

/// A bundle around the bytes of a plan.
pub fn bundle_of(plan: &[u8]) -> Vec<u8> {
    sealed(MAGIC, FORMAT, plan)
}
