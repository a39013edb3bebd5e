//! What a sweep keeps on disk, so that it can go on after an end at any moment: one redb file.
//!
//! In: [`Changes`], each batch written whole or not at all. Out: [`Kept`], when the file is opened. One process at a time has it open. Absent:
//! observations, which the caller keeps, and makes safe before the changes that follow from them come here.

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableTable, TableDefinition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::discovery::Cycle;
use super::known::{Doubt, HostRecord, KnownHost};
use super::moment::Moment;
use super::port_set::PortSet;
use super::schedule::{Changes, Kept};

/// By name: [`World`], [`Cycle`].
const ABOUT: TableDefinition<&str, &[u8]> = TableDefinition::new("about");
/// By the sixteen bytes of the address, IPv4 mapped into IPv6: [`KnownHost`].
const HOSTS: TableDefinition<u128, &[u8]> = TableDefinition::new("hosts");
/// By place: the microsecond until which it is put off.
const PUT_OFF: TableDefinition<u64, u64> = TableDefinition::new("put_off");

/// What the places of an order mean: when it changes, a cycle that was begun cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// Tells target sets apart: [`TargetSet::digest`](crate::TargetSet::digest).
    pub targets: u64,
    /// The ports, in their order.
    pub ports: Vec<u16>,
}

/// The file, open.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    world: World,
    /// Absent after a failure: redb has to open the file anew.
    database: Option<Database>,
}

/// Why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another sweep has it open.
    #[error("{}: another sweep is running with this state directory", .0.display())]
    Locked(PathBuf),
    /// The file or its folder.
    #[error("{}: {reason}", path.display())]
    Failed {
        /// Which file.
        path: PathBuf,
        /// What the system or the database said.
        reason: String,
    },
}

impl State {
    /// Opens or creates the state of that world. When another world was kept, its hosts stay known, and a cycle begins anew.
    pub fn open(path: &Path, world: World) -> Result<(State, Kept), StateError> {
        let mut state = State { path: path.to_path_buf(), world, database: None };
        let kept = state.read().map_err(|reason| state.failed(reason))?;
        Ok((state, kept))
    }

    fn failed(&self, error: redb::Error) -> StateError {
        match error {
            redb::Error::DatabaseAlreadyOpen => StateError::Locked(self.path.clone()),
            other => StateError::Failed { path: self.path.clone(), reason: other.to_string() },
        }
    }

    fn database(&mut self) -> Result<&Database, DatabaseError> {
        match &mut self.database {
            Some(database) => Ok(database),
            absent => Ok(absent.insert(Database::create(&self.path)?)),
        }
    }

    fn read(&mut self) -> Result<Kept, redb::Error> {
        let world = self.world.clone();
        let database = self.database()?;
        let write = database.begin_write()?;
        let mut kept = Kept::default();
        {
            let mut about = write.open_table(ABOUT)?;
            let (hosts, mut put_off) = (write.open_table(HOSTS)?, write.open_table(PUT_OFF)?);
            let before: Option<World> = read(&about, "world")?;
            let same = before.as_ref() == Some(&world);
            kept.cycle = read(&about, "cycle")?;
            let ports = before.map_or_else(|| world.ports.clone(), |before| before.ports);
            let places: Vec<Option<u8>> = ports.iter().map(|port| place_of(&world.ports, *port)).collect();
            for row in hosts.iter()? {
                let (address, record) = row?;
                let address: IpAddr = Ipv6Addr::from(address.value()).to_canonical();
                let host = postcard::from_bytes(record.value()).ok().and_then(|host| moved(host, &places));
                kept.hosts.extend(host.map(|host| (address, host)));
            }
            if same {
                for row in put_off.iter()? {
                    let (place, until) = row?;
                    kept.put_off.push((place.value(), Moment(until.value())));
                }
            } else {
                put_off.retain(|_, _| false)?;
                about.insert("world", bytes(&world).as_slice())?;
                kept.cycle = kept.cycle.map(|cycle: Cycle| cycle.next(cycle.began));
                kept.world_changed = kept.cycle.is_some();
            }
        }
        write.commit()?;
        Ok(kept)
    }

    /// Writes changes, all of them or none, and makes them safe. After an error they can be written again, with what came meanwhile.
    pub fn commit(&mut self, changes: &Changes) -> Result<(), StateError> {
        let written = self.write(changes);
        if written.is_err() {
            self.database = None;
        }
        written.map_err(|error| self.failed(error))
    }

    fn write(&mut self, changes: &Changes) -> Result<(), redb::Error> {
        let write = self.database()?.begin_write()?;
        {
            let mut about = write.open_table(ABOUT)?;
            if let Some(cycle) = changes.cycle {
                about.insert("cycle", bytes(&cycle).as_slice())?;
            }
            let mut hosts = write.open_table(HOSTS)?;
            for (address, record) in &changes.hosts {
                let key = crate::ranges::number(*address);
                match record {
                    Some(record) => hosts.insert(key, bytes(record).as_slice())?,
                    None => hosts.remove(key)?,
                };
            }
            let mut put_off = write.open_table(PUT_OFF)?;
            if changes.put_off_void {
                put_off.retain(|_, _| false)?;
            }
            for (place, until) in &changes.put_off {
                match until {
                    Some(until) => put_off.insert(place, until.0)?,
                    None => put_off.remove(place)?,
                };
            }
        }
        write.commit()?;
        Ok(())
    }
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("records have no part that postcard cannot write")
}

fn read<T: DeserializeOwned>(table: &impl ReadableTable<&'static str, &'static [u8]>, name: &str) -> Result<Option<T>, redb::Error> {
    Ok(table.get(name)?.and_then(|value| postcard::from_bytes(value.value()).ok()))
}

fn place_of(ports: &[u16], port: u16) -> Option<u8> {
    ports.iter().position(|known| *known == port).and_then(|place| u8::try_from(place).ok())
}

/// A host whose ports stand at other places now; absent when none of them is left.
fn moved(host: KnownHost, places: &[Option<u8>]) -> Option<KnownHost> {
    let place = |port: u8| places.get(usize::from(port)).copied().flatten();
    let ports: PortSet = host.record.ports.iter().filter_map(place).collect();
    let doubts = host.doubts.into_iter().filter_map(|doubt| Some(Doubt { port: place(doubt.port)?, ..doubt })).collect();
    (!ports.is_empty()).then_some(KnownHost { record: HostRecord { ports, ..host.record }, doubts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(ports: &[u16]) -> World {
        World { targets: 1, ports: ports.to_vec() }
    }

    fn changes() -> Changes {
        let host = |visited, ports: &[u8], doubts| {
            Some(KnownHost { record: HostRecord { visited, ports: ports.iter().copied().collect() }, doubts })
        };
        let doubt = Doubt { port: 1, tries: 2, tried: 9 };
        Changes {
            cycle: Some(Cycle { number: 3, began: Moment(7), key: 5, mark: 99 }),
            hosts: vec![
                ([10, 0, 0, 1].into(), host(8, &[0, 1], vec![doubt])),
                ("fd00::1".parse().expect("address"), host(4, &[0], Vec::new())),
            ],
            put_off: vec![(4, Some(Moment(70))), (6, Some(Moment(80)))],
            put_off_void: true,
        }
    }

    #[test]
    fn what_is_committed_is_there_when_it_is_opened_again() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("sweep.redb");
        let (mut state, kept) = State::open(&path, world(&[80, 443])).expect("a new state");
        assert!(kept.cycle.is_none() && kept.hosts.is_empty());
        state.commit(&changes()).expect("written");
        let gone = Changes { hosts: vec![("fd00::1".parse().expect("address"), None)], put_off: vec![(4, None)], ..Changes::default() };
        state.commit(&gone).expect("written");
        let second = State::open(&path, world(&[80, 443])).expect_err("the file is open");
        assert!(matches!(second, StateError::Locked(_)), "{second}");
        drop(state);
        let (_, kept) = State::open(&path, world(&[80, 443])).expect("the state");
        assert_eq!((kept.cycle, kept.world_changed), (changes().cycle, false));
        assert_eq!(kept.put_off, [(6, Moment(80))]);
        let hosts: Vec<String> = kept.hosts.iter().map(|(address, host)| format!("{address} {}", host.record.visited)).collect();
        assert_eq!(hosts, ["10.0.0.1 8"]);
    }

    #[test]
    fn another_world_keeps_the_hosts_at_the_places_of_their_ports_and_begins_the_next_cycle() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("sweep.redb");
        let (mut state, _) = State::open(&path, world(&[80, 443])).expect("a new state");
        state.commit(&changes()).expect("written");
        drop(state);
        let (state, kept) = State::open(&path, world(&[22, 443])).expect("the state");
        let cycle = kept.cycle.expect("a cycle");
        assert!(kept.world_changed && kept.put_off.is_empty());
        assert_eq!((cycle.number, cycle.mark), (4, 0));
        let [(_, host)] = kept.hosts.as_slice() else { panic!("{:?}", kept.hosts) };
        assert_eq!((host.record.ports, host.doubts[0].port), (PortSet::only(1), 1));
        drop(state);
        assert!(!State::open(&path, world(&[22, 443])).expect("the state").1.world_changed);
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("sweep.redb");
        std::fs::write(&path, "not a database\n").expect("write");
        let error = State::open(&path, world(&[80])).expect_err("not a database").to_string();
        assert!(error.contains("sweep.redb: "), "{error}");
        assert_eq!(std::fs::read(&path).expect("the file"), b"not a database\n");
    }
}
