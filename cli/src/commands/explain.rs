//! `ksig explain CODE`.

use ksig_compiler::codes;
use ksig_lang::{CodeDoc, Lang, say};

use super::{Failure, Outcome, answer};
use crate::failure::failed;

/// Say what a problem's code means
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig explain negation-may-be-missing\n  ksig explain unknown-vendor --lang ja\n  ksig explain            # lists all codes"
)]
pub struct Args {
    /// The code, as problems show it in brackets; all codes are listed when none is named
    code: Option<String>,
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
        let Some(doc) = codes::explain(&code) else {
            let known: Vec<&str> = codes::groups().into_iter().flat_map(|group| group.codes).map(|doc| doc.code).collect();
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

fn explained(doc: &CodeDoc, lang: Lang) -> String {
    let mut out = format!("{}\n\n{}\n", doc.code, doc.meaning.in_lang(lang));
    let examples = [(say!("Reported for:", "報告される例:"), doc.bad), (say!("Not reported for:", "報告されない例:"), doc.good)];
    for (heading, example) in examples.iter().filter(|(_, example)| !example.is_empty()) {
        let lines: String = example.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect();
        out.push_str(&format!("\n{}\n\n{lines}", heading.in_lang(lang)));
    }
    out
}
