//! `ksig why`: each line of a signature with the bytes that made it true or false.

use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::{Text, say};

use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};
use crate::failure::{OrSay as _, cannot_read, failed};

/// Show why a signature matches evidence, or why not: each line with the bytes that decided
#[derive(clap::Args)]
#[command(
    visible_alias = "why-not",
    after_help = "Examples:\n  echo '{\"id\":\"a\",\"evidence\":{\"ftp.banner\":\"(vsFTPd 3.0.3)\"}}' > a.ndjson\n  ksig why server.vsftpd.banner a.ndjson\n  ksig why server.vsftpd.banner a.ndjson --format json\n\nExit codes: 0 it matches, or evidence that was not observed could make it, 1 it does not, 2 wrong use or a failure of the world."
)]
pub struct Args {
    /// The signature's full name
    signature: String,
    /// A file whose first line is an evidence line
    evidence: PathBuf,
    #[command(flatten)]
    release: ReleaseArgs,
    /// How the trace is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// Its lines, for people
    Text,
    /// One JSON object; `spec/absence.md` says what its keys hold
    Json,
}

impl Args {
    pub(super) fn run(self, lang: ksig_lang::Lang) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let shown = self.evidence.display();
        let text = std::fs::read_to_string(&self.evidence).or_say(|| cannot_read(&shown))?;
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (number, line) = lines.next().or_say(|| say!("{shown} holds no line", "{shown}に行がありません"))?;
        let schema = ksig_protocols::schema();
        let evidence = crate::evidence_line::parse(line, &schema).or_say(|| Text::quoted(format!("{shown}:{number}")))?.evidence;
        let date = evidence.time.map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date());
        let Some(trace) = release.matcher().why(&self.signature, &evidence, &evidence.services[0], date) else {
            let names = release.plan().plan().signatures.iter().map(|signature| signature.name.as_str());
            let asked = &self.signature;
            let Some(near) = names.min_by_key(|name| strsim::damerau_levenshtein(name, asked)) else {
                return Err(failed(say!(
                    "the release holds no signature at all; one whose evidence is unverified stays out of it",
                    "リリースにシグネチャが一つもありません。根拠が未確認（unverified）のものはリリースに含まれません"
                )));
            };
            let text = say!(
                "there is no signature `{asked}`; the nearest is `{near}`",
                "`{asked}`というシグネチャはありません。最も近いのは`{near}`です"
            );
            return Err(failed(text));
        };
        match self.format {
            Format::Json => answer(&format!("{}\n", crate::plain::json(&trace)?))?,
            Format::Text => answer(crate::trace::text(&trace).in_lang(lang))?,
        }
        Ok(if trace.truth == ksig_runtime::Truth::False { Outcome::Findings } else { Outcome::Fine })
    }
}
