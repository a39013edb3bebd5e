//! The state between two messages, and who answers what.
//!
//! Texts are taken over at once; what they mean is worked out when nothing more has come, or when a request needs it, so that a burst of
//! keystrokes is one edit. Problems of the edited file follow at once, those of files that depend on it when these are settled, and
//! lints that look at all signatures when the hands rest.

mod answers;
mod publish;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ksig_compiler::Input;
use ksig_lang::{FileId, Lang, Text};
use ksig_schema::Schema;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types as lsp;
use serde::Serialize;
use serde_json::{Value, json};

use super::place::{Encoding, Lines};
use super::view::View;
use super::wire::{self, Heard};
use super::work::{self, Done, Job};
use super::workspace::{Document, Root, belongs, path_of};
use crate::load;

/// How long the hands rest before lints look at all signatures.
const REST: Duration = Duration::from_millis(300);
/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said goodbye first.
    AsAgreed,
    /// It did not.
    Abruptly,
}

enum Event {
    Heard(Heard),
    Done(Box<Done>),
}

/// Serves one client until it leaves. What is no message is told to `log`.
pub fn serve(input: impl BufRead + Send + 'static, output: &mut impl Write, log: &dyn Fn(&str), lang: Lang) -> io::Result<Ended> {
    let (events, heard) = channel();
    let (jobs, to_do) = channel();
    let done = events.clone();
    std::thread::spawn(move || listen(input, &events));
    std::thread::spawn(move || work::run(&to_do, &|one| done.send(Event::Done(Box::new(one))).is_ok()));
    let schema = ksig_protocols::schema();
    let mut server = Server {
        schema: &schema,
        output,
        log,
        jobs,
        lang,
        encoding: Encoding::default(),
        state: State::Strange,
        watches: false,
        moves_files: false,
        roots: Vec::new(),
        documents: BTreeMap::new(),
        edited: BTreeSet::new(),
        published: BTreeMap::new(),
        failed_tests: BTreeMap::new(),
        inputs: BTreeMap::new(),
        lenses: BTreeMap::new(),
        sent: 0,
    };
    server.run(&heard)
}

fn listen(mut input: impl BufRead, events: &Sender<Event>) {
    loop {
        let heard = wire::read(&mut input).unwrap_or(Heard::End);
        let last = matches!(heard, Heard::End);
        if events.send(Event::Heard(heard)).is_err() || last {
            return;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before `initialize`.
    Strange,
    Open,
    /// After `shutdown`.
    Closing,
}

/// Why there is no answer.
struct Refused(ErrorCode, String);

impl From<serde_json::Error> for Refused {
    fn from(error: serde_json::Error) -> Refused {
        Refused(ErrorCode::InvalidParams, error.to_string())
    }
}

struct Server<'s, W> {
    schema: &'s Schema,
    output: &'s mut W,
    log: &'s dyn Fn(&str),
    jobs: Sender<Job>,
    lang: Lang,
    encoding: Encoding,
    state: State,
    watches: bool,
    /// The client moves files when an edit says so.
    moves_files: bool,
    roots: Vec<Root<'s>>,
    documents: BTreeMap<PathBuf, Document>,
    /// Documents whose text is newer than what is known of it.
    edited: BTreeSet<PathBuf>,
    /// What the client shows of each file.
    published: BTreeMap<PathBuf, Vec<lsp::Diagnostic>>,
    /// What tests that were run say, until the next edit of the file.
    failed_tests: BTreeMap<PathBuf, Vec<lsp::Diagnostic>>,
    /// Texts of roots as they were given to jobs, by edit.
    inputs: BTreeMap<PathBuf, (u64, Arc<Input>)>,
    /// Lenses that wait for their titles.
    lenses: BTreeMap<RequestId, lsp::CodeLens>,
    sent: i32,
}

impl<W: Write> Server<'_, W> {
    fn run(&mut self, events: &Receiver<Event>) -> io::Result<Ended> {
        let mut waiting: VecDeque<Event> = VecDeque::new();
        loop {
            waiting.extend(events.try_iter());
            self.cancel(&mut waiting)?;
            if let Some(event) = waiting.pop_front() {
                if let Some(ended) = self.take(event)? {
                    return Ok(ended);
                }
                continue;
            }
            if self.work_out()? {
                continue;
            }
            let resting = self.roots.iter().any(|root| !root.set_linted);
            let next = match resting {
                true => events.recv_timeout(REST),
                false => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(event) => waiting.push_back(event),
                Err(RecvTimeoutError::Timeout) => self.lint_sets()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Abruptly),
            }
        }
    }

    /// Takes requests out of the queue that are cancelled behind them.
    fn cancel(&mut self, waiting: &mut VecDeque<Event>) -> io::Result<()> {
        let cancelled = |event: &Event| match event {
            Event::Heard(Heard::Message(Message::Notification(note))) if note.method == "$/cancelRequest" => {
                serde_json::from_value::<RequestId>(note.params.get("id").cloned().unwrap_or_default()).ok()
            }
            _ => None,
        };
        let ids: BTreeSet<RequestId> = waiting.iter().filter_map(cancelled).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let is_of = |event: &Event| matches!(event, Event::Heard(Heard::Message(Message::Request(request))) if ids.contains(&request.id));
        let (gone, kept): (Vec<Event>, Vec<Event>) = waiting.drain(..).partition(is_of);
        waiting.extend(kept.into_iter().filter(|event| cancelled(event).is_none()));
        for event in gone {
            if let Event::Heard(Heard::Message(Message::Request(request))) = event {
                self.send(Response::new_err(request.id, ErrorCode::RequestCanceled as i32, "cancelled".into()).into())?;
            }
        }
        Ok(())
    }

    /// Handles one event; a goodbye ends all.
    fn take(&mut self, event: Event) -> io::Result<Option<Ended>> {
        match event {
            Event::Done(done) => self.done(*done)?,
            Event::Heard(Heard::End) => {
                return Ok(Some(if self.state == State::Closing { Ended::AsAgreed } else { Ended::Abruptly }));
            }
            Event::Heard(Heard::Garbage { code, reason, id }) => {
                (self.log)(&reason);
                match id {
                    Some(id) => self.send(Response::new_err(id, code as i32, reason).into())?,
                    None => wire::write_error(self.output, code, &reason)?,
                }
            }
            Event::Heard(Heard::Message(Message::Response(_))) => {}
            Event::Heard(Heard::Message(Message::Notification(note))) => {
                if note.method == "exit" {
                    return Ok(Some(if self.state == State::Closing { Ended::AsAgreed } else { Ended::Abruptly }));
                }
                if self.state == State::Open {
                    let method = note.method.clone();
                    let taken = catch_unwind(AssertUnwindSafe(|| self.note(note)));
                    match taken {
                        Ok(Ok(())) => {}
                        Ok(Err(Refused(_, reason))) => (self.log)(&format!("{method}: {reason}")),
                        Err(_) => self.start_again(&method),
                    }
                }
            }
            Event::Heard(Heard::Message(Message::Request(request))) => self.request(request)?,
        }
        Ok(None)
    }

    /// After a mistake of ours: what is known is read again.
    fn start_again(&mut self, method: &str) {
        (self.log)(&format!("{method}: a mistake of ksig; all is read again"));
        self.roots.clear();
        self.edited = self.documents.keys().cloned().collect();
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        let Request { id, method, params } = request;
        let result = match (self.state, method.as_str()) {
            (State::Strange, "initialize") => self.initialize(params),
            (State::Strange, _) => Err(Refused(ErrorCode::ServerNotInitialized, "not initialized".into())),
            (State::Closing, _) => Err(Refused(ErrorCode::InvalidRequest, "shut down".into())),
            (State::Open, "shutdown") => {
                self.state = State::Closing;
                Ok(Some(Value::Null))
            }
            (State::Open, _) => {
                let answered = catch_unwind(AssertUnwindSafe(|| {
                    self.take_over();
                    self.answer(&id, &method, params)
                }));
                answered.unwrap_or_else(|_| {
                    self.start_again(&method);
                    Err(Refused(ErrorCode::InternalError, "a mistake of ksig".into()))
                })
            }
        };
        match result {
            Ok(Some(value)) => self.send(Response::new_ok(id, value).into()),
            // It is answered when its job is done.
            Ok(None) => Ok(()),
            Err(Refused(code, reason)) => self.send(Response::new_err(id, code as i32, reason).into()),
        }
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        wire::write(self.output, &message)
    }

    fn tell(&mut self, method: &str, params: impl Serialize) -> io::Result<()> {
        self.send(Notification::new(method.into(), params).into())
    }

    fn ask(&mut self, method: &str, params: impl Serialize) -> io::Result<()> {
        self.sent += 1;
        let id = RequestId::from(self.sent);
        self.send(Request::new(id, method.into(), params).into())
    }

    fn show(&mut self, kind: lsp::MessageType, text: &Text) -> io::Result<()> {
        let message = text.in_lang(self.lang).to_string();
        self.tell("window/showMessage", lsp::ShowMessageParams { typ: kind, message })
    }

    fn initialize(&mut self, params: Value) -> Result<Option<Value>, Refused> {
        let params: lsp::InitializeParams = serde_json::from_value(params)?;
        let general = params.capabilities.general.unwrap_or_default();
        let encodings = general.position_encodings.unwrap_or_default();
        if encodings.contains(&lsp::PositionEncodingKind::UTF8) {
            self.encoding = Encoding::Utf8;
        }
        let asked = params.initialization_options.as_ref().and_then(|options| options.get("lang")?.as_str().map(str::to_string));
        match asked.or(params.locale).as_deref().map(|lang| lang.get(..2).unwrap_or_default().to_lowercase()).as_deref() {
            Some("ja") => self.lang = Lang::Ja,
            Some("en") => self.lang = Lang::En,
            _ => {}
        }
        let workspace = params.capabilities.workspace.unwrap_or_default();
        let operations = workspace.workspace_edit.and_then(|edit| edit.resource_operations).unwrap_or_default();
        self.moves_files = operations.contains(&lsp::ResourceOperationKind::Rename);
        let watched = workspace.did_change_watched_files;
        self.watches = watched.and_then(|watched| watched.dynamic_registration).unwrap_or_default();
        // The roots of the folders are read before somebody waits for them.
        let folders = params.workspace_folders.unwrap_or_default().into_iter().map(|folder| path_of(folder.uri.as_str()));
        for folder in folders.collect::<Vec<_>>() {
            let inside = [folder.join("ksig.toml"), folder.join("signatures").join("ksig.toml")];
            let root = inside
                .iter()
                .chain([&folder.join("signatures").join("x.ksig")])
                .find_map(|file| load::root_of_file(file).filter(|root| root.is_dir()));
            if let Some(root) = root {
                self.root(&root);
            }
        }
        self.state = State::Open;
        Ok(Some(
            json!({ "capabilities": answers::capabilities(self.encoding), "serverInfo": { "name": "ksig", "version": env!("CARGO_PKG_VERSION") } }),
        ))
    }

    fn note(&mut self, note: Notification) -> Result<(), Refused> {
        match note.method.as_str() {
            "initialized" => self.initialized(),
            "textDocument/didOpen" => {
                let opened: lsp::DidOpenTextDocumentParams = serde_json::from_value(note.params)?;
                let document = opened.text_document;
                let path = path_of(document.uri.as_str());
                self.documents
                    .insert(path.clone(), Document { uri: document.uri.to_string(), version: document.version, text: document.text });
                self.edited.insert(path);
                Ok(())
            }
            "textDocument/didChange" => self.changed(serde_json::from_value(note.params)?),
            "textDocument/didClose" => {
                let closed: lsp::DidCloseTextDocumentParams = serde_json::from_value(note.params)?;
                self.closed(&path_of(closed.text_document.uri.as_str()))
            }
            "workspace/didChangeWatchedFiles" => {
                let changed: lsp::DidChangeWatchedFilesParams = serde_json::from_value(note.params)?;
                self.watched(&changed.changes);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn initialized(&mut self) -> Result<(), Refused> {
        if self.watches {
            let watchers = ["**/*.ksig", "**/ksig.toml", "**/signatures/**"].map(|glob| json!({ "globPattern": glob }));
            let registration =
                json!({ "id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": { "watchers": watchers } });
            self.ask("client/registerCapability", json!({ "registrations": [registration] })).map_err(broken)?;
        }
        Ok(())
    }

    fn changed(&mut self, changed: lsp::DidChangeTextDocumentParams) -> Result<(), Refused> {
        let path = path_of(changed.text_document.uri.as_str());
        let Some(document) = self.documents.get_mut(&path) else {
            return Err(Refused(ErrorCode::InvalidParams, format!("{} is not open", path.display())));
        };
        for change in changed.content_changes {
            match change.range {
                Some(range) => {
                    let span = Lines::of(&document.text, self.encoding).span(range);
                    document.text.replace_range(span.start as usize..span.end as usize, &change.text);
                }
                None => document.text = change.text,
            }
        }
        document.version = changed.text_document.version;
        self.failed_tests.remove(&path);
        self.edited.insert(path);
        Ok(())
    }

    fn closed(&mut self, path: &Path) -> Result<(), Refused> {
        let Some(document) = self.documents.remove(path) else { return Ok(()) };
        self.edited.remove(path);
        self.failed_tests.remove(path);
        if self.published.remove(path).is_some_and(|shown| !shown.is_empty()) {
            self.publish_of(&document.uri, None, &[]).map_err(broken)?;
        }
        let root = belongs(path);
        if root == path {
            self.roots.retain(|known| known.path != root);
        } else {
            self.take_from_disk(path);
        }
        Ok(())
    }

    /// What changed on disk; a document that is open stands before its file.
    fn watched(&mut self, changes: &[lsp::FileEvent]) {
        let mut again = BTreeSet::new();
        for change in changes {
            let path = path_of(change.uri.as_str());
            if self.documents.contains_key(&path) {
                continue;
            }
            let known = self.roots.iter().position(|root| path.starts_with(&root.path));
            let Some(at) = known else { continue };
            match (change.typ, self.roots[at].file(&path)) {
                (lsp::FileChangeType::CHANGED, Some(_)) => self.take_from_disk(&path),
                _ => drop(again.insert(self.roots[at].path.clone())),
            }
        }
        for path in again {
            self.read_again(&path);
        }
    }

    /// Takes over what a file has on disk; where it is gone, or new, its root is read again.
    fn take_from_disk(&mut self, path: &Path) {
        let root = belongs(path);
        let text = std::fs::read(path).ok().and_then(|bytes| ksig_lang::decode_source(bytes).ok());
        let known = self.roots.iter_mut().find(|known| known.path == root);
        match (known.and_then(|root| Some((root.file(path)?, root))), text) {
            (Some((file, root)), Some(text)) => root.edit(file, &text),
            _ => self.read_again(&root),
        }
    }

    fn read_again(&mut self, path: &Path) {
        if let Some(at) = self.roots.iter().position(|root| root.path == path) {
            let generation = self.roots[at].generation + 1;
            self.roots[at] = Root::read(path, &self.documents, self.schema);
            self.roots[at].generation = generation;
        }
    }

    /// The root at a path, read where it is not yet.
    fn root(&mut self, path: &Path) -> usize {
        if let Some(at) = self.roots.iter().position(|root| root.path == path) {
            return at;
        }
        self.roots.push(Root::read(path, &self.documents, self.schema));
        self.roots.len() - 1
    }

    /// Works out what edited documents mean.
    fn take_over(&mut self) -> Vec<PathBuf> {
        let edited = std::mem::take(&mut self.edited);
        for path in &edited {
            let root = belongs(path);
            let before = self.roots.len();
            let at = self.root(&root);
            let Some(document) = self.documents.get(path) else { continue };
            match self.roots[at].file(path) {
                Some(file) => self.roots[at].edit(file, &document.text),
                // It was read with what was open then; a document that has no file yet is new to it.
                None if at < before => self.read_again(&root),
                None => {}
            }
        }
        edited.into_iter().collect()
    }

    /// A file of a root, to look at.
    fn with<T>(&self, at: usize, file: FileId, look: impl FnOnce(&View) -> T) -> T {
        let called = |path: &Path| self.documents.get(path).map(|document| document.uri.clone());
        let (lang, encoding) = (self.lang, self.encoding);
        look(&View { root: &self.roots[at], file, lang, encoding, called: &called, lines: Default::default() })
    }

    /// The file that a URI names, to look at; absent when no root has it.
    fn look<T>(&mut self, uri: &lsp::Uri, look: impl FnOnce(&View, &dyn Fn(FileId) -> Option<i32>) -> T) -> Option<T> {
        let path = path_of(uri.as_str());
        if !self.documents.contains_key(&path) && !path.is_file() {
            return None;
        }
        let at = self.root(&belongs(&path));
        let file = self.roots[at].file(&path)?;
        let version = |file: FileId| self.documents.get(&self.roots[at].path_of(file)?).map(|document| document.version);
        Some(self.with(at, file, |view| look(view, &version)))
    }
}

fn broken(error: io::Error) -> Refused {
    Refused(ErrorCode::InternalError, error.to_string())
}
