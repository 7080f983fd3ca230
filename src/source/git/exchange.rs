//! One visit to a server: until when it may last, how much it may bring, as whom we come, and what went wrong first.
//!
//! The git library reads and writes as if it were blocking. Below it everything waits here, so that one deadline and one stop end any of
//! it; and since the library only passes `io::Error`s on, what really happened is remembered here, and [`Exchange::blame`] gives it back.

use super::error::GitError;
use crate::clock::{self, Instant};
pub(super) use crate::text::chain;
use crate::text::sanitize_to;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// The longest foreign text in an error, in characters.
const MAX_DETAIL: usize = 300;

/// One visit to a server.
#[derive(Debug)]
pub(super) struct Exchange {
    runtime: Handle,
    /// The server, as messages name it.
    pub(super) server: String,
    limit: Duration,
    deadline: Instant,
    stop: CancellationToken,
    /// What must never be repeated, whoever says it.
    secrets: Vec<String>,
    received: AtomicU64,
    most: AtomicU64,
    trouble: Mutex<Option<GitError>>,
}

impl Exchange {
    /// A visit that begins now.
    pub(super) fn new(
        runtime: Handle,
        server: String,
        limit: Duration,
        stop: CancellationToken,
        secrets: Vec<String>,
    ) -> Self {
        Self {
            runtime,
            server,
            limit,
            deadline: clock::now() + limit,
            stop,
            secrets,
            received: AtomicU64::new(0),
            most: AtomicU64::new(u64::MAX),
            trouble: Mutex::new(None),
        }
    }

    /// Waits on this thread, which must be one that may block, until it is done, the time is over, or we stop.
    pub(super) fn wait<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let left = self.deadline.saturating_duration_since(clock::now());
        let done = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(GitError::Stopped),
                output = future => Ok(output),
                () = clock::sleep(left) => {
                    Err(GitError::TimedOut { server: self.server.clone(), limit: self.limit })
                }
            }
        });
        done.map_err(|error| self.fail(error))
    }

    /// The runtime that everything waits on.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// From now on no more than this may come.
    pub(super) fn allow(&self, bytes: u64) {
        self.received.store(0, Ordering::Relaxed);
        self.most.store(bytes, Ordering::Relaxed);
    }

    /// Counts what has come.
    pub(super) fn count(&self, bytes: usize) -> io::Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let received = self.received.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let most = self.most.load(Ordering::Relaxed);
        if received <= most {
            return Ok(());
        }
        Err(self.fail(GitError::TooLarge {
            what: "the server sends more than a repository of desired documents has".to_owned(),
            limit: super::bytes(most),
        }))
    }

    /// Remembers what went wrong, if nothing has before, and gives the error that the library passes on.
    pub(super) fn fail(&self, error: GitError) -> io::Error {
        let text = error.to_string();
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        io::Error::other(text)
    }

    /// What really happened when the library says `error`.
    pub(super) fn blame(&self, error: &dyn std::error::Error) -> GitError {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        trouble.unwrap_or_else(|| GitError::Protocol {
            server: self.server.clone(),
            detail: self.clean(&chain(error)),
        })
    }

    /// Foreign text, made safe to print and without any of our secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "…");
        }
        sanitize_to(text.trim(), MAX_DETAIL)
    }
}
