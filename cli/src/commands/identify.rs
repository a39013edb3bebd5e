//! `ksig identify`: banners in, identifications out.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::say;
use ksig_schema::{Evidence, Identification, Observation, Schema};

use super::release::ReleaseArgs;
use super::{Failure, Outcome, remark};
use crate::Release;
use crate::failure::{OrSay as _, cannot_read, failed};

/// Read banners as lines of JSON, write identifications as lines of JSON, in the same order
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig identify --input observations.ndjson > answers.ndjson\n  echo '{\"id\":\"a\",\"evidence\":{\"ssh.banner\":\"SSH-2.0-dropbear_2020.81\"}}' | ksig identify --from evidence\n\nAn evidence line is one service, or a host: {\"id\":\"a\",\"services\":[{\"port\":554,\"evidence\":{...}},{\"port\":443,\"transport\":\"tls\",\"evidence\":{...}}]}; then one answer a service comes out, and one for the host.\n\nA line that cannot be read is named on standard error with its number; the others are answered, and the exit code is 2."
)]
pub struct Args {
    #[command(flatten)]
    release: ReleaseArgs,
    /// A file; `-` is standard input
    #[arg(long, default_value = "-")]
    input: PathBuf,
    /// What the lines are
    #[arg(long, value_enum, default_value_t = From::Observation)]
    from: From,
    /// Most consecutive observations that form one host
    #[arg(long, default_value_t = 4096, value_name = "N")]
    group: usize,
    /// Exit with 1 when nothing was identified
    #[arg(long)]
    expect: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum From {
    /// Observation lines, as `ksig scan` writes them
    Observation,
    /// Evidence lines: banners cut into fields by another tool
    Evidence,
}

/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 64 << 20;

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let release = self.release.release()?;
        let shown = self.input.display().to_string();
        let input: Box<dyn BufRead> = if shown == "-" {
            Box::new(BufReader::new(std::io::stdin().lock()))
        } else {
            Box::new(BufReader::with_capacity(1 << 20, std::fs::File::open(&self.input).or_say(|| cannot_read(&shown))?))
        };
        let mut run = Run {
            release,
            schema: ksig_protocols::schema(),
            out: BufWriter::new(std::io::stdout().lock()),
            shown,
            broken: 0,
            identified: 0,
        };
        match self.from {
            From::Evidence => run.evidence(input)?,
            From::Observation => run.observations(input, self.group.max(1))?,
        }
        run.out.flush()?;
        if run.broken > 0 {
            let Run { broken, shown, .. } = run;
            return Err(failed(say!("{broken} lines of {shown} could not be read", "{shown}の{broken}行を読み取れませんでした")));
        }
        Ok(if self.expect && run.identified == 0 { Outcome::Findings } else { Outcome::Fine })
    }
}

struct Run<'a> {
    release: Release,
    schema: Schema,
    out: BufWriter<std::io::StdoutLock<'a>>,
    shown: String,
    broken: usize,
    identified: usize,
}

impl Run<'_> {
    fn evidence(&mut self, input: Box<dyn BufRead>) -> Result<(), Failure> {
        for_each_line(input, &mut |number, line| {
            match line.and_then(|line| crate::evidence_line::parse(line, &self.schema).map_err(|error| error.to_string())) {
                Err(reason) => self.report(number, &reason),
                Ok(line) => {
                    for field in &line.unknown_fields {
                        remark(&format!("{}:{number}: no protocol has the field `{field}`; it was left out", self.shown));
                    }
                    let mut answers = self.release.identify(&line.evidence);
                    // A line about one service has one answer, one about several has that of the host besides.
                    if line.evidence.services.len() == 1 {
                        answers.truncate(1);
                    }
                    answers.iter().try_for_each(|answer| self.write(Some(answer)))?;
                }
            }
            Ok(())
        })
    }

    fn observations(&mut self, input: Box<dyn BufRead>, group: usize) -> Result<(), Failure> {
        let mut host: Vec<Observation> = Vec::new();
        for_each_line(input, &mut |number, line| {
            match line.and_then(|line| serde_json::from_str::<Observation>(line).map_err(|error| error.to_string())) {
                Err(reason) => self.report(number, &reason),
                Ok(observation) => {
                    if host.len() >= group || host.first().is_some_and(|first| first.host != observation.host) {
                        self.host(&std::mem::take(&mut host))?;
                    }
                    host.push(observation);
                }
            }
            Ok(())
        })?;
        self.host(&host)
    }

    fn host(&mut self, observations: &[Observation]) -> Result<(), Failure> {
        for evidence in ksig_protocols::evidence(observations) {
            for answer in self.answers(&evidence) {
                self.write(Some(&answer))?;
            }
        }
        Ok(())
    }

    fn answers(&self, evidence: &Evidence) -> Vec<Identification> {
        self.release.identify(evidence)
    }

    fn write(&mut self, answer: Option<&Identification>) -> Result<(), Failure> {
        if let Some(answer) = answer {
            self.identified += usize::from(!answer.identifications.is_empty());
            // Through a value, so that keys are sorted: the same bytes for the same input.
            self.out.write_all(crate::plain::json(&serde_json::to_value(answer)?)?.as_bytes())?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn report(&mut self, number: u64, reason: &str) {
        self.broken += 1;
        remark(&format!("{}:{number}: {reason}", self.shown));
    }
}

/// Takes a line's number and the line, or why it could not be read.
pub(super) type EachLine<'a> = dyn FnMut(u64, Result<&str, String>) -> Result<(), Failure> + 'a;

/// Calls `each` with every line that is not blank, numbered from 1; one that is too long or not UTF-8 comes as an error.
pub(super) fn for_each_line(mut input: Box<dyn BufRead>, each: &mut EachLine<'_>) -> Result<(), Failure> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = std::io::Read::take(&mut input, LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        number += 1;
        if read as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            each(number, Err(format!("longer than {LINE_BYTES_MAX} bytes")))?;
            skip_line(&mut input)?;
            continue;
        }
        match std::str::from_utf8(&line) {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => each(number, Ok(text.trim_end()))?,
            Err(error) => each(number, Err(format!("not UTF-8 at byte {}", error.valid_up_to())))?,
        }
    }
}

/// Reads on to the end of the line, in bounded memory.
fn skip_line(input: &mut Box<dyn BufRead>) -> Result<(), Failure> {
    loop {
        let buffered = input.fill_buf()?;
        if buffered.is_empty() {
            return Ok(());
        }
        let end = buffered.iter().position(|b| *b == b'\n');
        let used = end.map_or(buffered.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}
