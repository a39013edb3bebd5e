//! Who answers which request, and what comes of jobs that took longer.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ksig_lang::{Lang, Text, say};
use lsp_server::{ErrorCode, RequestId, Response};
use lsp_types as lsp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::place::Encoding;
use super::super::work::{Answer, Asked, Done, Job};
use super::super::workspace::{belongs, path_of};
use super::super::{actions, completion, diagnostics, hover, lens, navigation, renaming, structure, symbols, tokens};
use super::{Refused, Server};
use crate::testing::{Case, Failure, Report, report};

impl<W: Write> Server<'_, W> {
    /// Answers a request; absent where a job will.
    pub(super) fn answer(&mut self, id: &RequestId, method: &str, params: Value) -> Result<Option<Value>, Refused> {
        fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refused> {
            Ok(serde_json::from_value(params)?)
        }
        fn value(answer: impl Serialize) -> Result<Option<Value>, Refused> {
            serde_json::to_value(answer).map(Some).map_err(|error| Refused(ErrorCode::InternalError, error.to_string()))
        }
        let refuse = |text: Text, lang| Refused(ErrorCode::RequestFailed, text.in_lang(lang).to_string());
        let lang = self.lang;
        match method {
            "textDocument/completion" => {
                let at = read::<lsp::CompletionParams>(params)?.text_document_position;
                value(self.look(&at.text_document.uri, |view, _| completion::complete(view, at.position)))
            }
            "textDocument/hover" => {
                let at = read::<lsp::HoverParams>(params)?.text_document_position_params;
                value(self.look(&at.text_document.uri, |view, _| hover::hover(view, at.position)).flatten())
            }
            "textDocument/definition" => {
                let at = read::<lsp::GotoDefinitionParams>(params)?.text_document_position_params;
                value(self.look(&at.text_document.uri, |view, _| navigation::definition(view, at.position)))
            }
            "textDocument/references" => {
                let asked: lsp::ReferenceParams = read(params)?;
                let (at, all) = (asked.text_document_position, asked.context.include_declaration);
                value(self.look(&at.text_document.uri, |view, _| navigation::references(view, at.position, all)))
            }
            "textDocument/documentHighlight" => {
                let at = read::<lsp::DocumentHighlightParams>(params)?.text_document_position_params;
                value(self.look(&at.text_document.uri, |view, _| navigation::highlights(view, at.position)))
            }
            "textDocument/prepareRename" => {
                let at: lsp::TextDocumentPositionParams = read(params)?;
                let range = self.look(&at.text_document.uri, |view, _| renaming::prepare_rename(view, at.position));
                value(range.transpose().map_err(|text| refuse(text, lang))?)
            }
            "textDocument/rename" => {
                let asked: lsp::RenameParams = read(params)?;
                let at = asked.text_document_position;
                let moves_files = self.moves_files;
                let edit = self.look(&at.text_document.uri, |view, version| {
                    renaming::rename(view, at.position, &asked.new_name, version, moves_files)
                });
                value(edit.transpose().map_err(|text| refuse(text, lang))?)
            }
            "textDocument/documentSymbol" => {
                let uri = read::<lsp::DocumentSymbolParams>(params)?.text_document.uri;
                value(self.look(&uri, |view, _| symbols::document(view)))
            }
            "workspace/symbol" => {
                let asked: lsp::WorkspaceSymbolParams = read(params)?;
                let found = (0..self.roots.len()).flat_map(|at| self.with(at, 0, |view| symbols::workspace(view, &asked.query)));
                value(found.collect::<Vec<_>>())
            }
            "textDocument/semanticTokens/full" => {
                let uri = read::<lsp::SemanticTokensParams>(params)?.text_document.uri;
                let found = self.look(&uri, |view, _| tokens::tokens(view, None));
                value(found.map(|data| lsp::SemanticTokens { result_id: None, data }))
            }
            "textDocument/semanticTokens/range" => {
                let asked: lsp::SemanticTokensRangeParams = read(params)?;
                let found = self.look(&asked.text_document.uri, |view, _| tokens::tokens(view, Some(asked.range)));
                value(found.map(|data| lsp::SemanticTokens { result_id: None, data }))
            }
            "textDocument/foldingRange" => {
                let uri = read::<lsp::FoldingRangeParams>(params)?.text_document.uri;
                value(self.look(&uri, |view, _| structure::folds(view)))
            }
            "textDocument/selectionRange" => {
                let asked: lsp::SelectionRangeParams = read(params)?;
                value(self.look(&asked.text_document.uri, |view, _| structure::selections(view, &asked.positions)))
            }
            "textDocument/formatting" => {
                let uri = read::<lsp::DocumentFormattingParams>(params)?.text_document.uri;
                value(self.look(&uri, |view, _| structure::formatted(view)).flatten())
            }
            "textDocument/codeAction" => {
                let asked: lsp::CodeActionParams = read(params)?;
                let only = asked.context.only.as_deref();
                value(self.look(&asked.text_document.uri, |view, version| actions::actions(view, asked.range, only, version)))
            }
            "codeAction/resolve" => self.resolve_action(id, read(params)?),
            "textDocument/inlayHint" => {
                let asked: lsp::InlayHintParams = read(params)?;
                value(self.look(&asked.text_document.uri, |view, _| lens::hints(view, asked.range)))
            }
            "textDocument/codeLens" => {
                let uri = read::<lsp::CodeLensParams>(params)?.text_document.uri;
                value(self.look(&uri, |view, _| lens::lenses(view)))
            }
            "codeLens/resolve" => {
                let asked: lsp::CodeLens = read(params)?;
                let data = asked.data.clone().unwrap_or_default();
                match (data["uri"].as_str(), data["matches"].as_str()) {
                    (Some(uri), Some(signature)) => {
                        self.lenses.insert(id.clone(), asked.clone());
                        self.job(id, &path_of(uri), Asked::Matches(signature.to_string()))
                    }
                    _ => value(asked),
                }
            }
            "workspace/executeCommand" => self.execute(id, read(params)?),
            "ksig/explain" => {
                let code = params.get("code").and_then(Value::as_str).unwrap_or_default();
                value(diagnostics::explained(code, lang))
            }
            _ => Err(Refused(ErrorCode::MethodNotFound, format!("no such request: {method}"))),
        }
    }

    /// Gives a job to who does what takes long; the answer follows.
    fn job(&mut self, id: &RequestId, path: &Path, asked: Asked) -> Result<Option<Value>, Refused> {
        let root = belongs(path);
        let at = self.root(&root);
        let generation = self.roots[at].generation;
        let (known, input) =
            self.inputs.entry(root.clone()).or_insert_with(|| (generation, Arc::new(self.roots[at].session.input().clone())));
        if *known != generation {
            (*known, *input) = (generation, Arc::new(self.roots[at].session.input().clone()));
        }
        let job = Job { id: id.clone(), root, generation, input: Arc::clone(input), asked };
        self.jobs.send(job).map_err(|_| Refused(ErrorCode::InternalError, "nobody works".into()))?;
        Ok(None)
    }

    fn resolve_action(&mut self, id: &RequestId, action: lsp::CodeAction) -> Result<Option<Value>, Refused> {
        let uri = action.data.as_ref().and_then(|data| data["fix_all"].as_str());
        let Some(path) = uri.map(path_of) else { return Ok(Some(serde_json::to_value(action)?)) };
        let at = self.root(&belongs(&path));
        let rules = self.roots[at].rules.clone();
        self.job(id, &path, Asked::FixAll(path.display().to_string(), rules))
    }

    fn execute(&mut self, id: &RequestId, asked: lsp::ExecuteCommandParams) -> Result<Option<Value>, Refused> {
        let text = |at: usize| asked.arguments.get(at).and_then(Value::as_str).map(str::to_string);
        match (asked.command.as_str(), text(0), text(1)) {
            (lens::RUN_TESTS, Some(uri), Some(signature)) => {
                let path = path_of(&uri);
                self.job(id, &path, Asked::Tests(path.display().to_string(), signature, text(2)))
            }
            (lens::SHOW_MATCHES, Some(uri), Some(signature)) => self.job(id, &path_of(&uri), Asked::Matches(signature)),
            (lens::RUN_TESTS | lens::SHOW_MATCHES, ..) => Err(Refused(ErrorCode::InvalidParams, "a file and a signature".into())),
            (other, ..) => Err(Refused(ErrorCode::InvalidParams, format!("no such command: {other}"))),
        }
    }

    /// Answers what a job was asked for.
    pub(super) fn done(&mut self, done: Done) -> io::Result<()> {
        let Done { id, root, generation, result } = done;
        let current = self.roots.iter().position(|known| known.path == root && known.generation == generation);
        let answer = match result {
            Answer::Matches(signature, found) => match self.lenses.remove(&id) {
                Some(lens) => json!(matches_lens(lens, found.as_deref(), self.lang)),
                None => {
                    let listed = found.unwrap_or_default().join("\n");
                    self.show(lsp::MessageType::INFO, &say!("{signature} matches:\n{listed}", "{signature}に該当するもの:\n{listed}"))?;
                    json!(listed)
                }
            },
            Answer::Fixed(path, text) => {
                let path = PathBuf::from(path);
                let file = current.and_then(|at| Some((at, self.roots[at].file(&path)?)));
                let Some((at, file)) = file else {
                    let reason = "the text has changed".to_string();
                    return self.send(Response::new_err(id, ErrorCode::ContentModified as i32, reason).into());
                };
                let version = |_| self.documents.get(&path).map(|document| document.version);
                let title = say!("fix all", "すべて直す").in_lang(self.lang).to_string();
                let edit = text.map(|text| {
                    self.with(at, file, |view| {
                        let edit = structure::replaced(view, &text);
                        let span = view.lines().span(edit.range);
                        actions::edit(view, [(file, span, edit.new_text)], &version)
                    })
                });
                json!(lsp::CodeAction { title, kind: Some(lsp::CodeActionKind::SOURCE_FIX_ALL), edit, ..Default::default() })
            }
            Answer::Tests(path, report) => {
                let (text, report) = match report {
                    Ok(report) => (report::summary(&report), report),
                    Err(text) => (text, Report::default()),
                };
                let failed: Vec<(&Case, &Failure)> = report.failures().collect();
                let kind = if failed.is_empty() { lsp::MessageType::INFO } else { lsp::MessageType::ERROR };
                self.show(kind, &text)?;
                let shown: Vec<lsp::Diagnostic> = failed.iter().filter_map(|(case, failure)| self.failed(&root, case, failure)).collect();
                let path = PathBuf::from(path);
                self.failed_tests.insert(path.clone(), shown);
                self.publish_file(&path)?;
                let failures: Vec<&str> = failed.iter().map(|(_, failure)| failure.reason.in_lang(self.lang)).collect();
                json!({ "message": text.in_lang(self.lang).trim_end(), "failures": failures })
            }
        };
        self.send(Response::new_ok(id, answer).into())
    }

    /// A test that failed, where it expects something.
    fn failed(&self, root: &Path, case: &Case, failure: &Failure) -> Option<lsp::Diagnostic> {
        let place = &failure.place;
        let root = self.roots.iter().find(|known| known.path == root)?;
        let file = root.file(Path::new(&place.path))?;
        let text = &root.session.analysis().sources.get(file)?.text;
        let line = text.lines().nth(place.line.checked_sub(1)? as usize)?;
        let before: String = line.chars().take(place.column.saturating_sub(1) as usize).collect();
        let at = |text: &str| lsp::Position { line: place.line - 1, character: self.encoding.length(text) };
        Some(lsp::Diagnostic {
            range: lsp::Range { start: at(&before), end: at(line) },
            severity: Some(lsp::DiagnosticSeverity::ERROR),
            source: Some(diagnostics::TEST_SOURCE.into()),
            message: format!("{} [{}]: {}", case.test, failure.engine, failure.reason.in_lang(self.lang)),
            ..lsp::Diagnostic::default()
        })
    }
}

/// The lens that says how many fixtures its signature matches.
fn matches_lens(lens: lsp::CodeLens, found: Option<&[String]>, lang: Lang) -> lsp::CodeLens {
    let title = match found {
        Some(found) => {
            let count = found.len();
            say!("matches {count} fixtures", "フィクスチャ{count}件に該当")
        }
        None => say!("matches ? fixtures: there are errors", "エラーがあるため、該当するフィクスチャを数えられません"),
    };
    let data = lens.data.clone().unwrap_or_default();
    let arguments = Some(vec![data["uri"].clone(), data["matches"].clone()]);
    let command = lsp::Command { title: title.in_lang(lang).to_string(), command: lens::SHOW_MATCHES.into(), arguments };
    lsp::CodeLens { command: Some(command), ..lens }
}

/// What the server says of itself.
pub(super) fn capabilities(encoding: Encoding) -> Value {
    let encoding = if encoding == Encoding::Utf8 { "utf-8" } else { "utf-16" };
    json!({
        "positionEncoding": encoding,
        "textDocumentSync": { "openClose": true, "change": 2 },
        "completionProvider": { "triggerCharacters": [".", "="] },
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": { "prepareProvider": true },
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "semanticTokensProvider": { "legend": tokens::legend(), "full": true, "range": true },
        "foldingRangeProvider": true,
        "selectionRangeProvider": true,
        "documentFormattingProvider": true,
        "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"], "resolveProvider": true },
        "inlayHintProvider": true,
        "codeLensProvider": { "resolveProvider": true },
        "executeCommandProvider": { "commands": [lens::RUN_TESTS, lens::SHOW_MATCHES] },
    })
}
