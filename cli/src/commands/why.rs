//! `ksig why`: each line of a signature with the bytes that made it true or false.

use std::path::PathBuf;

use anyhow::Context as _;

use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};

/// Show why a signature matches evidence, or why not: each line with the bytes that decided
#[derive(clap::Args)]
#[command(
    visible_alias = "why-not",
    after_help = "Examples:\n  echo '{\"id\":\"a\",\"evidence\":{\"ftp.banner\":\"(vsFTPd 3.0.3)\"}}' > a.ndjson\n  ksig why server.vsftpd.banner a.ndjson"
)]
pub struct Args {
    /// The signature's full name
    signature: String,
    /// A file whose first line is an evidence line
    evidence: PathBuf,
    #[command(flatten)]
    release: ReleaseArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(super) fn run(self, lang: ksig_lang::Lang) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let shown = self.evidence.display();
        let text = std::fs::read_to_string(&self.evidence).with_context(|| format!("cannot read {shown}"))?;
        let line = text.lines().find(|line| !line.trim().is_empty()).with_context(|| format!("{shown} holds no line"))?;
        let schema = ksig_protocols::schema();
        let evidence = crate::evidence_line::parse(line, &schema).with_context(|| format!("{shown}:1"))?.evidence;
        let date = evidence.time.map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date());
        let Some(trace) = release.matcher().why(&self.signature, &evidence, &evidence.services[0], date) else {
            let names = release.plan().plan().signatures.iter().map(|signature| signature.name.as_str());
            let near = names.min_by_key(|name| strsim::damerau_levenshtein(name, &self.signature)).unwrap_or_default();
            anyhow::bail!("there is no signature `{}`; the nearest is `{near}`", self.signature);
        };
        if self.json {
            answer(&format!("{}\n", crate::plain::json(&trace)?))?;
        } else {
            answer(crate::trace::text(&trace).in_lang(lang))?;
        }
        Ok(if trace.truth == ksig_runtime::Truth::False { Outcome::Findings } else { Outcome::Fine })
    }
}
