//! A connection that remembers what came first: when TLS fails on it, these bytes say which other protocol speaks there.
//!
//! In: a connection. Out: the same, and its first bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes that are remembered.
const REMEMBERED_MAX: usize = ksig_protocols::FIRST_BYTES_MAX;

/// A connection and the first bytes that came from it.
pub(crate) struct Opening<W> {
    wire: W,
    first_bytes: Vec<u8>,
}

impl<W> Opening<W> {
    pub fn new(wire: W) -> Opening<W> {
        Opening { wire, first_bytes: Vec::new() }
    }

    /// What came first.
    pub fn into_first_bytes(self) -> Vec<u8> {
        self.first_bytes
    }
}

impl<W: AsyncRead + Unpin> AsyncRead for Opening<W> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = ready!(Pin::new(&mut self.wire).poll_read(context, buffer));
        let came = &buffer.filled()[before..];
        let room = REMEMBERED_MAX.saturating_sub(self.first_bytes.len());
        self.first_bytes.extend_from_slice(&came[..came.len().min(room)]);
        Poll::Ready(outcome)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Opening<W> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }
}
