//! What `ksig why` and a failed test show of an evaluation: each line of a signature with the bytes that decided it.
//!
//! In: a [`Trace`]. Out: lines, each with its end, in both languages.

use std::collections::BTreeMap;

use ksig_lang::{Lang, Text, say};
use ksig_runtime::Truth;
use ksig_runtime::explain::{Because, Incomparable, Line, Miss, TextMiss, Trace};
use ksig_schema::Ended;
use ksig_schema::identification::{Identification, Identified, Note, Proof};

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
    let miss = line.miss.as_ref().map(|miss| missed(miss, &format!("{indent}             "), lang)).unwrap_or_default();
    format!("{indent}{} {}{gap}{}\n{miss}", column(said(line.truth).in_lang(lang)), line.text, because.in_lang(lang))
}

/// How near a false line came; of a text, with a caret under the first character that differs.
fn missed(miss: &Miss, indent: &str, lang: Lang) -> String {
    let line = |text: Text| format!("{indent}{}\n", text.in_lang(lang));
    match miss {
        Miss::Text(TextMiss { before, after, wanted, nearest, .. }) => {
            let (before, after) = (crate::plain::text(before).replace('\n', " "), crate::plain::text(after).replace('\n', " "));
            let caret = format!("{indent}  {}^\n", " ".repeat(width(&before)));
            let shown = format!("{indent}  {before}{after}\n{caret}");
            let said = match nearest {
                Some(nearest) => {
                    say!("nearest: {nearest:?}, which goes on with `{wanted}`", "最も近い値は{nearest:?}で、その続きは`{wanted}`です")
                }
                None => say!("agrees up to the caret, where `{wanted}` is wanted", "^の手前まで一致し、続きに`{wanted}`が必要です"),
            };
            line(said) + &shown
        }
        Miss::Order { left, op, right, side } => {
            let ja = match *side {
                "below" => "左辺が小さい",
                "above" => "左辺が大きい",
                "equal" => "等しい",
                "outside" => "範囲外",
                _ => "比較できない",
            };
            line(say!("{left} {op} {right}: the left side is {side}", "{left} {op} {right}: {ja}"))
        }
        Miss::Key { table, key, nearest } => line(say!(
            "{table} has no row {key:?}; the nearest is {nearest:?}",
            "{table}に行{key:?}はありません。最も近いのは{nearest:?}です"
        )),
    }
}

/// Columns of a terminal, where a Japanese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// Filled up to twelve columns of a terminal, where a Japanese character takes two.
fn column(text: &str) -> String {
    format!("{text}{}", " ".repeat(12usize.saturating_sub(width(text))))
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

/// What the release makes of the answer after all signatures are heard, and what became of this one.
pub fn resolution(answer: &Identification, signature: &str) -> Text {
    let in_lang = |lang: Lang| {
        let mut out = format!("{}\n", say!("after all signatures of the release:", "リリースの全シグネチャによる判定:").in_lang(lang));
        let mut line = |text: Text| out.push_str(&format!("  {}\n", text.in_lang(lang)));
        for one in &answer.identifications {
            let (what, name, sure) = (identified(one), &one.signature, sure(one));
            line(say!("{what} by {name} ({sure})", "{what}（{name}、{sure}）"));
            for also in &one.also {
                line(say!("  {also} says the same or less", "  {also}も同じか、より少ない内容です"));
            }
        }
        for one in &answer.ambiguous {
            let (what, name, sure) = (identified(one), &one.signature, sure(one));
            line(say!(
                "ambiguous: {what} by {name} ({sure}), as sure as others that say otherwise",
                "曖昧: {what}（{name}、{sure}）。同じ確度の別の判定があります"
            ));
        }
        for one in &answer.consistent {
            let (what, name) = (identified(one), &one.signature);
            line(say!(
                "possible: {what} by {name}, were all fields observed",
                "可能性あり: {what}（{name}）。未観測のフィールドによります"
            ));
        }
        for note in &answer.notes {
            line(noted(note));
        }
        if answer.identifications.is_empty() && answer.ambiguous.is_empty() && answer.consistent.is_empty() {
            line(say!("unknown: no signature matches", "不明: 該当するシグネチャはありません"));
        }
        let all = || answer.identifications.iter().chain(&answer.ambiguous).chain(&answer.consistent);
        let takes_part = all().any(|one| one.signature == *signature || one.also.iter().any(|also| also == signature));
        let noted = answer.notes.iter().any(
            |note| matches!(note, Note::Overruled { signature: name, .. } | Note::NotChosen { signature: name, .. } if name == signature),
        );
        if !takes_part && !noted {
            line(say!("{signature} takes no part", "{signature}は判定に加わりません"));
        }
        out
    };
    Text { en: in_lang(Lang::En).into(), ja: in_lang(Lang::Ja).into() }
}

/// Vendor, series, model and version, or the software that is named.
fn identified(one: &Identified) -> String {
    let identity = &one.identity;
    let slots = [&identity.vendor, &identity.series, &identity.model, &identity.version];
    let mut words: Vec<&str> = slots.into_iter().flatten().map(String::as_str).collect();
    if words.is_empty() {
        words.extend(one.components.iter().map(|component| component.product.as_str()));
    }
    format!("{} {}", identity.facet, words.join(" ")).trim().to_string()
}

fn sure(one: &Identified) -> String {
    format!("{:?}", one.confidence).to_lowercase()
}

fn noted(note: &Note) -> Text {
    match note {
        Note::Overruled { signature, .. } => {
            say!(
                "{signature} matches too, and one that is surer says otherwise",
                "{signature}も該当しますが、より確度の高い別の判定があります"
            )
        }
        Note::NotChosen { signature, choice } => {
            say!(
                "{signature} matches too, and an earlier one of {choice} did",
                "{signature}も該当しますが、{choice}の先のシグネチャが優先されます"
            )
        }
        Note::Incomparable { signature, scheme, versions } => {
            let all = versions.join(", ");
            say!(
                "{signature} compares versions of different trains of {scheme}: {all}",
                "{signature}は{scheme}の異なる系列のバージョンを比較しています: {all}"
            )
        }
        Note::VersionsDiffer { facet, versions } => {
            let all = versions.join(", ");
            say!("different versions of {facet}, so none is given: {all}", "{facet}のバージョンが一致しないため、示しません: {all}")
        }
    }
}
