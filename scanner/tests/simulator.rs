//! The simulated population answers as its file says, to plain sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use ksig_scanner::sim::{Fault, Population, SimError, Simulator};
use ksig_scanner::{PortUse, parse_ports};

fn faults() -> Population {
    Population::parse("faults.toml", include_str!("../populations/faults.toml")).expect("faults.toml")
}

fn started(population: Population) -> Simulator {
    let ports = population.free_ports();
    Simulator::start(population, &ports).expect("free ports")
}

fn call(simulator: &Simulator, address: Ipv4Addr, service: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let port = simulator.port_of(service).expect(service);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, port)), Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

const GET: &str = "GET /login.htm HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn a_device_answers_what_its_truth_says() {
    let simulator = started(faults());
    let routers: Vec<_> = simulator.truth().filter(|truth| truth.device == "acme-router").take(5).collect();
    assert_eq!(routers.len(), 5);
    for truth in routers {
        let answer = call(&simulator, truth.address, "http", GET).expect("an answer");
        let answer = String::from_utf8(answer).expect("utf-8");
        assert!(answer.contains(&format!("<title>{} login</title>", truth.model.expect("model"))), "{answer}");
        assert!(answer.contains(&format!("firmware {}<", truth.version.expect("version"))), "{answer}");
        assert_eq!(simulator.connects(truth.address), 1);
    }
}

#[test]
fn texts_go_out_in_the_charset_of_the_device() {
    let simulator = started(faults());
    let camera = simulator.truth().find(|truth| truth.device == "invented-camera-shift-jis").expect("a camera");
    let answer = call(&simulator, camera.address, "http", "GET / HTTP/1.0\r\n\r\n").expect("an answer");
    let title = encoding_rs::SHIFT_JIS.encode("<title>ネットワークカメラ").0.into_owned();
    assert!(answer.windows(title.len()).any(|window| window == title));
}

#[test]
fn nobody_lives_outside_the_population_and_devices_have_only_their_services() {
    let simulator = started(faults());
    let astray = call(&simulator, Ipv4Addr::new(127, 16, 200, 1), "http", GET);
    let unspoken = simulator.truth().find(|truth| truth.device == "unnamed").map(|truth| call(&simulator, truth.address, "http", GET));
    for ended in [astray, unspoken.expect("an unnamed device")] {
        let kind = ended.expect_err("a reset").kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
    }
    assert_eq!(simulator.connects_astray(), 1);
}

#[test]
fn a_port_in_use_is_named() {
    let simulator = started(faults());
    let port = simulator.port_of("http").expect("http");
    let taken = [PortUse { port, service: Some("http".parse().expect("http")) }];
    let error = Simulator::start(faults(), &taken).err().expect("the port is taken");
    assert!(matches!(&error, SimError::Listen { .. }) && error.to_string().contains(&format!("port {port} (http)")), "{error}");
    let unspoken = Simulator::start(faults(), &parse_ports("12345=imap").expect("ports")).err().expect("nobody speaks imap");
    assert!(unspoken.to_string().contains("no device of the population speaks imap"), "{unspoken}");
}

#[test]
fn the_truth_is_one_line_a_host() {
    let simulator = started(faults());
    let mut lines = Vec::new();
    simulator.write_truth(&mut lines).expect("writing to memory");
    let lines: Vec<serde_json::Value> =
        lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("json")).collect();
    assert_eq!(lines.len(), simulator.addresses().count());
    assert!(lines.iter().any(|line| line["known"] == false && line["vendor"].is_null()));
    assert!(lines.iter().any(|line| line["faults"] == serde_json::json!([Fault::Tarpit])));
}

#[test]
fn the_example_of_the_description_is_a_population() {
    let readme = include_str!("../populations/README.md");
    let example = readme.split("```").nth(1).and_then(|fence| fence.strip_prefix("toml\n")).expect("a toml fence");
    let population = Population::parse("README.md", example).expect("the example");
    assert_eq!(population.hosts(), 300);
}

#[test]
fn every_population_that_is_shipped_can_be_started() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("populations");
    let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let populations: Vec<_> = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert!(populations.len() >= 2, "{populations:?}");
    for path in populations {
        let simulator = started(Population::read(&path).unwrap_or_else(|error| panic!("{error}")));
        assert!(simulator.truth().all(|truth| truth.known || truth.vendor.is_none()));
    }
}

#[test]
fn mistakes_in_a_population_name_their_line() {
    let head = "synthetic = true\nnetwork = \"127.16.0.0/24\"\nhosts = 3\n[[device]]\nname = \"a\"\n[[device.service]]\n";
    let http = "on = \"http\"\n[[device.service.response]]\npath = \"/\"\n";
    let check = |text: String, line: usize, reason: &str| {
        let error = Population::parse("p.toml", &text).expect_err(&text).to_string();
        assert!(error.starts_with(&format!("p.toml:{line}: ")) && error.contains(reason), "{error}");
    };
    check("synthetic = false\nnetwork = \"127.0.0.0/8\"\nhosts = 1".into(), 1, "synthetic = true");
    check("synthetic = true\nnetwork = \"10.0.0.0/8\"\nhosts = 1".into(), 2, "not inside 127.0.0.0/8");
    check("synthetic = true\nnetwork = ".into(), 2, "");
    check(format!("{head}on = \"web\"\n"), 7, "`web` is not a service");
    check(format!("{head}on = \"ssh\"\n"), 7, "needs a `greeting`");
    check(format!("{head}{http}body = \"{{modle}}\"\n"), 10, "{modle} names no variable");
    check(format!("{head}{http}charset = \"morse\"\n"), 10, "`morse` is not a charset");
    check(format!("{head}{http}colour = 1\n"), 10, "colour");
    check(format!("{head}{http}[[device.fault]]\nfault = \"long-line\"\nshare = 0.1\n"), 11, "befalls no service");
    check(format!("{head}{http}[[device.fault]]\nfault = \"hiccups\"\nshare = 0.1\n"), 11, "hiccups");
    let crowded = format!("{head}{http}").replace("hosts = 3", "hosts = 300");
    let error = Population::parse("p.toml", &crowded).expect_err("too many").to_string();
    assert!(error.contains("room for 254"), "{error}");
}
