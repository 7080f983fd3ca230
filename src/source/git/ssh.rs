//! Git over SSH: the `ssh` program of the host, told to trust and to ask for nothing that the settings do not name.
//!
//! With a key in the settings neither the user's configuration nor an agent is looked at. Without one `ssh` does what it does for this
//! user, but it never asks a question.

use super::error::GitError;
use super::exchange::Exchange;
use crate::settings::{GitAuth, GitUrl};
use gix_transport::Protocol;
use gix_transport::client::git::ConnectMode;
use gix_transport::client::git::blocking_io::Connection;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

/// The most that is kept of what `ssh` complains about.
const MAX_COMPLAINT: usize = 8 * 1024;

/// How long `ssh` may take to end after a goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A running `ssh`; it is ended when this goes.
pub(super) struct Ssh {
    child: Child,
    complaint: JoinHandle<String>,
}

/// What the library talks to.
pub(super) type Wire = Connection<Output, Input>;

impl Ssh {
    /// Starts `ssh` for one visit.
    ///
    /// # Errors
    /// The program is missing.
    pub(super) fn start(
        url: &GitUrl,
        auth: Option<&GitAuth>,
        exchange: &Arc<Exchange>,
    ) -> Result<(Self, Wire), GitError> {
        let mut command = Command::new("ssh");
        command
            .args(arguments(url, auth)?)
            // A server that does not take the variable answers in version 0, which is understood too.
            .env("GIT_PROTOCOL", "version=2")
            .env("LC_ALL", "C")
            .env_remove("SSH_ASKPASS")
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if auth.is_some() {
            command.env_remove("SSH_AUTH_SOCK");
        }
        let _runtime = exchange.runtime().enter();
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::Unsupported(
                "the program `ssh` is not installed: install the package `openssh-client`, or use an `https://` address"
                    .to_owned(),
            ),
            _ => GitError::Unsupported(format!("`ssh` cannot be started: {error}")),
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(GitError::Unsupported("`ssh` has no pipes".to_owned()));
        };
        let complaint = exchange.runtime().spawn(listen(stderr));
        let wire = Connection::new(
            Output { exchange: Arc::clone(exchange), stdout },
            Input { exchange: Arc::clone(exchange), stdin },
            Protocol::V2,
            url.path(),
            None::<(&str, Option<u16>)>,
            ConnectMode::Process,
            false,
        );
        Ok((Self { child, complaint }, wire))
    }

    /// Waits for the end after a goodbye, and not for long.
    pub(super) fn end(mut self, exchange: &Exchange) {
        let _ = exchange.wait(async {
            tokio::select! {
                _ = self.child.wait() => {}
                () = crate::clock::sleep(GOODBYE) => {}
            }
        });
    }

    /// What really happened when the library says `error`: `ssh` knows better why nothing came.
    pub(super) fn explain(
        mut self,
        error: GitError,
        url: &GitUrl,
        auth: Option<&GitAuth>,
        exchange: &Exchange,
    ) -> GitError {
        let GitError::Protocol { .. } = error else { return error };
        let said = exchange.wait(async {
            tokio::select! {
                _ = self.child.wait() => {}
                () = crate::clock::sleep(GOODBYE) => {}
            }
            drop(self.child);
            self.complaint.await.unwrap_or_default()
        });
        match said {
            Ok(said) if !said.trim().is_empty() => meaning(&said, url, auth, exchange),
            Ok(_) | Err(_) => error,
        }
    }
}

/// Reads to the end, so that `ssh` is never held up, and keeps the beginning.
async fn listen(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read) = stderr.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        let room = MAX_COMPLAINT.saturating_sub(kept.len()).min(read);
        kept.extend_from_slice(&buffer[..room]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn arguments(url: &GitUrl, auth: Option<&GitAuth>) -> Result<Vec<String>, GitError> {
    let mut arguments: Vec<String> = Vec::new();
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    option("BatchMode=yes".to_owned());
    option("ConnectTimeout=10".to_owned());
    option("ServerAliveInterval=15".to_owned());
    option("SendEnv=GIT_PROTOCOL".to_owned());
    option("ClearAllForwardings=yes".to_owned());
    option("ForwardAgent=no".to_owned());
    option("PermitLocalCommand=no".to_owned());
    if let Some(GitAuth::SshKey { key, known_hosts }) = auth {
        option("StrictHostKeyChecking=yes".to_owned());
        option(format!("UserKnownHostsFile={}", quoted(known_hosts)?));
        option("GlobalKnownHostsFile=/dev/null".to_owned());
        option("UpdateHostKeys=no".to_owned());
        option(format!("IdentityFile={}", quoted(key)?));
        option("IdentitiesOnly=yes".to_owned());
        option("IdentityAgent=none".to_owned());
        option("PreferredAuthentications=publickey".to_owned());
        arguments.extend(["-F".to_owned(), "/dev/null".to_owned()]);
    }
    if let Some(port) = url.port() {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = url.user() {
        arguments.extend(["-l".to_owned(), user.to_owned()]);
    }
    arguments.push("--".to_owned());
    arguments.push(url.host().trim_matches(['[', ']']).to_owned());
    // The other end's shell reads this; in single quotes nothing has a meaning but the single quote.
    arguments.push(format!("git-upload-pack '{}'", url.path().replace('\'', "'\\''")));
    Ok(arguments)
}

/// A path as an option of `ssh` takes it: in quotes, `%` doubled.
fn quoted(path: &Path) -> Result<String, GitError> {
    let bad = |detail: &str| GitError::BadFile {
        file: path.display().to_string(),
        detail: detail.to_owned(),
    };
    let text = path.to_str().ok_or_else(|| bad("its name is not UTF-8"))?;
    if text.contains(['"', '\\', '$']) {
        return Err(bad("`ssh` does not take `\"`, `\\` and `$` in its name"));
    }
    std::fs::File::open(path).map_err(|error| bad(&error.to_string()))?;
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

/// What the words of `ssh` or of the server behind it mean.
fn meaning(said: &str, url: &GitUrl, auth: Option<&GitAuth>, exchange: &Exchange) -> GitError {
    let has = |part: &str| said.contains(part);
    // The most telling line; banners and frames of `@` come before it.
    let line = |parts: &[&str]| {
        let telling = said.lines().find(|line| parts.iter().any(|part| line.contains(part)));
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        exchange.clean(telling.or(last).unwrap_or_default())
    };
    let server = exchange.server.clone();
    let host = url.host().to_owned();
    if has("Host key verification failed") || has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let detail = match auth {
            _ if has("REMOTE HOST IDENTIFICATION HAS CHANGED") => {
                "it is another one than `known_hosts` has: somebody may be in between, or the server has a new key".to_owned()
            }
            Some(GitAuth::SshKey { known_hosts, .. }) => format!("`{}` has no key of this host", known_hosts.display()),
            _ => "`known_hosts` has no key of this host".to_owned(),
        };
        return GitError::HostKey { host, detail };
    }
    if has("Permission denied")
        || has("Load key")
        || has("UNPROTECTED PRIVATE KEY")
        || has("Too many authentication failures")
    {
        let detail = line(&["Load key", "UNPROTECTED", "Permission denied", "Too many"]);
        return GitError::Denied { server, detail };
    }
    if has("Could not resolve")
        || has("Connection refused")
        || has("timed out")
        || has("unreachable")
        || has("No route to host")
        || has("Connection closed")
        || has("Connection reset")
        || has("kex_exchange")
    {
        let detail = line(&[
            "Could not resolve",
            "Connection refused",
            "timed out",
            "unreachable",
            "No route",
            "Connection closed",
            "Connection reset",
            "kex_exchange",
        ]);
        return GitError::Unreachable { server, detail };
    }
    if has("does not appear to be a git repository")
        || has("not found")
        || has("No such file")
        || has("does not exist")
        || has("could not be found")
    {
        let detail = line(&[
            "does not appear",
            "not found",
            "No such file",
            "does not exist",
            "could not be found",
        ]);
        return GitError::NoRepository { url: url.to_string(), detail };
    }
    GitError::Protocol { server, detail: line(&[]) }
}

/// What comes from the other end.
pub(super) struct Output {
    exchange: Arc<Exchange>,
    stdout: ChildStdout,
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.exchange.wait(self.stdout.read(buffer))??;
        self.exchange.count(read)?;
        Ok(read)
    }
}

/// What goes to the other end.
pub(super) struct Input {
    exchange: Arc<Exchange>,
    stdin: ChildStdin,
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.exchange.wait(self.stdin.write(bytes))?
    }

    fn flush(&mut self) -> io::Result<()> {
        self.exchange.wait(self.stdin.flush())?
    }
}
