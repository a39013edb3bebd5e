//! A client of the language server: starts `ksig lsp`, speaks to it as an editor does, and ends it whatever happens.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::binary::ksig;

/// Longest silence; a longer one has hung.
const RUN_MAX: Duration = Duration::from_secs(60);

/// A server and what it has said so far.
pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Receiver<Value>,
    /// Notifications that nobody has asked for yet.
    notes: VecDeque<Value>,
    next: i64,
}

impl Client {
    /// Starts a server that knows no client yet.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(arguments: &[&str]) -> Client {
        Client::start_program(&ksig(), arguments)
    }

    /// Starts a server of another program.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_program(program: &Path, arguments: &[&str]) -> Client {
        let mut command = Command::new(program);
        command.arg("lsp").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} must start: {error}"));
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (send, heard) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut stdout) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        Client { child, stdin, heard, notes: VecDeque::new(), next: 0 }
    }

    /// Starts a server and says hello for a folder, counting as UTF-16 unless `utf8`.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn open(folder: &Path, utf8: bool) -> Client {
        let mut client = Client::start(&[]);
        client.hello(folder, utf8);
        client
    }

    /// Says hello for a folder; gives what the server can do.
    pub fn hello(&mut self, folder: &Path, utf8: bool) -> Value {
        let encodings = if utf8 { json!(["utf-8", "utf-16"]) } else { json!(["utf-16"]) };
        let capabilities = json!({
            "general": { "positionEncodings": encodings },
            "workspace": {
                "didChangeWatchedFiles": { "dynamicRegistration": true },
                "workspaceEdit": { "documentChanges": true, "resourceOperations": ["rename"] },
            },
        });
        let folders = json!([{ "uri": uri(folder), "name": "test" }]);
        let can = self
            .ask("initialize", json!({ "processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": folders }));
        self.tell("initialized", json!({}));
        can
    }

    /// Writes bytes as they are.
    ///
    /// # Panics
    /// When the server is gone.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("the pipe is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// Closes the pipe.
    pub fn hang_up(&mut self) {
        self.stdin = None;
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request without waiting; gives its id.
    pub fn request(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let mut message = json!({ "jsonrpc": "2.0", "id": self.next, "method": method });
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(&message);
        self.next
    }

    /// The answer to a request: its result, or the whole message where it is an error.
    ///
    /// # Panics
    /// When none comes.
    pub fn answer(&mut self, id: i64) -> Value {
        let message = self.note(|message| message["id"] == id && message.get("method").is_none());
        if message.get("error").is_some() { message } else { message["result"].clone() }
    }

    /// Sends a request and waits for its answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params);
        self.answer(id)
    }

    /// Waits for a notification; one that came before is taken first.
    pub fn note(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.notes.iter().position(&wanted) {
            return self.notes.remove(at).unwrap_or_default();
        }
        self.wait(wanted)
    }

    /// Waits for the problems of a file.
    pub fn problems(&mut self, uri: &str) -> Value {
        let note = self.note(|note| note["method"] == "textDocument/publishDiagnostics" && note["params"]["uri"] == uri);
        note["params"]["diagnostics"].clone()
    }

    /// Waits for problems of a file that are as wanted.
    pub fn problems_that(&mut self, uri: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let problems = self.problems(uri);
            if wanted(&problems) {
                return problems;
            }
        }
    }

    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + RUN_MAX;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.heard.recv_timeout(left).unwrap_or_else(|error| panic!("the server is silent: {error}"));
            if wanted(&message) {
                return message;
            }
            self.notes.push_back(message);
        }
    }

    /// What came and was not asked for.
    pub fn unasked(&mut self) -> Vec<Value> {
        self.notes.extend(self.heard.try_iter());
        self.notes.drain(..).collect()
    }

    /// Opens a document.
    pub fn open_document(&mut self, uri: &str, text: &str) {
        self.tell("textDocument/didOpen", json!({ "textDocument": { "uri": uri, "languageId": "ksig", "version": 1, "text": text } }));
    }

    /// Puts a whole text in the place of a document's.
    pub fn replace(&mut self, uri: &str, version: i64, text: &str) {
        let changes = json!([{ "text": text }]);
        self.tell("textDocument/didChange", json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": changes }));
    }

    /// Waits for the end; gives the exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub fn ended(&mut self) -> Option<i32> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            assert!(begin.elapsed() < RUN_MAX, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resident memory of the server in megabytes.
    pub fn rss_mb(&self) -> u64 {
        crate::bench::rss_mb_of(&self.child.id().to_string())
    }

    /// Says goodbye; gives the exit code.
    pub fn goodbye(&mut self) -> Option<i32> {
        self.ask("shutdown", Value::Null);
        self.tell("exit", json!({}));
        self.ended()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// The URI of a path whose characters are plain.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The position of a byte, counted in UTF-16.
pub fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column: usize = before.rsplit('\n').next().unwrap_or_default().chars().map(char::len_utf16).sum();
    json!({ "line": line, "character": column })
}
