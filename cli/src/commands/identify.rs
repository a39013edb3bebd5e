//! `ksig identify`: banners in, identifications out.

use std::io::{BufWriter, Write};

use super::input::InputArgs;
use super::release::ReleaseArgs;
use super::{Failure, Outcome};

/// Read banners as lines of JSON, write identifications as lines of JSON, in the same order
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig identify --input observations.ndjson > answers.ndjson\n  echo '{\"id\":\"a\",\"evidence\":{\"ssh.banner\":\"SSH-2.0-dropbear_2020.81\"}}' | ksig identify --from evidence\n\nAn evidence line is one service, or a host: {\"id\":\"a\",\"services\":[{\"port\":554,\"evidence\":{...}},{\"port\":443,\"transport\":\"tls\",\"evidence\":{...}}]}; then one answer a service comes out, and one for the host.\n\nA line that cannot be read is named on standard error with its number; the others are answered, and the exit code is 2."
)]
pub struct Args {
    #[command(flatten)]
    release: ReleaseArgs,
    #[command(flatten)]
    input: InputArgs,
    /// Exit with 1 when nothing was identified
    #[arg(long)]
    expect: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut identified = 0;
        let read = self.input.for_each_host(&mut |evidence, is_one_service| {
            let mut answers = release.identify(evidence);
            // A line about one service has one answer, one about several has that of the host besides.
            if is_one_service {
                answers.truncate(1);
            }
            for answer in &answers {
                identified += usize::from(!answer.identifications.is_empty());
                // Through a value, so that keys are sorted: the same bytes for the same input.
                out.write_all(crate::plain::json(&serde_json::to_value(answer)?)?.as_bytes())?;
                out.write_all(b"\n")?;
            }
            Ok(())
        });
        out.flush()?;
        read?;
        Ok(if self.expect && identified == 0 { Outcome::Findings } else { Outcome::Fine })
    }
}
