//! What `ksig why` and a failed test show of an evaluation: each line of a signature with the bytes that decided it.
//!
//! In: a [`Trace`]. Out: lines, each with its end, in both languages.

use std::collections::BTreeMap;

use ksig_lang::{Lang, Text, say};
use ksig_runtime::Truth;
use ksig_runtime::explain::{Because, Incomparable, Line, Trace};
use ksig_schema::Ended;
use ksig_schema::identification::Proof;

/// All lines, then the captures, then what could not be compared.
pub fn text(trace: &Trace) -> Text {
    let in_lang = |lang: Lang| {
        let mut out = format!("{}: {}\n", trace.signature, said(trace.truth).in_lang(lang));
        for line in &trace.lines {
            out.push_str(&self::line(line, lang));
        }
        for (name, value) in &trace.captures {
            out.push_str(&format!("  {name} = {value:?}\n"));
        }
        for note in &trace.notes {
            let note = incomparable(note);
            out.push_str(&format!("  {}\n", say!("note: {note}", "注: {note}"; note).in_lang(lang)));
        }
        out
    };
    Text { en: in_lang(Lang::En).into(), ja: in_lang(Lang::Ja).into() }
}

fn line(line: &Line, lang: Lang) -> String {
    let indent = "  ".repeat(line.depth as usize + 1);
    let because = because(&line.because);
    let gap = if because.is_empty() { "" } else { "   " };
    format!("{indent}{} {}{gap}{}\n", column(said(line.truth).in_lang(lang)), line.text, because.in_lang(lang))
}

/// Filled up to twelve columns of a terminal, where a Japanese character takes two.
fn column(text: &str) -> String {
    let width: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(12usize.saturating_sub(width)))
}

fn said(truth: Truth) -> Text {
    match truth {
        Truth::True => say!("true", "真"),
        Truth::False => say!("false", "偽"),
        Truth::NotObserved => say!("not observed", "未観測"),
    }
}

/// What decided a line, empty for a group.
pub fn because(because: &Because) -> Text {
    match because {
        Because::Group => Text::NONE,
        Because::Fact(proof) => fact(proof),
        Because::ProvenAbsent { probe } => say!("{probe} answered without it", "{probe}の応答に含まれていません"),
        Because::Missing { probe, ended: None } => say!("{probe} has no response", "{probe}の応答がありません"),
        Because::Missing { probe, ended: Some(ended) } => {
            let how = ending(*ended);
            say!(
                "{probe} ended ({how}) without it, which proves nothing",
                "{probe}の応答（{how}）に含まれていませんが、ないとは限りません"; how
            )
        }
        Because::NotObserved { probe } => say!("not observed in {probe}", "{probe}では観測されていません"),
        Because::Named { probe } => say!("asks {probe}", "{probe}を送信します"),
        Because::Unnamed => say!("not sent: no answer names a place for it", "送信しません: 取得先を示す応答がありません"),
        Because::Refused(refusal) => {
            let reason = ksig_compiler::reasons::of_refusal(refusal);
            say!("not sent: {reason}", "送信しません: {reason}"; reason)
        }
        Because::Captures(captures) => named(captures),
        Because::Incomparable(note) => incomparable(note),
    }
}

fn fact(proof: &Proof) -> Text {
    let Proof { probe, field, value, .. } = proof;
    let (on, port) = match proof.port {
        Some(port) => (format!(" on {port}"), format!("（ポート{port}）")),
        None => Default::default(),
    };
    let at = proof.span.map(|(start, end)| format!(" at {start}..{end}")).unwrap_or_default();
    let place = proof.span.map(|(start, end)| format!("（{start}..{end}）")).unwrap_or_default();
    say!("{probe}{on} {field} is {value:?}{at}", "{probe}{port}の{field}は{value:?}{place}")
}

fn named(captures: &BTreeMap<String, String>) -> Text {
    if captures.is_empty() {
        return say!("nothing captured", "キャプチャはありません");
    }
    Text::quoted(captures.iter().map(|(name, value)| format!("{name} = {value:?}")).collect::<Vec<_>>().join(", "))
}

fn incomparable(note: &Incomparable) -> Text {
    let Incomparable { scheme, versions } = note;
    let (all, both) = (versions.join(" and "), versions.join("と"));
    say!("{all} are of different trains of {scheme}: incomparable", "{both}は{scheme}の系列が異なるため、比較できません")
}

/// How a response ended.
fn ending(ended: Ended) -> Text {
    let ja = match ended {
        Ended::Complete => "完了",
        Ended::Eof => "相手が切断",
        Ended::Cap => "受信量の上限に到達",
        Ended::Timeout => "時間切れ",
        Ended::Reset => "リセット",
        Ended::Refused => "接続拒否",
        Ended::Unreachable => "到達不能",
        Ended::TlsAlert => "暗号化接続に失敗",
        Ended::Local => "こちら側の障害",
        Ended::Stopped => "中断",
    };
    say!("{ended:?}", "{ja}")
}
