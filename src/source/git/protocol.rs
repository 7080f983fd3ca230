//! Git's protocol over whatever carries it: which references there are, and the objects of one commit.
//!
//! Version 2 is asked for, since a server then names only the references one asks for; versions 0 and 1 are understood. No object is ever
//! offered as known: a fetch is one request for one commit without its history, and nothing has to be negotiated.

use super::error::GitError;
use super::exchange::Exchange;
use gix::ObjectId;
use gix_protocol::fetch::{Arguments, Response};
use gix_protocol::handshake::Ref;
use gix_protocol::{Command, Handshake, LsRefsCommand};
use gix_transport::client::blocking_io::Transport;
use gix_transport::{Protocol, Service};
use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::rc::Rc;

/// The most that a list of references may have: version 0 sends all there are, and 100,000 of them have about 6 MB.
const MAX_REFS_BYTES: u64 = 16 * 1024 * 1024;

/// How the client names itself.
pub(super) const AGENT: &str = concat!("git/ted-controller-", env!("CARGO_PKG_VERSION"));

/// How much of the history is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum History {
    /// The one commit.
    None,
    /// Every commit that is not older than this (seconds since 1970), without what they hold where the server can leave it out.
    Since(i64),
}

/// A connection on which the two ends have introduced themselves.
pub(super) struct Session {
    transport: Box<dyn Transport + Send>,
    handshake: Handshake,
}

impl Session {
    /// Introduces us.
    pub(super) fn begin(
        mut transport: Box<dyn Transport + Send>,
        exchange: &Exchange,
    ) -> Result<Self, GitError> {
        exchange.allow(MAX_REFS_BYTES);
        let handshake = gix_protocol::handshake(
            &mut transport,
            Service::UploadPack,
            // Credentials go with the first request or not at all.
            |_| Ok(None),
            Vec::new(),
            &mut gix::progress::Discard,
        )
        .map_err(|error| exchange.blame(&error))?;
        let session = Self { transport, handshake };
        let format = session.handshake.capabilities.capability("object-format");
        if format
            .and_then(|format| format.value().map(ToString::to_string))
            .is_some_and(|f| f != "sha1")
        {
            return Err(GitError::Unsupported(
                "the repository names its objects by SHA-256, which is not supported".to_owned(),
            ));
        }
        Ok(session)
    }

    /// Whether references can be asked for again without another introduction.
    pub(super) fn is_lasting(&self) -> bool {
        let one_connection = self.transport.connection_persists_across_multiple_requests();
        self.handshake.server_protocol_version == Protocol::V2 && !one_connection
    }

    /// Whether another command can follow a pack on this connection.
    pub(super) fn takes_more(&self) -> bool {
        self.handshake.server_protocol_version == Protocol::V2
    }

    /// Tells the transport something that is its own.
    pub(super) fn configure(&mut self, config: &dyn Any) {
        // Transports take what they know and pass over the rest.
        let _ = self.transport.configure(config);
    }

    /// The references whose names begin with one of these; version 0 gives all.
    pub(super) fn refs(
        &mut self,
        prefixes: &[String],
        exchange: &Exchange,
    ) -> Result<Vec<Ref>, GitError> {
        if let Some(refs) = &self.handshake.refs {
            return Ok(refs.clone());
        }
        exchange.allow(MAX_REFS_BYTES);
        let mut wanted = gix_protocol::ls_refs::RefPrefixes::new();
        wanted.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
        LsRefsCommand::new(Some(wanted), &self.handshake.capabilities, agent())
            .invoke_blocking(&mut self.transport, &mut gix::progress::Discard, false)
            .map_err(|error| exchange.blame(&error))
    }

    /// Writes the pack of one commit to `pack`. Files larger than `largest` are left out by servers that can.
    pub(super) fn fetch(
        &mut self,
        id: ObjectId,
        history: History,
        largest: usize,
        most: u64,
        pack: &mut impl Write,
        exchange: &Exchange,
    ) -> Result<(), GitError> {
        exchange.allow(most);
        let version = self.handshake.server_protocol_version;
        let mut features = Command::Fetch.default_features(version, &self.handshake.capabilities);
        features.retain(|(name, _)| {
            matches!(
                *name,
                "shallow" | "deepen-since" | "filter" | "ofs-delta" | "side-band" | "side-band-64k"
            )
        });
        let bands = features.iter().any(|(name, _)| name.starts_with("side-band"));
        if version != Protocol::V2 && !bands {
            return Err(GitError::Unsupported(
                "the server is too old: it cannot send packs in side bands".to_owned(),
            ));
        }
        features.push(agent());
        let mut arguments = Arguments::new(version, features, false);
        if version == Protocol::V2 {
            arguments.add_feature("no-progress");
        }
        arguments.want(id);
        match history {
            // A server that cannot leave the history out sends it; the limit on what may come stands.
            History::None if arguments.can_use_deepen() => arguments.deepen(1),
            History::None => {}
            History::Since(time) if arguments.can_use_deepen_since() => {
                arguments.deepen_since(time);
            }
            History::Since(_) => {
                return Err(GitError::Unsupported(
                    "the server cannot cut history by time".to_owned(),
                ));
            }
        }
        if arguments.can_use_filter() {
            match history {
                History::None => arguments.filter(&format!("blob:limit={}", largest + 1)),
                History::Since(_) => arguments.filter("tree:0"),
            }
        }
        let said = Rc::new(RefCell::new(String::new()));
        let mut reader =
            arguments.send(&mut self.transport, true).map_err(|error| exchange.blame(&error))?;
        let response = Response::from_line_reader(version, &mut reader, true, false)
            .map_err(|error| refused(id, exchange.blame(&error)))?;
        // Version 0 has no place for an error but that of the pack.
        if let Some(Ok(Ok(line))) = reader.peek_data_line()
            && line.starts_with(b"ERR ")
        {
            let detail = exchange.clean(&String::from_utf8_lossy(line));
            let server = exchange.server.clone();
            return Err(refused(id, GitError::Protocol { server, detail }));
        }
        if !response.has_pack() {
            return Err(GitError::NoCommit { id: id.to_string(), detail: String::new() });
        }
        let heard = Rc::clone(&said);
        reader.set_progress_handler(Some(Box::new(move |is_error, text: &[u8]| {
            if is_error {
                heard.borrow_mut().push_str(&String::from_utf8_lossy(text));
            }
            ControlFlow::Continue(())
        })));
        let copied = copy(&mut reader, pack);
        let said = said.borrow();
        match copied {
            Ok(()) if said.is_empty() => Ok(()),
            Ok(()) => Err(GitError::Protocol {
                server: exchange.server.clone(),
                detail: exchange.clean(&said),
            }),
            Err(CopyError::Read(error)) => Err(exchange.blame(&error)),
            Err(CopyError::Write(error)) => Err(GitError::Disk {
                doing: "write what was fetched to",
                path: "incoming".into(),
                source: error,
            }),
        }
    }

    /// Says goodbye. Only a connection that lasts needs it.
    pub(super) fn end(mut self) {
        let _ = gix_protocol::indicate_end_of_interaction(&mut self.transport, false);
    }
}

fn agent() -> (&'static str, Option<Cow<'static, str>>) {
    ("agent", Some(Cow::Borrowed(AGENT)))
}

/// What a server says in words only: that it does not give a commit, or another refusal.
fn refused(id: ObjectId, error: GitError) -> GitError {
    let GitError::Protocol { server, detail } = error else { return error };
    // The library quotes a line that it did not expect.
    let said = detail.split_once("ERR ").map_or(detail.as_str(), |(_, said)| said);
    let said = said.trim_end_matches('"').trim().to_owned();
    if said.contains("not our ref") || said.contains("no such remote ref") {
        GitError::NoCommit { id: id.to_string(), detail: said }
    } else {
        GitError::Protocol { server, detail: said }
    }
}

enum CopyError {
    Read(std::io::Error),
    Write(std::io::Error),
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).map_err(CopyError::Read)?;
        if read == 0 {
            return to.flush().map_err(CopyError::Write);
        }
        to.write_all(&buffer[..read]).map_err(CopyError::Write)?;
    }
}
