//! Over SSH: real keys, real host keys, a real `sshd`.

use crate::repository::{GOOD, Repository};
use crate::sshd::{Sshd, is_there};
use crate::support::{Running, names, notes, settings};
use std::path::PathBuf;
use std::time::Duration;
use ted_controller::desired::Defaults;
use ted_controller::settings::{GitAuth, GitReference, GitSettings};
use ted_controller::source::{GitErrorClass, GitSource};

fn with_key(sshd: &Sshd, repository: &Repository, key: &str, known: PathBuf) -> GitSettings {
    let auth = GitAuth::SshKey { key: sshd.file(key), known_hosts: known };
    GitSettings { auth: Some(auth), ..settings(&sshd.url(&repository.bare())) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_followed_with_a_key_and_a_known_host() {
    if !is_there() {
        return;
    }
    let sshd = Sshd::start().await;
    for version_0 in [false, true] {
        let repository = Repository::with_a_document();
        repository.git_bare(&["config", "uploadpack.allowFilter", "true"]);
        sshd.behave(|manners| manners.version_0 = version_0);
        let asked = with_key(&sshd, &repository, "user", sshd.known_hosts("host"));
        let mut source = Running::start(asked.clone(), None);
        let first = source.first().await;
        assert_eq!((first.problem.as_deref(), names(&first)), (None, vec!["einstein".to_owned()]));
        assert!(first.revision.as_str().starts_with("main@sha1:"));
        repository.commit_all("One");
        let id = repository.commit(&[("teds/curie.yaml", GOOD)], "Two at once");
        let next = source.at(&id).await;
        assert_eq!(
            (names(&next), notes(&next)),
            (vec!["curie".to_owned(), "einstein".to_owned()], String::new())
        );
        repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
        repository.commit_all("Another way");
        let id = repository.push();
        assert!(notes(&*source.at(&id).await).contains("history was rewritten"));
        // A visit without news is one connection.
        let (before, from) = (sshd.connections(), source.readings(1).await.reading);
        let to = source.readings(3).await.reading;
        let made = u64::try_from(sshd.connections() - before).unwrap();
        assert!(made <= to - from + 2, "{made} connections for {} visits", to - from);
        source.stop().await;
        let reference = GitReference::Branch("other".into());
        let error = GitSource::new(GitSettings { reference, ..asked }, Defaults::default(), None)
            .read()
            .await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "there is no branch `other` in the repository; there is `main`"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_hosts_and_paths_are_told_apart() {
    if !is_there() {
        return;
    }
    let repository = Repository::with_a_document();
    let sshd = Sshd::start().await;
    let empty = sshd.file("empty");
    std::fs::write(&empty, "").unwrap();
    let host = sshd.known_hosts("host");
    let other = sshd.file("other");
    std::fs::copy(sshd.known_hosts("stranger"), &other).unwrap();
    sshd.known_hosts("host");
    let nowhere = GitSettings {
        url: ted_controller::settings::GitUrl::parse(&sshd.url(&repository.root().join("no.git")))
            .unwrap(),
        ..with_key(&sshd, &repository, "user", host.clone())
    };
    for (settings, parts, class, why) in [
        (
            with_key(&sshd, &repository, "user", other),
            ["is not one that is trusted", "another one than `known_hosts` has"],
            GitErrorClass::Terminal,
            "another host key",
        ),
        (
            with_key(&sshd, &repository, "user", empty),
            ["is not one that is trusted", "empty` has no key of this host"],
            GitErrorClass::Terminal,
            "an unknown host",
        ),
        (
            with_key(&sshd, &repository, "stranger", host.clone()),
            ["does not let us in", "Permission denied (publickey)"],
            GitErrorClass::Denied,
            "a key that nobody allowed",
        ),
        (
            with_key(&sshd, &repository, "locked", host.clone()),
            ["does not let us in", ""],
            GitErrorClass::Denied,
            "a key with a passphrase",
        ),
        (
            with_key(&sshd, &repository, "absent", host.clone()),
            ["absent` cannot be used", "No such file"],
            GitErrorClass::Transient,
            "no key",
        ),
        (
            with_key(&sshd, &repository, "host.pub", host.clone()),
            ["does not let us in", ""],
            GitErrorClass::Denied,
            "no private key",
        ),
        (
            nowhere,
            ["there is no repository at `ssh://", "does not appear to be a git repository"],
            GitErrorClass::Terminal,
            "no repository",
        ),
    ] {
        let error = GitSource::new(settings, Defaults::default(), None).read().await.unwrap_err();
        let text = error.to_string();
        assert!(
            parts.iter().all(|part| text.contains(part)) && error.class() == class,
            "{why}: {text} {:?}",
            error.class()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_hangs_or_hangs_up_is_given_up_in_time() {
    if !is_there() {
        return;
    }
    let repository = Repository::with_a_document();
    let sshd = Sshd::start().await;
    let asked = with_key(&sshd, &repository, "user", sshd.known_hosts("host"));
    let asked = GitSettings { timeout: Duration::from_secs(2), ..asked };
    let mut source = Running::start(asked.clone(), None);
    source.until("read", |snapshot| snapshot.commit.is_some()).await;
    sshd.behave(|manners| manners.hangs = true);
    let began = ted_controller::clock::now();
    let snapshot = source.problem("was not done within 2s").await;
    assert!(began.elapsed() < Duration::from_secs(20) && names(&snapshot) == ["einstein"]);
    sshd.behave(|manners| (manners.hangs, manners.hangs_up) = (false, true));
    source.problem("cannot be reached").await;
    sshd.behave(|manners| manners.hangs_up = false);
    source.until("healed", |snapshot| snapshot.problem.is_none()).await;
    // A stop does not wait for a host.
    sshd.behave(|manners| manners.hangs = true);
    let before = sshd.connections();
    while sshd.connections() == before {
        ted_controller::clock::sleep(Duration::from_millis(5)).await;
    }
    source.stop().await;
}
