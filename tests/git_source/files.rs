//! What is in a commit: sub-paths, links, submodules, and files that cannot be read.

use crate::repository::{GOOD, Repository};
use crate::server::Server;
use crate::support::{Running, names, notes, settings};
use std::fs;
use ted_controller::settings::GitSettings;
use ted_controller::source::Snapshot;

fn problems(snapshot: &Snapshot) -> String {
    snapshot.in_force.problems().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_a_folder_or_a_file_and_may_lead_through_links() {
    let repository = Repository::with_a_document();
    repository.write(&[
        ("releases/7/curie.yaml", GOOD),
        ("releases/7/.hidden/no.yaml", GOOD),
        ("releases/7/deeper/bohr.yml", GOOD),
        ("releases/7/notes.txt", GOOD),
    ]);
    std::os::unix::fs::symlink("releases/7", repository.work().join("current")).unwrap();
    repository.commit(&[], "Release");
    let server = Server::start(repository.root()).await;
    for (path, expected, file) in [
        ("", vec!["bohr", "curie", "einstein"], "releases/7/deeper/bohr.yml"),
        ("teds", vec!["einstein"], "teds/einstein.yaml"),
        ("teds/einstein.yaml", vec!["einstein"], "teds/einstein.yaml"),
        ("releases", vec!["bohr", "curie"], "releases/7/deeper/bohr.yml"),
        ("current", vec!["bohr", "curie"], "current/deeper/bohr.yml"),
        ("current/deeper", vec!["bohr"], "current/deeper/bohr.yml"),
    ] {
        let mut source =
            Running::start(GitSettings { path: path.into(), ..settings(&server.url()) }, None);
        let snapshot = source.first().await;
        assert_eq!(
            (snapshot.problem.as_deref(), names(&snapshot)),
            (None, expected.iter().map(ToString::to_string).collect()),
            "{path}"
        );
        assert_eq!(snapshot.in_force.entries[0].desired.location.file, file, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_within_the_commit_and_refused_out_of_it() {
    let repository = Repository::empty();
    repository.write(&[("common/base.yaml", GOOD), ("teds/einstein.yaml", GOOD)]);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, repository.work().join(name)).unwrap();
    };
    // `linked` is a document of its own, since a name comes from the file's.
    link("../common/base.yaml", "teds/linked.yaml");
    link("../common/./../common//base.yaml", "teds/roundabout.yaml");
    link("linked.yaml", "teds/twice.yaml");
    link("/etc/passwd", "teds/absolute.yaml");
    link("../../outside.yaml", "teds/outside.yaml");
    link("circle-b.yaml", "teds/circle-a.yaml");
    link("circle-a.yaml", "teds/circle-b.yaml");
    link("nowhere.yaml", "teds/dangling.yaml");
    link("../common", "teds/folder");
    link("/etc", "teds/etc");
    link("..", "teds/up");
    repository.commit(&[], "Links");
    let server = Server::start(repository.root()).await;
    let mut source =
        Running::start(GitSettings { path: "teds".into(), ..settings(&server.url()) }, None);
    let snapshot = source.first().await;
    assert_eq!(snapshot.problem, None);
    assert_eq!(names(&snapshot), ["einstein", "linked", "roundabout", "twice"]);
    let said = problems(&snapshot);
    for line in [
        "teds/absolute.yaml: cannot be read: refused: a symbolic link leads out of the repository",
        "teds/outside.yaml: cannot be read: refused: a symbolic link leads out of the repository",
        "teds/circle-a.yaml: cannot be read: refused: symbolic links lead in a circle",
        "teds/dangling.yaml: cannot be read: a symbolic link that leads nowhere",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let said = notes(&snapshot);
    for line in [
        "teds/folder: a link to a folder is not followed",
        "teds/up: a link to a folder is not followed",
        "teds/etc: not followed: a symbolic link leads out of the repository",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    // A document that becomes a link out of the repository stays as it last was.
    fs::remove_file(repository.work().join("teds/einstein.yaml")).unwrap();
    link("/srv/einstein.yaml", "teds/einstein.yaml");
    let id = repository.commit(&[], "Away");
    let snapshot = source.at(&id).await;
    assert!(names(&snapshot).contains(&"einstein".to_owned()));
    assert!(problems(&snapshot).contains("teds/einstein.yaml: cannot be read: refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_are_not_followed_and_said() {
    let repository = Repository::with_a_document();
    let id = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},teds/more")]);
    repository.git(&["commit", "-q", "-m", "A submodule"]);
    repository.push();
    let server = Server::start(repository.root()).await;
    let mut source = Running::start(settings(&server.url()), None);
    let snapshot = source.first().await;
    assert_eq!(names(&snapshot), ["einstein"]);
    assert!(
        notes(&snapshot).contains("teds/more: a submodule is not followed"),
        "{}",
        notes(&snapshot)
    );
    let mut source =
        Running::start(GitSettings { path: "teds/more".into(), ..settings(&server.url()) }, None);
    source.problem("it lies in a submodule, and submodules are not followed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_keep_what_they_last_said() {
    // A server that leaves out what is too large, one that cannot, and one that speaks version 0.
    for (filter, version_0) in [("true", false), ("false", false), ("true", true)] {
        let repository = Repository::empty();
        repository.git_bare(&["config", "uploadpack.allowFilter", filter]);
        let files =
            ["large", "latin", "pointer", "broken", "gone"].map(|name| format!("teds/{name}.yaml"));
        let good: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), GOOD)).collect();
        repository.commit(&good, "Begin");
        let server = Server::start(repository.root()).await;
        server.behave(|manners| manners.version_0 = version_0);
        let mut source = Running::start(settings(&server.url()), None);
        assert_eq!(source.first().await.in_force.entries.len(), 5);
        repository.write(&[
            ("teds/large.yaml", &"#\n".repeat(700_000)),
            (
                "teds/pointer.yaml",
                "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            ),
            ("teds/broken.yaml", "engine: ["),
            ("other/huge.bin", &"x".repeat(5_000_000)),
        ]);
        fs::write(repository.work().join("teds/latin.yaml"), b"engine: valkey # caf\xe9\n")
            .unwrap();
        fs::remove_file(repository.work().join("teds/gone.yaml")).unwrap();
        let id = repository.commit(&[], "Everything goes wrong");
        let snapshot = source.at(&id).await;
        assert_eq!(
            names(&snapshot),
            ["broken", "large", "latin", "pointer"],
            "and what is gone is gone"
        );
        let said = problems(&snapshot);
        let large = if filter == "true" {
            "teds/large.yaml: cannot be read: it is larger than 1 MiB, or missing"
        } else {
            "teds/large.yaml: cannot be read: it has 1400000 bytes, and at most 1 MiB are read"
        };
        for line in [
            large,
            "teds/pointer.yaml: cannot be read: it is a Git LFS pointer",
            "teds/latin.yaml:1:21: not UTF-8",
            "teds/broken.yaml:2:1: not valid YAML",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        let left = server.calls().iter().map(|call| call.answered).max().unwrap();
        // Five million equal letters pack well.
        assert!(left < 100_000, "{left}");
    }
}
