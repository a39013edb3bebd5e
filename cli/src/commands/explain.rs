//! `ksig explain CODE`.

use ksig_compiler::{codes, lints};

use super::{Failure, Outcome, answer};

/// Say what a problem's code means
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ksig explain negation-may-be-missing\n  ksig explain            # lists all codes")]
pub struct Args {
    /// The code, as problems show it in brackets; all codes are listed when none is named
    code: Option<String>,
}

impl Args {
    pub(super) fn run(self, _lang: ksig_lang::Lang) -> Result<Outcome, Failure> {
        let Some(code) = self.code else {
            let mut names: Vec<&str> = all().collect();
            names.sort_unstable();
            answer(&(names.join("\n") + "\n"))?;
            return Ok(Outcome::Fine);
        };
        if let Some(lint) = lints::ALL.iter().find(|lint| lint.name == code) {
            answer(&format!("{code} (lint)\n\n{}\n\nFound in:\n{}\nNot found in:\n{}", lint.doc, lint.bad, lint.good))?;
        } else if let Some(known) = codes::CODES.iter().find(|known| known.code == code) {
            answer(&format!("{code}\n\n{}\n", known.meaning))?;
        } else if let Some(known) = ksig_lang::CODES.iter().find(|known| known.code == code) {
            answer(&format!("{code}\n\n{}\n\nReported for:\n\n{}\nNot reported for:\n\n{}\n", known.explanation, known.bad, known.good))?;
        } else {
            let near = all().min_by_key(|known| strsim::damerau_levenshtein(known, &code)).unwrap_or_default();
            anyhow::bail!("no problem has the code `{code}`; the nearest is `{near}`");
        }
        Ok(Outcome::Fine)
    }
}

fn all() -> impl Iterator<Item = &'static str> {
    let lints = lints::ALL.iter().map(|lint| lint.name);
    lints.chain(codes::CODES.iter().map(|code| code.code)).chain(ksig_lang::CODES.iter().map(|code| code.code))
}
