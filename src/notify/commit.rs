//! How a commit stands, as a status of it: one context a TED that it holds a document of, and one for the documents themselves. Pure.

use super::notice::{CommitStatus, State, Weight};
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::report::{SourceReport, Ted, TimedCondition};
use crate::settings::{
    GitHubSettings, GitScheme, GitUrl, NoticeKind, NoticeSeverity, Settings, SourceSettings,
};

/// The longest description that GitHub takes, in characters.
const MAX_DESCRIPTION_CHARS: usize = 140;

/// The subject under which it is told how the commit of a TED stands.
pub(super) const COMMIT: &str = "commit";

/// What is asked of a source to know whether its commits are of this repository: the addresses of those that are of another one.
pub(super) fn elsewhere(settings: &Settings, repository: &str) -> Vec<String> {
    let sources = settings.all_sources();
    let urls = sources.iter().filter_map(|source| match source {
        SourceSettings::Git(git) => Some(&git.url),
        SourceSettings::Path(_) => None,
    });
    urls.filter(|url| !may_be(url, repository)).map(ToString::to_string).collect()
}

/// Whether the address may lead to the repository: what lies on this host, or is a mirror elsewhere under the same name, may.
fn may_be(url: &GitUrl, repository: &str) -> bool {
    let path = url.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).to_ascii_lowercase();
    url.scheme() == GitScheme::File || path.ends_with(&repository.to_ascii_lowercase())
}

/// The commit of a revision: `main@sha1:…`.
fn sha(revision: &str) -> Option<&str> {
    revision.rsplit_once("@sha1:").map(|(_, sha)| sha)
}

fn is_elsewhere(sha: &str, sources: &[SourceReport], elsewhere: &[String]) -> bool {
    sources
        .iter()
        .filter(|source| source.commit.as_ref().is_some_and(|commit| commit.id == sha))
        .any(|source| elsewhere.iter().any(|url| source.source.starts_with(url)))
}

/// How the commit that a TED was judged by stands for that TED.
pub(super) fn of_ted(
    ted: &Ted,
    github: &GitHubSettings,
    sources: &[SourceReport],
    elsewhere: &[String],
) -> Vec<State> {
    let status = &ted.status;
    let Some(sha) = status.observed_revision.as_deref().and_then(sha) else { return Vec::new() };
    if is_elsewhere(sha, sources, elsewhere) {
        return Vec::new();
    }
    let condition = |kind| status.condition(kind);
    let holds =
        |kind| condition(kind).filter(|condition| condition.status == ConditionStatus::True);
    let stalled = holds(ConditionType::Stalled).map(|told| ("failure", told));
    let ready = || condition(ConditionType::Ready).map(in_words);
    let Some((state, told)) = stalled.or_else(ready) else { return Vec::new() };
    // What is being waited for says more than that it is not there yet.
    let told = match state {
        "pending" => holds(ConditionType::Reconciling).unwrap_or(told),
        _ => told,
    };
    let context = format!("{}/{}", github.context, ted.metadata.name);
    vec![state_of(sha, state, context, &told.reason, &told.message)]
}

fn in_words(ready: &TimedCondition) -> (&'static str, &TimedCondition) {
    match ready.status {
        ConditionStatus::True => ("success", ready),
        ConditionStatus::False => ("pending", ready),
        ConditionStatus::Unknown => ("error", ready),
    }
}

/// The end of a commit that was said to wait when another one came: nobody works on it any more. `told` is the key of what was told last.
pub(super) fn overtaken(told: &str, now: &State) -> Option<State> {
    let mut words = told.split(' ');
    let (sha, state) = (words.next()?, words.next()?);
    let by = now.commit.as_ref().filter(|by| by.sha != sha && state == "pending")?;
    let message = format!(
        "overtaken by commit {} before it came into effect",
        by.sha.get(..12).unwrap_or(&by.sha)
    );
    let state = state_of(sha, "error", by.context.clone(), "Overtaken", &message);
    Some(State { subject: "overtaken".to_owned(), ..state })
}

/// Whether the documents of the sources' commits are right, one status a commit.
pub(super) fn of_sources(
    sources: &[SourceReport],
    github: &GitHubSettings,
    elsewhere: &[String],
) -> Vec<State> {
    let mut states: Vec<State> = Vec::new();
    for source in sources {
        let Some(commit) = &source.commit else { continue };
        let is_told =
            |state: &State| state.commit.as_ref().is_some_and(|status| status.sha == commit.id);
        if is_elsewhere(&commit.id, sources, elsewhere) || states.iter().any(is_told) {
            continue;
        }
        let of_commit = |other: &&SourceReport| {
            other.commit.as_ref().is_some_and(|other| other.id == commit.id)
        };
        let files = || sources.iter().filter(of_commit).flat_map(|source| &source.files);
        let problem = files().flat_map(|file| &file.problems).next();
        let count = files().count();
        let (word, reason, message) = match problem {
            Some(problem) => ("failure", "DocumentsInvalid", problem.to_string()),
            None if count == 1 => ("success", "DocumentsValid", "the document is right".to_owned()),
            None => ("success", "DocumentsValid", format!("all {count} files are right")),
        };
        let state = state_of(&commit.id, word, github.context.clone(), reason, &message);
        states.push(State { subject: format!("documents {}", source.source), ..state });
    }
    states
}

fn state_of(sha: &str, state: &'static str, context: String, reason: &str, message: &str) -> State {
    State {
        subject: COMMIT.to_owned(),
        // Of a commit that waits the reason tells what for; more often than that nobody needs to hear of it.
        key: format!("{sha} {state} {reason}"),
        since: None,
        weight: Weight::News,
        severity: NoticeSeverity::Info,
        kind: NoticeKind::Ready,
        reason: reason.to_owned(),
        message: crate::text::sanitize_to(message, MAX_DESCRIPTION_CHARS - 1),
        remedy: None,
        code: None,
        update: None,
        commit: Some(CommitStatus { sha: sha.to_owned(), state, context }),
    }
}
