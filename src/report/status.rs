//! The shapes of the API: a TED is its document plus a status. Field names are a contract; fields are added, none renamed.

use super::clean;
use super::plan::PlannedStep;
use super::sides::Side;
use crate::assess::types::{
    Actual, Condition, ConditionStatus, ConditionType, Finding, Gate, ParameterChange, Phase,
};
use crate::desired::{API_VERSION, Committed, Desired, InForce, KIND, Name, Note, Problem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The six types, in the order in which they are shown.
pub(super) const CONDITION_TYPES: [ConditionType; 6] = [
    ConditionType::Ready,
    ConditionType::Reconciling,
    ConditionType::Stalled,
    ConditionType::Drifted,
    ConditionType::OutOfSync,
    ConditionType::EventsPaused,
];

/// What stands in a document in place of a secret.
const REDACTED: &str = "[redacted]";

/// Words in a parameter's key that make its value a secret, whatever the template says.
///
/// A document with a `NoEcho` parameter is refused by a gate, but only after it was read: its value must not show meanwhile.
const SECRET_WORDS: [&str; 5] = ["password", "secret", "token", "apikey", "credential"];

/// The TEDs of a controller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TedList {
    /// In the order of names.
    pub items: Vec<Ted>,
    /// Whether starts are stopped for all of them.
    #[serde(default)]
    pub freeze: Freeze,
}

/// A TED: its document, and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ted {
    /// [`API_VERSION`].
    pub api_version: String,
    /// [`KIND`].
    pub kind: String,
    /// Its name.
    pub metadata: Metadata,
    /// The document's spec, defaults filled in, secrets redacted.
    pub spec: Value,
    /// What is known.
    pub status: Status,
}

impl Ted {
    /// A TED that nobody has looked at yet.
    pub fn new(desired: &Desired, now: Timestamp) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata { name: desired.name.to_string() },
            spec: public_spec(desired),
            status: Status::unseen(now),
        }
    }

    /// A product that no document names, and of which something is to be given back.
    pub(super) fn without_document(name: &Name, product: &str, now: Timestamp) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            metadata: Metadata { name: name.to_string() },
            spec: serde_json::json!({ "provisionedProduct": product }),
            status: Status::unseen(now),
        }
    }
}

/// The spec as the API shows it.
pub(super) fn public_spec(desired: &Desired) -> Value {
    let mut document = desired.to_api();
    let mut spec = document.get_mut("spec").map(Value::take).unwrap_or_default();
    let parameters = spec.get_mut("parameters").and_then(Value::as_object_mut);
    for (key, value) in parameters.into_iter().flatten() {
        let key = key.to_ascii_lowercase();
        if SECRET_WORDS.iter().any(|word| key.contains(word)) {
            *value = Value::String(REDACTED.to_owned());
        }
    }
    spec
}

/// A TED's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Unique in one controller.
    pub name: String,
}

/// What is known about a TED.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The revision that the last verdict is about.
    pub observed_revision: Option<String>,
    /// Who made that revision's commit, when it is one.
    pub observed_commit: Option<Committed>,
    /// The revision that the last update was started for.
    pub attempted_revision: Option<String>,
    /// The revision that was last verified to be in effect.
    pub applied_revision: Option<String>,
    /// When AWS was last looked at with success; AWS's time.
    pub observed_at: Option<Timestamp>,
    /// The same moment by the host's clock: what ages are counted from. How far the two are apart is how far the clocks are.
    pub looked_at: Option<Timestamp>,
    /// When it is looked at again.
    pub next_look_at: Option<Timestamp>,
    /// The token of the last reconcile-now request that was carried out.
    pub last_handled_reconcile: Option<String>,
    /// A word for a table column; absent before the first look.
    pub phase: Option<Phase>,
    /// All six, always.
    pub conditions: Vec<TimedCondition>,
    /// What runs.
    pub actual: Actual,
    /// What disagrees.
    pub findings: Vec<Finding>,
    /// What must hold before anything starts.
    pub gates: Vec<Gate>,
    /// What would be done, in order.
    pub plan: Vec<PlannedStep>,
    /// How far the update under way has come.
    pub progress: Option<Progress>,
    /// Whether events are paused; absent when it could not be read.
    pub events: Option<EventsState>,
    /// Past updates, newest first.
    pub history: Vec<History>,
    /// Document, Service Catalog, CloudFormation and the real resources side by side.
    pub sides: Vec<Side>,
    /// What an update would do to parameters.
    pub parameters: Vec<ParameterChange>,
    /// Approvals that nothing asks for, and the like.
    pub notes: Vec<String>,
    /// Why the last look came to nothing; absent when it did not.
    pub trouble: Option<Trouble>,
}

impl Default for Status {
    fn default() -> Self {
        Self::unseen(Timestamp::UNIX_EPOCH)
    }
}

impl Status {
    /// Before the first look nothing is known, and that is said.
    pub fn unseen(now: Timestamp) -> Self {
        let unknown = |kind| TimedCondition {
            kind,
            status: ConditionStatus::Unknown,
            reason: "NotYetObserved".to_owned(),
            message: "nobody has looked at it yet".to_owned(),
            last_transition_time: super::transitions::whole_second(now),
        };
        Self {
            observed_revision: None,
            observed_commit: None,
            attempted_revision: None,
            applied_revision: None,
            observed_at: None,
            looked_at: None,
            next_look_at: None,
            last_handled_reconcile: None,
            phase: None,
            conditions: CONDITION_TYPES.map(unknown).into(),
            actual: Actual::default(),
            findings: Vec::new(),
            gates: Vec::new(),
            plan: Vec::new(),
            progress: None,
            events: None,
            history: Vec::new(),
            sides: Vec::new(),
            parameters: Vec::new(),
            notes: Vec::new(),
            trouble: None,
        }
    }

    /// How it stands, in the words of exit codes.
    pub fn standing(&self) -> Standing {
        let is = |kind| self.condition(kind).filter(|one| one.status == ConditionStatus::True);
        if self.observed_at.is_none() || self.trouble.is_some() {
            return Standing::Unseen;
        }
        if is(ConditionType::Stalled).is_some() {
            return Standing::NeedsPerson;
        }
        match is(ConditionType::Reconciling) {
            Some(reconciling) if reconciling.reason != "Waiting" => Standing::Moving,
            None if is(ConditionType::Ready).is_some() => Standing::Settled,
            Some(_) | None => Standing::Waiting,
        }
    }

    /// One of the six conditions.
    pub fn condition(&self, kind: ConditionType) -> Option<&TimedCondition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// What there is to say in one line: the condition that people ask for first.
    pub fn headline(&self) -> Option<&TimedCondition> {
        let holds = |kind| {
            self.condition(kind).filter(|condition| condition.status == ConditionStatus::True)
        };
        holds(ConditionType::Stalled)
            .or_else(|| holds(ConditionType::Reconciling))
            .or_else(|| self.condition(ConditionType::Ready))
    }
}

/// How a TED stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As wanted.
    Settled,
    /// Something is being done, or will be by itself at once.
    Moving,
    /// Not as wanted, and nobody is asked to do anything: time opens a gate, or nobody wants more than to know.
    Waiting,
    /// Nothing goes on before a person did something.
    NeedsPerson,
    /// The last look came to nothing, or there was none.
    Unseen,
}

/// A condition with the time of its last change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimedCondition {
    /// One of the six types.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// One CamelCase word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// Since when the status is what it is. `transitions` keeps it: it moves when the status flips and at no other time.
    pub last_transition_time: Timestamp,
}

impl TimedCondition {
    /// The condition without its time.
    pub fn condition(&self) -> Condition {
        let Self { kind, status, reason, message, last_transition_time: _ } = self;
        Condition { kind: *kind, status: *status, reason: reason.clone(), message: message.clone() }
    }
}

/// How far an update has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// Stacks that are through.
    pub stacks_done: usize,
    /// All stacks of the product.
    pub stacks_total: usize,
    /// Resources that are through.
    pub resources_done: usize,
    /// All their resources.
    pub resources_total: usize,
    /// What is being worked on.
    pub current: Option<String>,
}

/// Whether events are paused, and what that costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EventsState {
    /// Whether we paused them.
    pub paused: bool,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How many triggers.
    pub triggers: usize,
    /// Messages that wait in their queues.
    pub backlog: Option<u64>,
    /// When the queues begin to drop the oldest.
    pub loss_begins: Option<Timestamp>,
}

/// A past update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// When it began.
    pub at: Timestamp,
    /// The revision it was for; absent when somebody else made it, or nobody remembers.
    pub revision: Option<String>,
    /// Who made the revision's commit, when it is one.
    #[serde(default)]
    pub commit: Option<Committed>,
    /// What was asked for, in a sentence; absent where the revision is.
    #[serde(default)]
    pub summary: Option<String>,
    /// As whom it was asked of AWS.
    #[serde(default)]
    pub by: Option<String>,
    /// Service Catalog's record.
    pub record_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took; absent while it runs.
    pub seconds: Option<u64>,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It has not ended.
    InProgress,
    /// As asked.
    Succeeded,
    /// Not as asked.
    Failed,
}

/// Why the last look came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// Since when every look has come to nothing.
    pub since: Timestamp,
    /// One CamelCase word.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// Whether starts are stopped. Giving events back is never stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Freeze {
    /// Whether they are.
    pub frozen: bool,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Where documents come from, and how its files stand.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// The file, folder or repository.
    pub source: String,
    /// What it held when it was last read.
    pub revision: Option<String>,
    /// When it was last read with success.
    pub last_read_at: Option<Timestamp>,
    /// Why it cannot be read now.
    pub problem: Option<String>,
    /// The commit of what it has in force, if that is one of a repository or a checkout.
    pub commit: Option<SourceCommit>,
    /// Every file, in the order of paths.
    pub files: Vec<SourceFile>,
    /// Files and documents passed over.
    pub notes: Vec<Note>,
}

/// A commit, as people look for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceCommit {
    /// Its id.
    pub id: String,
    /// The branch or tag it was found by; empty when the commit itself was asked for.
    pub branch: String,
    /// Who wrote it.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed.
    pub time: Option<Timestamp>,
}

/// How one file stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceFile {
    /// The file.
    pub path: String,
    /// Whether everything in it is right.
    pub valid: bool,
    /// The state in words.
    pub summary: String,
    /// What is wrong in it.
    pub problems: Vec<Problem>,
    /// Documents of it that stay in force although it does not say them now.
    pub last_good: Vec<String>,
}

impl SourceReport {
    /// What a source that could be read says.
    pub fn read(
        source: impl Into<String>,
        revision: impl Into<String>,
        in_force: &InForce,
        now: Timestamp,
    ) -> Self {
        Self {
            revision: Some(revision.into()),
            last_read_at: Some(super::transitions::whole_second(now)),
            ..Self::unread(source).with(in_force)
        }
    }

    /// A source of which nothing is known yet.
    pub fn unread(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            revision: None,
            last_read_at: None,
            problem: None,
            commit: None,
            files: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same with files and notes of what it has in force.
    #[must_use]
    pub fn with(self, in_force: &InForce) -> Self {
        let files = in_force.files.iter().map(|file| SourceFile {
            path: file.path.clone(),
            valid: file.valid,
            summary: file.summary(),
            problems: file.problems.iter().map(clean::problem).collect(),
            last_good: file.last_good.iter().map(ToString::to_string).collect(),
        });
        Self { files: files.collect(), notes: in_force.notes.clone(), ..self }
    }

    /// Files with something wrong in them.
    pub fn invalid_files(&self) -> usize {
        self.files.iter().filter(|file| !file.valid).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Defaults, File, load};

    fn document(yaml: &str) -> Desired {
        let loaded = load(&[File::new("einstein.yaml", yaml)], &Defaults::default());
        assert_eq!(loaded.problems, [], "{yaml}");
        loaded.documents.into_iter().next().unwrap()
    }

    #[test]
    fn secrets_of_a_document_do_not_show() {
        let desired = document(
            "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: einstein}\n\
             spec:\n  roleArn: arn:aws:iam::111122223333:role/ted\n  externalId: hush-hush\n  \
             parameters: {MasterUserPassword: hunter22, AuthToken: hunter22, MaxConnections: 800}\n",
        );
        let ted = Ted::new(&desired, Timestamp::UNIX_EPOCH);
        let text = serde_json::to_string(&ted).unwrap();
        assert!(!text.contains("hunter22") && !text.contains("hush-hush"), "{text}");
        assert_eq!(ted.spec["parameters"]["AuthToken"], REDACTED);
        assert_eq!(ted.spec["parameters"]["MaxConnections"], "800", "what is no secret stays");
    }

    #[test]
    fn a_ted_nobody_looked_at_has_all_conditions_unknown() {
        let ted = Ted::new(&document("engine: valkey\nversion: \"8.0\"\n"), Timestamp::UNIX_EPOCH);
        let statuses: Vec<_> = ted.status.conditions.iter().map(|c| (c.kind, c.status)).collect();
        assert_eq!(statuses, CONDITION_TYPES.map(|kind| (kind, ConditionStatus::Unknown)));
    }
}
