//! How page, API and command line ask the running loop for something, without knowing it.

use tokio::sync::{mpsc, oneshot};

/// How many requests may wait. The loop takes them between two passes, so more than a few means that it hangs.
const MAX_WAITING: usize = 64;

/// Something that the loop is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Look at a TED now. `status.lastHandledReconcile` shows the token when it was done.
    Reconcile {
        /// The TED.
        name: String,
        /// What the answer is known by.
        token: String,
        /// Whether attempts that failed are forgotten.
        retry: bool,
    },
    /// Stop every start, or allow them again.
    Freeze {
        /// Whether to stop.
        on: bool,
        /// Why.
        reason: Option<String>,
    },
}

/// Why something was not taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such TED.
    #[error("there is no TED `{0}`")]
    NoSuchTed(String),
    /// The controller is about to end, or too many wait.
    #[error("the controller takes nothing up at the moment")]
    Busy,
}

type Asked = (Command, oneshot::Sender<Result<(), Refused>>);

/// Where to ask. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Commands(mpsc::Sender<Asked>);

/// Where the loop is asked.
#[derive(Debug)]
pub struct CommandReceiver(mpsc::Receiver<Asked>);

/// A way to ask, and its other end.
pub fn channel() -> (Commands, CommandReceiver) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    (Commands(sender), CommandReceiver(receiver))
}

impl Commands {
    /// Asks, and waits until the loop has taken it up (not until it is done).
    ///
    /// # Errors
    /// It was not taken up.
    pub async fn send(&self, command: Command) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send((command, answer)).map_err(|_| Refused::Busy)?;
        answered.await.unwrap_or(Err(Refused::Busy))
    }
}

impl CommandReceiver {
    /// The next request, with where to answer; `None` when nobody can ask any more.
    pub async fn recv(&mut self) -> Option<(Command, oneshot::Sender<Result<(), Refused>>)> {
        self.0.recv().await
    }

    /// Takes nothing up any more: whoever asks, or waits for an answer, is told so at once.
    pub fn close(&mut self) {
        self.0.close();
        // Who is dropped here is answered by that.
        while self.0.try_recv().is_ok() {}
    }
}
