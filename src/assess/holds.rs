//! Holds: our claim on a trigger, written as a tag, so that it lives where the trigger lives. One key a provisioned product, so that
//! hives that share a TE version do not collide. A tag is overwritten and never removed; who removes it takes the trigger over.
//!
//! A hold is `held <last provisioning record> <epoch> <controller id> <spec digest> <made|taken>:<process>`, and after that
//! `released <epoch> <controller id> <spec digest>`, which ends in ` returned` once the trigger was enabled again, and in ` yielded` when
//! it turned out to be somebody else's doing that it is off. What follows the digest may be missing (a hold written by hand).
//!
//! All of it fits a Lambda tag: at most 256 characters of letters, digits, blanks and `+ - = . _ : / @` (Lambda developer guide, "Tags").

use crate::observe::observation::Trigger;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::time::Duration;

/// What the key of every hold begins with; the provisioned product's id follows.
pub const HOLD_PREFIX: &str = "ted-controller:hold:";

/// How long a hold is a claim. After it nobody is coming any more.
pub const LEASE: Duration = Duration::from_mins(30);

/// How long another product's hold is taken for one that is being worked on: the longest that an update may take before a person is asked
/// (`updateTimeout`).
pub const LONGEST_UPDATE: SignedDuration = SignedDuration::from_hours(8);

/// What stands in a hold for "there is no provisioning record".
pub const NO_RECORD: &str = "-";

/// The tag key of a product's hold.
pub fn hold_key(product_id: &str) -> String {
    format!("{HOLD_PREFIX}{product_id}")
}

/// A hold on a trigger, as its tag has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold<'a> {
    /// Claimed.
    Held(Claim<'a>),
    /// Given up.
    Released(Release<'a>),
    /// Something that nobody of us wrote.
    Garbled(&'a str),
}

/// A claim on a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The last provisioning record when it was made: another one means that there was an update since.
    pub record: &'a str,
    /// When it was made. Taking it over does not move it, so that no chain of crashes makes a pause endless.
    pub at: Timestamp,
    /// By which controller.
    pub controller: &'a str,
    /// For which document.
    pub digest: &'a str,
    /// By which process; not known of a hold that was written by hand.
    pub by: Option<By<'a>>,
}

/// The process that answers for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// It made the claim, so it knows whether an update was sent under it.
    Made(&'a str),
    /// It took the claim over from a process that may still be at work.
    Taken(&'a str),
}

impl By<'_> {
    /// The process.
    pub fn process(&self) -> &str {
        match self {
            Self::Made(process) | Self::Taken(process) => process,
        }
    }
}

/// A claim that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release<'a> {
    /// When; not known when somebody else wrote it.
    pub at: Option<Timestamp>,
    /// By which controller, if it says so.
    pub controller: Option<&'a str>,
    /// Of which document the claim was, if it says so.
    pub digest: Option<&'a str>,
    /// What became of the trigger.
    pub end: End,
}

/// What became of a trigger whose claim was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is still to be enabled.
    Open,
    /// It was enabled. Whoever disables it from now on means it.
    Returned,
    /// It was somebody else who disabled it: it stays off.
    Yielded,
}

const RETURNED: &str = "returned";
const YIELDED: &str = "yielded";

impl<'a> Hold<'a> {
    /// Reads a hold.
    pub fn parse(value: &'a str) -> Self {
        let words: Vec<&str> = value.split_whitespace().collect();
        match words.as_slice() {
            ["held", record, epoch, controller, digest] => match instant(epoch) {
                Some(at) => Self::Held(Claim { record, at, controller, digest, by: None }),
                None => Self::Garbled(value),
            },
            ["held", record, epoch, controller, digest, by] => {
                match (instant(epoch), process(by)) {
                    (Some(at), Some(by)) => {
                        Self::Held(Claim { record, at, controller, digest, by: Some(by) })
                    }
                    (_, _) => Self::Garbled(value),
                }
            }
            ["released", rest @ ..] => {
                let end = match rest.last() {
                    Some(&RETURNED) => End::Returned,
                    Some(&YIELDED) => End::Yielded,
                    Some(_) | None => End::Open,
                };
                Self::Released(Release {
                    at: rest.first().and_then(|epoch| instant(epoch)),
                    controller: rest.get(1).copied().filter(|word| !is_end(word)),
                    digest: rest.get(2).copied().filter(|word| !is_end(word)),
                    end,
                })
            }
            _ => Self::Garbled(value),
        }
    }
}

impl Hold<'_> {
    /// Whether somebody is still to enable the trigger.
    pub fn is_owed(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::Released(release) => release.end == End::Open,
            Self::Garbled(_) => false,
        }
    }
}

impl fmt::Display for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, at, controller, digest, by } = self;
        write!(f, "held {record} {} {controller} {digest}", at.as_second())?;
        match by {
            Some(By::Made(process)) => write!(f, " made:{process}"),
            Some(By::Taken(process)) => write!(f, " taken:{process}"),
            None => Ok(()),
        }
    }
}

/// The tag of a claim that is given up.
pub fn released(at: Timestamp, controller: &str, digest: &str, end: End) -> String {
    let end = match end {
        End::Open => "",
        End::Returned => " returned",
        End::Yielded => " yielded",
    };
    format!("released {} {controller} {digest}{end}", at.as_second())
}

fn instant(text: &str) -> Option<Timestamp> {
    Timestamp::from_second(text.parse().ok()?).ok()
}

fn process(text: &str) -> Option<By<'_>> {
    let made = text.strip_prefix("made:").map(By::Made);
    made.or_else(|| text.strip_prefix("taken:").map(By::Taken))
}

fn is_end(word: &str) -> bool {
    word == RETURNED || word == YIELDED
}

/// The hold of one product on a trigger. `None`: it bears none, or its tags could not be read.
pub fn hold_of<'a>(trigger: &'a Trigger, product_id: &str) -> Option<Hold<'a>> {
    let tags = trigger.tags.as_ref()?;
    Some(Hold::parse(tags.get(&hold_key(product_id))?))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for by in [None, Some(By::Made("p1")), Some(By::Taken("p1"))] {
            let claim = Claim { record: "rec-1", at: at(7), controller: "ctl", digest: "0123", by };
            assert_eq!(Hold::parse(&claim.to_string()), Hold::Held(claim));
        }
        for end in [End::Open, End::Returned, End::Yielded] {
            let text = released(at(7), "ctl", "0123", end);
            let release =
                Release { at: Some(at(7)), controller: Some("ctl"), digest: Some("0123"), end };
            assert_eq!(Hold::parse(&text), Hold::Released(release), "{text}");
        }
    }

    #[test]
    fn short_and_foreign_forms_are_told_apart() {
        for (text, wanted, why) in [
            (
                "released 7",
                Hold::Released(Release {
                    at: Some(at(7)),
                    controller: None,
                    digest: None,
                    end: End::Open,
                }),
                "by hand",
            ),
            (
                "released 7 returned",
                Hold::Released(Release {
                    at: Some(at(7)),
                    controller: None,
                    digest: None,
                    end: End::Returned,
                }),
                "an end is no controller",
            ),
            ("held rec-1 soon ctl 0123", Hold::Garbled("held rec-1 soon ctl 0123"), "no time"),
            ("held rec-1 7 ctl 0123 me", Hold::Garbled("held rec-1 7 ctl 0123 me"), "who?"),
            ("", Hold::Garbled(""), "nothing"),
        ] {
            assert_eq!(Hold::parse(text), wanted, "{why}");
        }
    }

    #[test]
    fn a_hold_fits_a_tag_of_lambda() {
        let claim = Claim {
            record: "rec-abcdefghijklm",
            at: at(4_102_444_800),
            controller: &"c".repeat(63),
            digest: "0123456789abcdef",
            by: Some(By::Taken("0123456789ab")),
        };
        let text = claim.to_string();
        let fits = |c: char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c);
        assert!(text.len() <= 256 && text.chars().all(fits), "{text}");
    }
}
