//! The only reader of real time. Everything goes through tokio's clock, so that paused time moves it.
//!
//! The host's clock paces the loop and nothing else: what is compared with an AWS timestamp uses AWS's own time, the
//! Date header of its answers (`aws::session`).

use std::time::Duration;
pub use tokio::time::Instant;

/// The present moment, for measuring how long something takes.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "this is the one place that waits for time")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The host's time of day: for ages that people read and for the pace of the loop. Never compared with what AWS says, but to see how far
/// apart the two are.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn wall() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
