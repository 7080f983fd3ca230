//! Every code that people meet (findings, gates, reasons of conditions, causes of failures), with what it means and what to do:
//! `ted-controller explain CODE`, and `docs/reference/codes.md`.

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
            Self::Cause => "a cause of a failed update",
        }
    }

    /// The heading of its part in the reference.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Finding => "Findings",
            Self::Gate => "Gates",
            Self::Reason => "Reasons of conditions",
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

use Of::{Finding, Gate, Reason};

/// All codes: findings, gates, reasons, causes.
pub const CODES: &[Explanation] = &[
    row(
        Finding,
        "drift/cache-engine",
        "The nodes of the cache run another engine than the document asks for. Read from the nodes in ElastiCache, not from a parameter.",
        "Read the plan. From Redis to Valkey there is no way back: it needs `approve: [redis-to-valkey]`. From Valkey to Redis there is no way at all: correct the document.",
    ),
    row(
        Finding,
        "drift/cache-version",
        "The nodes run another version of the wanted engine. `8.0` is satisfied by `8.0.1`.",
        "Read the plan; versions only go up.",
    ),
    row(
        Finding,
        "drift/ted-version",
        "Another TED version runs than the document asks for (root stack output ReleaseVersion).",
        "Read the plan, and the parameters it would change.",
    ),
    row(
        Finding,
        "drift/parameter",
        "A parameter of the stack has another value than the document asks for. Values are compared as AWS compares them.",
        "Read the plan.",
    ),
    row(
        Finding,
        "drift/resource",
        "CloudFormation's own drift detection found a resource that differs from its template. Does not make Ready false.",
        "Put it back, or have the template say what is wanted; the next update may overwrite it.",
    ),
    row(
        Finding,
        "sync/product-tainted",
        "The last change failed and was rolled back; the product can be used and updated.",
        "Find out why with `ted-controller diagnose`; a successful update heals it.",
    ),
    row(
        Finding,
        "sync/product-error",
        "Service Catalog cannot update the product any more.",
        "`ted-controller diagnose`; repair the stack in CloudFormation, or ask Turbot support.",
    ),
    row(
        Finding,
        "sync/version-mismatch",
        "Service Catalog names the version that was asked for last, the stack runs another one: an update failed, or the stack was updated past Service Catalog.",
        "A successful update brings them together.",
    ),
    row(
        Finding,
        "sync/parameter-mismatch",
        "A parameter of the stack says something else about the cache than ElastiCache: node type, number of nodes, Multi-AZ.",
        "Put the cache back, or set the parameter to what it is with the next update.",
    ),
    row(
        Finding,
        "sync/stack-changed-outside",
        "The root stack moved after the last Service Catalog record: somebody updated it in CloudFormation.",
        "Find out who and why (CloudTrail, `UpdateStack`). The next update keeps the stack's parameters as they are.",
    ),
    row(
        Finding,
        "sync/storage",
        "RDS has another storage than the stack's parameters say, mostly because autoscaling grew it. The most common cause of failed updates. Does not make Ready false.",
        "With `storage: adopt` (the default) the next update sends the real values.",
    ),
    row(
        Finding,
        "sync/cache-engine",
        "The stack's parameters name one engine, the nodes run another: somebody changed the cache in ElastiCache.",
        "Write what it runs into the document, so that the next update brings the stack along; never update the stack with the old engine.",
    ),
    row(
        Finding,
        "sync/cache-version",
        "The stack's parameters name another engine version than the nodes run.",
        "Write what it runs into the document.",
    ),
    row(
        Finding,
        "sync/cache-access",
        "Password, user groups or encryption of the cache are not what the stack's authentication mode asks for.",
        "Put them back before any update: workspaces may not be able to connect.",
    ),
    row(
        Finding,
        "sync/cache-left-behind",
        "A replication group bears the hive's name and does not belong to the stack: left by an update that replaced the cache.",
        "See that nothing uses it, snapshot it, delete it.",
    ),
    row(
        Finding,
        "sync/stack-missing",
        "The product's stack does not exist.",
        "Find out who deleted it and what is left; ask Turbot support.",
    ),
    row(
        Finding,
        "sync/stack-failed",
        "A stack of the product failed and was not rolled back.",
        "`ted-controller diagnose`.",
    ),
    row(
        Finding,
        "sync/rollback-failed",
        "The way back of a failed update failed too: nothing can be updated before it is continued.",
        "`ted-controller diagnose` says what failed and which resources may be skipped.",
    ),
    row(
        Finding,
        "sync/database-missing",
        "The stack's database is not in RDS.",
        "Restore it under its old name; ask Turbot support before any update.",
    ),
    row(
        Finding,
        "sync/cache-missing",
        "The stack's cache is not in ElastiCache.",
        "Find out who deleted it; ask Turbot support.",
    ),
    row(
        Finding,
        "sync/events-left-paused",
        "Worker triggers are off although nothing is being changed: events wait in their queues, and are lost once the queue's retention is over.",
        "Triggers that the controller paused are given back in apply mode, or with `ted-controller resume-events`. Triggers that somebody disabled by hand stay as they are.",
    ),
    row(
        Finding,
        "sync/backlog-not-draining",
        "Triggers are on again and their queues do not get shorter.",
        "Look at the worker functions' errors and concurrency in Lambda.",
    ),
    row(
        Finding,
        "sync/unreadable",
        "Something could not be read, so nothing is known about it. Nothing is assumed, and nothing starts on it.",
        "Grant the action that is named; `ted-controller doctor` checks all of them.",
    ),
    row(
        Finding,
        "info/version-retired",
        "The running TED version is hidden, deprecated or not on offer any more.",
        "Plan an update.",
    ),
    row(
        Finding,
        "info/newer-version",
        "A newer TED version of the same major version is on offer.",
        "Read the release notes; ask for it with `tedVersion`.",
    ),
    row(
        Finding,
        "info/engine-end-of-life",
        "AWS ends standard support of the cache's engine version; extended support costs extra.",
        "Move to Valkey.",
    ),
    row(
        Gate,
        "account",
        "The credentials are of the account that the document names.",
        "Correct `spec.account`, or use other credentials.",
    ),
    row(
        Gate,
        "product",
        "Exactly one provisioned product fits, and its status allows an update.",
        "Correct `provisionedProduct`; heal a product in ERROR first.",
    ),
    row(
        Gate,
        "identity",
        "Document, product, stack and hive mean the same TED.",
        "Correct the document: the message says what does not fit.",
    ),
    row(
        Gate,
        "stable",
        "Nothing is being changed: product, root and nested stacks, Workspace and TE stacks of this hive; nobody else works on the triggers.",
        "Wait; a stack that failed has to be repaired.",
    ),
    row(
        Gate,
        "launch-role",
        "Updates run under the product's launch role, not on credentials that may end half-way.",
        "Give the portfolio a launch constraint, or approve `no-launch-role`.",
    ),
    row(
        Gate,
        "version-offered",
        "The wanted version is on offer exactly once, active, and reachable by one launch path.",
        "Import the version into the portfolio, or name another.",
    ),
    row(
        Gate,
        "version-forward",
        "The wanted version is newer than the one that runs; a new major version needs an approval.",
        "`approve: [major-version@vX.Y.Z]` after talking to Turbot support; downgrades are never done.",
    ),
    row(
        Gate,
        "valkey-supported",
        "The wanted version knows Valkey (TED v1.50.0 and later have the parameter).",
        "Add a `tedVersion` that does: the message names one.",
    ),
    row(
        Gate,
        "parameters-known",
        "Every parameter that has to be sent is known: found by its label, confirmed by what runs.",
        "Add the line under `parameterKeys` that the message gives.",
    ),
    row(
        Gate,
        "something-changes",
        "The update would change something: an empty update fails and may taint.",
        "Nothing, unless the product is tainted: then `approve: [retrigger]`.",
    ),
    row(
        Gate,
        "one-way",
        "From Redis to Valkey there is no way back.",
        "`approve: [redis-to-valkey]` once you are sure.",
    ),
    row(
        Gate,
        "no-destruction",
        "No parameter of the update destroys the cache or drops a setting.",
        "`approve: [cache-recreate@vX.Y.Z]` or `dropped-parameters@…`, if that is meant.",
    ),
    row(
        Gate,
        "database-available",
        "Database and replica are `available` with nothing pending: an update during a backup fails.",
        "Wait.",
    ),
    row(
        Gate,
        "storage-in-step",
        "The update sends the storage that RDS has, and RDS accepts changes of it now.",
        "`storage: adopt`; after a change of storage RDS takes no other for six hours.",
    ),
    row(
        Gate,
        "cache-available",
        "Cache and nodes are `available` with nothing pending.",
        "Wait, or apply what is pending in ElastiCache.",
    ),
    row(
        Gate,
        "backup-clear",
        "No backup, snapshot or maintenance of the database or the cache begins during the update.",
        "Wait: the message says until when.",
    ),
    row(
        Gate,
        "events-pausable",
        "Every worker trigger of every TE version that a workspace of this hive runs is found, readable and taggable.",
        "Grant what the message names; `events: {pause: false}` if events may be lost.",
    ),
    row(
        Gate,
        "window",
        "A maintenance window is open, and long enough for the update.",
        "Wait, or change `maintenanceWindows`.",
    ),
    row(
        Gate,
        "self-heal",
        "What differs although the document has not changed has stood for `settle`, and `selfHeal` is on.",
        "Wait; find out who changes it (CloudTrail); `selfHeal: false` leaves it to you.",
    ),
    row(
        Gate,
        "attempts",
        "Not too many updates failed or came to nothing since the last success, and what made them fail may be over.",
        "`ted-controller diagnose`; then `ted-controller reconcile --retry`, or change the document.",
    ),
    row(
        Gate,
        "allowed",
        "The document and the controller let things start: `apply` mode, not suspended, not frozen.",
        "Set `policy.mode: apply` and start the controller with `--mode apply`; lift the suspension or the freeze when its reason is gone.",
    ),
    row(Reason, "InSync", "AWS is as the document says, read from the real cache.", "Nothing."),
    row(Reason, "Drifted", "AWS differs from the document.", "See `findings` and `plan`."),
    row(Reason, "OutOfSync", "AWS differs from itself.", "See `findings`."),
    row(
        Reason,
        "Unreadable",
        "Something that the verdict needs could not be read.",
        "`ted-controller doctor`.",
    ),
    row(
        Reason,
        "NotLooked",
        "Nothing was looked at yet, or what leads to it is missing.",
        "Wait for the next look.",
    ),
    row(
        Reason,
        "ProductNotFound",
        "There is no such provisioned product, or it may not be seen: Service Catalog does not tell these apart.",
        "Correct the name or id; see that the credentials may see the whole account.",
    ),
    row(Reason, "UnderChange", "An update runs.", "Wait."),
    row(Reason, "Updating", "An update runs.", "Wait."),
    row(Reason, "NothingToDo", "The plan is empty.", "Nothing."),
    row(Reason, "Plan", "The next step of the plan is due.", "Nothing."),
    row(Reason, "Waiting", "A gate is closed that time opens.", "Nothing."),
    row(
        Reason,
        "Blocked",
        "A gate is closed that a person has to open, or that could not be asked.",
        "Read its remedy.",
    ),
    row(
        Reason,
        "GateClosed",
        "Nothing goes on before a person opens the gate.",
        "Do what the message says.",
    ),
    row(
        Reason,
        "NeedsPerson",
        "A stack or the product is in a state that nothing gets out of by itself.",
        "Do what the message says.",
    ),
    row(Reason, "NobodyNeeded", "Nobody has to do anything.", "Nothing."),
    row(Reason, "NoFindings", "There are no findings of this kind.", "Nothing."),
    row(
        Reason,
        "NoDocument",
        "There is no document that AWS could differ from.",
        "`ted-controller adopt` writes one.",
    ),
    row(Reason, "Findings", "There are findings of this kind.", "See `findings`."),
    row(Reason, "EventsRun", "All worker triggers are on.", "Nothing."),
    row(Reason, "NoTriggers", "No worker triggers were found.", "See gate `events-pausable`."),
    row(
        Reason,
        "Held",
        "The controller holds worker triggers for a change of this TED.",
        "Wait; they are given back by themselves.",
    ),
    row(
        Reason,
        "HeldForAnother",
        "Worker triggers are held for another product that shares their TE version.",
        "Wait for that one.",
    ),
    row(
        Reason,
        "DisabledOutside",
        "Worker triggers are off, and no hold says why.",
        "See finding `sync/events-left-paused`.",
    ),
];

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
    CODES.iter().copied().chain(Cause::ALL.into_iter().map(cause))
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
mod tests {
    use super::super::gates;
    use super::super::testing::{World, denied, there};
    use super::super::types::Assessment;
    use super::*;
    use std::collections::BTreeSet;

    fn known(of: Of) -> BTreeSet<&'static str> {
        all().filter(|known| known.of == of).map(|known| known.code).collect()
    }

    #[test]
    fn every_code_is_there_once_and_explained() {
        let mut seen = BTreeSet::new();
        for known in all() {
            assert!(seen.insert((known.of, known.code)), "{} twice", known.code);
            assert!(known.meaning.ends_with('.') && known.action.ends_with('.'), "{}", known.code);
        }
    }

    #[test]
    fn every_gate_is_explained_and_no_other() {
        let gates: BTreeSet<&str> = gates::names().collect();
        assert_eq!(known(Of::Gate), gates);
    }

    #[test]
    fn every_code_in_the_source_of_the_findings_is_explained_and_no_other() {
        let source = [
            include_str!("findings/drift.rs"),
            include_str!("findings/sync.rs"),
            include_str!("findings/info.rs"),
        ]
        .concat();
        let pattern = regex_lite::Regex::new(r#""((?:drift|sync|info)/[a-z-]+)""#).unwrap();
        let mut found: BTreeSet<&str> =
            pattern.captures_iter(&source).map(|found| found.get(1).unwrap().as_str()).collect();
        // Fixed by the design; it takes two looks, and is found by what remembers the first.
        found.insert("sync/backlog-not-draining");
        assert_eq!(known(Of::Finding), found);
    }

    #[test]
    fn every_reason_that_conditions_give_is_explained() {
        let reasons = known(Of::Reason);
        let check = |assessment: &Assessment| {
            for condition in &assessment.conditions {
                assert!(reasons.contains(condition.reason.as_str()), "{}", condition.reason);
            }
        };
        check(&World::staying().assess());
        check(&World::migrating().assess());
        check(&World::migrated().assess());
        check(&World::migrating().with(|w| w.observation.caches = denied()).assess());
        check(&World::migrating().edit("approve: [redis-to-valkey]", "approve: []").assess());
        check(&World::staying().with(|w| there(&mut w.observation.products).clear()).assess());
        let source = include_str!("conditions.rs");
        for reason in &reasons {
            assert!(source.contains(&format!("\"{reason}\"")), "nobody gives the reason {reason}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_met_with_what_was_meant() {
        assert_eq!(explain("SYNC/Storage")[0].code, "sync/storage");
        assert_eq!(similar("sync/storrage"), ["sync/storage"]);
        assert!(similar("one-wya").contains(&"one-way"));
        assert!(similar("zzzzzz").is_empty());
    }

    #[test]
    fn the_reference_is_current() {
        crate::golden::check("docs/reference/codes.md", &reference());
    }
}
