//! Packets of the link layer: the only file of the scanner with `unsafe`, because the system's calls take pointers.
//!
//! In: whole frames to send, and a filter for those to receive. Out: frames as they came. Absent: what is in them.
//!
//! Source: packet(7), socket(7), bpf filters of `SO_ATTACH_FILTER` of Linux.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Frames that are handed over in one call.
pub(crate) const BATCH: usize = 64;
/// Longest frame that is received; what is longer is cut.
const FRAME_BYTES_MAX: usize = 256;
/// Frames wait here while we send.
const RECEIVE_BUFFER_BYTES: libc::c_int = 32 << 20;

/// One instruction of a classic BPF filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction(pub u16, pub u8, pub u8, pub u32);

/// A socket that sends and receives frames of one interface.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    fd: OwnedFd,
    address: libc::sockaddr_ll,
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

const NO_PARTS: [libc::iovec; BATCH] = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];

/// A message for each part. They point to the parts, and are for calls while these live.
fn messages(parts: &mut [libc::iovec; BATCH]) -> [libc::mmsghdr; BATCH] {
    // SAFETY: all-zero bytes are a valid value of this plain structure: no name, no parts, no control.
    let mut messages: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
    for (message, part) in messages.iter_mut().zip(parts) {
        message.msg_hdr.msg_iov = part;
        message.msg_hdr.msg_iovlen = 1;
    }
    messages
}

impl PacketSocket {
    /// Whether such sockets are given to us at all.
    pub fn allowed() -> io::Result<()> {
        // SAFETY: the call takes no pointers; a descriptor that it gives is ours alone, and closed at once.
        unsafe { OwnedFd::from_raw_fd(checked(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0))?) };
        Ok(())
    }

    /// Opens a socket on an interface, by its index. `ethertype` is what it receives; none for one that only sends. Needs CAP_NET_RAW.
    pub fn open(interface: u32, ethertype: Option<u16>, filter: &[Instruction]) -> io::Result<PacketSocket> {
        let protocol = ethertype.unwrap_or(0).to_be();
        // SAFETY: the call takes no pointers; a descriptor that it gives is ours alone.
        let fd = unsafe { OwnedFd::from_raw_fd(checked(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0))?) };
        // SAFETY: all-zero bytes are a valid value of this plain structure.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = interface as i32;
        address.sll_protocol = protocol;
        let socket = PacketSocket { fd, address };
        if ethertype.is_some() {
            // The filter first: nothing that it refuses is to wait in the socket.
            socket.attach(filter)?;
            // A buffer as large as we may have; a smaller one is no failure.
            let _ = socket.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &RECEIVE_BUFFER_BYTES);
        } else {
            // The queue of the interface orders traffic of many; ours is paced already.
            let _ = socket.option(libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &1);
        }
        // SAFETY: the address lives through the call, and its length is that of its type.
        checked(unsafe {
            libc::bind(socket.fd.as_raw_fd(), (&raw const socket.address).cast(), size_of::<libc::sockaddr_ll>() as libc::socklen_t)
        })?;
        Ok(socket)
    }

    fn option(&self, level: libc::c_int, name: libc::c_int, value: &libc::c_int) -> io::Result<()> {
        // SAFETY: the value lives through the call, and its length is that of its type.
        checked(unsafe {
            libc::setsockopt(self.fd.as_raw_fd(), level, name, (&raw const *value).cast(), size_of::<libc::c_int>() as libc::socklen_t)
        })?;
        Ok(())
    }

    fn attach(&self, filter: &[Instruction]) -> io::Result<()> {
        let mut code: Vec<libc::sock_filter> =
            filter.iter().map(|Instruction(code, jt, jf, k)| libc::sock_filter { code: *code, jt: *jt, jf: *jf, k: *k }).collect();
        let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_mut_ptr() };
        // SAFETY: the program and the code that it points to live through the call, which copies them; the kernel checks the code itself.
        checked(unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const program).cast(),
                size_of::<libc::sock_fprog>() as libc::socklen_t,
            )
        })?;
        Ok(())
    }

    /// Sends frames, at most [`BATCH`]; says how many the system took. An error says that it took none.
    pub fn send(&self, frames: &[&[u8]]) -> io::Result<usize> {
        let count = frames.len().min(BATCH);
        let mut parts = NO_PARTS;
        for (part, frame) in parts.iter_mut().zip(frames) {
            *part = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
        }
        let mut messages = messages(&mut parts);
        // SAFETY: the first `count` messages have one part each that points to a frame; all of them live through the call, which only reads
        // the frames.
        let sent = checked(unsafe { libc::sendmmsg(self.fd.as_raw_fd(), messages.as_mut_ptr(), count as libc::c_uint, 0) })?;
        Ok(sent as usize)
    }

    /// Hands over the frames that wait, at most [`BATCH`], without waiting for any; says how many.
    pub fn receive(&self, frames: &mut Frames, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        let mut parts = NO_PARTS;
        for (part, frame) in parts.iter_mut().zip(frames.0.iter_mut()) {
            *part = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() };
        }
        let mut messages = messages(&mut parts);
        // SAFETY: every message has one part that points to a buffer of its own with that length; all of them live through the call.
        let got = unsafe {
            libc::recvmmsg(self.fd.as_raw_fd(), messages.as_mut_ptr(), BATCH as libc::c_uint, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        let got = match checked(got) {
            Ok(got) => got as usize,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => 0,
            Err(error) => return Err(error),
        };
        for (message, frame) in messages.iter().zip(frames.0.iter()).take(got) {
            take(&frame[..(message.msg_len as usize).min(frame.len())]);
        }
        Ok(got)
    }
}

/// Room for frames that are received.
pub(crate) struct Frames(Box<[[u8; FRAME_BYTES_MAX]; BATCH]>);

impl Default for Frames {
    fn default() -> Frames {
        Frames(Box::new([[0; FRAME_BYTES_MAX]; BATCH]))
    }
}
