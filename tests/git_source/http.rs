//! Over HTTP: what is followed, how soon, at what cost, and as whom.

use crate::repository::{AUTHOR, GOOD, Repository};
use crate::server::Server;
use crate::support::{Running, logged, names, notes, settings};
use std::time::Duration;
use ted_controller::desired::Defaults;
use ted_controller::settings::{GitAuth, GitReference, GitSettings, SecretRef, TokenScheme};
use ted_controller::source::GitSource;

const MORE: &str = "engine: redis\nversion: \"7.1\"\nmode: observe\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_in_force_under_its_revision_with_author_and_subject() {
    let repository = Repository::empty();
    let id = repository.commit(
        &[("teds/einstein.yaml", GOOD), ("README.md", "x")],
        "Move einstein to Valkey\n\nTicket 4711.",
    );
    let server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    let snapshot = source.first().await;
    assert_eq!(snapshot.problem, None);
    assert_eq!(snapshot.revision.as_str(), format!("main@sha1:{id}"));
    assert_eq!(names(&snapshot), ["einstein"]);
    assert_eq!(snapshot.in_force.entries[0].desired.location.file, "teds/einstein.yaml");
    assert_eq!(snapshot.in_force.entries[0].revision, snapshot.revision);
    let commit = snapshot.commit.as_ref().unwrap();
    assert_eq!(
        (commit.author.as_str(), commit.subject.as_str()),
        (AUTHOR, "Move einstein to Valkey")
    );
    assert!(commit.time.is_some() && snapshot.read_at >= commit.time);
    assert_eq!(snapshot.origin, server.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_in_force_within_the_interval() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let interval = Duration::from_secs(1);
    let mut source = Running::start(GitSettings { interval, ..settings(&server.url()) }, None);
    source.first().await;
    let mut slowest = Duration::ZERO;
    for round in 0..3 {
        let pushed = ted_controller::clock::now();
        let id = repository.commit(&[("teds/curie.yaml", &format!("{MORE}# {round}\n"))], "More");
        let snapshot = source.at(&id).await;
        assert_eq!(names(&snapshot), ["curie", "einstein"]);
        slowest = slowest.max(pushed.elapsed());
    }
    println!(
        "measure: from before a push to its snapshot at most {slowest:?} at an interval of {interval:?}"
    );
    // The push itself takes part of it, and a fetch comes after the interval.
    assert!(slowest < interval + Duration::from_secs(2), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_without_news_is_one_small_request_on_the_connection_that_is_open() {
    let repository = Repository::with_a_document();
    for branch in ["a", "main-2", "z"] {
        repository.git(&["push", "-q", "origin", &format!("HEAD:{branch}")]);
    }
    let server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    source.first().await;
    let first = server.calls();
    assert_eq!(first.len(), 3, "introduction, references, pack: {first:#?}");
    let before = source.readings(1).await;
    server.forget_calls();
    let connections = server.connections();
    let after = source.readings(5).await;
    let calls = server.calls();
    // A visit may be under way on either side.
    assert!((5..=6).contains(&calls.len()), "{calls:#?}");
    for call in &calls {
        assert_eq!(
            (call.method.as_str(), call.path.as_str()),
            ("POST", "/teds.git/git-upload-pack")
        );
        assert!(call.sent < 400 && call.answered < 200, "{call:?}");
    }
    println!(
        "measure: a visit without news is 1 request of {} bytes and an answer of {} bytes (bodies)",
        calls[0].sent, calls[0].answered
    );
    assert_eq!(server.connections(), connections, "none of them needed another connection");
    assert!(after.read_at > before.read_at, "how fresh it is shows all the same");
    assert_eq!(after.revision, before.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_version_0_is_followed_and_asked_once_too() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    server.behave(|manners| manners.version_0 = true);
    let mut source = Running::start(settings(&server.url()), None);
    let first = source.first().await;
    assert_eq!((first.problem.as_deref(), names(&first)), (None, vec!["einstein".to_owned()]));
    assert!(first.revision.as_str().starts_with("main@sha1:"), "the default branch has its name");
    let id = repository.commit(&[("teds/curie.yaml", MORE)], "More");
    source.at(&id).await;
    source.readings(1).await;
    server.forget_calls();
    source.readings(3).await;
    let calls = server.calls();
    assert!(
        (3..=4).contains(&calls.len()) && calls.iter().all(|call| call.method == "GET"),
        "{calls:#?}"
    );
    // An upgrade of the server is taken in stride.
    server.behave(|manners| manners.version_0 = false);
    let id = repository.commit(&[("teds/curie.yaml", GOOD)], "More");
    source.at(&id).await;
    // So is the way back.
    server.behave(|manners| manners.version_0 = true);
    let id = repository.commit(&[("teds/curie.yaml", MORE)], "More");
    source.at(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_tags_and_commits_are_followed() {
    let repository = Repository::with_a_document();
    let old = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "with words", "v1.0"]);
    repository.git(&["push", "-q", "origin", "light", "v1.0", "HEAD:release/1.2"]);
    let new = repository.commit(&[("teds/curie.yaml", MORE)], "More");
    let server = Server::start(repository.root()).await;
    for version_0 in [false, true] {
        server.behave(|manners| manners.version_0 = version_0);
        // Over version 0 a server gives single commits only if it is told to.
        if version_0 {
            repository.git_bare(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        }
        for (reference, revision, why) in [
            (GitReference::Default, format!("main@sha1:{new}"), "the default branch"),
            (
                GitReference::Branch("release/1.2".into()),
                format!("release/1.2@sha1:{old}"),
                "a branch",
            ),
            (
                GitReference::Tag("light".into()),
                format!("light@sha1:{old}"),
                "a tag that is a name",
            ),
            (
                GitReference::Tag("v1.0".into()),
                format!("v1.0@sha1:{old}"),
                "a tag with words of its own",
            ),
            (
                GitReference::Commit(old.clone()),
                format!("@sha1:{old}"),
                "a commit that no branch ends in",
            ),
        ] {
            let settings = GitSettings { reference, ..settings(&server.url()) };
            let snapshot = GitSource::new(settings, Defaults::default(), None).read().await;
            let snapshot = snapshot.unwrap_or_else(|error| panic!("{why}: {error}"));
            assert_eq!(snapshot.revision.as_str(), revision, "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_its_id_is_fetched_once_and_never_asked_for_again() {
    let repository = Repository::with_a_document();
    let id = repository.git(&["rev-parse", "HEAD"]);
    let server = Server::start(repository.root()).await;
    let reference = GitReference::Commit(id.clone());
    let mut source = Running::start(GitSettings { reference, ..settings(&server.url()) }, None);
    source.at(&id).await;
    source.readings(3).await;
    assert_eq!(server.calls().len(), 2, "an introduction and a pack: {:#?}", server.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_moved_is_followed_and_said() {
    let repository = Repository::with_a_document();
    repository.git(&["tag", "live"]);
    repository.git(&["push", "-q", "origin", "live"]);
    let server = Server::start(repository.root()).await;
    let reference = GitReference::Tag("live".into());
    let mut source = Running::start(GitSettings { reference, ..settings(&server.url()) }, None);
    source.first().await;
    let id = repository.commit(&[("teds/curie.yaml", MORE)], "More");
    repository.git(&["tag", "-f", "live"]);
    repository.git(&["push", "-q", "--force", "origin", "live"]);
    let snapshot = source.at(&id).await;
    assert!(notes(&snapshot).contains("tag `live` was moved from commit"), "{}", notes(&snapshot));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_default_branch_is_followed_and_said() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    let first = source.first().await;
    repository.git(&["push", "-q", "origin", "HEAD:trunk"]);
    repository.git_bare(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let next = source.until("on trunk", |snapshot| snapshot.revision != first.revision).await;
    assert_eq!(next.commit.as_ref().unwrap().branch, "trunk");
    assert!(
        notes(&next).contains("the default branch was `main` and is `trunk` now"),
        "{}",
        notes(&next)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rewritten_history_is_followed_and_said_and_several_commits_at_once_are_not() {
    // A server that can leave out what commits hold, and one that cannot.
    for filter in ["true", "false"] {
        let repository = Repository::with_a_document();
        repository.git_bare(&["config", "uploadpack.allowFilter", filter]);
        let server = Server::start(repository.root()).await;
        let mut source = Running::start(settings(&server.url()), None);
        source.first().await;
        for subject in ["One", "Two", "Three"] {
            repository.commit_all(subject);
        }
        let id = repository.push();
        let snapshot = source.at(&id).await;
        assert_eq!(notes(&snapshot), "", "three commits at once are nothing to say");
        repository.git(&["reset", "-q", "--hard", "HEAD~2"]);
        repository.write(&[("teds/curie.yaml", MORE)]);
        repository.commit_all("Another two");
        let other = repository.push();
        let snapshot = source.at(&other).await;
        let said = notes(&snapshot);
        assert!(said.contains("history was rewritten") && said.contains(&id[..12]), "{said}");
        assert_eq!(names(&snapshot), ["curie", "einstein"], "and followed");
        // Back to where it was: the note goes with the next commit.
        repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
        let back = repository.push();
        assert!(notes(&*source.at(&back).await).contains("history was rewritten"));
        let id = repository.commit(&[("teds/bohr.yaml", MORE)], "More");
        assert_eq!(notes(&*source.at(&id).await), "");
    }
}

fn with_auth(url: &str, auth: GitAuth) -> GitSettings {
    GitSettings { auth: Some(auth), ..settings(url) }
}

/// What a server has to see of a user and a password, worked out by hand.
const ADA_SECRET: &str = "Basic YWRhOmh1bnRlcjIy";
const TOKEN_BASIC: &str = "Basic eC1hY2Nlc3MtdG9rZW46aHVudGVyMjI=";

#[tokio::test(flavor = "multi_thread")]
async fn credentials_reach_the_server_as_it_wants_them() {
    let repository = Repository::with_a_document();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter22\n").unwrap();
    let place = SecretRef::File(secret);
    let server = Server::start(repository.root()).await;
    for (auth, expected, why) in [
        (
            GitAuth::Password { username: "ada".into(), password: place.clone() },
            ADA_SECRET,
            "a user and a password",
        ),
        (
            GitAuth::Token { token: place.clone(), scheme: TokenScheme::Basic },
            TOKEN_BASIC,
            "a token as password",
        ),
        (
            GitAuth::Token { token: place.clone(), scheme: TokenScheme::Bearer },
            "Bearer hunter22",
            "a bearer token",
        ),
    ] {
        server.behave(|manners| manners.authorization = Some(expected.to_owned()));
        let source = GitSource::new(with_auth(&server.url(), auth), Defaults::default(), None);
        let snapshot = source.read().await.unwrap_or_else(|error| panic!("{why}: {error}"));
        assert_eq!(names(&snapshot), ["einstein"], "{why}");
    }
    let nobody = GitSource::new(settings(&server.url()), Defaults::default(), None).read().await;
    assert!(nobody.unwrap_err().to_string().contains("does not let us in: status 401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_said_never_repeated_and_not_tried_all_the_time() {
    logged();
    let repository = Repository::with_a_document();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter33\n").unwrap();
    let server = Server::start(repository.root()).await;
    server.behave(|manners| manners.authorization = Some(TOKEN_BASIC.to_owned()));
    let token =
        GitAuth::Token { token: SecretRef::File(secret.clone()), scheme: TokenScheme::Basic };
    let mut source = Running::start(with_auth(&server.url(), token), None);
    let snapshot = source.problem("does not let us in: status 401, not for Basic …").await;
    assert!(snapshot.problem.as_ref().unwrap().contains("nothing is in force from here"));
    // Twelve intervals: at 0, 2 and 6 it is tried again, and at 14.
    source.readings(12).await;
    assert!((2..=4).contains(&server.calls().len()), "{}", server.calls().len());
    // The right secret is tried as soon as it is there.
    std::fs::write(&secret, "hunter22\n").unwrap();
    let snapshot = source.until("let in", |snapshot| snapshot.problem.is_none()).await;
    assert_eq!(names(&snapshot), ["einstein"]);
    // And one that is taken back keeps the last good commit in force.
    server.behave(|manners| manners.authorization = Some("Bearer other".to_owned()));
    let snapshot = source.problem("does not let us in").await;
    assert_eq!(names(&snapshot), ["einstein"]);
    std::fs::remove_file(&secret).unwrap();
    let snapshot = source.problem("cannot read the secret in").await;
    assert_eq!(names(&snapshot), ["einstein"]);
    source.stop().await;
    let log = logged();
    assert!(log.contains("127.0.0.1"), "the log is the one meant");
    for secret in ["hunter22", "hunter33", "aHVudGVyMjI", "aHVudGVyMzM"] {
        assert!(!log.contains(secret), "the log repeats a secret: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_ones_own_authority_is_trusted_when_it_is_named() {
    let repository = Repository::with_a_document();
    let (server, certificate) = Server::start_tls(repository.root()).await;
    let (_, other) = Server::start_tls(repository.root()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let read = async |ca_file| {
        let settings = GitSettings { ca_file, ..settings(&server.url()) };
        GitSource::new(settings, Defaults::default(), None).read().await
    };
    let trusted = read(file("ca.pem", &certificate)).await.unwrap();
    assert_eq!(names(&trusted), ["einstein"]);
    for (ca_file, part, why) in [
        (None, "the certificate of `https://127.0.0.1", "nobody knows it"),
        (file("other.pem", &other), "is not trusted", "another authority"),
        (file("empty.pem", ""), "there is no certificate in it", "an empty file"),
        (Some(folder.path().join("absent")), "absent` cannot be used", "no file"),
    ] {
        let error = read(ca_file).await.unwrap_err();
        assert!(error.to_string().contains(part), "{why}: {error}");
    }
    // The file may be put right while the source runs.
    let ca_file = file("late.pem", &other);
    let mut source = Running::start(GitSettings { ca_file, ..settings(&server.url()) }, None);
    source.problem("is not trusted").await;
    file("late.pem", &certificate);
    source.until("trusted", |snapshot| snapshot.problem.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_followed_within_the_server_and_takes_no_credentials_elsewhere() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let other = Server::start(repository.root()).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hunter22").unwrap();
    let auth = GitAuth::Token { token: SecretRef::File(secret), scheme: TokenScheme::Bearer };
    let short = format!("http://{}/teds", server.address());
    server.behave(|manners| manners.moved = Some(("/teds/".into(), "/teds.git/".into())));
    let mut source = Running::start(with_auth(&short, auth.clone()), None);
    assert_eq!(names(&*source.first().await), ["einstein"]);
    let paths: Vec<String> = server.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(
        paths.iter().filter(|path| path.starts_with("/teds/")).count(),
        1,
        "sent on once: {paths:?}"
    );
    let to = format!("{}/", other.url());
    server.behave(|manners| manners.moved = Some(("/teds.git/".into(), to)));
    let error =
        GitSource::new(with_auth(&server.url(), auth), Defaults::default(), None).read().await;
    let error = error.unwrap_err();
    assert!(error.to_string().ends_with(&format!("sends us on to `{}`", other.url())), "{error}");
    assert!(error.hint().unwrap().contains("write `url: "));
    assert_eq!(other.calls().len(), 0);
    server.behave(|manners| manners.moved = Some(("/".into(), "/".into())));
    let error =
        GitSource::new(settings(&short), Defaults::default(), None).read().await.unwrap_err();
    assert!(error.to_string().contains("more than 3 redirects"), "{error}");
}
