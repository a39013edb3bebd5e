//! The log of truth: every observation as it came, appended and never altered.
//!
//! In: [`Observation`]s through [`LogWriter`]. Out: the same ones in the same order through [`LogReader`], one at a time.
//! Absent: what the bytes mean. Identifications, entries and indexes are computed from the log and can be thrown away.
//!
//! A log is a folder of segments, `00000001.seg` and up:
//!
//! | bytes | hold |
//! |---|---|
//! | 8 | magic, `KSIGOBS` and a zero byte |
//! | 4 | format version, little endian like every number here |
//! | 4 | zero |
//! | then | frames until the end of the file |
//!
//! A frame is the length of its payload (4), the CRC32 of those four bytes (4), the CRC32 of the payload (4), the payload.
//! The length has a check of its own, so that a damaged payload costs one record and no more: the next frame is where the length says.
//! When the length itself is damaged the rest of that segment cannot be read, and is reported. There is no search for a later frame,
//! because received bytes come from strangers, who could send something that looks like one.
//!
//! Only [`rewrite`] takes observations out again: of those who opted out, and of what is older than it may become.
//!
//! A payload is one byte (0 plain, 1 zstd with the plain length before it), then the observation without its body, then the body.
//! A body that the same segment already holds is stored as the offset of the frame that has it.

mod rewrite;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ksig_schema::{Ended, Observation, ProbeKey, Time, Transport};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use rewrite::{Fate, Rewritten, rewrite};

/// First bytes of every segment.
const MAGIC: &[u8; 8] = b"KSIGOBS\0";
/// Version of the layout above; a reader refuses others.
pub const LOG_FORMAT: u32 = 1;
const HEADER_BYTES: u64 = 16;
const FRAME_BYTES: u64 = 12;
/// A segment that would grow beyond this is closed and the next one begun.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;
/// Largest payload, before and after compression; an observation beyond it is refused.
pub const RECORD_BYTES_MAX: usize = 32 << 20;
/// Bytes gathered before they are handed to the system.
const PENDING_BYTES_MAX: usize = 1 << 20;
/// How many bodies of the current segment are remembered to store equal ones once; beyond it the writer forgets them and begins anew.
const BODIES_REMEMBERED_MAX: usize = 1 << 16;
/// A body shorter than this is not worth a reference.
const SHARED_BODY_BYTES_MIN: usize = 64;
/// A payload shorter than this is not compressed.
const COMPRESSED_BYTES_MIN: usize = 128;
const LOCK_FILE: &str = "writer.lock";

/// What can go wrong with a log. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system refused: missing, not permitted, disk full.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `open`, `write`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk failed: what was appended since the last commit may be lost, whatever a later commit says, and is to be appended again.
    #[error("cannot synchronise {}: {source}", path.display())]
    Unsure {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another writer has the log open.
    #[error("{} is being written by someone else: a log has one writer at a time", path.display())]
    Locked {
        /// The log's folder.
        path: PathBuf,
    },
    /// The file does not begin as a segment does.
    #[error("{} is not a segment of an observation log", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// The segment has a layout of another version.
    #[error("{} has log format {found}, this ksig reads format {LOG_FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A record cannot be read. The ones after it can, unless the reason is [`Damage::Length`].
    #[error("{} is damaged at byte {offset}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the frame begins.
        offset: u64,
        /// In which way.
        reason: Damage,
    },
    /// The observation is larger than a record may be; it was not stored.
    #[error("an observation of {bytes} bytes is larger than a record may be ({RECORD_BYTES_MAX} bytes)")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// How a record is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The frame's length is not what was written, so the next frame cannot be found.
    #[error("the record's length is damaged, so the rest of this segment is unreadable")]
    Length,
    /// The payload is not what was written.
    #[error("the record does not match its checksum and is skipped")]
    Checksum,
    /// The checksum holds, but the payload is no observation.
    #[error("the record is not an observation and is skipped")]
    Shape,
    /// The body is stored with an earlier record, which is damaged.
    #[error("the record's body is stored at byte {at}, which is damaged; the record is skipped")]
    Body {
        /// Offset of that record in the same segment.
        at: u64,
    },
    /// The file ends inside the record, though a later segment exists.
    #[error("the segment ends inside this record")]
    Cut,
}

/// A record that was being written when the writer died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub path: PathBuf,
    /// Where the incomplete record began; the file ends there now.
    pub offset: u64,
    /// How many bytes were taken off.
    pub bytes: u64,
}

/// The stored form of an observation without its body.
#[derive(Serialize, Deserialize)]
struct Head {
    id: String,
    host: String,
    address: IpAddr,
    port: u16,
    transport: Transport,
    probe: ProbeKey,
    sent: String,
    ended: Ended,
    second: i64,
    nanosecond: i32,
    body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Body {
    /// The bytes after the head.
    Here,
    /// The bytes after the head of the frame at this offset.
    At(u64),
}

fn encode(observation: &Observation, body: Body) -> Result<Vec<u8>, LogError> {
    let head = Head {
        id: observation.id.clone(),
        host: observation.host.clone(),
        address: observation.address,
        port: observation.port,
        transport: observation.transport,
        probe: observation.probe.clone(),
        sent: observation.sent.clone(),
        ended: observation.ended,
        second: observation.time.as_second(),
        nanosecond: observation.time.subsec_nanosecond(),
        body,
    };
    let mut plain = postcard::to_stdvec(&head).expect("a head has no part that postcard cannot write");
    if body == Body::Here {
        plain.extend_from_slice(&observation.received);
    }
    if plain.len() >= RECORD_BYTES_MAX {
        return Err(LogError::TooLarge { bytes: plain.len() });
    }
    let mut payload = Vec::with_capacity(plain.len() + 1);
    if plain.len() >= COMPRESSED_BYTES_MIN {
        let packed = zstd::bulk::compress(&plain, zstd::DEFAULT_COMPRESSION_LEVEL).expect("zstd compresses what fits into memory");
        if packed.len() + 4 < plain.len() {
            payload.push(1);
            payload.extend_from_slice(&(plain.len() as u32).to_le_bytes());
            payload.extend_from_slice(&packed);
            return Ok(payload);
        }
    }
    payload.push(0);
    payload.extend_from_slice(&plain);
    Ok(payload)
}

/// Takes payloads apart. One for a reader: making what zstd needs takes as long as reading a small record.
struct Unpacker {
    zstd: zstd::bulk::Decompressor<'static>,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}

impl Unpacker {
    fn new() -> Unpacker {
        Unpacker { zstd: zstd::bulk::Decompressor::new().expect("zstd has memory for a decompressor") }
    }

    /// The head and the bytes after it; absent when the payload is no observation.
    fn decode(&mut self, payload: &[u8]) -> Option<(Head, Vec<u8>)> {
        let unpacked;
        let plain = match payload.split_first()? {
            (0, plain) => plain,
            (1, rest) => {
                let (length, packed) = rest.split_first_chunk::<4>()?;
                let length = u32::from_le_bytes(*length) as usize;
                if length > RECORD_BYTES_MAX {
                    return None;
                }
                unpacked = self.zstd.decompress(packed, length).ok()?;
                &unpacked
            }
            _ => return None,
        };
        let (head, body) = postcard::take_from_bytes::<Head>(plain).ok()?;
        Some((head, body.to_vec()))
    }
}

impl Head {
    fn into_observation(self, received: Vec<u8>) -> Option<Observation> {
        Some(Observation {
            time: Time::new(self.second, self.nanosecond).ok()?,
            id: self.id,
            host: self.host,
            address: self.address,
            port: self.port,
            transport: self.transport,
            probe: self.probe,
            sent: self.sent,
            received,
            ended: self.ended,
        })
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_path_buf();
    move |source| LogError::Io { action, path, source }
}

fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.seg"))
}

/// Numbers of the segments of a log, ascending. Other files are left alone.
fn segment_numbers(dir: &Path) -> Result<Vec<u32>, LogError> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(dir).map_err(io_error("read", dir))? {
        let name = file.map_err(io_error("read", dir))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".seg")).filter(|stem| stem.len() == 8);
        numbers.extend(number.and_then(|stem| stem.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn header() -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&LOG_FORMAT.to_le_bytes());
    header
}

/// One step through a segment.
enum Frame {
    /// A payload that matches its checksum.
    Whole { offset: u64, payload: Vec<u8> },
    /// A frame that is there but cannot be used.
    Damaged { offset: u64, reason: Damage },
    /// The file ends inside the frame, or holds nothing but zeros from there on, as some file systems leave it after a crash.
    Torn { offset: u64 },
    /// The file ends where a frame ends.
    End,
}

/// The frames of one segment, from its header on.
struct Frames {
    path: PathBuf,
    input: BufReader<File>,
    offset: u64,
    length: u64,
    stopped: bool,
}

impl Frames {
    /// Opens a segment and checks its header. Absent: a file that ends inside its header, as a writer leaves it that died at once.
    fn open(path: PathBuf) -> Result<Option<Frames>, LogError> {
        let file = File::open(&path).map_err(io_error("open", &path))?;
        let length = file.metadata().map_err(io_error("read", &path))?.len();
        let mut input = BufReader::with_capacity(1 << 16, file);
        let mut found = Vec::new();
        input.by_ref().take(HEADER_BYTES).read_to_end(&mut found).map_err(io_error("read", &path))?;
        if !header().starts_with(&found) {
            let version = found.get(8..12).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
            return Err(match version {
                Some(version) if found.starts_with(MAGIC) && version != LOG_FORMAT => LogError::Format { path, found: version },
                _ => LogError::NotALog { path },
            });
        }
        let whole = found.len() as u64 == HEADER_BYTES;
        Ok(whole.then_some(Frames { path, input, offset: HEADER_BYTES, length, stopped: false }))
    }

    fn next(&mut self) -> Result<Frame, LogError> {
        let offset = self.offset;
        let left = self.length.saturating_sub(offset);
        if self.stopped || left == 0 {
            return Ok(Frame::End);
        }
        if left < FRAME_BYTES {
            self.stopped = true;
            return Ok(Frame::Torn { offset });
        }
        let mut head = [0; FRAME_BYTES as usize];
        self.read_exact(&mut head)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (bytes, length_check, payload_check) = (number(0), number(4), number(8));
        if crc32fast::hash(&head[..4]) != length_check || bytes == 0 || bytes as usize > RECORD_BYTES_MAX {
            self.stopped = true;
            let torn = head.iter().all(|byte| *byte == 0) && self.rest_is_zero()?;
            return Ok(if torn { Frame::Torn { offset } } else { Frame::Damaged { offset, reason: Damage::Length } });
        }
        if left - FRAME_BYTES < u64::from(bytes) {
            self.stopped = true;
            return Ok(Frame::Torn { offset });
        }
        let mut payload = vec![0; bytes as usize];
        self.read_exact(&mut payload)?;
        self.offset = offset + FRAME_BYTES + u64::from(bytes);
        let intact = crc32fast::hash(&payload) == payload_check;
        Ok(if intact { Frame::Whole { offset, payload } } else { Frame::Damaged { offset, reason: Damage::Checksum } })
    }

    fn seek(&mut self, offset: u64) -> Result<(), LogError> {
        self.input.seek(SeekFrom::Start(offset)).map_err(io_error("read", &self.path))?;
        (self.offset, self.stopped) = (offset, false);
        Ok(())
    }

    fn read_exact(&mut self, into: &mut [u8]) -> Result<(), LogError> {
        self.input.read_exact(into).map_err(io_error("read", &self.path))
    }

    fn rest_is_zero(&mut self) -> Result<bool, LogError> {
        let mut block = [0; 4096];
        loop {
            match self.input.read(&mut block).map_err(io_error("read", &self.path))? {
                0 => return Ok(true),
                got if block[..got].iter().any(|byte| *byte != 0) => return Ok(false),
                _ => {}
            }
        }
    }
}

/// Appends observations. One at a time for each log; the lock goes with the writer.
///
/// What was appended since the last [`LogWriter::commit`] may be lost when the writer is dropped or dies.
#[derive(Debug)]
pub struct LogWriter {
    dir: PathBuf,
    segment: Segment,
    /// The segment could not be synchronised. The system forgets what it could not write, and the next try would say that all is well: so
    /// nothing more is written there.
    unsure: bool,
    _lock: File,
}

/// What [`LogWriter::open`] found.
#[derive(Debug, Default)]
pub struct Recovery {
    /// An incomplete last record that was taken off.
    pub torn: Option<TornTail>,
    /// Damaged records of the last segment; they stay as they are. Those of earlier segments are reported by [`LogReader`].
    pub damaged: Vec<LogError>,
}

impl LogWriter {
    /// Opens a log to append to it, creating the folder when it is missing.
    pub fn open(dir: &Path) -> Result<(LogWriter, Recovery), LogError> {
        fs::create_dir_all(dir).map_err(io_error("create", dir))?;
        let lock = lock(dir)?;
        let mut recovery = Recovery::default();
        let segment = match segment_numbers(dir)?.last() {
            None => Segment::create(dir, 1)?,
            Some(&number) => match recover(dir, number, &mut recovery)? {
                Some(end) => Segment::append_to(dir, number, end)?,
                None => Segment::create(dir, number + 1)?,
            },
        };
        Ok((LogWriter { dir: dir.to_path_buf(), segment, unsure: false, _lock: lock }, recovery))
    }

    /// Adds one observation. After an error it is not in the log, and everything before it still is, unless the error is
    /// [`LogError::Unsure`]: a full disk can be cleared and the same call made again.
    pub fn append(&mut self, observation: &Observation) -> Result<(), LogError> {
        self.leave_unsure_segment()?;
        if self.segment.pending.len() >= PENDING_BYTES_MAX {
            self.segment.flush()?;
        }
        let payload = self.segment.encode(observation)?;
        if self.segment.end() + FRAME_BYTES + payload.len() as u64 <= SEGMENT_BYTES_MAX {
            self.segment.push(observation, &payload);
            return Ok(());
        }
        self.commit()?;
        self.segment = Segment::create(&self.dir, self.segment.number + 1)?;
        let payload = self.segment.encode(observation)?;
        self.segment.push(observation, &payload);
        Ok(())
    }

    /// Makes everything appended so far survive a crash of the machine. After [`LogError::Unsure`], what came since the last commit is to be
    /// appended again.
    pub fn commit(&mut self) -> Result<(), LogError> {
        self.leave_unsure_segment()?;
        self.segment.flush()?;
        self.segment.sync().inspect_err(|_| self.unsure = true)
    }

    fn leave_unsure_segment(&mut self) -> Result<(), LogError> {
        if self.unsure {
            self.segment = Segment::create(&self.dir, self.segment.number + 1)?;
            self.unsure = false;
        }
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<File, LogError> {
    let path = dir.join(LOCK_FILE);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(LogError::Locked { path: dir.to_path_buf() }),
        Err(fs::TryLockError::Error(source)) => Err(LogError::Io { action: "lock", path, source }),
    }
}

/// Walks the last segment to its end, taking off a torn record. Absent: its end cannot be found, so writing goes on in a new segment.
fn recover(dir: &Path, number: u32, recovery: &mut Recovery) -> Result<Option<u64>, LogError> {
    let path = segment_path(dir, number);
    let Some(mut frames) = Frames::open(path.clone())? else {
        let bytes = fs::metadata(&path).map_err(io_error("read", &path))?.len();
        recovery.torn = (bytes > 0).then(|| TornTail { path: path.clone(), offset: 0, bytes });
        fs::write(&path, header()).map_err(io_error("write", &path))?;
        return Ok(Some(HEADER_BYTES));
    };
    loop {
        match frames.next()? {
            Frame::Whole { .. } => {}
            Frame::End => return Ok(Some(frames.offset)),
            Frame::Torn { offset } => {
                let file = OpenOptions::new().write(true).open(&path).map_err(io_error("open", &path))?;
                file.set_len(offset).and_then(|()| file.sync_all()).map_err(io_error("shorten", &path))?;
                recovery.torn = Some(TornTail { path, offset, bytes: frames.length - offset });
                return Ok(Some(offset));
            }
            Frame::Damaged { offset, reason } => {
                recovery.damaged.push(LogError::Damaged { path: path.clone(), offset, reason });
                if reason == Damage::Length {
                    return Ok(None);
                }
            }
        }
    }
}

/// The segment that is being written.
#[derive(Debug)]
struct Segment {
    number: u32,
    path: PathBuf,
    file: File,
    /// Bytes of whole frames that the system has.
    written: u64,
    /// Frames that it does not have yet.
    pending: Vec<u8>,
    /// Where a body with this hash begins its frame.
    bodies: HashMap<[u8; 32], u64>,
}

impl Segment {
    fn create(dir: &Path, number: u32) -> Result<Segment, LogError> {
        let path = segment_path(dir, number);
        // One that is there is what an earlier try left when the disk was full: the writer's lock keeps others out.
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path).map_err(io_error("create", &path))?;
        file.write_all(&header()).map_err(io_error("write", &path))?;
        // Without this a crash could lose the file's name though its bytes were synchronised.
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("synchronise", dir))?;
        Ok(Segment { number, path, file, written: HEADER_BYTES, pending: Vec::new(), bodies: HashMap::new() })
    }

    fn append_to(dir: &Path, number: u32, end: u64) -> Result<Segment, LogError> {
        let path = segment_path(dir, number);
        let mut file = OpenOptions::new().write(true).open(&path).map_err(io_error("open", &path))?;
        file.seek(SeekFrom::Start(end)).map_err(io_error("write", &path))?;
        Ok(Segment { number, path, file, written: end, pending: Vec::new(), bodies: HashMap::new() })
    }

    /// Where the next frame will begin.
    fn end(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    fn encode(&self, observation: &Observation) -> Result<Vec<u8>, LogError> {
        let known = shared_body(observation).and_then(|hash| self.bodies.get(&hash));
        encode(observation, known.map_or(Body::Here, |&at| Body::At(at)))
    }

    fn push(&mut self, observation: &Observation, payload: &[u8]) {
        if let Some(hash) = shared_body(observation) {
            if self.bodies.len() >= BODIES_REMEMBERED_MAX {
                self.bodies.clear();
            }
            let end = self.end();
            self.bodies.entry(hash).or_insert(end);
        }
        let length = (payload.len() as u32).to_le_bytes();
        self.pending.extend_from_slice(&length);
        self.pending.extend_from_slice(&crc32fast::hash(&length).to_le_bytes());
        self.pending.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
        self.pending.extend_from_slice(payload);
    }

    /// Hands the pending frames to the system: all of them, or none and the file is as it was.
    fn flush(&mut self) -> Result<(), LogError> {
        if let Err(source) = self.file.write_all(&self.pending) {
            // A part may have been written; if taking it off fails too, it is a torn tail for the next opening.
            let back = self.file.set_len(self.written).and_then(|()| self.file.seek(SeekFrom::Start(self.written)));
            drop(back);
            return Err(LogError::Io { action: "write", path: self.path.clone(), source });
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(|source| LogError::Unsure { path: self.path.clone(), source })
    }
}

/// The hash under which a body is remembered; absent for one too short to share.
fn shared_body(observation: &Observation) -> Option<[u8; 32]> {
    (observation.received.len() >= SHARED_BODY_BYTES_MIN).then(|| Sha256::digest(&observation.received).into())
}

/// Reads a log from its beginning, one observation at a time, in the order in which they were appended.
///
/// A damaged record comes as [`LogError::Damaged`], and the reading goes on after it. An incomplete record at the very end is passed over: a
/// writer may be at work on it. Memory: one record, and the one that holds its body.
#[derive(Debug)]
pub struct LogReader {
    dir: PathBuf,
    /// Segments still to be read, the next one last.
    segments: Vec<u32>,
    current: Option<OpenSegment>,
}

#[derive(Debug)]
struct OpenSegment {
    frames: Frames,
    /// A second place in the same file, for bodies.
    bodies: Frames,
    unpacker: Unpacker,
}

impl std::fmt::Debug for Frames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.path.display(), self.offset)
    }
}

impl LogReader {
    /// Opens a log to read it; a writer may be at work at the same time.
    pub fn open(dir: &Path) -> Result<LogReader, LogError> {
        let mut segments = segment_numbers(dir)?;
        segments.reverse();
        Ok(LogReader { dir: dir.to_path_buf(), segments, current: None })
    }

    fn open_next(&mut self) -> Result<bool, LogError> {
        while let Some(number) = self.segments.pop() {
            let path = segment_path(&self.dir, number);
            if let (Some(frames), Some(bodies)) = (Frames::open(path.clone())?, Frames::open(path.clone())?) {
                self.current = Some(OpenSegment { frames, bodies, unpacker: Unpacker::new() });
                return Ok(true);
            }
            if !self.segments.is_empty() {
                return Err(LogError::Damaged { path, offset: 0, reason: Damage::Cut });
            }
        }
        Ok(false)
    }
}

impl OpenSegment {
    fn observation(&mut self, offset: u64, payload: &[u8]) -> Result<Observation, LogError> {
        let damaged = |path: &Path, reason| LogError::Damaged { path: path.to_path_buf(), offset, reason };
        let (head, here) = self.unpacker.decode(payload).ok_or_else(|| damaged(&self.frames.path, Damage::Shape))?;
        let received = match head.body {
            Body::Here => here,
            Body::At(at) => self.body_at(at, offset)?.ok_or_else(|| damaged(&self.frames.path, Damage::Body { at }))?,
        };
        head.into_observation(received).ok_or_else(|| damaged(&self.frames.path, Damage::Shape))
    }

    /// The body of an earlier record; absent when that one is damaged. References lead backwards and only one step, so no file can make us loop.
    fn body_at(&mut self, at: u64, before: u64) -> Result<Option<Vec<u8>>, LogError> {
        if at < HEADER_BYTES || at >= before {
            return Ok(None);
        }
        self.bodies.seek(at)?;
        match self.bodies.next()? {
            Frame::Whole { payload, .. } => {
                Ok(self.unpacker.decode(&payload).and_then(|(head, body)| (head.body == Body::Here).then_some(body)))
            }
            _ => Ok(None),
        }
    }
}

impl Iterator for LogReader {
    type Item = Result<Observation, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(segment) = &mut self.current else {
                match self.open_next() {
                    Ok(true) => continue,
                    Ok(false) => return None,
                    Err(error) => return Some(Err(error)),
                }
            };
            match segment.frames.next() {
                Ok(Frame::Whole { offset, payload }) => return Some(segment.observation(offset, &payload)),
                Ok(Frame::Damaged { offset, reason }) => {
                    return Some(Err(LogError::Damaged { path: segment.frames.path.clone(), offset, reason }));
                }
                Ok(Frame::Torn { offset }) => {
                    let path = segment.frames.path.clone();
                    self.current = None;
                    if !self.segments.is_empty() {
                        return Some(Err(LogError::Damaged { path, offset, reason: Damage::Cut }));
                    }
                }
                Ok(Frame::End) => self.current = None,
                Err(error) => {
                    self.current = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
