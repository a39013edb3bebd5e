//! `ksig discover` in network namespaces that the test makes: two, joined by a pair of virtual interfaces, with addresses of RFC 2544 and of private
//! IPv6. One is the scanner's; in the other some addresses are local, and routes call others unreachable, prohibited, or swallow what is sent.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ksig_tests::binary::{Running, ksig, run_in, workspace};
use socket2::{Domain, Protocol, Socket, Type};

/// Two namespaces, gone when this is dropped.
struct Lab {
    ours: String,
    theirs: String,
    gateway_mac: String,
    _listener: Option<Running>,
}

fn ip(arguments: &str) -> Result<String, String> {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr }).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("ip {arguments}: {said}")) }
}

fn within(namespace: &str, words: &[&str]) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).args(words);
    command
}

impl Lab {
    /// An error says why there is none here.
    fn new(name: &str) -> Result<Lab, String> {
        let (ours, theirs) = (format!("ks{name}a{}", std::process::id()), format!("ks{name}b{}", std::process::id()));
        ip(&format!("netns add {ours}"))?;
        let mut lab = Lab { ours: ours.clone(), theirs: theirs.clone(), gateway_mac: String::new(), _listener: None };
        ip(&format!("netns add {theirs}"))?;
        ip(&format!("link add va netns {ours} type veth peer name vb netns {theirs}"))?;
        for (namespace, link, v4, v6) in
            [(&ours, "va", "198.18.0.2/24", "fd00:18::2/64"), (&theirs, "vb", "198.18.0.1/24", "fd00:18::1/64")]
        {
            ip(&format!("-n {namespace} link set lo up"))?;
            ip(&format!("-n {namespace} addr add {v4} dev {link}"))?;
            ip(&format!("-n {namespace} link set {link} up"))?;
            ip(&format!("-n {namespace} addr add {v6} dev {link} nodad"))?;
        }
        ip(&format!("-n {ours} route add 198.19.0.0/16 via 198.18.0.1"))?;
        ip(&format!("-n {ours} route add fd00:19::/64 via fd00:18::1"))?;
        for (kind, v4, v6) in [
            ("local", "198.19.0.0/28 dev lo", "fd00:19::/124 dev lo"),
            ("unreachable", "198.19.0.16/28", "fd00:19::10/124"),
            ("prohibit", "198.19.0.32/28", "fd00:19::20/124"),
            ("blackhole", "198.19.0.48/28", "fd00:19::30/124"),
        ] {
            ip(&format!("-n {theirs} route add {kind} {v4}"))?;
            ip(&format!("-n {theirs} -6 route add {kind} {v6}"))?;
        }
        // A router that says everything, as often as it is asked.
        for setting in [
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1",
            "net.ipv4.icmp_ratelimit=0",
            "net.ipv4.icmp_msgs_per_sec=100000",
            "net.ipv4.icmp_msgs_burst=100000",
            "net.ipv6.icmp.ratelimit=0",
        ] {
            let set = within(&theirs, &["sysctl", "-qw", setting]).output().map_err(|error| error.to_string())?;
            // Newer kernels know more of these than older ones.
            drop(set);
        }
        lab.gateway_mac = String::from_utf8_lossy(
            &within(&theirs, &["cat", "/sys/class/net/vb/address"]).output().map_err(|error| error.to_string())?.stdout,
        )
        .trim()
        .to_string();
        Ok(lab)
    }

    /// Runs one of the helpers below in the other namespace.
    fn helper(&self, name: &str) -> Running {
        let test = std::env::current_exe().expect("a test knows its own file").display().to_string();
        let mut command = within(&self.theirs, &[&test, name, "--exact", "--nocapture"]);
        let directory = tempfile::tempdir().expect("a folder");
        let ready = directory.path().join("ready");
        command.env("KSIG_HELPER", &ready);
        let helper = Running::start(command);
        while !ready.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        helper
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let ksig = ksig().display().to_string();
        let mut command = within(&self.ours, &[&ksig, "discover"]);
        command.args(arguments).args(["--no-blocklist", "--cooldown", "2s", "--all"]);
        Running::start(command)
    }

    fn discover(&self, arguments: &[&str]) -> BTreeMap<(IpAddr, u16), String> {
        let ended = self.start(&[arguments, &["--quiet"]].concat()).wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        states(&ended.stdout).into_iter().collect()
    }
}

/// Each line of what `ksig discover` says.
fn states(said: &str) -> Vec<((IpAddr, u16), String)> {
    let words = said.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| ((words[0].parse().expect("an address"), words[1].parse().expect("a port")), words[2].to_string())).collect()
}

/// The number before a word in what `ksig discover` says at its end.
fn told(said: &str, word: &str) -> u64 {
    let line = said.lines().rev().find(|line| line.contains(word)).unwrap_or_else(|| panic!("no {word} in {said}"));
    let before = line.split(word).next().expect("a first part").trim_end();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number before {word} in {line}"))
}

impl Drop for Lab {
    fn drop(&mut self) {
        self._listener = None;
        for namespace in [&self.ours, &self.theirs] {
            let _ = ip(&format!("netns del {namespace}"));
        }
    }
}

/// Run by the other tests inside their namespace; by itself it has nothing to do.
#[test]
fn a_listener_for_the_other_tests() {
    let Some(ready) = std::env::var_os("KSIG_HELPER") else { return };
    let _v4 = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).expect("a port");
    // Linux gives the port of both families to one of IPv6, unless IPv4 has it.
    let _v6 = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 8080)).expect("a port");
    std::fs::write(ready, "").expect("a file");
    loop {
        std::thread::park();
    }
}

/// Run by another test inside its namespace; by itself it has nothing to do. It answers every SYN that it sees: one for port 80 with what the
/// host says too, again and again; one for another port as if that were open, with numbers that it guesses; and it lets a host speak that
/// nobody called.
#[test]
fn a_forger_for_the_other_tests() {
    let Some(ready) = std::env::var_os("KSIG_HELPER") else { return };
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).expect("a raw socket of root");
    socket.set_header_included_v4(true).expect("a raw socket");
    std::fs::write(ready, "").expect("a file");
    let mut packet = [0; 2048];
    loop {
        let length = (&socket).read(&mut packet).expect("a packet");
        let header = usize::from(packet[0] & 15) * 4;
        let (ip, tcp) = packet[..length].split_at(header);
        if tcp.len() < 20 || tcp[13] != 2 {
            continue;
        }
        let sequence = u32::from_be_bytes([tcp[4], tcp[5], tcp[6], tcp[7]]);
        let to = SocketAddrV4::new(Ipv4Addr::new(ip[12], ip[13], ip[14], ip[15]), 0).into();
        let say = |last: u8, acknowledged: u32| {
            let mut answer = vec![0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, ip[16], ip[17], ip[18], last];
            answer.extend_from_slice(&ip[12..16]);
            answer.extend_from_slice(&[tcp[2], tcp[3], tcp[0], tcp[1], 0, 0, 0, 1]);
            answer.extend_from_slice(&acknowledged.to_be_bytes());
            answer.extend_from_slice(&[0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0]);
            socket.send_to(&answer, &to).expect("the way back");
        };
        let right = sequence.wrapping_add(1);
        if tcp[2..4] == [0, 80] {
            (0..20).for_each(|_| say(ip[19], right));
        } else {
            [0, 1, sequence, right.wrapping_add(1), !right].iter().for_each(|guess| say(ip[19], *guess));
        }
        say(200, right);
    }
}

/// A lab, or a line that says why there is none.
fn lab(name: &str) -> Option<Lab> {
    match Lab::new(name) {
        Ok(mut lab) => {
            lab._listener = Some(lab.helper("a_listener_for_the_other_tests"));
            Some(lab)
        }
        Err(reason) => {
            println!("skipped: network namespaces cannot be made here: {reason}");
            None
        }
    }
}

#[test]
fn open_closed_unreachable_prohibited_and_silent_are_told_apart() {
    let Some(lab) = lab("c") else { return };
    let link = ["--gateway-mac", &lab.gateway_mac];
    for (hosts, source, open) in [("198.19.0.0/28", "198.18.0.2", [80, 8080].as_slice()), ("fd00:19::/124", "fd00:18::2", &[8080])] {
        let states = lab.discover(&[[hosts, "--ports", "80-82,8080", "--source", source, "--rate", "2000"].as_slice(), &link].concat());
        assert_eq!(states.len(), 4 * 16, "every host says something of every port");
        for ((address, port), state) in &states {
            assert_eq!(state, if open.contains(port) { "open" } else { "closed" }, "{address} {port}");
        }
    }
    // Linux, as a router, tells a peer of about one error a second: so slowly these are called.
    for (unreachable, prohibited, silent, source) in [
        ("198.19.0.16-198.19.0.18", "198.19.0.32-198.19.0.34", "198.19.0.48", "198.18.0.2"),
        ("fd00:19::10-fd00:19::12", "fd00:19::20-fd00:19::22", "fd00:19::30", "fd00:18::2"),
    ] {
        let targets = [unreachable, prohibited, silent];
        let states = lab.discover(&[targets.as_slice(), &["--ports", "80", "--source", source, "--rate", "1"], &link].concat());
        assert_eq!(states.len(), 6, "the silent one says nothing: {states:?}");
        let first = |range: &str| range.split('-').next().expect("an address").parse::<IpAddr>().expect("an address");
        for ((address, _), state) in &states {
            let wanted = if *address < first(prohibited) { "unreachable" } else { "prohibited" };
            assert_eq!(state, wanted, "{address}");
        }
    }
}

#[test]
fn answers_that_are_forged_or_repeated_find_nothing() {
    let Some(lab) = lab("f") else { return };
    let _forger = lab.helper("a_forger_for_the_other_tests");
    let link = ["--interface", "va", "--gateway-mac", &lab.gateway_mac, "--source", "198.18.0.2"];
    let ended = lab.start(&[["198.19.0.0/28", "--ports", "80-81", "--rate", "200"].as_slice(), &link].concat()).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut found = states(&ended.stdout);
    found.sort();
    assert_eq!(found.len(), 2 * 16, "each place once: {found:?}");
    for ((address, port), state) in &found {
        assert_eq!(state, if *port == 80 { "open" } else { "closed" }, "{address} {port}");
    }
    // Five guesses for each closed port, and one word of the host that nobody called for each packet.
    assert_eq!(told(&ended.stderr, "forged"), 16 * 5 + 2 * 16, "{}", ended.stderr);
    assert_eq!(told(&ended.stderr, "answers repeated"), 16 * 20, "{}", ended.stderr);
}

#[test]
fn where_the_link_has_no_room_packets_wait_and_none_is_left_out() {
    let Some(lab) = lab("e") else { return };
    let link = ["--interface", "va", "--gateway-mac", &lab.gateway_mac, "--source", "198.18.0.2"];
    let discovering = lab.start(&[["198.19.0.0/28", "--ports", "1000-1124", "--rate", "500"].as_slice(), &link].concat());
    std::thread::sleep(Duration::from_secs(1));
    // The cable is pulled: the driver takes no frame, which is ENOBUFS for whoever sends one.
    ip(&format!("-n {} link set vb down", lab.theirs)).expect("the other end goes down");
    std::thread::sleep(Duration::from_secs(1));
    ip(&format!("-n {} link set vb up", lab.theirs)).expect("the other end comes up");
    let ended = discovering.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(told(&ended.stderr, "sent,"), 2000, "{}", ended.stderr);
    assert!(told(&ended.stderr, "times for room") > 0, "{}", ended.stderr);
    // What was on its way at that moment is lost, as on any cable; all that waited was sent.
    let found = states(&ended.stdout);
    assert!(found.len() >= 1900 && found.iter().all(|(_, state)| state == "closed"), "{} of 2000", found.len());
}

#[test]
fn the_way_out_is_found_and_a_run_that_was_broken_off_goes_on() {
    let Some(lab) = lab("r") else { return };
    // Whoever was spoken to once is in the neighbours' table.
    let _ = within(&lab.ours, &["bash", "-c", "exec 3<>/dev/tcp/198.18.0.1/9"]).output();
    let directory = tempfile::tempdir().expect("a folder");
    let checkpoint = directory.path().join("half.json");
    let arguments = |path: &Path| -> Vec<String> {
        ["198.19.0.0/28", "--ports", "80,1000-1010", "--key", "5", "--checkpoint"]
            .iter()
            .map(ToString::to_string)
            .chain([path.display().to_string()])
            .collect()
    };
    let words = arguments(&checkpoint);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let all = lab.discover(&words);
    assert_eq!(lab.discover(&words).len(), 0, "all was through already");
    // As if it had been killed after half of its places.
    let kept = std::fs::read_to_string(&checkpoint).expect("the checkpoint");
    assert!(kept.contains("\"settled\":192"), "{kept}");
    std::fs::write(&checkpoint, kept.replace("\"settled\":192", "\"settled\":96")).expect("write");
    let rest = lab.discover(&words);
    assert_eq!((all.len(), rest.len()), (192, 96));
    assert!(rest.iter().all(|(place, state)| all.get(place) == Some(state)));
    let halves: Vec<_> =
        ["1/2", "2/2"].map(|shard| lab.discover(&["198.19.0.0/28", "--ports", "80", "--key", "5", "--shard", shard])).into();
    let together: BTreeMap<_, _> = halves.iter().flatten().collect();
    assert_eq!(together.len(), halves[0].len() + halves[1].len());
    assert_eq!(together.values().filter(|state| state.as_str() == "open").count(), 16);
}

/// Who listens on the loopback, as text, in the order of addresses and ports.
fn listening(ended: &str) -> Vec<String> {
    let mut lines: Vec<String> = ended.lines().map(str::to_string).collect();
    lines.sort();
    lines
}

#[test]
fn who_may_not_send_packets_makes_connections_and_finds_the_same() {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 77, 0, 2), 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let ports = format!("{port}");
    let wanted = ["127.77.0.1", "127.77.0.2", "127.77.0.3"].map(|address| {
        let state = if address == "127.77.0.2" { "open" } else { "closed" };
        format!("{address} {port} {state}")
    });
    let arguments = ["discover", "127.77.0.1-127.77.0.3", "--ports", &ports, "--no-blocklist", "--cooldown", "2s", "--all"];
    let ended = run_in(workspace(), &[arguments.as_slice(), &["--connect"]].concat());
    assert_eq!((ended.code, listening(&ended.stdout)), (Some(0), wanted.to_vec()), "{}", ended.stderr);
    assert!(ended.stderr.contains("3 of 3 places, 3 sent, 0 blocked: 1 open, 2 closed"), "{}", ended.stderr);
    // Without a word about it: packets do not go to the loopback.
    let ended = run_in(workspace(), &arguments);
    assert_eq!((ended.code, listening(&ended.stdout)), (Some(0), wanted.to_vec()), "{}", ended.stderr);
    assert!(ended.stderr.contains("connections are made instead"), "{}", ended.stderr);
    let Some(lab) = lab("p") else { return };
    let ksig = ksig().display().to_string();
    let mut command = within(&lab.ours, &["setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw", &ksig]);
    command.args(["discover", "198.19.0.0/30", "--ports", "80", "--no-blocklist", "--cooldown", "2s"]);
    let ended = Running::start(command).wait();
    if ended.stderr.contains("setpriv:") {
        println!("skipped: privileges cannot be laid down here: {}", ended.stderr);
        return;
    }
    let wanted = [0, 1, 2, 3].map(|last| format!("198.19.0.{last} 80 open"));
    assert_eq!((ended.code, listening(&ended.stdout)), (Some(0), wanted.to_vec()), "{}", ended.stderr);
    assert!(ended.stderr.contains("CAP_NET_RAW, which is not given: connections are made instead"), "{}", ended.stderr);
}

#[test]
fn public_addresses_need_all_four_words_and_a_feed_calls_what_was_found_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("write");
    write("allow", "8.8.8.0/24\n");
    write("block", "8.8.8.8\n");
    let refused = |more: &[&str]| {
        let ended = run_in(folder.path(), &[["discover", "8.8.8.8", "--ports", "53", "--connect"].as_slice(), more].concat());
        assert_ne!(ended.code, Some(0));
        ended.stderr
    };
    assert!(refused(&["--no-blocklist"]).contains("an allow-list must be named"));
    assert!(refused(&["--no-blocklist", "--allow", "allow"]).contains("none is named"));
    assert!(refused(&["--allow", "allow", "--contact", "https://example.org/scan"]).contains("no blocklist is named"));
    let four = ["--allow", "allow", "--contact", "https://example.org/scan", "--blocklist", "block"];
    assert!(refused(&four).contains("called at a pace"));
    // All four, and the only target opted out: nobody is called.
    let ended = run_in(
        folder.path(),
        &[["discover", "8.8.8.8", "--ports", "53", "--connect", "--rate", "1", "--cooldown", "10ms"].as_slice(), &four].concat(),
    );
    assert!(ended.code == Some(0) && ended.stderr.contains("0 sent, 1 blocked"), "{}", ended.stderr);

    let listener = TcpListener::bind((Ipv4Addr::new(127, 77, 1, 1), 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            use std::io::Write as _;
            let _ = stream.and_then(|mut stream| stream.write_all(b"SSH-2.0-dropbear_2022.83\r\n"));
        }
    });
    write("open", &format!("#masscan\nopen tcp {port} 127.77.1.1 1795827657\n# end\n"));
    let ended = run_in(
        folder.path(),
        &["scan", "--feed", "open", "--ports", &format!("{port}=ssh,1=http"), "--no-blocklist", "-o", "seen.ndjson", "--quiet"],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let seen = std::fs::read_to_string(folder.path().join("seen.ndjson")).expect("observations");
    assert_eq!(seen.lines().count(), 1, "port 1 was not found open, and nobody else was: {seen}");
    // The greeting in base64.
    assert!(seen.contains("U1NILTIuMC1kcm9wYmVhcl8yMDIyLjgzDQo=") && seen.contains("127.77.1.1"), "{seen}");
    write("open", "8.8.8.8 53 open\n");
    let ended = run_in(folder.path(), &["scan", "--feed", "open", "--no-blocklist"]);
    assert!(ended.code != Some(0) && ended.stderr.contains("open: target 1: 8.8.8.8"), "{}", ended.stderr);
}

/// A release that asks over TCP and over UDP.
const TWO_SERVICES: &str = r#"ksig 1
module acme
use vocab.vendors { acme }
probe top = http.get("/")
probe search = ssdp.msearch(st: "upnp:rootdevice", mx: 1)

signature gateway {
  summary "ACME gateway"
  evidence documented "the handbook of this test"
  match {
    top.html.title == "ACME gateway"
    search.server == "ACME/1.0 UPnP/1.0"
  }
  identify { vendor = acme }
}
"#;

#[test]
fn a_sweep_finds_by_packets_and_talks_to_what_is_open() {
    let Some(lab) = lab("s") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let signatures = folder.path().join("signatures");
    std::fs::create_dir_all(signatures.join("vocab")).expect("a folder");
    std::fs::write(signatures.join("acme.ksig"), TWO_SERVICES).expect("a file");
    std::fs::write(signatures.join("vocab/vendors.ksig"), "ksig 1\nmodule vocab.vendors\nvendor acme {\n  name \"ACME\"\n}\n")
        .expect("a file");
    let state = folder.path().join("state");
    let mut command = within(&lab.ours, &[&ksig().display().to_string(), "sweep", "198.19.0.0/28", "198.19.0.48", "fd00:18::1"]);
    command.args(["--packets", "--packet-patience", "500ms", "--interface", "va", "--gateway-mac", &lab.gateway_mac]);
    command.args(["--ports", "80=http,81=http,1900=ssdp", "--cycle", "4s", "--cycles", "1", "--network-gap", "5ms", "--host-gap", "5ms"]);
    command.args(["--connect-timeout-ms", "500", "--first-byte-timeout-ms", "200", "--no-blocklist", "--quiet", "--state"]).arg(&state);
    command.arg("--signatures").arg(&signatures);
    let ended = Running::start(command).wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut talked: BTreeMap<(IpAddr, u16), u32> = BTreeMap::new();
    for observation in ksig_atlas::LogReader::open(&state.join("log")).expect("a log") {
        let observation = observation.expect("an observation");
        *talked.entry((observation.address, observation.port)).or_default() += 1;
    }
    let (v6, silent): (IpAddr, IpAddr) = ("fd00:18::1".parse().expect("an address"), "198.19.0.48".parse().expect("an address"));
    for place @ (address, port) in talked.keys() {
        let told_by_packet = address.is_ipv4() && *port != 1900;
        assert!(!told_by_packet || *port == 80 && *address != silent, "a connection to {place:?}, which no packet found open");
    }
    // Whom packets of the other family cannot reach, and what speaks over UDP, is talked to at once.
    assert!([80, 81, 1900].iter().all(|port| talked.contains_key(&(v6, *port))), "{talked:?}");
    assert_eq!(talked.keys().filter(|(address, port)| address.is_ipv4() && *port == 1900).count(), 17);
    assert_eq!(talked.keys().filter(|(address, port)| address.is_ipv4() && *port == 80).count(), 16, "{talked:?}");
    let status = run_in(folder.path(), &["sweep", "status", "--state", "state", "--format", "json"]).json_lines().remove(0);
    assert_eq!(status["hosts"], 16, "{status:#}");
}
