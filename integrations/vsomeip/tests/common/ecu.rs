// SPDX-License-Identifier: MIT OR Apache-2.0

//! Another host of a SOME/IP network, played by plain UDP sockets: it offers, subscribes and
//! acknowledges by service discovery, and sees every byte. For tests in a network namespace of their
//! own, where all ports and the multicast route are theirs.
#![allow(dead_code, unreachable_pub)] // one test binary uses it, all compile it

use super::wait_until;
use ringback_vsomeip::VsomeipConfiguration;
use serde_json::json;
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const HOST: [u8; 4] = [127, 0, 0, 1];
const ECU: [u8; 4] = [127, 0, 0, 2];
const EVERYBODY: [u8; 4] = [224, 244, 224, 245];
const DISCOVERY_PORT: u16 = 30_490;
const PORT: u16 = 30_700;

/// Types of discovery's entries.
const OFFER: u8 = 1;
const SUBSCRIBE: u8 = 6;
const ACKNOWLEDGE: u8 = 7;

/// For the host that is tested: service discovery that does not wait long.
pub fn host(configuration: VsomeipConfiguration) -> VsomeipConfiguration {
    configuration.unicast(HOST.into()).set(
        "service-discovery",
        json!({
            "enable": "true", "multicast": Ipv4Addr::from(EVERYBODY), "port": DISCOVERY_PORT.to_string(),
            "protocol": "udp", "initial_delay_min": "0", "initial_delay_max": "10",
            "repetitions_base_delay": "50", "repetitions_max": "3", "ttl": "10",
            "cyclic_offer_delay": "500",
        }),
    )
}

/// An entry of service discovery, and the port of the UDP endpoint that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    kind: u8,
    pub service: u16,
    pub instance: u16,
    pub major: u8,
    /// 0 takes back.
    ttl: u32,
    /// An offer's minor version, or else the eventgroup.
    last: u32,
    pub port: Option<u16>,
}

impl Entry {
    pub fn eventgroup(&self) -> u16 {
        self.last as u16
    }

    /// The datagram with this entry.
    fn datagram(&self, session: u16) -> Vec<u8> {
        let option = self.port.map(|port| {
            let [high, low] = port.to_be_bytes();
            let [a, b, c, d] = ECU;
            [0, 9, 4, 0, a, b, c, d, 0, 0x11, high, low] // an IPv4 endpoint, UDP
        });
        let option = option.as_ref().map_or(&[][..], |option| &option[..]);
        let mut payload = vec![0xC0, 0, 0, 0, 0, 0, 0, 16]; // flags: reboot, unicast; one entry
        payload.extend([self.kind, 0, 0, if option.is_empty() { 0 } else { 0x10 }]);
        payload.extend(self.service.to_be_bytes());
        payload.extend(self.instance.to_be_bytes());
        payload.extend((u32::from(self.major) << 24 | self.ttl).to_be_bytes());
        payload.extend(self.last.to_be_bytes());
        payload.extend((option.len() as u32).to_be_bytes());
        payload.extend(option);
        message([0xFFFF, 0x8100, 0, session], [1, 2, 0], &payload)
    }

    /// All entries of a datagram.
    fn parse(datagram: &[u8]) -> Vec<Entry> {
        let long = |at: usize| u32::from_be_bytes(datagram[at..at + 4].try_into().unwrap());
        let length = long(20) as usize;
        let mut ports = Vec::new();
        let mut at = 24 + length + 4;
        while at + 12 <= datagram.len() {
            ports.push(long(at + 8) as u16);
            at += usize::from(u16::from_be_bytes([datagram[at], datagram[at + 1]])) + 3;
        }
        let entry = |at: usize| Entry {
            kind: datagram[at],
            service: (long(at + 4) >> 16) as u16,
            instance: long(at + 4) as u16,
            major: datagram[at + 8],
            ttl: long(at + 8) & 0xFF_FFFF,
            last: long(at + 12),
            port: ports.get(usize::from(datagram[at + 1])).copied(),
        };
        (24..24 + length).step_by(16).map(entry).collect()
    }
}

/// A SOME/IP message: service, method, client, session; interface version, type, code.
pub fn message(ids: [u16; 4], [version, kind, code]: [u8; 3], payload: &[u8]) -> Vec<u8> {
    let [service, method, client, session] = ids.map(u16::to_be_bytes);
    let length = (payload.len() as u32 + 8).to_be_bytes();
    let mut bytes = [&service[..], &method, &length, &client, &session].concat();
    bytes.extend([1, version, kind, code]);
    bytes.extend(payload);
    bytes
}

#[derive(Clone)]
pub struct Ecu {
    discovery: Arc<Discovery>,
    socket: Arc<UdpSocket>,
}

struct Discovery {
    socket: UdpSocket,
    session: AtomicU16,
    /// Said again and again.
    standing: Mutex<Vec<Entry>>,
    seen: Mutex<Vec<Entry>>,
}

impl Discovery {
    fn send(&self, entry: &Entry) {
        let datagram = entry.datagram(self.session.fetch_add(1, SeqCst));
        // Who subscribed renews that with each offer to all.
        let to = if entry.kind == OFFER { EVERYBODY } else { HOST };
        let _ = self.socket.send_to(&datagram, SocketAddr::from((to, DISCOVERY_PORT)));
    }

    fn run(&self) {
        let mut buffer = [0; 1500];
        let mut next = Instant::now();
        loop {
            if Instant::now() >= next {
                next += Duration::from_millis(200);
                self.standing.lock().unwrap().iter().for_each(|entry| self.send(entry));
            }
            let Ok(length) = self.socket.recv(&mut buffer) else { continue };
            for entry in Entry::parse(&buffer[..length]) {
                if entry.kind == SUBSCRIBE && entry.ttl != 0 {
                    self.send(&Entry { kind: ACKNOWLEDGE, port: None, ..entry });
                }
                self.seen.lock().unwrap().push(entry);
            }
        }
    }
}

impl Ecu {
    pub fn start() -> Self {
        let socket = |port| {
            // vsomeip binds discovery's port for all addresses, and would not let anybody else.
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
            socket.set_reuse_address(true).unwrap();
            socket.bind(&SocketAddr::from((ECU, port)).into()).unwrap();
            let socket = UdpSocket::from(socket);
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            socket
        };
        let discovery = Arc::new(Discovery {
            socket: socket(DISCOVERY_PORT),
            session: AtomicU16::new(1),
            standing: Mutex::default(),
            seen: Mutex::default(),
        });
        let runs = discovery.clone();
        std::thread::spawn(move || runs.run());
        Ecu { discovery, socket: Arc::new(socket(PORT)) }
    }

    /// Offers a service from here on.
    pub fn offer(&self, service: u16, instance: u16, major: u8) {
        let port = Some(PORT);
        let entry = Entry { kind: OFFER, service, instance, major, ttl: 0xFF_FFFF, last: 0, port };
        self.discovery.standing.lock().unwrap().push(entry);
    }

    /// Subscribes to an event, and waits for the acknowledgement.
    pub fn subscribe(&self, service: u16, instance: u16, major: u8, event: u16) {
        let (last, port) = (u32::from(event), Some(PORT));
        let entry = Entry { kind: SUBSCRIBE, service, instance, major, ttl: 0xFF_FFFF, last, port };
        self.discovery.standing.lock().unwrap().push(entry);
        self.wait_for(ACKNOWLEDGE, service, event);
        self.discovery.standing.lock().unwrap().retain(|standing| *standing != entry);
    }

    /// Waits for a subscription to an event of this service.
    pub fn subscription(&self, service: u16, event: u16) -> Entry {
        self.wait_for(SUBSCRIBE, service, event)
    }

    fn wait_for(&self, kind: u8, service: u16, event: u16) -> Entry {
        let mut found = None;
        wait_until("service discovery", || {
            let seen = self.discovery.seen.lock().unwrap();
            let fits = |entry: &&Entry| {
                (entry.kind, entry.service, entry.eventgroup()) == (kind, service, event)
                    && entry.ttl != 0
            };
            found = seen.iter().find(fits).copied();
            found.is_some()
        });
        found.unwrap()
    }

    /// Sends bytes to a port of the host.
    pub fn send(&self, port: u16, bytes: &[u8]) {
        self.socket.send_to(bytes, SocketAddr::from((HOST, port))).unwrap();
    }

    /// The next datagram, and the port it came from.
    pub fn receive(&self) -> (Vec<u8>, u16) {
        let mut datagram = None;
        wait_until("a datagram", || {
            let mut buffer = [0; 1500];
            datagram = self
                .socket
                .recv_from(&mut buffer)
                .ok()
                .map(|(length, from)| (buffer[..length].to_vec(), from.port()));
            datagram.is_some()
        });
        datagram.unwrap()
    }

    /// Whether nothing came for a while.
    pub fn hears_nothing(&self) -> bool {
        let mut buffer = [0; 1500];
        (0..6).all(|_| self.socket.recv_from(&mut buffer).is_err())
    }
}
