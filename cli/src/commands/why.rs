//! `ksig why`: each line of a signature with the bytes that made it true or false.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ksig_compiler::hir::{Fixture, Test};
use ksig_lang::{Text, say};
use ksig_schema::{Date, Evidence, day_of};

use super::release::ReleaseArgs;
use super::{Failure, Outcome, answer};
use crate::failure::{OrSay as _, cannot_read, failed};
use crate::testing::play;

/// Show why a signature matches evidence, or why not: each line with the bytes that decided, how near a false one came, and what the release
/// makes of the answer
#[derive(clap::Args)]
#[command(
    visible_alias = "why-not",
    after_help = "Examples:\n  echo '{\"id\":\"a\",\"evidence\":{\"ftp.banner\":\"(vsFTPd 3.0.3)\"}}' > a.ndjson\n  ksig why server.vsftpd.software a.ndjson\n  ksig why server.vsftpd.software a.ndjson --format json\n  ksig why router.buffalo.airstation.arcadyan --test \"server and picture\"\n  ksig why-not router.buffalo.airstation.arcadyan answer.http\n\nExit codes: 0 it matches, or evidence that was not observed could make it, 1 it does not, 2 wrong use or a failure of the world."
)]
pub struct Args {
    /// The signature's full name
    signature: String,
    /// A file whose first line is an evidence line (.ndjson, .json), or what the signature's first probe was answered, as it came
    #[arg(required_unless_present = "test")]
    evidence: Option<PathBuf>,
    /// In place of a file, what a test or an example of the signature gives, by its name or a part of it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["evidence", "bundle"])]
    test: Option<String>,
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
        let (evidence, date) = self.evidence(&release)?;
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
        let answers = release.identify(&evidence);
        // The last line is the host's.
        let across = release.plan().plan().signatures.iter().any(|one| one.name == self.signature && !one.scope.roles().is_empty());
        let answer_of = if across { answers.last() } else { answers.first() }.cloned().unwrap_or_default();
        match self.format {
            Format::Json => {
                let mut object = serde_json::to_value(&trace)?;
                object["resolution"] = serde_json::to_value(&answer_of)?;
                answer(&format!("{}\n", crate::plain::json(&object)?))?;
            }
            Format::Text => {
                answer(crate::trace::text(&trace).in_lang(lang))?;
                answer(crate::trace::resolution(&answer_of, &self.signature).in_lang(lang))?;
            }
        }
        Ok(if trace.truth == ksig_runtime::Truth::False { Outcome::Findings } else { Outcome::Fine })
    }

    /// What is to be explained, and on which day.
    fn evidence(&self, release: &crate::Release) -> Result<(Evidence, Option<Date>), Failure> {
        let Some(path) = &self.evidence else { return self.given(release) };
        let shown = path.display();
        if !path.extension().is_some_and(|kind| kind == "ndjson" || kind == "json" || kind == "jsonl") {
            return self.answered(release, path);
        }
        let text = std::fs::read_to_string(path).or_say(|| cannot_read(&shown))?;
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (number, line) = lines.next().or_say(|| say!("{shown} holds no line", "{shown}に行がありません"))?;
        let schema = ksig_protocols::schema();
        let evidence = crate::evidence_line::parse(line, &schema).or_say(|| Text::quoted(format!("{shown}:{number}")))?.evidence;
        let date = evidence.time.map(day_of);
        Ok((evidence, date))
    }

    /// A file with the bytes of one answer, to the first probe that the signature asks.
    fn answered(&self, release: &crate::Release, path: &Path) -> Result<(Evidence, Option<Date>), Failure> {
        let bytes = std::fs::read(path).or_say(|| cannot_read(path.display()))?;
        let analysis = self.release.analysed()?;
        let signature = analysis.program.signatures.iter().find(|one| one.name == self.signature);
        let probe = signature.and_then(|signature| Some((signature, *signature.first_stage().first()?)));
        let Some((signature, probe)) = probe else {
            let asked = &self.signature;
            return Err(failed(say!(
                "`{asked}` asks no probe that a file could answer",
                "`{asked}`にはファイルで応答を与えられるプローブがありません"
            )));
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let test = Test { given: vec![(probe, Fixture::Bytes(bytes))], ..Test::named(&name) };
        Ok((play(release.matcher(), signature, &test).evidence, None))
    }

    /// What a test of the signature gives.
    fn given(&self, release: &crate::Release) -> Result<(Evidence, Option<Date>), Failure> {
        let (wanted, asked) = (self.test.as_deref().unwrap_or_default(), &self.signature);
        let analysis = self.release.analysed()?;
        let signature = analysis.program.signatures.iter().find(|one| one.name == *asked);
        let tests = || signature.into_iter().flat_map(|signature| &signature.tests);
        let test = tests().find(|test| test.name == wanted).or_else(|| tests().find(|test| test.name.contains(wanted)));
        let Some((signature, test)) = signature.zip(test) else {
            let names = tests().map(|test| format!("{:?}", test.name)).collect::<Vec<_>>().join(", ");
            return Err(failed(say!(
                "`{asked}` has no test {wanted:?}; it has: {names}",
                "`{asked}`にテスト{wanted:?}はありません。あるのは: {names}"
            )));
        };
        Ok((play(release.matcher(), signature, test).evidence, test.at))
    }
}
