use super::*;
use proptest::prelude::*;

fn observation(number: u32, received: &[u8]) -> Observation {
    Observation {
        id: format!("192.0.2.1:80/http.get(\"/\")@{number}"),
        host: "192.0.2.1".into(),
        address: "192.0.2.1".parse().expect("address"),
        port: 80,
        transport: Transport::Tcp,
        probe: ProbeKey::with("http.get", "/"),
        sent: "GET / HTTP/1.1\\r\\n\\r\\n".into(),
        received: received.to_vec(),
        ended: Ended::Complete,
        time: Time::new(1_793_491_200 + i64::from(number), 5).expect("time"),
    }
}

/// Four observations: two with one shared body, a short one, an incompressible one.
fn sample() -> Vec<Observation> {
    let page = "<title>ACME</title>".repeat(20);
    let noise: Vec<u8> = (0..300u32).flat_map(|n| Sha256::digest(n.to_le_bytes())[..1].to_vec()).collect();
    vec![observation(1, page.as_bytes()), observation(2, page.as_bytes()), observation(3, b"x"), observation(4, &noise)]
}

fn written(observations: &[Observation]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("tempdir");
    let (mut log, recovery) = LogWriter::open(dir.path()).expect("open");
    assert!(recovery.torn.is_none() && recovery.damaged.is_empty());
    for observation in observations {
        log.append(observation).expect("append");
    }
    log.commit().expect("commit");
    dir
}

fn read(dir: &Path) -> (Vec<Observation>, Vec<LogError>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for item in LogReader::open(dir).expect("open") {
        match item {
            Ok(observation) => good.push(observation),
            Err(error) => bad.push(error),
        }
    }
    (good, bad)
}

/// Where each frame of a segment begins, and where the file ends.
fn frame_offsets(path: &Path) -> Vec<u64> {
    let mut frames = Frames::open(path.to_path_buf()).expect("open").expect("header");
    let mut offsets = Vec::new();
    while let Frame::Whole { offset, .. } = frames.next().expect("read") {
        offsets.push(offset);
    }
    offsets.push(frames.offset);
    offsets
}

#[test]
fn observations_come_back_as_they_were_and_in_order() {
    let dir = written(&sample());
    let (good, bad) = read(dir.path());
    assert_eq!(good, sample());
    assert!(bad.is_empty());
    let (mut log, _) = LogWriter::open(dir.path()).expect("open again");
    log.append(&observation(5, b"later")).expect("append");
    log.commit().expect("commit");
    assert_eq!(read(dir.path()).0.len(), 5);
}

#[test]
fn equal_bodies_are_stored_once() {
    let noise: Vec<u8> = (0..4000u32).flat_map(|n| Sha256::digest(n.to_le_bytes())[..1].to_vec()).collect();
    let once = written(&[observation(1, &noise)]);
    let often = written(&(1..=20).map(|n| observation(n, &noise)).collect::<Vec<_>>());
    let bytes = |dir: &tempfile::TempDir| fs::metadata(segment_path(dir.path(), 1)).expect("segment").len();
    assert!(bytes(&often) < 2 * bytes(&once), "{} against {}", bytes(&often), bytes(&once));
    assert!(read(often.path()).0.iter().all(|observation| observation.received == noise));
}

#[test]
fn a_damaged_payload_costs_its_record_only() {
    let dir = written(&sample());
    let path = segment_path(dir.path(), 1);
    let third = frame_offsets(&path)[2];
    let mut bytes = fs::read(&path).expect("read");
    bytes[(third + FRAME_BYTES + 3) as usize] ^= 1;
    fs::write(&path, bytes).expect("write");
    let (good, bad) = read(dir.path());
    assert_eq!(good.iter().map(|o| o.time.as_second() % 10).collect::<Vec<_>>(), [1, 2, 4]);
    assert!(matches!(&bad[..], [LogError::Damaged { offset, reason: Damage::Checksum, path: at }] if *offset == third && *at == path));
    let (_, recovery) = LogWriter::open(dir.path()).expect("open");
    assert!(recovery.torn.is_none() && recovery.damaged.len() == 1);
}

#[test]
fn a_damaged_body_is_named_by_each_record_that_shares_it() {
    let dir = written(&sample());
    let path = segment_path(dir.path(), 1);
    let first = frame_offsets(&path)[0];
    let mut bytes = fs::read(&path).expect("read");
    bytes[(first + FRAME_BYTES) as usize] ^= 1;
    fs::write(&path, bytes).expect("write");
    let (good, bad) = read(dir.path());
    assert_eq!(good.len(), 2);
    assert!(matches!(bad[1], LogError::Damaged { reason: Damage::Body { at }, .. } if at == first), "{bad:?}");
}

#[test]
fn a_damaged_length_ends_its_segment_and_writing_goes_on_in_the_next() {
    let dir = written(&sample());
    let path = segment_path(dir.path(), 1);
    let second = frame_offsets(&path)[1];
    let mut bytes = fs::read(&path).expect("read");
    bytes[second as usize] ^= 1;
    fs::write(&path, &bytes).expect("write");
    let (mut log, recovery) = LogWriter::open(dir.path()).expect("open");
    assert_eq!(recovery.damaged.len(), 1);
    log.append(&observation(9, b"after")).expect("append");
    log.commit().expect("commit");
    assert_eq!(fs::read(&path).expect("read"), bytes, "what cannot be read is left as it is");
    let (good, bad) = read(dir.path());
    assert_eq!(good, [observation(1, &sample()[0].received), observation(9, b"after")]);
    assert!(matches!(&bad[..], [LogError::Damaged { reason: Damage::Length, .. }]));
}

#[test]
fn a_tail_of_zeros_is_taken_off() {
    let dir = written(&sample());
    let path = segment_path(dir.path(), 1);
    let mut bytes = fs::read(&path).expect("read");
    let whole = bytes.len() as u64;
    bytes.extend([0; 5000]);
    fs::write(&path, bytes).expect("write");
    assert_eq!(read(dir.path()).0, sample());
    let (_, recovery) = LogWriter::open(dir.path()).expect("open");
    assert_eq!(recovery.torn, Some(TornTail { path: path.clone(), offset: whole, bytes: 5000 }));
    assert_eq!(fs::metadata(&path).expect("segment").len(), whole);
}

#[test]
fn a_log_has_one_writer() {
    let dir = written(&[]);
    let first = LogWriter::open(dir.path()).expect("first");
    let second = LogWriter::open(dir.path()).expect_err("second");
    assert!(matches!(&second, LogError::Locked { path } if path == dir.path()), "{second}");
    drop(first);
    LogWriter::open(dir.path()).expect("after the first is gone");
}

#[test]
fn failures_name_the_file() {
    let dir = tempfile::tempdir().expect("tempdir");
    let file = dir.path().join("plain");
    fs::write(&file, "x").expect("write");
    for error in [LogWriter::open(&file).expect_err("a file"), LogReader::open(&file).expect_err("a file")] {
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    }
    let missing = dir.path().join("missing");
    assert!(matches!(LogReader::open(&missing), Err(LogError::Io { path, .. }) if path == missing));

    let mut stranger = header();
    stranger[8] = 9;
    fs::write(segment_path(dir.path(), 1), stranger).expect("write");
    assert!(matches!(LogWriter::open(dir.path()), Err(LogError::Format { found: 9, .. })));
    fs::write(segment_path(dir.path(), 1), "not a log at all").expect("write");
    assert!(matches!(LogWriter::open(dir.path()), Err(LogError::NotALog { .. })));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_what_was_appended_waits() {
    let file = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let path = PathBuf::from("/dev/full");
    let mut segment = Segment { number: 1, path, file, written: HEADER_BYTES, pending: Vec::new(), bodies: HashMap::new() };
    let payload = segment.encode(&observation(1, b"x")).expect("encode");
    segment.push(&observation(1, b"x"), &payload);
    let waiting = segment.pending.clone();
    let error = segment.flush().expect_err("disk full");
    assert!(matches!(&error, LogError::Io { action: "write", source, .. } if source.kind() == io::ErrorKind::StorageFull), "{error}");
    assert_eq!((segment.pending, segment.written), (waiting, HEADER_BYTES));
}

#[test]
fn too_large_an_observation_is_refused_and_the_log_stays_whole() {
    let dir = written(&sample());
    let (mut log, _) = LogWriter::open(dir.path()).expect("open");
    let error = log.append(&observation(5, &vec![7; RECORD_BYTES_MAX + 1])).expect_err("too large");
    assert!(matches!(error, LogError::TooLarge { .. }));
    log.append(&observation(6, b"fits")).expect("append");
    log.commit().expect("commit");
    assert_eq!(read(dir.path()).0.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_truncation_loses_the_torn_record_at_most(cut in 0.0f64..=1.0) {
        let dir = written(&sample());
        let path = segment_path(dir.path(), 1);
        let offsets = frame_offsets(&path);
        let length = (*offsets.last().expect("end") as f64 * cut) as u64;
        OpenOptions::new().write(true).open(&path).expect("open").set_len(length).expect("cut");
        let kept = offsets[1..].iter().filter(|end| **end <= length).count();
        prop_assert_eq!(read(dir.path()).0, &sample()[..kept]);
        let (mut log, recovery) = LogWriter::open(dir.path()).expect("open");
        let torn = length > 0 && length != HEADER_BYTES && !offsets.contains(&length);
        prop_assert_eq!(recovery.torn.is_some(), torn);
        log.append(&observation(7, b"next")).expect("append");
        log.commit().expect("commit");
        let (good, bad) = read(dir.path());
        prop_assert!(bad.is_empty());
        prop_assert_eq!(good.len(), kept + 1);
    }

    #[test]
    fn no_bytes_panic_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400), with_header: bool) {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = if with_header { [&header()[..], &bytes].concat() } else { bytes };
        fs::write(segment_path(dir.path(), 1), file).expect("write");
        prop_assert!(LogReader::open(dir.path()).expect("open").count() < 50);
        drop(LogWriter::open(dir.path()));
    }

    #[test]
    fn no_payload_panics_the_decoder(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..3) {
        bytes.insert(0, kind);
        if let Some((head, body)) = Unpacker::new().decode(&bytes) {
            drop(head.into_observation(body));
        }
    }
}

#[test]
fn what_has_to_go_goes_and_the_rest_is_as_it_was() {
    let sample = sample();
    let dir = written(&sample);
    let path = segment_path(dir.path(), 1);
    let before = fs::read(&path).expect("read");
    // Nothing changes: not a byte is written.
    assert_eq!(rewrite(dir.path(), true, |_| Fate::Keep).expect("rewrite"), Rewritten { kept: 4, ..Rewritten::default() });
    // The first goes, whose body the second shares; the third is replaced.
    let other = Observation { received: b"y".to_vec(), ..sample[2].clone() };
    let fate = |observation: &Observation| match observation {
        first if *first == sample[0] => Fate::Drop,
        third if *third == sample[2] => Fate::Replace(Box::new(other.clone())),
        _ => Fate::Keep,
    };
    let done = Rewritten { segments: 1, kept: 2, replaced: 1, dropped: 1, unreadable: 0 };
    assert_eq!(rewrite(dir.path(), false, fate).expect("count"), done);
    assert_eq!(fs::read(&path).expect("read"), before, "it was only counted");
    assert_eq!(rewrite(dir.path(), true, fate).expect("rewrite"), done);
    let (good, bad) = read(dir.path());
    assert_eq!((good, bad.len()), (vec![sample[1].clone(), other, sample[3].clone()], 0));
    // A writer goes on behind it, and while it does nobody else writes anew.
    let (mut log, recovery) = LogWriter::open(dir.path()).expect("open");
    assert!(recovery.torn.is_none() && recovery.damaged.is_empty());
    assert!(matches!(rewrite(dir.path(), true, |_| Fate::Drop), Err(LogError::Locked { .. })));
    log.append(&sample[0]).and_then(|()| log.commit()).expect("append");
    drop(log);
    assert_eq!(read(dir.path()).0.len(), 4);
    // What a run that died has left beside the log is in nobody's way.
    fs::create_dir(dir.path().join("rewriting"))
        .and_then(|()| fs::write(dir.path().join("rewriting/00000001.seg"), "half"))
        .expect("write");
    assert_eq!(read(dir.path()).0.len(), 4);
    assert_eq!(rewrite(dir.path(), true, |_| Fate::Drop).expect("rewrite").dropped, 4);
    assert_eq!((read(dir.path()).0.len(), dir.path().join("rewriting").exists()), (0, false));
}

#[test]
fn a_damaged_record_goes_with_a_segment_that_is_written_anew() {
    let sample = sample();
    let dir = written(&sample);
    let path = segment_path(dir.path(), 1);
    let offsets = frame_offsets(&path);
    let mut bytes = fs::read(&path).expect("read");
    bytes[offsets[2] as usize + FRAME_BYTES as usize] ^= 0xff;
    fs::write(&path, &bytes).expect("write");
    let drop_last = |observation: &Observation| if *observation == sample[3] { Fate::Drop } else { Fate::Keep };
    assert_eq!(rewrite(dir.path(), true, |_| Fate::Keep).expect("rewrite").unreadable, 0, "left alone");
    let done = rewrite(dir.path(), true, drop_last).expect("rewrite");
    assert_eq!((done.kept, done.dropped, done.unreadable), (2, 1, 1));
    assert_eq!(read(dir.path()).0, sample[..2]);
}
