//! What `identify` and `prof` read: lines of evidence or of observations, to hosts.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use clap::ValueEnum;
use ksig_lang::say;
use ksig_schema::{Evidence, Observation, Schema};

use super::{Failure, remark};
use crate::failure::{OrSay as _, cannot_read, failed};

/// Where the lines are, and what they are.
#[derive(clap::Args)]
pub(super) struct InputArgs {
    /// A file; `-` is standard input
    #[arg(long, default_value = "-")]
    input: PathBuf,
    /// What the lines are
    #[arg(long, value_enum, default_value_t = From::Observation)]
    from: From,
    /// Most consecutive observations that form one host
    #[arg(long, default_value_t = GROUP, value_name = "N")]
    group: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum From {
    /// Observation lines, as `ksig scan` writes them
    Observation,
    /// Evidence lines: banners cut into fields by another tool
    Evidence,
}

/// Most consecutive observations that form one host, unless somebody says otherwise.
const GROUP: usize = 4096;
/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Takes the evidence of a host, and whether it is that of a single evidence line about one service.
type EachHost<'a> = dyn FnMut(&Evidence, bool) -> Result<(), Failure> + 'a;

impl InputArgs {
    /// A file of evidence lines or of observation lines.
    pub fn of_file(input: PathBuf, of_evidence: bool) -> InputArgs {
        InputArgs { input, from: if of_evidence { From::Evidence } else { From::Observation }, group: GROUP }
    }

    /// Calls `each` with every host, in the order of the lines. A line that cannot be read is named on standard error, and the others go on: how
    /// many there were is the error at the end.
    pub fn for_each_host(&self, each: &mut EachHost<'_>) -> Result<(), Failure> {
        let shown = self.input.display().to_string();
        let input: Box<dyn BufRead> = if shown == "-" {
            Box::new(BufReader::new(std::io::stdin().lock()))
        } else {
            Box::new(BufReader::with_capacity(1 << 20, std::fs::File::open(&self.input).or_say(|| cannot_read(&shown))?))
        };
        let schema = ksig_protocols::schema();
        let mut broken = 0;
        let mut report = |number: u64, reason: &str| {
            broken += 1;
            remark(&format!("{shown}:{number}: {reason}"));
        };
        match self.from {
            From::Evidence => evidence(input, &schema, &shown, &mut report, each)?,
            From::Observation => observations(input, self.group.max(1), &mut report, each)?,
        }
        if broken > 0 {
            return Err(failed(say!("{broken} lines of {shown} could not be read", "{shown}の{broken}行を読み取れませんでした")));
        }
        Ok(())
    }
}

/// Takes the number of a line that cannot be read, and the reason.
type Report<'a> = dyn FnMut(u64, &str) + 'a;

fn evidence(
    input: Box<dyn BufRead>,
    schema: &Schema,
    shown: &str,
    report: &mut Report<'_>,
    each: &mut EachHost<'_>,
) -> Result<(), Failure> {
    for_each_line(input, &mut |number, line| {
        match line.and_then(|line| crate::evidence_line::parse(line, schema).map_err(|error| error.to_string())) {
            Err(reason) => report(number, &reason),
            Ok(line) => {
                for field in &line.left_out {
                    remark(&format!("{shown}:{number}: {field}"));
                }
                each(&line.evidence, line.evidence.services.len() == 1)?;
            }
        }
        Ok(())
    })
}

fn observations(input: Box<dyn BufRead>, group: usize, report: &mut Report<'_>, each: &mut EachHost<'_>) -> Result<(), Failure> {
    let mut host: Vec<Observation> = Vec::new();
    for_each_line(input, &mut |number, line| {
        match line.and_then(|line| serde_json::from_str::<Observation>(line).map_err(|error| error.to_string())) {
            Err(reason) => report(number, &reason),
            Ok(observation) => {
                if host.len() >= group || host.first().is_some_and(|first| first.host != observation.host) {
                    of_host(&std::mem::take(&mut host), each)?;
                }
                host.push(observation);
            }
        }
        Ok(())
    })?;
    of_host(&host, each)
}

fn of_host(observations: &[Observation], each: &mut EachHost<'_>) -> Result<(), Failure> {
    ksig_protocols::evidence(observations).iter().try_for_each(|evidence| each(evidence, false))
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
