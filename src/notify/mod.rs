//! Tells others what changed: by webhook, in a chat, as the status of a commit.
//!
//! Level-triggered, as everything here: there is no queue of events that could overflow or go stale. What a receiver is to be told is the
//! difference between what is (the store) and what it was told ([`told`]), worked out anew whenever something changes. So a receiver that
//! was away hears how things stand and not how they got there; what came and went meanwhile is counted as overtaken; and what was being
//! told when the process ended is told by the next one, under the same id.
//!
//! [`notice`] says what there is to tell, [`commit`] does so for commits; [`told`] what of it is news; [`receiver`] is the loop of one
//! receiver, with its waits and its end; [`channel`] makes the requests, [`answer`] says what their answers mean.
//!
//! One task a receiver, and the store's broadcast waits for nobody: no pass is ever held up by whoever does not listen. Secrets are read
//! again for every attempt and reach nothing but the request.

mod answer;
mod channel;
mod commit;
mod notice;
mod receiver;
#[cfg(test)]
mod testing;
mod told;

pub use channel::{Rehearsal, rehearse};

use crate::report::Store;
use crate::settings::Settings;
use receiver::Receiver;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Tells every receiver of the settings from now on, each in a task of its own, until `stop`. Then each gets a few seconds to hear the
/// last.
pub fn start(
    settings: &Settings,
    store: &Arc<Store>,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    for receiver in &settings.receivers {
        let name = receiver.name.clone();
        let telling = tokio::spawn(Receiver::new(receiver, settings, store).run(stop.clone()));
        tasks.spawn(async move {
            // A mistake of ours: nobody is told any more, and everything else goes on.
            if let Err(error) = telling.await {
                tracing::error!(receiver = name, %error, "telling a receiver broke off");
            }
        });
    }
}
