//! The built `ksig` and other programs, run as a user runs them, and ended whatever happens.
//!
//! Absent: what the programs say is judged by the tests.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest run of a command; a longer one has hung.
pub const RUN_MAX: Duration = Duration::from_secs(180);

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the workspace")
}

/// What stands under `shared` beside the working copy: data that the repository does not hold. Absent where there is none.
pub fn shared(path: &str) -> Option<PathBuf> {
    workspace().ancestors().map(|folder| folder.join("shared").join(path)).find(|path| path.exists())
}

/// The binary `ksig` of the same profile as the test; cargo builds it, under another name, with every test of this package.
pub fn ksig() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let profile = test.parent().and_then(Path::parent).expect("a test stands in <target>/<profile>/deps");
    profile.join("ksig-under-test")
}

/// What a finished program left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output as lines of JSON.
    ///
    /// # Panics
    /// When a line is none.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}\n{}", self.stderr));
        self.stdout.lines().map(read).collect()
    }
}

/// Runs `ksig` in a folder until it ends.
///
/// # Panics
/// When it takes longer than [`RUN_MAX`].
pub fn run_in(folder: &Path, arguments: &[&str]) -> Finished {
    let mut command = Command::new(ksig());
    command.args(arguments).current_dir(folder);
    Running::start(command).wait()
}

/// Starts `ksig sim` in a folder with more arguments, and waits until it answers on all these ports; each is spoken on as is said of it. Ports
/// that are spoken on over UDP alone stand before the others: they are open when these answer.
///
/// # Panics
/// When it does not answer.
pub fn simulator(folder: &Path, population: &str, ports: &[(u16, &str)], more: &[&str]) -> Running {
    let mut command = Command::new(ksig());
    command.args(["sim", "--population", population, "--ports", &spoken(ports)]).args(more).current_dir(folder);
    let mut simulator = Running::start(command);
    let over_tcp = |service: &str| service.parse::<ksig_scanner::ServiceName>().is_ok_and(|service| service.over_tcp());
    for (port, _) in ports.iter().filter(|(_, service)| over_tcp(service)) {
        assert!(answers(*port), "the simulator does not answer on {port}:\n{}", simulator.kill_and_read().1);
    }
    simulator
}

/// Ports and what is spoken there, as `--ports` takes them.
pub fn spoken(ports: &[(u16, &str)]) -> String {
    ports.iter().map(|(port, service)| format!("{port}={service}")).collect::<Vec<_>>().join(",")
}

/// A program in a process group of its own; the whole group is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    readers: Option<[std::thread::JoinHandle<String>; 2]>,
}

impl Running {
    /// Starts a program with an empty standard input; what it prints is kept.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} must start: {error}"));
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        Running { child, readers: Some([read_all(stdout), read_all(stderr)]) }
    }

    /// Sends a signal by its name, `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the process is gone before it got the signal");
    }

    /// Whether it is still there.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it takes longer than [`RUN_MAX`].
    pub fn wait(mut self) -> Finished {
        let begin = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => break status,
                None if begin.elapsed() > RUN_MAX => panic!("it has not ended after {RUN_MAX:?}:\n{}", self.kill_and_read().1),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        self.finish(status)
    }

    /// Kills it and gives what it printed: standard output and standard error.
    pub fn kill_and_read(&mut self) -> (String, String) {
        self.kill();
        let Some([stdout, stderr]) = self.readers.take() else { return Default::default() };
        (stdout.join().expect("a reader ends with its pipe"), stderr.join().expect("a reader ends with its pipe"))
    }

    fn finish(mut self, status: ExitStatus) -> Finished {
        let (stdout, stderr) = self.kill_and_read();
        Finished { code: status.code(), stdout, stderr }
    }

    fn kill(&mut self) {
        // The group may outlive its first process: servers leave workers. `kill` says so when none is left, which is what is wanted.
        let group = format!("-{}", self.child.id());
        Command::new("kill").args(["-s", "KILL", "--", &group]).stderr(Stdio::null()).status().ok();
        self.child.wait().ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe reads until its end");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Different ports of loopback that are free now.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("loopback has free ports"));
    listeners.map(|listener| listener.local_addr().expect("bound").port())
}

/// Waits until something listens on a UDP port of loopback, whatever it answers; false when nothing does in ten seconds.
///
/// # Panics
/// When loopback has no free port.
pub fn answers_over_udp(port: u16) -> bool {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
    socket.connect(("127.0.0.1", port)).expect("loopback can be spoken to");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("not zero");
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        // Where nobody listens, the kernel refuses, and the next call tells it.
        let heard = socket.send(b"").and_then(|_| socket.recv(&mut [0; 16]));
        if !heard.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Waits until something accepts on a port of loopback; false when nothing does in ten seconds.
pub fn answers(port: u16) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
