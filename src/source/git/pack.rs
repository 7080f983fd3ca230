//! A fetched pack: measured, then given an index, so that its objects can be read.
//!
//! Nothing of a pack is believed before it was measured. An object announces its size; the library would set aside that much memory, and a
//! few bytes can announce a great deal.

use super::error::GitError;
use super::exchange::chain;
use gix_pack::data::input::{BytesToEntriesIter, Entry, EntryDataMode, Mode};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The largest pack that is taken, in bytes.
pub(super) const MAX_PACK_BYTES: u64 = 64 * 1024 * 1024;

/// The most objects in a pack.
const MAX_OBJECTS: u64 = 200_000;

/// The largest object that is unpacked, in bytes: indexing a pack unpacks every object once, one after the other.
pub(super) const MAX_OBJECT_BYTES: u64 = 32 * 1024 * 1024;

/// The most that all objects of a pack have unpacked, in bytes.
const MAX_UNPACKED_BYTES: u64 = 512 * 1024 * 1024;

/// Puts the pack in file `pack` into the object folder `objects`, with an index.
pub(super) fn index(pack: &Path, objects: &Path, server: &str) -> Result<(), GitError> {
    let broken = |error: &dyn std::error::Error| GitError::Protocol {
        server: server.to_owned(),
        detail: format!("the pack is broken: {}", crate::text::sanitize_to(&chain(error), 300)),
    };
    let open = || File::open(pack).map_err(GitError::disk("read", pack));
    let mut entries = open()?;
    let announced = announced(&mut entries).map_err(|error| broken(&error))?;
    if announced > MAX_OBJECTS {
        return Err(too_many(&announced.to_string()));
    }
    let mut heads = open()?;
    let mut unpacked: u64 = 0;
    let reader = BufReader::with_capacity(64 * 1024, entries);
    for entry in BytesToEntriesIter::new_from_header(
        reader,
        Mode::Verify,
        EntryDataMode::Ignore,
        gix::hash::Kind::Sha1,
    )
    .map_err(|error| broken(&error))?
    {
        let entry = entry.map_err(|error| broken(&error))?;
        let size = size_of(&entry, &mut heads).map_err(|error| broken(&error))?;
        if size > MAX_OBJECT_BYTES {
            return Err(GitError::TooLarge {
                what: format!("the repository holds a file of {size} bytes"),
                limit: super::bytes(MAX_OBJECT_BYTES),
            });
        }
        unpacked = unpacked.saturating_add(size);
        if unpacked > MAX_UNPACKED_BYTES {
            return Err(GitError::TooLarge {
                what: "the files of the repository are too large together".to_owned(),
                limit: super::bytes(MAX_UNPACKED_BYTES),
            });
        }
    }
    let folder = objects.join("pack");
    std::fs::create_dir_all(&folder).map_err(GitError::disk("create", &folder))?;
    let options = gix_pack::bundle::write::Options {
        thread_limit: Some(1),
        iteration_mode: Mode::Verify,
        index_version: gix_pack::index::Version::default(),
        object_hash: gix::hash::Kind::Sha1,
    };
    let written = gix_pack::Bundle::write_to_directory(
        &mut BufReader::with_capacity(64 * 1024, open()?),
        Some(&folder),
        &mut gix::progress::Discard,
        &AtomicBool::new(false),
        // Nothing was offered as known, so every base is in the pack.
        None::<gix::odb::Handle>,
        options,
    )
    .map_err(|error| broken(&error))?;
    if written.index_path.is_none() {
        return Err(GitError::Protocol {
            server: server.to_owned(),
            detail: "the pack is empty".to_owned(),
        });
    }
    Ok(())
}

fn too_many(count: &str) -> GitError {
    GitError::TooLarge {
        what: format!("the repository has {count} files and folders"),
        limit: MAX_OBJECTS.to_string(),
    }
}

/// How many objects the header announces; the library would not accept another version than 2, and would stop the process over it.
fn announced(pack: &mut File) -> std::io::Result<u64> {
    let mut header = [0; 12];
    pack.read_exact(&mut header)?;
    pack.seek(SeekFrom::Start(0))?;
    if &header[..4] != b"PACK" || header[4..8] != [0, 0, 0, 2] {
        return Err(std::io::Error::other("it does not begin like one"));
    }
    Ok(u64::from(u32::from_be_bytes([header[8], header[9], header[10], header[11]])))
}

/// The size of the object that an entry makes: its own, or what a difference announces.
fn size_of(entry: &Entry, pack: &mut File) -> std::io::Result<u64> {
    if !entry.header.is_delta() {
        return Ok(entry.decompressed_size);
    }
    // The two sizes at a difference's head have at most ten bytes each.
    let mut packed = [0; 256];
    pack.seek(SeekFrom::Start(entry.pack_offset + u64::from(entry.header_size)))?;
    let read = read_some(pack, &mut packed)?;
    let mut head = [0; 20];
    let (_, _, written) = gix::features::zlib::Inflate::default()
        .once(&packed[..read], &mut head)
        .map_err(std::io::Error::other)?;
    let mut sizes = head[..written].iter().copied();
    let base = varint(&mut sizes);
    let result = varint(&mut sizes);
    match (base, result) {
        (Some(base), Some(result)) => Ok(base.max(result).max(entry.decompressed_size)),
        _ => Err(std::io::Error::other("a difference without its sizes")),
    }
}

fn read_some(from: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value: u64 = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
