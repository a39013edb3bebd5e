//! Servers of the world, scanned on loopback: what ksig says of each is what its package says of itself.
//!
//! Each server runs from Debian's package on a free port, out of a temporary folder. A server that is not installed is passed over and
//! named; `.ci/run prepare` installs them all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ksig_tests::binary::{Running, answers, free_ports, run_in, workspace};

/// A server that can be started.
struct Server {
    /// The product that signatures name.
    product: &'static str,
    /// What a scan expects on its port.
    service: &'static str,
    /// Debian's package; its version is the truth.
    package: &'static str,
    /// The program, by its file name.
    program: &'static str,
    /// Whether its greeting tells its version as Debian configures it.
    tells_version: bool,
    /// Writes what it needs into its folder and gives its arguments.
    arguments: fn(&Path, u16) -> Vec<String>,
}

const SERVERS: &[Server] = &[
    Server { product: "nginx", service: "http", package: "nginx", program: "nginx", tells_version: true, arguments: nginx },
    Server { product: "lighttpd", service: "http", package: "lighttpd", program: "lighttpd", tells_version: true, arguments: lighttpd },
    Server {
        product: "mini_httpd",
        service: "http",
        package: "mini-httpd",
        program: "mini_httpd",
        tells_version: true,
        arguments: mini_httpd,
    },
    Server { product: "openssh", service: "ssh", package: "openssh-server", program: "sshd", tells_version: true, arguments: sshd },
    Server {
        product: "dropbear_ssh",
        service: "ssh",
        package: "dropbear-bin",
        program: "dropbear",
        tells_version: true,
        arguments: dropbear,
    },
    Server { product: "vsftpd", service: "ftp", package: "vsftpd", program: "vsftpd", tells_version: true, arguments: vsftpd },
    Server { product: "proftpd", service: "ftp", package: "proftpd-core", program: "proftpd", tells_version: false, arguments: proftpd },
    Server { product: "exim", service: "smtp", package: "exim4-daemon-light", program: "exim4", tells_version: true, arguments: exim },
];

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a temporary folder can be written");
    path.display().to_string()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(String::from).collect()
}

fn nginx(folder: &Path, port: u16) -> Vec<String> {
    let at = folder.display();
    let bodies: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|kind| format!("{kind}_temp_path {at}/{kind};\n")).collect();
    let text = format!(
        "daemon off; master_process off; pid {at}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{bodies}\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"hello\"; }} }}\n}}\n"
    );
    let config = write(folder, "nginx.conf", &text);
    words(&format!("-p {at} -c {config} -e {at}/nginx.err"))
}

fn lighttpd(folder: &Path, port: u16) -> Vec<String> {
    let at = folder.display();
    let text = format!("server.document-root = \"{at}\"\nserver.port = {port}\nserver.bind = \"127.0.0.1\"\n");
    words(&format!("-D -f {}", write(folder, "lighttpd.conf", &text)))
}

fn mini_httpd(folder: &Path, port: u16) -> Vec<String> {
    write(folder, "index.html", "<title>hello</title>");
    let at = folder.display();
    words(&format!("-D -h 127.0.0.1 -p {port} -d {at} -i {at}/mini_httpd.pid"))
}

fn sshd(folder: &Path, port: u16) -> Vec<String> {
    let key = folder.join("key");
    prepare("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key.display().to_string()]);
    if is_root() {
        // sshd refuses to run as root without the folder that it locks its children in.
        fs::create_dir_all("/run/sshd").expect("root can create /run/sshd");
    }
    let options = "-o ListenAddress=127.0.0.1 -o UsePAM=no -o PidFile=none";
    words(&format!("-D -e -f /dev/null -p {port} -h {} {options}", key.display()))
}

fn dropbear(folder: &Path, port: u16) -> Vec<String> {
    let (key, pid) = (folder.join("key").display().to_string(), folder.join("pid").display().to_string());
    prepare("dropbearkey", &["-t", "ed25519", "-f", &key]);
    words(&format!("-F -E -p 127.0.0.1:{port} -r {key} -P {pid}"))
}

fn vsftpd(folder: &Path, port: u16) -> Vec<String> {
    let empty = folder.join("empty");
    fs::create_dir(&empty).expect("a temporary folder can be written");
    let at = empty.display();
    let mut text = format!(
        "listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nanonymous_enable=YES\nlocal_enable=NO\n\
         secure_chroot_dir={at}\nanon_root={at}\nseccomp_sandbox=NO\n"
    );
    if !is_root() {
        text += "run_as_launching_user=YES\n";
    }
    vec![write(folder, "vsftpd.conf", &text)]
}

fn proftpd(folder: &Path, port: u16) -> Vec<String> {
    let text = format!(
        "ServerName \"test\"\nServerType standalone\nPort {port}\nDefaultAddress 127.0.0.1\nSocketBindTight on\nPidFile {}/pid\n\
         ScoreboardFile none\nDelayTable none\nWtmpLog off\nUseReverseDNS off\n",
        folder.display()
    );
    words(&format!("-n -q -c {}", write(folder, "proftpd.conf", &text)))
}

fn exim(folder: &Path, port: u16) -> Vec<String> {
    let spool = folder.join("spool");
    fs::create_dir(&spool).expect("a temporary folder can be written");
    let at = spool.display();
    let text = format!(
        "keep_environment =\nprimary_hostname = mail.localhost\nspool_directory = {at}\nlog_file_path = {at}/%slog\n\
         pid_file_path = {at}/pid\nacl_smtp_rcpt = deny\nbegin acl\ndeny:\n  deny\n"
    );
    if is_root() {
        // Exim gives up root for its own user, who must be able to write the spool.
        prepare("chown", &["Debian-exim", &at.to_string()]);
    }
    words(&format!("-bdf -C {} -oX 127.0.0.1.{port}", write(folder, "exim.conf", &text)))
}

fn prepare(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program} comes with its server: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

impl Server {
    /// The program: installed, or unpacked by `.ci/run` where its package cannot be installed beside another.
    fn program(&self) -> Option<PathBuf> {
        let unpacked = workspace().join("target/servers").join(self.package);
        [Path::new("/"), unpacked.as_path()]
            .iter()
            .flat_map(|root| ["usr/sbin", "usr/bin"].map(|folder| root.join(folder).join(self.program)))
            .find(|path| path.is_file())
    }

    /// The version as its makers count it: Debian's without epoch, revision and repackaging.
    fn version(&self) -> String {
        let installed = Command::new("dpkg-query").args(["-W", "-f", "${Version}", self.package]).output().expect("a Debian system");
        let full = String::from_utf8(installed.stdout).expect("versions are ASCII");
        let upstream = full.split_once(':').map_or(full.as_str(), |(_, rest)| rest);
        let upstream = upstream.rsplit_once('-').map_or(upstream, |(version, _)| version);
        upstream.split(['+', '~']).next().unwrap_or(upstream).to_string()
    }

    fn start(&self, folder: &Path, port: u16) -> Option<Running> {
        let program = self.program().or_else(|| {
            println!("skipped {}: {} is not installed; `.ci/run prepare` installs it", self.product, self.package);
            None
        })?;
        let own = folder.join(self.product);
        fs::create_dir(&own).expect("a temporary folder can be written");
        let mut command = Command::new(program);
        command.args((self.arguments)(&own, port)).current_dir(&own);
        let mut running = Running::start(command);
        assert!(answers(port), "{} does not answer:\n{}", self.product, running.kill_and_read().1);
        Some(running)
    }
}

/// A folder that servers which give up root can enter.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("our own folder");
    folder
}

/// Products and versions of the components that are named on a port.
fn components(lines: &[serde_json::Value], port: u16) -> Vec<(String, Option<String>)> {
    let of_port = lines.iter().filter(|line| line["port"] == port);
    let identified = of_port.flat_map(|line| line["identifications"].as_array().into_iter().flatten());
    identified
        .flat_map(|one| one["components"].as_array().into_iter().flatten())
        .map(|component| (component["product"].as_str().unwrap_or_default().into(), component["version"].as_str().map(String::from)))
        .collect()
}

fn scan(folder: &Path, ports: &str) -> Vec<serde_json::Value> {
    let scan = run_in(folder, &["scan", "127.0.0.1", "--ports", ports, "--no-blocklist", "-o", "observations.ndjson", "--quiet"]);
    assert_eq!(scan.code, Some(0), "{}", scan.stderr);
    scan.json_lines()
}

#[test]
fn servers_are_named_with_the_version_of_their_package() {
    let folder = open_folder();
    let ports: [u16; SERVERS.len()] = free_ports();
    let started: Vec<(&Server, u16, Running)> =
        SERVERS.iter().zip(ports).filter_map(|(server, port)| Some((server, port, server.start(folder.path(), port)?))).collect();
    if started.is_empty() {
        println!("skipped: no server is installed");
        return;
    }
    let spoken: Vec<String> = started.iter().map(|(server, port, _)| format!("{port}={}", server.service)).collect();
    let lines = scan(folder.path(), &spoken.join(","));
    let mut wrong = Vec::new();
    for (server, port, _) in &started {
        let expected = (server.product.to_string(), server.tells_version.then(|| server.version()));
        let found = components(&lines, *port);
        println!("{}: {found:?}", server.product);
        if found != [expected.clone()] {
            let line = lines.iter().find(|line| line["port"] == *port);
            wrong.push(format!("{}: expected {expected:?}, found {found:?} in {line:?}", server.product));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let observed = fs::read_to_string(folder.path().join("observations.ndjson")).expect("the scan wrote its observations");
    for (server, port, _) in &started {
        let records = observed.lines().filter(|line| line.contains(&format!("\"port\":{port},"))).count();
        assert!(records > 0, "no observation of {} was written", server.product);
    }
}

#[test]
fn a_server_behind_tls_is_named_like_one_that_is_not() {
    let folder = open_folder();
    let [plain, tls] = free_ports();
    let (web, stunnel) = (&SERVERS[0], Path::new("/usr/bin/stunnel4"));
    if !stunnel.is_file() || !Path::new("/usr/bin/openssl").is_file() {
        println!("skipped: stunnel4 or openssl is not installed; `.ci/run prepare` installs them");
        return;
    }
    let Some(_web) = web.start(folder.path(), plain) else { return };
    let certificate = folder.path().join("certificate.pem").display().to_string();
    let request = format!("req -x509 -newkey rsa:2048 -nodes -keyout {certificate} -out {certificate}.only -days 2 -subj /CN=stunnel.test");
    prepare("openssl", &request.split(' ').collect::<Vec<_>>());
    let both = fs::read_to_string(&certificate).expect("written") + &fs::read_to_string(format!("{certificate}.only")).expect("written");
    fs::write(&certificate, both).expect("our own file");
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o600)).expect("our own file");
    let text = format!("foreground = yes\npid =\n[web]\naccept = 127.0.0.1:{tls}\nconnect = 127.0.0.1:{plain}\ncert = {certificate}\n");
    let mut command = Command::new(stunnel);
    command.arg(write(folder.path(), "stunnel.conf", &text));
    let mut front = Running::start(command);
    assert!(answers(tls), "stunnel does not answer:\n{}", front.kill_and_read().1);
    let lines = scan(folder.path(), &format!("{tls}=https"));
    assert_eq!(components(&lines, tls), [("nginx".to_string(), Some(web.version()))], "{lines:?}");
}
