//! Sockets of the simulated population for services over UDP.
//!
//! Each host that has the service gets a socket at its own address: so nobody outside 127/8 can reach it, its answers come from where it was
//! asked, and a host without the service refuses as the kernel does.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::datagrams::{Parcel, answers};
use super::population::Population;
use super::serve::Shared;
use crate::ports::ServiceName;

/// The largest request that is read whole.
const REQUEST_BYTES_MAX: usize = 4 << 10;
/// Peers that a socket remembers; then it forgets them all.
const PEERS_MAX: usize = 1 << 10;
/// How often another free port is looked for, where one is free at some addresses only.
const PORT_TRIES: usize = 16;

/// One host's socket.
pub(super) struct Post {
    address: Ipv4Addr,
    socket: StdUdpSocket,
    service: Arc<ServiceName>,
}

/// Sockets for every host with that service over UDP, all on one port; 0 takes a free one. No socket where no host has it.
pub(super) fn open(population: &Population, service: &ServiceName, port: u16) -> io::Result<(u16, Vec<Post>)> {
    let service = Arc::new(service.clone());
    let has = |host: &super::Host| host.service(&service).is_some_and(|service| service.answers.over_udp());
    let hosts: Vec<Ipv4Addr> = population.every_host().filter(has).map(|host| host.address).collect();
    let mut tries = if port == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match open_all(&hosts, &service, port) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            outcome => return outcome,
        }
    }
}

fn open_all(hosts: &[Ipv4Addr], service: &Arc<ServiceName>, mut port: u16) -> io::Result<(u16, Vec<Post>)> {
    let mut posts = Vec::with_capacity(hosts.len());
    for address in hosts {
        let socket = StdUdpSocket::bind((*address, port))?;
        socket.set_nonblocking(true)?;
        port = socket.local_addr()?.port();
        posts.push(Post { address: *address, socket, service: service.clone() });
    }
    Ok((port, posts))
}

/// Answers whatever comes, for as long as the runtime lives.
pub(super) async fn serve(shared: Arc<Shared>, post: Post) {
    let socket = Arc::new(UdpSocket::from_std(post.socket).expect("the socket was made non-blocking, inside a runtime with I/O"));
    let mut earlier: HashMap<SocketAddr, u32> = HashMap::new();
    let mut request = vec![0; REQUEST_BYTES_MAX];
    loop {
        // An error is a peer that did not want an answer: the next datagram has nothing to do with it.
        let Ok((length, peer)) = socket.recv_from(&mut request).await else { continue };
        shared.count_datagram(post.address);
        if earlier.len() >= PEERS_MAX {
            earlier.clear();
        }
        let before = earlier.entry(peer).or_default();
        let parcels = answers(&shared.population, post.address, &post.service, &request[..length], *before);
        *before = before.saturating_add(1);
        for parcel in parcels {
            // A peer that has gone is told nothing.
            let _ = send(&socket, peer, parcel, post.address).await;
        }
    }
}

async fn send(socket: &Arc<UdpSocket>, peer: SocketAddr, parcel: Parcel, address: Ipv4Addr) -> io::Result<()> {
    if !parcel.after.is_zero() {
        let socket = socket.clone();
        tokio::spawn(async move {
            sleep(parcel.after).await;
            socket.send_to(&parcel.payload, peer).await
        });
    } else if parcel.from_another_port {
        UdpSocket::bind((address, 0)).await?.send_to(&parcel.payload, peer).await?;
    } else {
        socket.send_to(&parcel.payload, peer).await?;
    }
    Ok(())
}
