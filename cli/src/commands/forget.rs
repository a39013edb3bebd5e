//! `ksig atlas forget`: takes out of a log what may not stay there.

use std::path::PathBuf;
use std::time::Duration;

use ksig_lang::say;
use ksig_scanner::Blocklist;
use ksig_schema::Time;

use super::calling::{duration, now};
use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer, remark};
use crate::failure::failed;
use crate::forgetting::{Forgotten, Rules};
use crate::store;

/// Take out of the log what may not stay: those who opted out, what is too old, what names one machine; then build the index anew
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig atlas forget --state atlas --blocklist opted-out.txt\n  ksig atlas forget --state atlas --blocklist opted-out.txt --older-than 400d --redact-after 30d --dry-run\n\nA sweep has to be stopped meanwhile; it goes on where it was. Numbers of days count back from now."
)]
pub struct Args {
    /// The state directory
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// File of addresses and CIDRs that opted out: all that was kept of them goes
    #[arg(long, value_name = "FILE")]
    blocklist: Option<PathBuf>,
    /// Observations older than that go
    #[arg(long, value_name = "TIME", value_parser = duration)]
    older_than: Option<Duration>,
    /// In observations older than that, serial numbers, hardware addresses and other values marked `redact` are overwritten
    #[arg(long, value_name = "TIME", value_parser = duration)]
    redact_after: Option<Duration>,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    release: ReleaseArgs,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let rules = self.rules()?;
        let mut forgotten = Forgotten::default();
        let log = store::log_dir(&self.state);
        let done = ksig_atlas::rewrite(&log, !self.dry_run, |observation| rules.fate(observation, &mut forgotten))?;
        let Forgotten { opted_out, expired, redacted, not_found } = forgotten;
        let would = if self.dry_run { "would be " } else { "" };
        answer(&format!(
            "{opted_out} observations of those who opted out and {expired} old ones {would}deleted, {redacted} values in {} observations {would}overwritten, {} observations stay\n",
            done.replaced,
            done.kept + done.replaced
        ))?;
        if not_found > 0 {
            remark(&format!("{not_found} values that name one machine are not in the bytes as they came (compressed or encoded) and stay"));
        }
        if done.unreadable > 0 {
            remark(&format!(
                "{} damaged records, of which nobody can say whose they are, {would}deleted with their segments",
                done.unreadable
            ));
        }
        if done.segments > 0 && !self.dry_run && store::index_dir(&self.state).exists() {
            let again = store::rematch(&self.state, &self.release.release()?, &mut |_| {})?;
            answer(&format!("{} entries in the index\n", again.entries))?;
        }
        Ok(Outcome::Fine)
    }

    fn rules(&self) -> Result<Rules, Failure> {
        if self.blocklist.is_none() && self.older_than.is_none() && self.redact_after.is_none() {
            return Err(failed(say!(
                "say what is to be forgotten: --blocklist, --older-than or --redact-after",
                "何を削除するかを--blocklist、--older-than、--redact-afterのいずれかで指定してください"
            )));
        }
        let before = |age: Option<Duration>| age.map(ago).transpose();
        Ok(Rules {
            blocklist: self.blocklist.as_deref().map(Blocklist::read).transpose()?.unwrap_or_else(Blocklist::nobody),
            drop_before: before(self.older_than)?,
            redact_before: before(self.redact_after)?,
        })
    }
}

fn ago(age: Duration) -> Result<Time, Failure> {
    let age = jiff::SignedDuration::try_from(age)?;
    now().checked_sub(age).map_err(Into::into)
}
