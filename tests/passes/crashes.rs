//! A controller that is killed, at whatever it does, and one that comes after it.

use super::daemon::{Daemon, Options};
use super::look::MIGRATE;
use super::stage::{HOURS, Stage};
use super::truths::Truths;
use super::worlds::done;
use std::time::Duration;
use ted_controller::clock;
use ted_sim::rng::Rng;

/// Writes of a whole migration: six marks, six disabled, the update, six released, six enabled and marked.
const WRITES: u64 = 6 + 6 + 1 + 6 + 12;

/// How thorough to be: `TED_STORIES` is a number of seeds, and more than the default plays every crash in every way.
fn stories() -> Option<u64> {
    std::env::var("TED_STORIES").ok()?.parse().ok()
}

/// The next controller, which knows what the last one kept, or nothing.
fn after(stage: &Stage, killed: Daemon, remembers: bool) -> Daemon {
    let memory = Some(killed.kill()).filter(|_| remembers).unwrap_or_default();
    Daemon::start(&stage.sim, MIGRATE, Options { memory, ..Options::default() })
}

/// Kills the controller at its n-th write, which was carried out or not.
async fn killed_at(write: u64, arrived: bool, remembers: bool) {
    let stage = Stage::named("default").await;
    let fault = if arrived { "silence" } else { "hang" };
    stage.fault(&format!("{{effect: write, nth: {write}, fault: {fault}}}"));
    let daemon = stage.daemon(MIGRATE);
    stage.until_written(write).await;
    let next = after(&stage, daemon, remembers);
    let what = format!(
        "the migration, killed at write {write} (arrived: {arrived}, remembers: {remembers})"
    );
    next.until(&what, HOURS, done).await;
    Truths { controllers: 2.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
}

async fn killed_at_each(writes: impl Iterator<Item = u64>) {
    for write in writes {
        if stories().is_some() {
            for (arrived, remembers) in [(true, true), (true, false), (false, true), (false, false)]
            {
                killed_at(write, arrived, remembers).await;
            }
        } else {
            killed_at(write, write % 2 == 0, write % 4 < 2).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_is_killed_while_it_pauses_costs_time_and_nothing_else() {
    killed_at_each(1..=12).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_is_killed_at_the_update_or_after_it_costs_time_and_nothing_else() {
    killed_at_each(13..=WRITES).await;
}

/// Several controllers after one another, each killed at some moment.
async fn killed_at_random(seed: &str) {
    println!("seed {seed}");
    let mut rng = Rng::new(seed, "crashes");
    let stage = Stage::set(&format!("world: {{seed: {seed}}}")).await;
    let mut daemon = stage.daemon(MIGRATE);
    for _ in 0..rng.between(1, 4) {
        clock::sleep(Duration::from_millis(rng.between(1, 150_000))).await;
        daemon = after(&stage, daemon, rng.happens(0.5));
    }
    daemon.until(&format!("the migration, seed {seed}"), HOURS, done).await;
    Truths { controllers: 5.0, ..Truths::of(&stage, 1) }.hold(&stage).await;
}

async fn seeds(of: &str, default: u64) {
    for number in 0..stories().unwrap_or(default) {
        killed_at_random(&format!("{of}-{number}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn controllers_may_be_killed_at_any_moment() {
    seeds("first", 5).await;
}

#[tokio::test(start_paused = true)]
async fn controllers_may_be_killed_at_any_other_moment() {
    seeds("second", 5).await;
}
