//! Every code that people meet (findings, gates, reasons of conditions and events, trouble with AWS, problems of documents, causes of
//! failures), with what it means and what to do:
//! `ted-controller explain CODE`, and `docs/reference/codes.md`.

mod table;

use super::diagnosis::Cause;

/// What a code is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A disagreement in `status.findings`.
    Finding,
    /// A precondition in `status.gates`.
    Gate,
    /// The reason of a condition.
    Reason,
    /// Why AWS could not be read or refused something: in `trouble`, in what is unreadable, and as the reason of a condition then.
    Trouble,
    /// What is wrong with a document.
    Problem,
    /// The reason of an event, beside the reasons of conditions and of trouble.
    Event,
    /// The reason of a notice, beside the reasons of conditions.
    Notice,
    /// Why an update failed, in a diagnosis.
    Cause,
}

impl Of {
    /// What one of them is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Finding => "a finding",
            Self::Gate => "a gate",
            Self::Reason => "a reason of a condition",
            Self::Trouble => "trouble with AWS",
            Self::Problem => "a problem of a document",
            Self::Event => "an event",
            Self::Notice => "a notice",
            Self::Cause => "a cause of a failed update",
        }
    }

    /// The heading of its part in the reference.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Finding => "Findings",
            Self::Gate => "Gates",
            Self::Reason => "Reasons of conditions",
            Self::Trouble => "Trouble with AWS",
            Self::Problem => "Problems of documents",
            Self::Event => "Events",
            Self::Notice => "Notices",
            Self::Cause => "Causes of failed updates",
        }
    }
}

/// An explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code, as it is shown.
    pub code: &'static str,
    /// What it is of.
    pub of: Of,
    /// What it says, and why it matters.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
}

const fn row(
    of: Of,
    code: &'static str,
    meaning: &'static str,
    action: &'static str,
) -> Explanation {
    Explanation { code, of, meaning, action }
}

/// What the causes of a diagnosis mean.
fn cause(cause: Cause) -> Explanation {
    let (meaning, action) = match cause {
        Cause::DatabaseNotAvailable => (
            "The database was backing up, upgrading or being modified.",
            "Wait until it is `available`; the update is tried again.",
        ),
        Cause::StorageOutOfStep => (
            "The template names another size of storage than the database has.",
            "Continue the rollback if it failed, then update with the real size (`storage: adopt`).",
        ),
        Cause::StorageCooldown => {
            ("RDS takes no change of storage for six hours after the last one.", "Wait.")
        }
        Cause::CacheNotAvailable => (
            "The cache was being modified, or a change of it was pending.",
            "Wait until it is `available`; the update is tried again.",
        ),
        Cause::CredentialsExpired => (
            "The product launches without a role, and the credentials of whoever asked ran out while the update ran.",
            "Give the portfolio a launch role, then update again.",
        ),
        Cause::NothingToChange => (
            "The update would have changed nothing. CloudFormation refuses that, and Service Catalog may taint the product over it.",
            "Nothing is broken: the next update that changes something heals the taint.",
        ),
        Cause::StackNotUpdatable => (
            "The stack was in a state that takes no update, mostly UPDATE_ROLLBACK_FAILED.",
            "Continue the rollback first; `ted-controller diagnose` says what it failed at.",
        ),
        Cause::Cancelled => (
            "Somebody cancelled the update. The controller never does.",
            "Find out who and why before updating again.",
        ),
        Cause::PermissionDenied => (
            "The launch role, the caller or an organisation's policy was denied something.",
            "Grant what the diagnosis names.",
        ),
        Cause::ValueNotAllowed => (
            "AWS refused a value, or a combination of values.",
            "Correct the parameter that the message names.",
        ),
        Cause::Quota => {
            ("A quota of the account is used up.", "Raise it in Service Quotas, or free something.")
        }
        Cause::ResourceMissing => (
            "A resource that the template has or refers to is gone.",
            "Put it back, or ask Turbot support.",
        ),
        Cause::ServiceTrouble => {
            ("AWS throttled, or had trouble of its own.", "Wait; the update is tried again.")
        }
        Cause::PastTheDoor => (
            "The update failed after the cache became Valkey; the way back to Redis does not exist.",
            "Go forward: approve `past-the-door`.",
        ),
        Cause::Unknown => (
            "The message is of no known class.",
            "Read it, and ask Turbot support with a `support-bundle`.",
        ),
    };
    row(Of::Cause, cause.as_str(), meaning, action)
}

/// All explanations, in the order of the reference.
pub fn all() -> impl Iterator<Item = Explanation> {
    table::CODES.iter().copied().chain(Cause::ALL.into_iter().map(cause))
}

/// The explanations of a code: several, when a gate and a cause share a name.
pub fn explain(code: &str) -> Vec<Explanation> {
    all().filter(|known| known.code.eq_ignore_ascii_case(code)).collect()
}

/// Codes that look like `code`, the nearest first.
pub fn similar(code: &str) -> Vec<&'static str> {
    let code = code.to_ascii_lowercase();
    let mut near: Vec<(usize, &'static str)> = all()
        .map(|known| {
            let name = known.code.to_ascii_lowercase();
            let whole = strsim::damerau_levenshtein(&code, &name);
            let tail = name
                .rsplit('/')
                .next()
                .map_or(usize::MAX, |tail| strsim::damerau_levenshtein(&code, tail));
            let inside = if code.len() >= 3 && name.contains(&code) { 0 } else { usize::MAX };
            (whole.min(tail).min(inside), known.code)
        })
        .filter(|(distance, _)| *distance <= 3)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, code)| code).take(4).collect()
}

/// `docs/reference/codes.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Codes\n\nWhat the controller says, and what it wants from you. `ted-controller explain CODE` prints the same.\n\
         This file is generated: `ted-controller explain --all > docs/reference/codes.md`.\n",
    );
    let mut last = None;
    for known in all() {
        if last != Some(known.of) {
            let heading = known.of.heading();
            text.extend(["\n## ", heading, "\n\n| code | means | what to do |\n|---|---|---|\n"]);
            last = Some(known.of);
        }
        text.extend(["| `", known.code, "` | ", known.meaning, " | ", known.action, " |\n"]);
    }
    text
}

#[cfg(test)]
mod tests;
