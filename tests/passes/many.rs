//! Several controllers, several hives.

use super::daemon::Daemon;
use super::look::{MIGRATE, STAY};
use super::stage::{HOURS, Stage, migrate};
use super::truths::Truths;
use super::worlds::done;

fn newton() -> String {
    migrate(&[("name: einstein", "name: newton")])
}

async fn until_done(daemon: &Daemon, name: &str) {
    daemon.until_some(name, "the migration", HOURS, |status| status.is_some_and(done)).await;
}

#[tokio::test(start_paused = true)]
async fn two_hives_that_share_a_te_version_are_both_migrated() {
    for controllers in [1, 2] {
        let stage = Stage::named("two-hives").await;
        let daemons = if controllers == 1 {
            vec![stage.daemon(&format!("{MIGRATE}\n---\n{}", newton()))]
        } else {
            vec![stage.daemon_called("one", MIGRATE), stage.daemon_called("other", &newton())]
        };
        until_done(&daemons[0], "einstein").await;
        until_done(daemons.last().unwrap(), "newton").await;
        stage.rests().await;
        Truths { controllers: f64::from(controllers), ..Truths::of(&stage, 2) }.hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_controllers_of_one_name_or_of_two_begin_one_update() {
    for names in [["one", "one"], ["one", "other"]] {
        let stage = Stage::named("default").await;
        let daemons = names.map(|name| stage.daemon_called(name, MIGRATE));
        for daemon in &daemons {
            until_done(daemon, "einstein").await;
        }
        stage.rests().await;
        Truths { controllers: 2.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_on_an_older_revision_neither_undoes_nor_disturbs() {
    let older = STAY.replace("  cache:", "  policy: {mode: apply}\n  cache:");
    for names in [["one", "one"], ["one", "other"]] {
        let stage = Stage::named("default").await;
        let _behind = stage.daemon_called(names[1], &older);
        let daemon = stage.daemon_called(names[0], MIGRATE);
        until_done(&daemon, "einstein").await;
        stage.rests().await;
        Truths { controllers: 2.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_controllers_with_two_wishes_come_to_the_one_that_has_a_way() {
    // Both want something else; the second wants Redis to stay, which is out of reach once the first went through the door.
    let other =
        migrate(&[("{engine: valkey, version: \"8.0\"}", "{engine: redis, version: \"7.1\"}")]);
    let stage = Stage::named("default").await;
    let one = stage.daemon_called("one", MIGRATE);
    let _other = stage.daemon_called("other", &other);
    until_done(&one, "einstein").await;
    stage.rests().await;
    let updates = stage.count("UpdateProvisionedProduct");
    assert!((1..=2).contains(&updates), "{updates}");
    Truths { controllers: 2.0, ..Truths::of(&stage, updates) }.hold(&stage).await;
}
