//! A bundle as a compressed tar archive, in memory.

use super::File;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::io::{self, Read as _};

/// The largest file that is read out of an archive: a recording of hundreds of TEDs has some tens of MB.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// The most that is unpacked while a file is looked for: an archive may be made to be endless.
const MAX_UNPACKED: u64 = 1024 * 1024 * 1024;

/// How files in an archive may be used: by their owner only.
const MODE: u32 = 0o600;

/// Packs files below a folder. The same files give the same bytes.
///
/// # Errors
/// A path is too long for a tar archive.
pub fn pack(folder: &str, files: &[File], made: Timestamp) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for file in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.text.len() as u64);
        header.set_mode(MODE);
        header.set_mtime(u64::try_from(made.as_second()).unwrap_or_default());
        let path = format!("{folder}/{}", file.path);
        builder.append_data(&mut header, path, file.text.as_bytes())?;
    }
    builder.into_inner()?.finish()
}

/// Whether bytes are those of a compressed archive (RFC 1952, "Member header and trailer").
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The content of the first file of this name, in whatever folder.
///
/// # Errors
/// It is no archive, is cut off, or far too large.
pub fn find(bytes: &[u8], name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(MAX_UNPACKED));
    for entry in archive.entries()? {
        let entry = entry?;
        let is_it = entry.path()?.file_name().is_some_and(|found| found == name);
        if !is_it || !entry.header().entry_type().is_file() {
            continue;
        }
        if entry.size() > MAX_FILE {
            return Err(io::Error::other(format!("`{name}` is larger than {MAX_FILE} bytes")));
        }
        let mut content = Vec::new();
        entry.take(MAX_FILE).read_to_end(&mut content)?;
        return Ok(Some(content));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), what: String::new(), text: text.to_owned() }
    }

    #[test]
    fn what_was_packed_is_found_again_and_packing_is_deterministic() {
        let files = [file("a.json", "1"), file("teds/b.json", "2")];
        let packed = pack("bundle", &files, Timestamp::UNIX_EPOCH).unwrap();
        assert!(is_one(&packed));
        assert_eq!(packed, pack("bundle", &files, Timestamp::UNIX_EPOCH).unwrap());
        assert_eq!(find(&packed, "b.json").unwrap().unwrap(), b"2");
        assert_eq!(find(&packed, "c.json").unwrap(), None);
    }

    #[test]
    fn an_archive_that_is_cut_off_is_an_error() {
        let long: String =
            (0..40_000).map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap())).collect();
        let packed = pack("bundle", &[file("a.json", &long)], Timestamp::UNIX_EPOCH).unwrap();
        assert!(find(&packed[..packed.len() / 2], "a.json").is_err());
    }
}
