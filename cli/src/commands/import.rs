//! `ksig import`: other collections of signatures as ksig files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use ksig_lang::{Lang, Severity, say};

use super::{Failure, Outcome, answer, remark, show_problems};
use crate::failure::{OrSay as _, failed};
use crate::import::recog;
use crate::{analysis, load, plain};

/// Read signatures of another collection into ksig files, with a report of what could not be carried over
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    Recog(Recog),
}

/// Rapid7's Recog: one file a database, examples as tests, first match first
///
/// DIR holds *.xml, or has them in its folder `xml`. Every pattern keeps its matches and captures; what no linear engine can run is refused,
/// with file, line and reason. The licence that stands beside the databases goes to the head of each file.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  ksig import recog recog -o imported      # a checkout\n  ksig import recog recog/xml -o imported --format json\n  ksig test imported\n  ksig identify --signatures imported --from evidence < banners.ndjson\n\nExit codes: 0 all carried over, 1 something was refused, 2 nothing could be read or written."
)]
struct Recog {
    /// The folder of the databases
    dir: PathBuf,
    /// The folder that the signatures are written to; a set of its own, outside of other signatures
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// A line a refusal on standard error, the sum on standard output
    Text,
    /// One JSON object on standard output
    Json,
}

impl Args {
    pub(super) fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        match self.from {
            From::Recog(args) => args.run(lang),
        }
    }
}

impl Recog {
    fn run(self, lang: Lang) -> Result<Outcome, Failure> {
        let bar = Progress::new();
        let folder = recog::folder(&self.dir, &mut |path| bar.on(path))?;
        let mut import = recog::import(&folder.databases, &folder.licence, analysis::vocabulary(), &mut |path| bar.on(path));
        import.refused.splice(0..0, folder.refused);
        write(&self.output, &import.files)?;
        bar.done();
        let loaded = load::load(std::slice::from_ref(&self.output))?;
        let analysis = analysis::check(&loaded.input);
        if analysis.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            show_problems(&analysis, lang);
            let folder = self.output.display();
            let mistake = say!(
                "what was imported into {folder} has errors: a mistake of ksig's",
                "{folder}に取り込んだ内容にエラーがあります。ksigの不具合です"
            );
            return Err(failed(mistake));
        }
        let recog::Import { databases, patterns, examples, without_example, refused, files, .. } = &import;
        let lost = refused.iter().filter(|refused| refused.pattern).count();
        match self.format {
            Format::Text => {
                refused.iter().for_each(|refused| remark(&refused.to_string()));
                answer(&format!(
                    "{databases} databases, {patterns} patterns, {examples} examples: {} files in {}; {lost} patterns refused, {} problems in all; {without_example} signatures have no example\n",
                    files.len(),
                    self.output.display(),
                    refused.len(),
                ))?;
            }
            Format::Json => {
                let object = serde_json::json!({
                    "databases": databases, "patterns": patterns, "patterns_refused": lost, "examples": examples,
                    "without_example": without_example, "files": files.iter().map(|file| &file.name).collect::<Vec<_>>(), "refused": refused,
                });
                answer(&format!("{}\n", plain::json(&object)?))?;
            }
        }
        Ok(if refused.is_empty() { Outcome::Fine } else { Outcome::Findings })
    }
}

/// Writes the files of a set; other files there stay as they are.
fn write(folder: &Path, files: &[recog::File]) -> Result<(), Failure> {
    let shown = folder.display();
    if let Some(root) = load::root_above(folder) {
        let root = root.display();
        return Err(failed(say!(
            "{shown} lies inside the signatures of {root}: what is imported is a set of its own, with its own vocabulary",
            "{shown}は{root}のシグネチャの中にあります。取り込んだものは、独自の語彙を持つ別の集まりになります"
        )));
    }
    std::fs::create_dir_all(folder).or_say(|| say!("cannot make {shown}", "{shown}を作成できません"))?;
    for file in files {
        super::fmt::replace(&folder.join(&file.name).display().to_string(), &file.text)?;
    }
    Ok(())
}

/// Which file is read: on a terminal one line, elsewhere nothing, for there it is over in a moment.
struct Progress(indicatif::ProgressBar);

impl Progress {
    fn new() -> Progress {
        let bar = indicatif::ProgressBar::hidden();
        if std::io::stderr().is_terminal() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        Progress(bar)
    }

    fn on(&self, path: &str) {
        self.0.set_message(plain::text(path).into_owned());
        self.0.tick();
    }

    fn done(&self) {
        self.0.finish_and_clear();
    }
}
