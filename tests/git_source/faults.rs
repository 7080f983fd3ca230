//! What can go wrong: with the server, with what is in the repository, and with this host. The last good commit stays in force.

use crate::repository::{GOOD, Repository};
use crate::server::Server;
use crate::support::{LIMIT, Running, names, notes, settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ted_controller::desired::Defaults;
use ted_controller::settings::{GitReference, GitSettings};
use ted_controller::source::{GitErrorClass, GitSource};

async fn error_of(settings: GitSettings) -> (String, GitErrorClass) {
    let error = GitSource::new(settings, Defaults::default(), None).read().await.unwrap_err();
    (error.to_string(), error.class())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_leaves_the_last_good_commit_in_force() {
    let repository = Repository::with_a_document();
    let mut server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    let good = source.first().await;
    server.go_down().await;
    // The first visit may still find its connection closed.
    let snapshot = source.problem("Connection refused").await;
    assert_eq!(
        (names(&snapshot), &snapshot.revision),
        (vec!["einstein".to_owned()], &good.revision)
    );
    let problem = snapshot.problem.clone().unwrap();
    let id = &good.commit.as_ref().unwrap().id[..12];
    assert!(
        problem.contains(&format!("commit {id} stays in force, last seen there at 20")),
        "{problem}"
    );
    let later = source.readings(3).await;
    assert_eq!(
        (later.problem.clone(), later.read_at),
        (Some(problem), snapshot.read_at),
        "the age grows, and nobody is told twice"
    );
    server.come_back().await;
    let id = repository.commit(&[("teds/curie.yaml", GOOD)], "More");
    assert_eq!(names(&*source.at(&id).await), ["curie", "einstein"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_without_the_server_the_last_good_commit_is_in_force() {
    let repository = Repository::with_a_document();
    let id =
        repository.commit(&[("teds/curie.yaml", GOOD), ("teds/deep/er/bohr.yaml", GOOD)], "More");
    let mut server = Server::start(repository.root()).await;
    let state = tempfile::tempdir().unwrap();
    let asked = GitSettings { path: "teds".into(), ..settings(&server.url()) };
    let mut source = Running::start(asked.clone(), Some(state.path()));
    let before = source.first().await;
    source.stop().await;
    server.go_down().await;

    let mut source = Running::start(asked.clone(), Some(state.path()));
    let after = source.first().await;
    assert!(after.problem.as_ref().unwrap().contains("cannot be reached"), "{:?}", after.problem);
    assert_eq!(
        (after.in_force.entries.len(), &after.in_force.entries),
        (3, &before.in_force.entries)
    );
    assert_eq!((&after.revision, &after.commit), (&before.revision, &before.commit));
    assert!(
        after.read_at.is_some() && after.read_at <= before.read_at,
        "when it was last seen is remembered"
    );

    // Another branch or folder is another source, and knows nothing.
    let other = GitSettings { path: String::new(), ..asked.clone() };
    let mut nothing = Running::start(other, Some(state.path()));
    assert!(
        nothing.first().await.problem.as_ref().unwrap().contains("nothing is in force from here")
    );
    nothing.stop().await;

    // With the server back the commit that is kept need not be fetched again.
    server.come_back().await;
    server.forget_calls();
    let now = source.at(&id).await;
    assert!(now.read_at > after.read_at);
    assert!(!server.calls().iter().any(|call| call.fetches), "{:#?}", server.calls());
    source.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_with_the_server_only_what_is_new_is_fetched_and_what_it_says_counts() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let state = tempfile::tempdir().unwrap();
    let mut source = Running::start(settings(&server.url()), Some(state.path()));
    source.first().await;
    source.stop().await;
    server.forget_calls();
    let mut source = Running::start(settings(&server.url()), Some(state.path()));
    assert_eq!(source.first().await.problem, None);
    source.stop().await;
    assert!(!server.calls().iter().any(|call| call.fetches), "{:#?}", server.calls());

    // History rewritten while nobody looked is said too; the old commit never takes force in between.
    repository.git(&[
        "commit",
        "-q",
        "--amend",
        "-m",
        "Begin again",
        "--date",
        "2001-01-01T00:00:00Z",
    ]);
    repository.write(&[("teds/einstein.yaml", "engine: redis\nversion: \"7.1\"\n")]);
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "--amend", "-m", "Begin again"]);
    let id = repository.push();
    let mut source = Running::start(settings(&server.url()), Some(state.path()));
    let first = source.first().await;
    assert_eq!(first.commit.as_ref().unwrap().id, id);
    assert!(notes(&first).contains("history was rewritten"), "{}", notes(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_private_small_and_checked() {
    let repository = Repository::with_a_document();
    repository.commit(&[("large.bin", &"x".repeat(500_000)), ("teds/curie.yaml", GOOD)], "More");
    let mut server = Server::start(repository.root()).await;
    let state = tempfile::tempdir().unwrap();
    let asked = GitSettings { path: "teds".into(), ..settings(&server.url()) };
    let mut source = Running::start(asked.clone(), Some(state.path()));
    source.first().await;
    for subject in 0..5 {
        let text = format!("{GOOD}# {subject}\n");
        let id = repository.commit(&[("teds/curie.yaml", &text)], "More");
        source.at(&id).await;
    }
    source.stop().await;

    let files = files_below(state.path());
    let objects: Vec<&PathBuf> = files
        .iter()
        .filter(|file| file.components().any(|part| part.as_os_str() == "objects"))
        .collect();
    // A commit, two folders, and the one text that both documents once had plus the other.
    assert_eq!(objects.len(), 5, "{objects:?}");
    assert_eq!(files.len(), 6, "and `head.json`: {files:?}");
    #[cfg(unix)]
    for folder in ["sources", &format!("sources/{}", only_entry(&state.path().join("sources")))] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(state.path().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }

    // Something else under an object's name is not believed.
    server.go_down().await;
    let largest = objects.iter().max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    let other = objects.iter().find(|file| file != &largest).unwrap();
    fs::remove_file(largest).unwrap();
    fs::copy(other, largest).unwrap();
    let mut source = Running::start(asked.clone(), Some(state.path()));
    assert!(
        source.first().await.problem.as_ref().unwrap().contains("nothing is in force from here")
    );
    server.come_back().await;
    let healed = source.until("healed", |snapshot| snapshot.problem.is_none()).await;
    assert_eq!(names(&healed), ["curie", "einstein"]);
    source.stop().await;

    // Half a head, as after a crash of something that does not rename, and other remains.
    let folder = state.path().join("sources").join(only_entry(&state.path().join("sources")));
    fs::create_dir_all(folder.join("incoming/objects/pack")).unwrap();
    fs::write(folder.join("incoming/incoming.pack"), "PACK").unwrap();
    fs::write(folder.join(".tmp1234"), "half").unwrap();
    fs::write(folder.join("objects/.tmp5678"), "half").unwrap();
    let head = files.iter().find(|file| file.ends_with("head.json")).unwrap();
    fs::write(head, "{\"version\": 1, \"comm").unwrap();
    let mut source = Running::start(asked, Some(state.path()));
    assert_eq!(source.first().await.problem, None);
    source.stop().await;
    assert!(fs::read_to_string(head).unwrap().contains("\"commit\""), "written anew");
    assert_eq!(files_below(state.path()).len(), 6, "and what was left lies about no longer");
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn only_entry(folder: &Path) -> String {
    fs::read_dir(folder).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_that_cannot_be_used_is_said_and_heals() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::write(&state, "a file where a folder belongs").unwrap();
    let mut source = Running::start(settings(&server.url()), Some(&state));
    let snapshot = source.problem("cannot create `").await;
    assert!(snapshot.problem.as_ref().unwrap().contains("nothing is in force from here"));
    fs::remove_file(&state).unwrap();
    source.until("healed", |snapshot| snapshot.problem.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up_in_time_and_does_not_hold_up_a_stop() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    server.behave(|manners| manners.hangs = true);
    let timeout = Duration::from_millis(300);
    let began = ted_controller::clock::now();
    let (error, class) = error_of(GitSettings { timeout, ..settings(&server.url()) }).await;
    assert!(
        error.contains("was not done within 300ms") && class == GitErrorClass::Transient,
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());

    // In the middle of a run, too.
    server.behave(|manners| manners.hangs = false);
    let mut source = Running::start(GitSettings { timeout, ..settings(&server.url()) }, None);
    source.until("read", |snapshot| snapshot.commit.is_some()).await;
    server.behave(|manners| manners.hangs = true);
    let snapshot = source.problem("was not done within").await;
    assert_eq!(names(&snapshot), ["einstein"]);
    server.behave(|manners| manners.hangs = false);
    source.until("healed", |snapshot| snapshot.problem.is_none()).await;

    // A stop does not wait for the timeout.
    let patient = GitSettings { timeout: Duration::from_mins(10), ..settings(&server.url()) };
    server.behave(|manners| manners.hangs = true);
    let source = Running::start(patient, None);
    let waiting = async {
        while server.connections() < 4 {
            ted_controller::clock::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), waiting).await;
    let began = ted_controller::clock::now();
    source.stop().await;
    assert!(began.elapsed() < LIMIT / 3, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_and_one_that_is_no_git_server_are_told_apart() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    for (answer, part, class, why) in [
        (
            (503, "down\u{1b}[31m for\nrepair"),
            "answers 503: down for repair",
            GitErrorClass::Transient,
            "in trouble",
        ),
        ((429, ""), "answers 429", GitErrorClass::Transient, "too often"),
        ((403, "no"), "does not let us in: status 403, no", GitErrorClass::Denied, "forbidden"),
        (
            (404, ""),
            "there is no repository at `http://127.0.0.1",
            GitErrorClass::Terminal,
            "not there",
        ),
        ((200, "<html>"), "does not speak git's protocol", GitErrorClass::Transient, "a web page"),
    ] {
        server.behave(|manners| manners.answers = Some((answer.0, answer.1.to_owned())));
        let (error, got) = error_of(settings(&server.url())).await;
        assert!(error.contains(part) && got == class, "{why}: {error} {got:?}");
    }
    server.behave(|manners| manners.answers = None);
    let (error, _) = error_of(settings(&server.url().replace("teds.git", "other.git"))).await;
    assert!(error.contains("there is no repository"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_that_are_too_large_or_broken_are_refused() {
    let repository = Repository::with_a_document();
    let server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    source.first().await;
    let large = zeros(40 * 1024 * 1024);
    for (pack, part, why) in [
        (None, "more than a repository of desired documents has: at most 64 MiB", "without end"),
        (Some(b"PACK".to_vec()), "the pack is broken", "cut off"),
        (Some(header(0)), "the pack is empty", "nothing in it"),
        (Some(b"PACK\0\0\0\x03\0\0\0\0".to_vec()), "it does not begin like one", "another version"),
        (Some(b"not a pack at all".to_vec()), "it does not begin like one", "something else"),
        (Some(header(u32::MAX)), "files and folders: at most 200000", "announces too much"),
        (Some(bomb()), "the pack is broken", "an object that says it has 2^60 bytes"),
        (
            Some(stretched()),
            "holds a file of 1099511627776 bytes",
            "a difference that makes a TiB of a few bytes",
        ),
        (
            Some(large),
            "holds a file of 41943040 bytes: at most 32 MiB",
            "a few bytes that unpack to 40 MiB",
        ),
    ] {
        server.behave(|manners| {
            manners.floods = pack.is_none();
            manners.pack = pack;
        });
        repository.commit(&[("teds/curie.yaml", &format!("{GOOD}# {why}\n"))], "More");
        let snapshot = source.problem(part).await;
        assert_eq!(names(&snapshot), ["einstein"], "{why}");
    }
    // What can never be right is not fetched again all the time.
    source.readings(3).await;
    server.forget_calls();
    source.readings(5).await;
    assert!(!server.calls().iter().any(|call| call.fetches), "{:#?}", server.calls());
    server.behave(|manners| (manners.floods, manners.pack) = (false, None));
    let id = repository.commit(&[("teds/curie.yaml", GOOD)], "More");
    assert_eq!(names(&*source.at(&id).await), ["curie", "einstein"]);
}

fn header(count: u32) -> Vec<u8> {
    [b"PACK\0\0\0\x02".as_slice(), &count.to_be_bytes()].concat()
}

/// One blob of 2^60 bytes, as its head has it.
fn bomb() -> Vec<u8> {
    let mut pack = header(1);
    pack.extend([0xb0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
    pack.extend(deflated(b"short"));
    pack.extend([0; 20]);
    pack
}

/// One blob of so many zeros.
fn zeros(count: usize) -> Vec<u8> {
    let mut pack = header(1);
    let mut size = count >> 4;
    pack.push(0x30 | 0x80 | u8::try_from(count & 15).unwrap());
    while size > 127 {
        pack.push(0x80 | u8::try_from(size & 127).unwrap());
        size >>= 7;
    }
    pack.push(u8::try_from(size).unwrap());
    pack.extend(deflated(&vec![0; count]));
    sealed(pack)
}

/// A blob, and a difference to it that announces a result of 2^40 bytes.
fn stretched() -> Vec<u8> {
    let mut pack = header(2);
    pack.push(0x30 | 5);
    pack.extend(deflated(b"hello"));
    let distance = u8::try_from(pack.len() - 12).unwrap();
    let difference = [5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x90, 5];
    pack.push(0x60 | u8::try_from(difference.len()).unwrap());
    pack.push(distance);
    pack.extend(deflated(&difference));
    sealed(pack)
}

fn sealed(mut pack: Vec<u8>) -> Vec<u8> {
    let mut sum = gix::hash::hasher(gix::hash::Kind::Sha1);
    sum.update(&pack);
    pack.extend(sum.try_finalize().unwrap().as_slice());
    pack
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = gix::features::zlib::stream::deflate::Write::new(Vec::new());
    writer.write_all(bytes).unwrap();
    writer.flush().unwrap();
    writer.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_gone_an_empty_repository_and_a_missing_folder_are_said_with_what_there_is()
 {
    let repository = Repository::empty();
    let server = Server::start(repository.root()).await;
    for version_0 in [false, true] {
        server.behave(|manners| manners.version_0 = version_0);
        for reference in [GitReference::Default, GitReference::Branch("main".into())] {
            let (error, class) =
                error_of(GitSettings { reference, ..settings(&server.url()) }).await;
            assert_eq!(
                (error.as_str(), class),
                ("the repository is empty: it has no commit yet", GitErrorClass::Terminal)
            );
        }
    }
    repository.commit(&[("teds/einstein.yaml", GOOD)], "Begin");
    repository.git(&["push", "-q", "origin", "HEAD:live", "HEAD:refs/tags/v1"]);
    for version_0 in [false, true] {
        server.behave(|manners| manners.version_0 = version_0);
        let reference = GitReference::Branch("liv".into());
        let (error, _) = error_of(GitSettings { reference, ..settings(&server.url()) }).await;
        assert_eq!(
            error,
            "there is no branch `liv` in the repository; there is `live`, `main`, `v1`"
        );
    }
    for version_0 in [false, true] {
        server.behave(|manners| manners.version_0 = version_0);
        let id = "1".repeat(40);
        let reference = GitReference::Commit(id.clone());
        let (error, _) = error_of(GitSettings { reference, ..settings(&server.url()) }).await;
        let said = format!("the server does not give commit `{id}`: upload-pack: not our ref {id}");
        assert_eq!(error, said);
    }

    let reference = GitReference::Branch("live".into());
    let asked = GitSettings { reference, path: "teds".into(), ..settings(&server.url()) };
    let mut source = Running::start(asked, None);
    source.first().await;
    repository.git_bare(&["branch", "-D", "live"]);
    let snapshot =
        source.problem("there is no branch `live` in the repository; there is `main`, `v1`").await;
    assert_eq!(names(&snapshot), ["einstein"], "deleting a branch takes nothing back");
    fs::rename(repository.work().join("teds"), repository.work().join("elsewhere")).unwrap();
    let id = repository.commit_all("Move");
    repository.git(&["push", "-q", "origin", "HEAD:live"]);
    let snapshot = source.problem(&format!("there is no `teds` in commit {}", &id[..12])).await;
    assert_eq!(names(&snapshot), ["einstein"], "nor does moving the folder");
    fs::rename(repository.work().join("elsewhere"), repository.work().join("teds")).unwrap();
    let id = repository.commit_all("Move back");
    repository.git(&["push", "-q", "origin", "HEAD:live"]);
    source.at(&id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_another_kind_of_ids_is_said() {
    let repository = Repository::empty();
    let other = repository.root().join("other.git");
    let status = std::process::Command::new("git")
        .args(["init", "-q", "--bare", "--object-format=sha256"])
        .arg(&other)
        .status()
        .unwrap();
    assert!(status.success());
    let server = Server::start(repository.root()).await;
    let (error, _) = error_of(settings(&server.url().replace("teds.git", "other.git"))).await;
    assert!(error.contains("SHA-256"), "{error}");
}
