//! `ksig show PHASE`: look into every room.

use std::path::PathBuf;

use clap::ValueEnum;
use ksig_compiler::ReleaseName;
use ksig_lang::say;

use super::{Failure, Outcome, answer};
use crate::analysis::{named, world};
use crate::failure::{OrSay as _, cannot_read};
use crate::policy::PolicyArgs;
use crate::{LoadError, ReleaseError};

/// Show what a phase makes of a file
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  ksig show fields\n  ksig show tree signatures/server/nginx.ksig\n  ksig show plan signatures")]
pub struct Args {
    /// Which phase
    #[arg(value_enum)]
    phase: Phase,
    /// A .ksig file, a folder, or for `bundle` a .kbundle file
    path: Option<PathBuf>,
    /// How fields are written; problems and lints are Markdown, the chapters of the spec
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Phase {
    /// Tokens of a file
    Tokens,
    /// Its lossless tree
    Tree,
    /// Its syntax tree
    Ast,
    /// The typed program
    Hir,
    /// The plan
    Plan,
    /// The code that the JIT compiles
    Clif,
    /// All fields, with types, sections and docs
    Fields,
    /// All problem codes, as a chapter
    Problems,
    /// All lints, as a chapter
    Lints,
    /// What a bundle holds
    Bundle,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// The chapter of the spec
    Markdown,
    /// One JSON object
    Json,
}

impl Args {
    pub(super) fn run(self) -> Result<Outcome, Failure> {
        let text = match self.phase {
            Phase::Fields => match self.format {
                Format::Text => fields(),
                Format::Json => format!("{}\n", crate::plain::json(&fields_json())?),
                Format::Markdown => crate::chapters::chapter("fields").unwrap_or_default(),
            },
            Phase::Problems => crate::chapters::chapter("problems").unwrap_or_default(),
            Phase::Lints => crate::chapters::chapter("lints").unwrap_or_default(),
            Phase::Bundle => {
                let path = self.path()?;
                let bytes = std::fs::read(&path).or_say(|| cannot_read(path.display()))?;
                format!(
                    "{:#?}\n",
                    ksig_runtime::bundle::summary(&bytes)
                        .map_err(|reason| ReleaseError::Bundle { path: path.display().to_string(), reason })?
                )
            }
            Phase::Tokens | Phase::Tree | Phase::Ast => {
                let path = self.path()?;
                let bytes = std::fs::read(&path).or_say(|| cannot_read(path.display()))?;
                let text =
                    ksig_lang::decode_source(bytes).map_err(|reason| LoadError::NotUtf8 { path: path.display().to_string(), reason })?;
                match self.phase {
                    Phase::Tokens => crate::phases::tokens(&text),
                    Phase::Tree => format!("{:#?}", ksig_lang::parse(&text, 0).syntax()),
                    _ => format!("{:#?}\n", ksig_lang::parse(&text, 0).ast),
                }
            }
            Phase::Hir | Phase::Plan | Phase::Clif => {
                let loaded = crate::load::load(&[self.path()?])?;
                let schema = ksig_protocols::schema();
                let policy = crate::policy::of(&loaded.input, &PolicyArgs::default())?;
                let name = ReleaseName { policy, ..named("show") };
                let (plan, analysis) = ksig_compiler::compile(&loaded.input, world(&schema), &name);
                if self.phase == Phase::Hir {
                    format!("{:#?}\n", analysis.program)
                } else {
                    let plan = plan.or_say(|| {
                        say!(
                            "the signatures have errors; `ksig check` shows them",
                            "シグネチャにエラーがあります。`ksig check`で確認してください"
                        )
                    })?;
                    if self.phase == Phase::Plan { format!("{plan:#?}\n") } else { ksig_compiler::jit::JitBackend::clif(&plan.verify()?)? }
                }
            }
        };
        answer(&text)?;
        Ok(Outcome::Fine)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        self.path.clone().or_say(|| say!("this phase needs a path", "この段階を表示するにはパスが必要です"))
    }
}

fn fields() -> String {
    let schema = ksig_protocols::schema();
    let mut out = String::new();
    for field in schema.fields() {
        let key = field.key_form();
        let many = if field.many { ", several" } else { "" };
        out.push_str(&format!("{}{key} : {}{many} ({:?})\n", field.name, field.ty.ty(), field.section));
        for line in field.doc.lines() {
            out.push_str(&format!("    {}\n", line.trim()));
        }
    }
    for selector in schema.selectors() {
        out.push_str(&format!("{}(\"...\") of {}\n    {}\n", selector.name, selector.of.name, selector.doc.trim()));
    }
    for constructor in schema.constructors() {
        out.push_str(&format!(
            "probe {} -> {} ({:?})\n    {}\n",
            constructor.form(),
            constructor.root,
            constructor.safety,
            constructor.doc.trim()
        ));
        for parameter in constructor.parameters {
            out.push_str(&format!("    {}: {}\n", parameter.name, parameter.doc));
        }
    }
    out
}

fn fields_json() -> serde_json::Value {
    let schema = ksig_protocols::schema();
    let fields = schema.fields().map(|field| {
        serde_json::json!({
            "name": field.name, "type": field.ty.ty().to_string(), "keyed": field.keyed, "several": field.many,
            "section": format!("{:?}", field.section).to_lowercase(), "redacted": field.redact, "doc": field.doc.trim(),
        })
    });
    let probes = schema.constructors().map(|constructor| {
        let parameters = constructor.parameters.iter().map(|parameter| {
            serde_json::json!({ "name": parameter.name, "required": parameter.required, "usual": parameter.usual, "doc": parameter.doc })
        });
        serde_json::json!({
            "name": constructor.name, "form": constructor.form(), "root": constructor.root,
            "safety": format!("{:?}", constructor.safety).to_lowercase(), "doc": constructor.doc.trim(),
            "parameters": parameters.collect::<Vec<_>>(),
        })
    });
    serde_json::json!({ "fields": fields.collect::<Vec<_>>(), "probes": probes.collect::<Vec<_>>() })
}
