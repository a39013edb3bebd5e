//! Counts of verdicts, and their two printed forms.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Answer, ByName, Comparison, Names, Row, SLOTS, Score, Truth, Verdict, class_of};

/// Counts of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Equal by the rule.
    pub right: u64,
    /// Another was said.
    pub wrong: u64,
    /// Nothing was said.
    pub unknown: u64,
}

/// Counts of a group of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rows in the group.
    pub rows: u64,
    /// By slot, `vendor` to `version`; `device` counts negative rows: right when no device was named.
    #[serde(flatten)]
    pub slots: BTreeMap<&'static str, Counts>,
}

impl Tally {
    fn add(&mut self, comparison: &Comparison) {
        self.rows += 1;
        let slots = SLOTS.iter().copied().zip(comparison.slots).chain([("device", comparison.device)]);
        for (slot, verdict) in slots {
            let Some(verdict) = verdict else { continue };
            let counts = self.slots.entry(slot).or_default();
            match verdict {
                Verdict::Right => counts.right += 1,
                Verdict::Wrong => counts.wrong += 1,
                Verdict::Unknown => counts.unknown += 1,
            }
        }
    }
}

/// A row that was answered wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongRow {
    /// The row's id.
    pub id: String,
    /// The collector's field.
    pub field: String,
    /// The value, at most 200 characters.
    pub value: String,
    /// Which slots are wrong.
    pub wrong: Vec<&'static str>,
    /// What it is.
    pub truth: Truth,
    /// What ksig says.
    pub ours: Truth,
    /// The signature that said so; absent where several devices were named.
    pub signature: Option<String>,
}

/// Everything that a run of the facts tool says. The JSON form has the same keys, sorted, for the same input.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Lines that hold a row.
    pub rows: u64,
    /// Rows that became evidence.
    pub scored: u64,
    /// Rows for which several different devices were named, which is no answer.
    pub several: u64,
    /// Rows of fields that no protocol has, by the collector's name of the field.
    pub no_such_field: BTreeMap<String, u64>,
    /// Lines that hold no row.
    pub bad_lines: u64,
    /// All scored rows.
    pub total: Tally,
    /// By group of the file.
    pub by_score: ByName,
    /// By the collector's name of the field.
    pub by_field: ByName,
    /// By class of the device; negative rows have none.
    pub by_class: ByName,
    /// Rows with a wrong slot, in the order of the file; empty unless asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongRow>,
}

impl Report {
    /// Counts a row whose field no protocol has.
    pub fn add_unscored(&mut self, row: &Row) {
        self.rows += 1;
        *self.no_such_field.entry(row.field.clone()).or_default() += 1;
    }

    /// Counts a row that was identified; keeps it when it is wrong and `keep_wrong`.
    pub fn add(&mut self, row: &Row, answer: &Answer, names: &Names, keep_wrong: bool) {
        let comparison = Comparison::judge(row, answer, names);
        self.rows += 1;
        self.scored += 1;
        self.several += u64::from(answer.several);
        self.total.add(&comparison);
        self.by_score.entry(row.group().name().into()).or_default().add(&comparison);
        self.by_field.entry(row.field.clone()).or_default().add(&comparison);
        if row.group() != Score::Negative {
            self.by_class.entry(class_of(row, answer, names)).or_default().add(&comparison);
        }
        if keep_wrong && comparison.is_wrong() {
            self.wrong.push(wrong_row(row, answer, &comparison));
        }
    }

    /// As tables for a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let unscored: u64 = self.no_such_field.values().sum();
        let mut line = |content: String| writeln!(text, "{content}").expect("a string takes any text");
        line(format!(
            "{} rows, {} scored, {unscored} not scored: no such field, {} lines unreadable, {} rows where several devices were named",
            self.rows, self.scored, self.bad_lines, self.several
        ));
        line(String::new());
        line(header("all"));
        line(table_line("total", &self.total));
        for (title, groups) in [("by score", &self.by_score), ("by field", &self.by_field), ("by class", &self.by_class)] {
            line(String::new());
            line(header(title));
            let mut groups: Vec<(&String, &Tally)> = groups.iter().collect();
            groups.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.rows), *name));
            for (name, tally) in groups {
                line(table_line(name, tally));
            }
        }
        if !self.no_such_field.is_empty() {
            line(String::new());
            line("not scored: no such field".into());
            for (name, rows) in &self.no_such_field {
                line(format!("  {name:<34} {rows:>6}"));
            }
        }
        for wrong in &self.wrong {
            line(String::new());
            line(format!("{}  {}  wrong: {}", wrong.id, wrong.field, wrong.wrong.join(", ")));
            line(format!("  value      {:?}", wrong.value));
            line(format!("  truth      {}", shown(&wrong.truth)));
            line(format!("  ours       {}", shown(&wrong.ours)));
            line(format!("  signature  {}", wrong.signature.as_deref().unwrap_or("several devices were named")));
        }
        text
    }
}

const COLUMNS: [&str; 5] = ["vendor", "series", "model", "version", "device"];

fn header(title: &str) -> String {
    let mut text = format!("{title:<36} {:>6}", "rows");
    for column in COLUMNS {
        write!(text, "  {:>17}", format!("{column} r/w/?")).expect("a string takes any text");
    }
    text
}

fn table_line(name: &str, tally: &Tally) -> String {
    let mut text = format!("  {name:<34} {:>6}", tally.rows);
    for column in COLUMNS {
        let cell = tally.slots.get(column).map(|c| format!("{}/{}/{}", c.right, c.wrong, c.unknown)).unwrap_or_else(|| "-".into());
        write!(text, "  {cell:>17}").expect("a string takes any text");
    }
    text
}

fn shown(truth: &Truth) -> String {
    let slots = [("vendor", &truth.vendor), ("series", &truth.series), ("model", &truth.model), ("version", &truth.version)];
    let known: Vec<String> = slots.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value:?}"))).collect();
    if known.is_empty() { "no device".into() } else { known.join(", ") }
}

fn wrong_row(row: &Row, answer: &Answer, comparison: &Comparison) -> WrongRow {
    let ours = answer.device.clone().unwrap_or_default();
    let value = row.value.clone().or_else(|| row.value_b64.clone()).unwrap_or_default();
    WrongRow {
        id: row.id.clone(),
        field: row.field.clone(),
        value: value.chars().take(200).collect(),
        wrong: comparison.wrong_slots(),
        truth: row.truth.clone(),
        ours: Truth {
            version: ours.version.or_else(|| answer.os_version.clone()),
            vendor: ours.vendor,
            series: ours.series,
            model: ours.model,
            kind: None,
            class: ours.class,
        },
        signature: answer.signature.clone(),
    }
}
