//! Holds: our claims on triggers, written as tags on them. Here they are read.

use crate::observe::observation::Trigger;
use jiff::Timestamp;
use std::time::Duration;

/// What the key of every hold begins with; the provisioned product's id follows.
pub const HOLD_PREFIX: &str = "ted-controller:hold:";

/// How long a hold is a claim without being refreshed.
pub const LEASE: Duration = Duration::from_mins(30);

/// The tag key of a product's hold.
pub fn hold_key(product_id: &str) -> String {
    format!("{HOLD_PREFIX}{product_id}")
}

/// A hold on a trigger: `held <last provisioning record> <epoch> <controller id> <spec digest>`, or `released <epoch> …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold<'a> {
    /// Claimed.
    Held {
        /// The last provisioning record when it was made.
        record: &'a str,
        /// When.
        at: Timestamp,
        /// By which controller.
        controller: &'a str,
        /// For which document.
        digest: &'a str,
    },
    /// Given up.
    Released {
        /// When; not known when somebody else wrote it.
        at: Option<Timestamp>,
    },
    /// Something that nobody of us wrote.
    Garbled(&'a str),
}

impl<'a> Hold<'a> {
    /// Reads a hold.
    pub fn parse(value: &'a str) -> Self {
        let words: Vec<&str> = value.split_whitespace().collect();
        let instant = |text: &str| Timestamp::from_second(text.parse().ok()?).ok();
        match words.as_slice() {
            ["held", record, epoch, controller, digest] => match instant(epoch) {
                Some(at) => Self::Held { record, at, controller, digest },
                None => Self::Garbled(value),
            },
            ["released", rest @ ..] => {
                Self::Released { at: rest.first().and_then(|epoch| instant(epoch)) }
            }
            _ => Self::Garbled(value),
        }
    }
}

/// All holds on a trigger: the product's id and the hold. `None`: its tags could not be read.
pub fn holds_on(trigger: &Trigger) -> Option<Vec<(&str, Hold<'_>)>> {
    let tags = trigger.tags.as_ref()?;
    Some(
        tags.iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(HOLD_PREFIX)?, Hold::parse(value))))
            .collect(),
    )
}
