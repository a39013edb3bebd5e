//! Messages on a pipe: a header with a length, then that many bytes of JSON.
//!
//! In: bytes of any kind. Out: [`Heard`], one a message; what is none is told apart from what cannot be read further. Nothing here panics, and
//! no more memory is taken than a message may have.

use std::io::{self, BufRead, Read, Write};

use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

/// Largest message that is read.
const MESSAGE_BYTES_MAX: u64 = 64 << 20;
/// Longest line of a header that is read.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// What came.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Message(Message),
    /// Something else, with what is wrong with it, and the id of the request that it may have been.
    Garbage {
        /// As JSON-RPC numbers mistakes.
        code: lsp_server::ErrorCode,
        /// What is wrong.
        reason: String,
        /// Of the request, where it says one.
        id: Option<RequestId>,
    },
    /// The other side closed.
    End,
}

/// Reads the next message.
pub fn read(from: &mut impl BufRead) -> io::Result<Heard> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        if from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(Heard::End);
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        match (text.is_empty(), text.split_once(':')) {
            (true, _) if length.is_some() => break,
            // Blank lines between messages are passed over.
            (true, _) => {}
            (false, Some((name, value))) if name.eq_ignore_ascii_case("content-length") => match value.trim().parse::<u64>() {
                Ok(bytes) => length = Some(bytes),
                Err(_) => return Ok(garbage(format!("no length: {:?}", shown(text)))),
            },
            (false, Some((name, _))) if name.eq_ignore_ascii_case("content-type") => {}
            (false, _) => return Ok(garbage(format!("no header: {:?}", shown(text)))),
        }
    }
    let length = length.unwrap_or_default();
    if length > MESSAGE_BYTES_MAX {
        let passed = io::copy(&mut from.by_ref().take(length), &mut io::sink())?;
        return Ok(garbage(format!("a message of {length} bytes is too long, {passed} bytes passed over")));
    }
    let mut body = Vec::new();
    if from.by_ref().take(length).read_to_end(&mut body)? as u64 != length {
        return Ok(Heard::End);
    }
    Ok(message(&body))
}

fn message(body: &[u8]) -> Heard {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return garbage(format!("not JSON: {error}")),
    };
    let id = value.get("id").and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    let read = match (value.get("method"), &id) {
        (Some(Value::String(_)), Some(_)) => serde_json::from_value::<Request>(value).map(Message::Request),
        (Some(Value::String(_)), None) if value.get("id").is_none() => {
            serde_json::from_value::<Notification>(value).map(Message::Notification)
        }
        (None, Some(_)) if value.get("result").is_some() || value.get("error").is_some() => {
            serde_json::from_value::<Response>(value).map(Message::Response)
        }
        _ => {
            let reason = "neither a request, a notification nor a response".to_string();
            return Heard::Garbage { code: lsp_server::ErrorCode::InvalidRequest, reason, id };
        }
    };
    match read {
        Ok(message) => Heard::Message(message),
        Err(error) => Heard::Garbage { code: lsp_server::ErrorCode::InvalidRequest, reason: error.to_string(), id },
    }
}

fn garbage(reason: String) -> Heard {
    Heard::Garbage { code: lsp_server::ErrorCode::ParseError, reason, id: None }
}

/// The beginning of what came, for a log.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Writes a message.
pub fn write(to: &mut impl Write, message: &Message) -> io::Result<()> {
    message.write(to)?;
    to.flush()
}

/// Writes the answer to something that has no id.
pub fn write_error(to: &mut impl Write, code: lsp_server::ErrorCode, reason: &str) -> io::Result<()> {
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code as i32, "message": reason } }).to_string();
    write!(to, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(body: &str) -> Vec<u8> {
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn all(mut bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            match read(&mut bytes).expect("bytes can be read") {
                Heard::End => return heard,
                other => heard.push(other),
            }
        }
    }

    #[test]
    fn what_follows_garbage_is_heard() {
        let mut bytes = b"GET / HTTP/1.0\r\n\r\n".to_vec();
        bytes.extend(framed("{"));
        bytes.extend(framed("{\"id\":7,\"method\":3}"));
        bytes.extend(framed("{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}"));
        let heard = all(&bytes);
        assert!(matches!(&heard[0], Heard::Garbage { id: None, .. }), "{heard:?}");
        assert!(matches!(&heard[1], Heard::Garbage { id: None, .. }));
        assert!(matches!(&heard[2], Heard::Garbage { id: Some(id), .. } if *id == RequestId::from(7)));
        assert!(matches!(&heard[3], Heard::Message(Message::Notification(exit)) if exit.method == "exit"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            all(&bytes);
        }
    }
}
