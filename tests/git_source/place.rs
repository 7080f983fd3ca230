//! `file://`: a repository on this host, read in place.

use crate::repository::{GOOD, Repository};
use crate::support::{Running, names, notes, settings};
use std::fs;
use ted_controller::desired::Defaults;
use ted_controller::settings::{GitReference, GitSettings};
use ted_controller::source::GitSource;

fn url(path: &std::path::Path) -> String {
    format!("file://{}", path.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_on_this_host_is_followed_without_a_server_or_a_program() {
    let repository = Repository::with_a_document();
    repository.git_bare(&["gc", "-q"]);
    let state = tempfile::tempdir().unwrap();
    let mut source = Running::start(settings(&url(&repository.bare())), Some(state.path()));
    let first = source.first().await;
    assert_eq!((first.problem.as_deref(), names(&first)), (None, vec!["einstein".to_owned()]));
    assert!(first.revision.as_str().starts_with("main@sha1:"));
    for subject in ["One", "Two"] {
        repository.commit_all(subject);
    }
    let id = repository.commit(&[("teds/curie.yaml", GOOD)], "More");
    assert_eq!(notes(&*source.at(&id).await), "");
    repository.git(&["reset", "-q", "--hard", "HEAD~2"]);
    repository.write(&[("teds/bohr.yaml", GOOD)]);
    repository.commit_all("Another way");
    let other = repository.push();
    assert!(notes(&*source.at(&other).await).contains("history was rewritten"));

    // The same when it goes away as with a server, across a restart too.
    fs::rename(repository.bare(), repository.root().join("away.git")).unwrap();
    let gone = source.problem("there is no repository at `file://").await;
    assert_eq!(names(&gone), ["bohr", "einstein"]);
    source.stop().await;
    let mut source = Running::start(settings(&url(&repository.bare())), Some(state.path()));
    let kept = source.first().await;
    assert!(kept.problem.is_some());
    assert_eq!(
        (names(&kept), &kept.commit),
        (vec!["bohr".to_owned(), "einstein".to_owned()], &gone.commit)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn working_copies_tags_and_what_is_missing_are_understood() {
    let repository = Repository::with_a_document();
    let id = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "-a", "-m", "words", "v1"]);
    repository.git(&["branch", "topic/x"]);
    let read = async |path: &std::path::Path, reference| {
        let settings = GitSettings { reference, ..settings(&url(path)) };
        let snapshot = GitSource::new(settings, Defaults::default(), None).read().await;
        snapshot.map(|snapshot| snapshot.revision.to_string()).map_err(|error| error.to_string())
    };
    let work = repository.work();
    // What is committed counts, and not what lies about.
    repository.write(&[("teds/loose.yaml", GOOD)]);
    for (reference, label) in [
        (GitReference::Default, "main"),
        (GitReference::Tag("v1".into()), "v1"),
        (GitReference::Branch("topic/x".into()), "topic/x"),
        (GitReference::Commit(id.clone()), ""),
    ] {
        assert_eq!(
            read(&work, reference.clone()).await,
            Ok(format!("{label}@sha1:{id}")),
            "{reference}"
        );
    }
    repository.git(&["checkout", "-q", "--detach"]);
    assert_eq!(read(&work, GitReference::Default).await, Ok(format!("HEAD@sha1:{id}")));
    let missing = read(&work, GitReference::Branch("other".into())).await.unwrap_err();
    assert_eq!(
        missing,
        "there is no branch `other` in the repository; there is `main`, `topic/x`, `v1`"
    );
    let missing = read(&work, GitReference::Commit("1".repeat(40))).await.unwrap_err();
    assert!(missing.contains("is missing"), "{missing}");
    let empty = Repository::empty();
    let error = read(&empty.bare(), GitReference::Default).await.unwrap_err();
    assert_eq!(error, "the repository is empty: it has no commit yet");
    let error = read(empty.root(), GitReference::Default).await.unwrap_err();
    assert!(error.contains("there is no repository at"), "{error}");
}
