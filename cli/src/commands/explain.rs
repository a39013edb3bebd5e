//! `ksig explain CODE`.

use std::path::PathBuf;

use ksig_compiler::codes;
use ksig_compiler::lints::query::{PREFIX, Query};
use ksig_lang::{CodeDoc, Lang, say};

use super::{Failure, Outcome, answer};
use crate::failure::failed;
use crate::{load, policy};

/// Say what a problem's code means
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig explain negation-may-be-missing\n  ksig explain unknown-vendor --lang ja\n  ksig explain            # lists all codes"
)]
pub struct Args {
    /// The code, as problems show it in brackets; all codes are listed when none is named
    code: Option<String>,
    /// Where ksig.toml stands, for the lints that it declares (own-...)
    #[arg(long, value_name = "DIR", default_value = "signatures")]
    signatures: PathBuf,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let Some(code) = self.code else {
            for group in codes::groups() {
                let codes: String = group.codes.iter().map(|doc| format!("  {}\n", doc.code)).collect();
                answer(&format!("{}\n{codes}\n", group.about.in_lang(lang)))?;
            }
            return Ok(Outcome::Fine);
        };
        let own = if code.starts_with(PREFIX) { policy::lints(&load::load(&[self.signatures])?.input, None)?.queries } else { Vec::new() };
        if let Some(query) = own.iter().find(|query| query.name == code) {
            answer(&explained_own(query, lang))?;
            return Ok(Outcome::Fine);
        }
        let Some(doc) = codes::explain(&code) else {
            let own = own.iter().map(|query| query.name);
            let known: Vec<&str> = codes::groups().into_iter().flat_map(|group| group.codes).map(|doc| doc.code).chain(own).collect();
            let near = known.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, &code)).unwrap_or_default();
            let unknown = say!(
                "no problem has the code `{code}`; the nearest is `{near}`",
                "`{code}`というコードはありません。最も近いのは`{near}`です"
            );
            return Err(failed(unknown));
        };
        answer(&explained(doc, lang))?;
        Ok(Outcome::Fine)
    }
}

fn explained_own(query: &Query, lang: Lang) -> String {
    let Query { name, message, doc, .. } = query;
    let doc = doc.in_lang(lang);
    let doc = if doc.is_empty() { String::new() } else { format!("\n{doc}\n") };
    format!("{name}\n\n{}\n{doc}", message.in_lang(lang))
}

fn explained(doc: &CodeDoc, lang: Lang) -> String {
    let mut out = format!("{}\n\n{}\n", doc.code, doc.meaning.in_lang(lang));
    let examples = [(say!("Reported for:", "報告される例:"), doc.bad), (say!("Not reported for:", "報告されない例:"), doc.good)];
    for (heading, example) in examples.iter().filter(|(_, example)| !example.is_empty()) {
        let lines: String = example.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect();
        out.push_str(&format!("\n{}\n\n{lines}", heading.in_lang(lang)));
    }
    out
}
