// SPDX-License-Identifier: MIT OR Apache-2.0

//! A client id belongs to one application of a machine and network key. vsomeip does not see to that:
//! the second application takes the first one's local socket away, and then often neither gets anything.
//!
//! Two things tell that an id is taken. Applications of this crate hold a socket without a file, which
//! ends with the process however that ends: of two that start at once, one gets it. Any other
//! application listens on vsomeip's own socket. The file of one that crashed is still there, but nobody
//! answers.

use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

/// Where vsomeip keeps its local sockets: what it was built with as `BASE_PATH`.
const FOLDER: &str = match option_env!("VSOMEIP_BASE_PATH") {
    Some(folder) => folder,
    None => "/tmp",
};

/// A client id that is ours until this is dropped.
pub(super) struct ClientId(#[expect(dead_code, reason = "held, not used")] Option<UnixDatagram>);

impl ClientId {
    /// Claims an id; an error is the socket of whoever has it.
    pub(super) fn claim(network: &str, id: u16) -> Result<Self, PathBuf> {
        Self::claim_in(Path::new(FOLDER), network, id)
    }

    fn claim_in(folder: &Path, network: &str, id: u16) -> Result<Self, PathBuf> {
        let socket = folder.join(format!("{network}-{id:x}"));
        let held = match hold(folder, network, id) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(socket),
            // Where there are no such sockets, vsomeip's own is all there is to go by.
            held => held.ok(),
        };
        // Closed at once, so whoever listens there sees a connection that said nothing.
        match UnixStream::connect(&socket) {
            Ok(_) => Err(socket),
            Err(_) => Ok(ClientId(held)),
        }
    }
}

/// The folder is in the name: containers may share a network, and have a `/tmp` each.
fn hold(folder: &Path, network: &str, id: u16) -> io::Result<UnixDatagram> {
    let folder = fs::metadata(folder)?;
    let (device, inode) = (folder.dev(), folder.ino());
    let name = format!("ringback-vsomeip {device:x}.{inode:x} {network}-{id:x}");
    UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn an_id_is_taken_by_who_lives_and_by_no_file() {
        let folder = std::env::temp_dir().join(format!("rb-ids-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let claim = |network: &str, id| ClientId::claim_in(&folder, network, id);
        let socket = folder.join("n-1a2");

        let ours = claim("n", 0x1A2).map_err(drop).unwrap();
        assert_eq!(claim("n", 0x1A2).err(), Some(socket.clone()), "before there is a file");
        assert!(claim("n", 0x1A3).is_ok() && claim("m", 0x1A2).is_ok(), "others are free");
        drop(ours);

        let listens = UnixListener::bind(&socket).unwrap();
        assert_eq!(claim("n", 0x1A2).err(), Some(socket.clone()), "somebody listens");
        drop(listens);
        assert!(socket.exists() && claim("n", 0x1A2).is_ok(), "a file is left behind");
        let long = "n".repeat(200);
        assert!(claim(&long, 1).is_ok(), "a name too long for a socket is no reason to refuse");
        fs::remove_dir_all(folder).unwrap();
    }
}
