//! What it costs. The figures are printed; the limits are those that were promised.

use crate::repository::{GOOD, Repository};
use crate::server::Server;
use crate::support::{Running, settings};
use std::fs;
use std::path::PathBuf;
use ted_controller::settings::{GitSettings, GitUrl};

/// The most that a source may add to what the process holds. Pages of the program file are not counted: those of a build without
/// optimization are many times those of the binary as shipped, and the system drops them when it needs the room.
const MOST_RESIDENT_KIB: u64 = 15 * 1024;

/// Tells the child of the test below what to follow.
const URL: &str = "GIT_SOURCE_TEST_URL";
const CA: &str = "GIT_SOURCE_TEST_CA";

/// The memory test runs itself again, so that nothing else counts: the parent serves, the child follows.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_adds_little_to_what_the_process_holds() {
    if std::env::var_os(URL).is_some() {
        return;
    }
    let repository = Repository::with_a_document();
    // A repository as one is used: some dozens of documents, and other things beside.
    for number in 0..50 {
        repository.write(&[(&format!("teds/ted-{number}.yaml"), GOOD)]);
    }
    repository.commit(&[("docs/picture.svg", &"<path d='M0 0'/>".repeat(30_000))], "More");
    let (server, certificate) = Server::start_tls(repository.root()).await;
    let ca = repository.root().join("ca.pem");
    fs::write(&ca, certificate).unwrap();
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "measures::the_child_that_follows", "--ignored", "--nocapture"])
        .env(URL, server.url())
        .env(CA, &ca)
        .kill_on_drop(true)
        .output();
    let pushing = async {
        for round in 0..20 {
            ted_controller::clock::sleep(std::time::Duration::from_millis(200)).await;
            let text = format!("{GOOD}# {round}\n");
            repository.commit(&[("teds/einstein.yaml", &text)], "More");
        }
        repository.commit(&[("teds/last.yaml", GOOD)], "The last");
    };
    let (output, ()) = tokio::join!(output, pushing);
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let added = text.lines().find_map(|line| line.split_once("added KiB: ")).unwrap().1;
    let own = text.lines().find_map(|line| line.split_once("its own: ")).unwrap().1;
    println!(
        "measure: over HTTPS, 52 documents, 21 pushes: {added} KiB resident, {own} without code"
    );
    let own: u64 = own.trim().trim_end_matches(" KiB").parse().unwrap();
    assert!(own <= MOST_RESIDENT_KIB, "{own} KiB");
}

#[tokio::test]
#[ignore = "runs as a child of another test"]
async fn the_child_that_follows() {
    let url = GitUrl::parse(&std::env::var(URL).unwrap()).unwrap();
    let ca_file = Some(PathBuf::from(std::env::var_os(CA).unwrap()));
    let before = resident("VmRSS:");
    let before_anon = resident("RssAnon:");
    let asked = GitSettings { ca_file, ..settings(url.as_str()) };
    let mut source = Running::start(asked, None);
    let last = source.until("at the last", |snapshot| {
        snapshot.in_force.entries.iter().any(|entry| entry.desired.name.as_str() == "last")
    });
    assert_eq!(last.await.in_force.entries.len(), 52);
    source.readings(20).await;
    println!(
        "of which memory of its own: {} KiB",
        resident("RssAnon:").saturating_sub(before_anon)
    );
    println!("added KiB: {}", resident("VmRSS:").saturating_sub(before));
    source.stop().await;
}

/// What this process holds in memory, in KiB: all of it (`VmRSS:`), or without pages of its program file (`RssAnon:`).
fn resident(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
