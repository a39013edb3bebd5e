//! `ksig record`: from a live host to a scrubbed fixture and a test.

use std::path::PathBuf;
use std::sync::Arc;

use ksig_lang::{Lang, say};
use ksig_scanner::Stop;

use super::calling::{CallArgs, follow_blocklist};
use super::release::ReleaseArgs;
use super::scan::{runtime, stop_on_interrupt};
use super::{Failure, Outcome, answer, remark};
use crate::failure::{OrSay as _, cannot_write, failed};
use crate::live::{LiveError, identify_live};
use crate::record::{Host, record};

/// Ask one host what a release asks, and print its answers as tests without anything personal
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig record 127.0.0.1 --ports 8080=http --no-blocklist\n  ksig record 127.0.0.1:8080=http --no-blocklist --signatures signatures -o recorded.txt\n\nThe tests stand on standard output, what was taken out of the answers on standard error: read both before you publish them. A test goes into the signature that its comment names. Exit codes: 0 recorded, 1 nothing answered, 2 the host could not be asked."
)]
pub struct Args {
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    release: ReleaseArgs,
    /// Write the tests there
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(mut self, lang: Lang) -> Result<Outcome, Failure> {
        self.calls.split_port();
        let mut options = self.calls.options()?;
        options.review = self.release.attested()?;
        let (release, signatures) = self.release.with_signatures()?;
        let release = Arc::new(release);
        self.calls.choose_ports(&mut options, &release.plan().plan().probe_plan);
        let stop = Stop::new();
        let mut hosts = Vec::new();
        let called = runtime()?.block_on(async {
            stop_on_interrupt(&stop);
            let calling = identify_live(&options, &release, &stop, |host| {
                hosts.extend(host.evidence.first().cloned().map(|said| (host.observations.observations.clone(), said)));
                // One host is recorded, not a network.
                if hosts.len() > 1 {
                    Err(failed(say!("name one host", "ホストは一つだけ指定してください")))
                } else {
                    Ok(())
                }
            });
            tokio::select! {
                called = calling => called,
                () = follow_blocklist(&options, None) => unreachable!("the blocklist is followed for ever"),
            }
        });
        called.map_err(LiveError::into_failure)?;
        let of = hosts.first().map(|(observations, (evidence, answers))| Host { observations, evidence, answers });
        let recorded = of.map(|host| record(&host, &release, &signatures)).unwrap_or_default();
        for scrubbed in &recorded.scrubbed {
            let (place, was, is) = (&scrubbed.place, &scrubbed.was, &scrubbed.is);
            let text = match is.is_empty() {
                true => say!("{place}: left out `{was}`", "{place}: `{was}`を除きました"),
                false => say!("{place}: `{was}` is `{is}` now", "{place}: `{was}`を`{is}`に置き換えました"),
            };
            remark(text.in_lang(lang));
        }
        if recorded.text.is_empty() {
            remark(say!("nothing answered", "応答がありませんでした").in_lang(lang));
            return Ok(Outcome::Findings);
        }
        match &self.output {
            Some(path) => std::fs::write(path, &recorded.text).or_say(|| cannot_write(path.display()))?,
            None => answer(&recorded.text)?,
        }
        Ok(Outcome::Fine)
    }
}
