//! `ksig prof`: what identifying costs, by field and by signature.

use std::sync::OnceLock;
use std::time::Instant;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use ksig_runtime::counts::{Counts, SignatureCount, SlotCount};
use ksig_runtime::plan::{Plan, Probe};
use serde::Serialize;

use super::input::InputArgs;
use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};

/// Identify evidence, and show what each field and each signature cost
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig prof --input observations.ndjson\n  ksig prof --from evidence --input banners.ndjson --top 50\n  ksig prof --input observations.ndjson --format json | jq '.signatures[0]'\n\nA test is tried when what its pattern requires stands in the value: many tries and few that hold say that it requires too little.\nTimes are of this run, the first uses of each pattern in the regex engine included; the clock itself is some 20 ns of each."
)]
pub struct Args {
    #[command(flatten)]
    release: ReleaseArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Rows of each table, the dearest first; all of them in JSON
    #[arg(long, default_value_t = 20, value_name = "N")]
    top: usize,
    /// How the counts are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// Two tables, for people
    Text,
    /// One JSON object: boards, fields, signatures
    Json,
}

/// What is shown.
#[derive(Serialize)]
struct Profile {
    /// Boards that were filled: one for each service, and one for each binding of signatures about the whole host.
    boards: u64,
    /// Fields that had a value, the dearest first.
    fields: Vec<Field>,
    /// Signatures that were woken, the dearest first.
    signatures: Vec<Signature>,
}

#[derive(Serialize)]
struct Field {
    field: String,
    probe: String,
    values: u64,
    bytes: u64,
    tried: u64,
    held: u64,
    ns: u64,
}

#[derive(Serialize)]
struct Signature {
    signature: String,
    woken: u64,
    evaluated: u64,
    stood: u64,
    ns: u64,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = self.release.release()?.with_clock(nanoseconds);
        self.input.for_each_host(&mut |evidence, _| {
            release.identify(evidence);
            Ok(())
        })?;
        let profile = Profile::of(release.plan().plan(), &release.matcher().counts());
        match self.format {
            Format::Json => answer(&format!("{}\n", crate::plain::json(&profile)?))?,
            Format::Text => answer(&profile.text(self.top))?,
        }
        Ok(Outcome::Fine)
    }
}

/// Since the first call.
fn nanoseconds() -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

impl Profile {
    fn of(plan: &Plan, counts: &Counts) -> Profile {
        let field = |(slot, count): (&ksig_runtime::plan::Slot, &SlotCount)| Field {
            field: slot.path(),
            probe: match &plan.probes[slot.probe as usize] {
                Probe::Exactly(key) | Probe::Bound { key, .. } | Probe::Beside { key, .. } => key.to_string(),
                Probe::Named(named) => named.constructor.clone(),
            },
            values: count.values,
            bytes: count.bytes,
            tried: count.tried,
            held: count.held,
            ns: count.ns,
        };
        let mut fields: Vec<Field> = plan.slots.iter().zip(&counts.slots).map(field).filter(|field| field.values > 0).collect();
        fields.sort_by(|a, b| (b.ns, &a.field, &a.probe).cmp(&(a.ns, &b.field, &b.probe)));
        let signature = |(signature, count): (&ksig_runtime::plan::Signature, &SignatureCount)| Signature {
            signature: signature.name.clone(),
            woken: count.woken,
            evaluated: count.evaluated,
            stood: count.stood,
            ns: count.ns,
        };
        let all = plan.signatures.iter().zip(&counts.signatures).map(signature);
        let mut signatures: Vec<Signature> = all.filter(|signature| signature.woken > 0).collect();
        signatures.sort_by(|a, b| (b.ns, &a.signature).cmp(&(a.ns, &b.signature)));
        Profile { boards: counts.boards, fields, signatures }
    }

    fn text(&self, top: usize) -> String {
        let each = |ns: u64, times: u64| ns.checked_div(times).unwrap_or_default().to_string();
        let fields = self.fields.iter().take(top).map(|field| {
            let Field { values, bytes, tried, held, ns, .. } = field;
            let name = format!("{} of {}", field.field, field.probe);
            vec![name, values.to_string(), bytes.to_string(), tried.to_string(), held.to_string(), each(*ns, *values)]
        });
        let fields = table(&["field", "values", "bytes", "tried", "held", "ns a value"], fields);
        let signatures = self.signatures.iter().take(top).map(|signature| {
            let Signature { woken, evaluated, stood, ns, .. } = signature;
            vec![signature.signature.clone(), woken.to_string(), evaluated.to_string(), stood.to_string(), each(*ns, *woken)]
        });
        let signatures = table(&["signature", "woken", "evaluated", "stood", "ns each"], signatures);
        let more = |all: usize| if all > top { format!("and {} more\n", all - top) } else { String::new() };
        let (other_fields, other_signatures) = (more(self.fields.len()), more(self.signatures.len()));
        format!("{} boards\n\n{fields}\n{other_fields}\n{signatures}\n{other_signatures}", self.boards)
    }
}

/// Names on the left, numbers on the right.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.to_vec()).add_rows(rows);
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}
