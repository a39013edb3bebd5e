//! What others found open: the output of discoveries as a list of whom to call where.
//!
//! In: a file, or standard input, in any of these forms, told apart line by line. Out: a [`Feed`]. Absent: whoever is not open.
//!
//! | form | a line |
//! |---|---|
//! | `ksig discover` | `192.0.2.1 80 open`, or its csv and json |
//! | zmap, plain and with `-O csv -f saddr,sport` | `192.0.2.1`; `192.0.2.1,80` below a line that names the columns |
//! | zmap `-O json` | `{ "saddr": "192.0.2.1", "sport": 80 }` |
//! | masscan `-oL` | `open tcp 80 192.0.2.1 1795827657` |
//! | masscan `-oJ`, `-oD` | `{ "ip": "192.0.2.1", "ports": [ {"port": 80, "status": "open"} ] }`, `{"ip":…,"port":80,…,"data":{"status":"open"}}` |
//! | masscan, nmap `-oG` | `Host: 192.0.2.1 () Ports: 80/open/tcp//http//` |
//! | masscan, nmap `-oX` | a document with `host`, `address`, `port` and `state` |
//! | anything else | `192.0.2.1:80`, `[2001:db8::1]:80` |
//!
//! The forms are those that zmap 2.1.1, masscan 1.3.2 and nmap 7.93 wrote.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

use crate::permission::Permission;
use crate::targets::{TargetError, TargetSet};

/// Stands for every port: whoever found the host did not say which.
const ANY: u16 = 0;
/// Longest line of a feed; a longer one is not a line of any of the forms.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Addresses with the ports that were found open there. 20 bytes a pair in memory; its targets take 60 an address that has no neighbour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Ascending, each once.
    places: Vec<(IpAddr, u16)>,
}

/// Why a feed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// It cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A line has none of the forms.
    #[error("{file}:{line}: {reason}")]
    Wrong {
        /// Which file.
        file: String,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Somebody in it may not be called, or nobody is in it.
    #[error("{file}: {source}")]
    Targets {
        /// Which file.
        file: String,
        /// Who, and why not.
        source: TargetError,
    },
}

impl Feed {
    /// Reads a file; `-` is standard input, which is read to its end.
    pub fn read(path: &Path) -> Result<Feed, FeedError> {
        let file = path.display().to_string();
        if file == "-" {
            return Feed::from_reader(io::stdin().lock(), "standard input");
        }
        match File::open(path) {
            Ok(opened) => Feed::from_reader(BufReader::new(opened), &file),
            Err(source) => Err(FeedError::Unreadable { file, source }),
        }
    }

    /// Reads a text; `file` stands in errors.
    pub fn from_reader(mut reader: impl BufRead, file: &str) -> Result<Feed, FeedError> {
        let unreadable = |source| FeedError::Unreadable { file: file.to_string(), source };
        let xml = reader.fill_buf().map_err(unreadable)?.trim_ascii_start().starts_with(b"<");
        let mut places = if xml { of_document(reader, file)? } else { of_lines(reader, file)? };
        places.sort_unstable();
        places.dedup();
        Ok(Feed { places })
    }

    /// All addresses that may be called. An error names one that may not.
    pub fn targets(&self, permission: &Permission, file: &str) -> Result<TargetSet, FeedError> {
        let mut addresses: Vec<IpAddr> = self.places.iter().map(|(address, _)| *address).collect();
        addresses.dedup();
        TargetSet::permitted_addresses(&addresses, permission).map_err(|source| FeedError::Targets { file: file.to_string(), source })
    }

    /// Every port that was found open somewhere, ascending.
    pub fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.places.iter().map(|(_, port)| *port).filter(|port| *port != ANY).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Whether that port was found open there.
    pub fn has(&self, address: IpAddr, port: u16) -> bool {
        [ANY, port].iter().any(|port| self.places.binary_search(&(address, *port)).is_ok())
    }
}

/// An address and a port as they come from a line.
type Place = (IpAddr, u16);

fn of_lines(mut reader: impl BufRead, file: &str) -> Result<Vec<Place>, FeedError> {
    let mut places = Vec::new();
    let mut columns: Option<Columns> = None;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = io::Read::take(&mut reader, LINE_BYTES_MAX).read_until(b'\n', &mut line);
        if read.map_err(|source| FeedError::Unreadable { file: file.to_string(), source })? == 0 {
            break;
        }
        let wrong = |reason: String| FeedError::Wrong { file: file.to_string(), line: number, reason };
        let text = str::from_utf8(&line).map_err(|_| wrong("it is not text".to_string()))?.trim();
        if let Some(named) = Columns::of_head(text) {
            columns = Some(named);
        } else {
            of_line(text, columns.as_ref(), &mut places).map_err(wrong)?;
        }
    }
    Ok(places)
}

/// Takes what a line says; the error says what is wrong with it.
fn of_line(text: &str, columns: Option<&Columns>, places: &mut Vec<Place>) -> Result<(), String> {
    let text = text.trim_end_matches(',');
    // Lists of JSON have a line for each comma and bracket.
    if matches!(text, "" | "[" | "]") || text.starts_with('#') {
        return Ok(());
    }
    if text.starts_with('{') {
        return of_json(text, places);
    }
    if let Some(columns) = columns {
        return columns.row(text, places);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["open", _, at, who, ..] => places.push((address(who)?, port(at)?)),
        // masscan's list has what services said as well; zmap and nmap have nothing of the kind.
        ["banner" | "closed", ..] => {}
        [who, at, state] => {
            let place = (address(who)?, port(at)?);
            if state == "open" {
                places.push(place);
            }
        }
        [only] => places.push(alone(only)?),
        _ if text.contains("Host: ") => of_host_line(text, places)?,
        _ => return Err(format!("`{text}` has none of the forms that a discovery writes")),
    }
    Ok(())
}

fn address(text: &str) -> Result<IpAddr, String> {
    let parsed: IpAddr = text.parse().map_err(|_| format!("`{text}` is not an address"))?;
    Ok(parsed.to_canonical())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port != ANY).ok_or_else(|| format!("`{text}` is not a port"))
}

/// `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`.
fn alone(text: &str) -> Result<Place, String> {
    match text.parse::<SocketAddr>() {
        Ok(place) if place.port() != ANY => Ok((place.ip().to_canonical(), place.port())),
        _ => Ok((address(text)?, ANY)),
    }
}

/// Which column holds what, as the first line of a table names them.
struct Columns {
    address: usize,
    port: Option<usize>,
    /// zmap's `success`, and the `state` of ours: rows without them are open.
    success: Option<usize>,
    state: Option<usize>,
}

impl Columns {
    fn of_head(text: &str) -> Option<Columns> {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let place = |wanted: &str| names.iter().position(|name| *name == wanted);
        Some(Columns { address: place("saddr")?, port: place("sport"), success: place("success"), state: place("state") })
    }

    fn row(&self, text: &str, places: &mut Vec<Place>) -> Result<(), String> {
        let cells: Vec<&str> = text.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let cell = |at: usize| {
            cells.get(at).copied().ok_or_else(|| format!("`{text}` has {} columns, and one behind them is needed", cells.len()))
        };
        let place = (address(cell(self.address)?)?, self.port.map_or(Ok(ANY), |at| port(cell(at)?))?);
        let open = match (self.success, self.state) {
            (Some(at), _) => matches!(cell(at)?, "1" | "true"),
            (None, Some(at)) => cell(at)? == "open",
            (None, None) => true,
        };
        if open {
            places.push(place);
        }
        Ok(())
    }
}

/// An object of any of the forms in JSON.
#[derive(Deserialize)]
struct Found {
    #[serde(alias = "saddr", alias = "address")]
    ip: Option<String>,
    #[serde(alias = "sport")]
    port: Option<u16>,
    success: Option<serde_json::Value>,
    state: Option<String>,
    data: Option<State>,
    #[serde(default)]
    ports: Vec<FoundPort>,
}

#[derive(Deserialize)]
struct FoundPort {
    port: u16,
    status: Option<String>,
}

/// What masscan says of a place. Absent where it tells what a service said.
#[derive(Deserialize)]
struct State {
    status: Option<String>,
}

fn of_json(text: &str, places: &mut Vec<Place>) -> Result<(), String> {
    // The last object of masscan's list is `{finished: 1}`, without the quotes of JSON.
    if text.starts_with("{finished") {
        return Ok(());
    }
    let found: Found = serde_json::from_str(text).map_err(|error| format!("not the JSON of a discovery: {error}"))?;
    let Some(who) = &found.ip else { return Err("no address (ip, saddr or address) is in it".to_string()) };
    let who = address(who)?;
    let open = |status: Option<&str>| status == Some("open");
    places.extend(found.ports.iter().filter(|port| open(port.status.as_deref())).map(|port| (who, port.port)));
    let succeeded = found.success.as_ref().is_none_or(|success| *success == 1 || *success == true);
    let said =
        found.data.as_ref().is_none_or(|data| open(data.status.as_deref())) && found.state.as_deref().is_none_or(|state| state == "open");
    if succeeded && said && found.ports.is_empty() {
        places.push((who, found.port.unwrap_or(ANY)));
    }
    Ok(())
}

/// `Host: 192.0.2.1 () Ports: 80/open/tcp//http//, 81/closed/tcp//…`; other lines about a host say nothing of ports.
fn of_host_line(text: &str, places: &mut Vec<Place>) -> Result<(), String> {
    let parts = || text.split('\t').map(str::trim);
    let part = |name: &str| parts().find_map(|part| part.strip_prefix(name));
    let who = part("Host: ").and_then(|host| host.split_whitespace().next()).unwrap_or_default();
    let who = address(who)?;
    for place in part("Ports: ").unwrap_or_default().split(',').map(str::trim).filter(|place| !place.is_empty()) {
        let mut words = place.split('/');
        let at = port(words.next().unwrap_or_default())?;
        if words.next() == Some("open") {
            places.push((who, at));
        }
    }
    Ok(())
}

/// A document in the XML of nmap, which masscan writes too.
fn of_document(reader: impl BufRead, file: &str) -> Result<Vec<Place>, FeedError> {
    let mut counted = Counted { reader, lines: 1 };
    let mut places = Vec::new();
    let mut xml = quick_xml::Reader::from_reader(&mut counted);
    let mut buffer = Vec::new();
    let (mut who, mut at) = (None, None);
    loop {
        buffer.clear();
        let taken = match xml.read_event_into(&mut buffer) {
            Ok(Event::Eof) => break,
            Ok(Event::Start(element) | Event::Empty(element)) => of_element(&element, &mut who, &mut at, &mut places),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("not the XML of a discovery: {error}")),
        };
        taken.map_err(|reason| FeedError::Wrong { file: file.to_string(), line: xml.get_ref().lines, reason })?;
    }
    Ok(places)
}

fn of_element(element: &BytesStart, who: &mut Option<IpAddr>, at: &mut Option<u16>, places: &mut Vec<Place>) -> Result<(), String> {
    let attribute = |name: &str| -> Result<Option<String>, String> {
        let found = element.try_get_attribute(name).map_err(|error| error.to_string())?;
        Ok(found.map(|found| found.value.into_owned()))
    };
    match element.name().as_ref() {
        "host" => (*who, *at) = (None, None),
        // Addresses of the link stand beside those of the network.
        "address" if attribute("addrtype")?.is_none_or(|kind| kind.starts_with("ip")) => {
            *who = attribute("addr")?.map(|text| address(&text)).transpose()?;
        }
        "port" => *at = attribute("portid")?.map(|text| port(&text)).transpose()?,
        "state" if attribute("state")?.as_deref() == Some("open") => {
            let place = who.zip(*at).ok_or("a state stands outside a host with an address and a port")?;
            places.push(place);
        }
        _ => {}
    }
    Ok(())
}

/// Counts lines, so that a mistake in a document has a place.
struct Counted<R> {
    reader: R,
    lines: usize,
}

impl<R: BufRead> io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.reader.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let passed = self.reader.fill_buf().map_or(0, |available| available[..count].iter().filter(|byte| **byte == b'\n').count());
        self.lines += passed;
        self.reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(text: &str) -> String {
        let feed = Feed::from_reader(text.as_bytes(), "feed").expect(text);
        feed.places.iter().map(|(address, port)| format!("{address} {port}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn every_form_says_the_same() {
        // As the programs wrote them in a network of two machines, shortened.
        for text in [
            "198.18.128.1 80 open\n198.18.128.1 81 closed\n198.18.128.5 443 open\n",
            "saddr,sport,state\n198.18.128.5,443,open\n198.18.128.1,80,open\n198.18.128.1,81,closed\n",
            "saddr,sport,classification,success\n198.18.128.1,80,synack,1\n198.18.128.5,443,synack,1\n198.18.128.5,80,rst,0\n",
            "{ \"saddr\": \"198.18.128.1\", \"sport\": 80, \"classification\": \"synack\", \"success\": 1 }\n\
             { \"saddr\": \"198.18.128.5\", \"sport\": 443, \"classification\": \"synack\", \"success\": 1 }\n\
             { \"saddr\": \"198.18.128.5\", \"sport\": 80, \"classification\": \"rst\", \"success\": 0 }\n",
            "#masscan\nopen tcp 80 198.18.128.1 1795827657\nopen tcp 443 198.18.128.5 1795827657\n# end\n",
            "[\n{   \"ip\": \"198.18.128.1\",   \"timestamp\": \"1795827656\", \"ports\": [ {\"port\": 80, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] }\n,\n\
             {   \"ip\": \"198.18.128.5\",   \"timestamp\": \"1795827657\", \"ports\": [ {\"port\": 443, \"proto\": \"tcp\", \"status\": \"open\", \"reason\": \"syn-ack\", \"ttl\": 64} ] }\n]\n",
            "{\"ip\":\"198.18.128.1\",\"timestamp\":\"1795827656\",\"port\":80,\"proto\":\"tcp\",\"rec_type\":\"status\",\"data\":{\"status\":\"open\",\"reason\":\"syn-ack\",\"ttl\":64}}\n\
             {\"ip\":\"198.18.128.5\",\"timestamp\":\"1795827657\",\"port\":443,\"proto\":\"tcp\",\"rec_type\":\"status\",\"data\":{\"status\":\"open\",\"reason\":\"syn-ack\",\"ttl\":64}}\n",
            "# Masscan 1.3.2 scan initiated Sat Nov 28 01:00:57 2026\nTimestamp: 1795827656\tHost: 198.18.128.1 ()\tPorts: 80/open/tcp//http//\n\
             Timestamp: 1795827657\tHost: 198.18.128.5 ()\tPorts: 443/open/tcp//https//\n",
            "Host: 198.18.128.1 ()\tStatus: Up\nHost: 198.18.128.1 ()\tPorts: 80/open/tcp//http///, 81/closed/tcp//hosts2-ns///\n\
             Host: 198.18.128.5 ()\tPorts: 443/open/tcp//https///\n",
            "<?xml version=\"1.0\"?>\n<!-- masscan v1.0 scan -->\n<nmaprun scanner=\"masscan\" start=\"1795827657\" version=\"1.0-BETA\"  xmloutputversion=\"1.03\">\n\
             <host endtime=\"1795827656\"><address addr=\"198.18.128.5\" addrtype=\"ipv4\"/><ports><port protocol=\"tcp\" portid=\"443\"><state state=\"open\" reason=\"syn-ack\" reason_ttl=\"64\"/></port></ports></host>\n\
             <host endtime=\"1795827657\"><address addr=\"198.18.128.1\" addrtype=\"ipv4\"/><address addr=\"02:00:00:00:00:01\" addrtype=\"mac\"/><ports><port protocol=\"tcp\" portid=\"80\"><state state=\"open\"/></port><port protocol=\"tcp\" portid=\"81\"><state state=\"closed\"/></port></ports></host>\n</nmaprun>\n",
            "198.18.128.1:80\n198.18.128.5:443\n198.18.128.1:80\n",
        ] {
            assert_eq!(feed(text), "198.18.128.1 80, 198.18.128.5 443", "{text}");
        }
        assert_eq!(feed("[fd00::5]:80\n\n# nobody else\nfd00::4 22 open\n"), "fd00::4 22, fd00::5 80");
    }

    #[test]
    fn who_was_found_without_a_port_is_called_on_all_of_them() {
        let feed = Feed::from_reader("198.18.128.1\n198.18.128.7:80\n".as_bytes(), "feed").expect("a feed");
        let has = |address: &str, port| feed.has(address.parse().expect("an address"), port);
        assert!(has("198.18.128.1", 443) && has("198.18.128.7", 80) && !has("198.18.128.7", 443) && !has("198.18.128.9", 80));
        assert_eq!(feed.ports(), [80]);
        assert_eq!(feed.targets(&Permission::own_networks(), "feed").expect("targets").count(), 2);
    }

    #[test]
    fn mistakes_name_their_line() {
        let wrong = |text: &str| Feed::from_reader(text.as_bytes(), "feed").expect_err(text).to_string();
        for (text, reason) in [
            ("198.18.128.1 80 open\n198.18.128 80 open\n", "feed:2: `198.18.128` is not an address"),
            ("198.18.128.1 0 open\n", "feed:1: `0` is not a port"),
            ("open tcp 70000 198.18.128.1 1\n", "feed:1: `70000` is not a port"),
            ("saddr,sport\n198.18.128.1\n", "feed:2: `198.18.128.1` has 1 columns"),
            ("{\"port\": 80}\n", "feed:1: no address"),
            ("{\"ip\": 80}\n", "feed:1: not the JSON of a discovery"),
            ("<a>\n<b></a>\n", "feed:2: not the XML of a discovery"),
            ("one two\n", "feed:1: `one two` has none of the forms"),
            ("<host><port portid=\"80\"/><state state=\"open\"/></host>", "feed:1: a state stands outside"),
        ] {
            assert!(wrong(text).starts_with(reason), "{}", wrong(text));
        }
        let public = Feed::from_reader("8.8.8.8 80 open\n".as_bytes(), "feed").expect("a feed");
        let denied = public.targets(&Permission::own_networks(), "feed").expect_err("public").to_string();
        assert!(denied.starts_with("feed: target 1: 8.8.8.8"), "{denied}");
        let nobody = Feed::from_reader("# nobody\n".as_bytes(), "feed").expect("a feed");
        assert!(nobody.targets(&Permission::own_networks(), "feed").is_err());
    }
}
