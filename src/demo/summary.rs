//! How a demo begins and ends: what it is, what was seen, what it cost, how to go on.

use super::Error;
use super::line::{Line, Tone};
use super::picture::thousands;
use super::play::{Play, SaysOn};
use super::stage::INDENT;
use super::story::{Seen, untrue};
use crate::report::audit;
use crate::report::render::age;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use ted_sim::Sim;
use ted_sim::spec::Effect;

/// Where what is said of something begins.
const COLUMN: usize = INDENT + 12;

/// How the daemon's requests name it.
const AGENT: &str = "ted-controller";

/// How old a hold may be under which an update is sent.
const OLDEST_HOLD: SignedDuration = SignedDuration::from_mins(15);

/// The daemon's calls to AWS, by what they do.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// That look only.
    pub(super) reads: u64,
    /// That change something.
    pub(super) writes: u64,
    by_operation: BTreeMap<String, u64>,
}

impl Calls {
    /// All so far, as the simulated AWS has them in its books.
    pub(super) fn of(sim: &Sim) -> Self {
        let mut calls = Self::default();
        for entry in sim.log().iter().filter(|entry| entry.user_agent.contains(AGENT)) {
            if entry.effect == Some(Effect::Write) {
                calls.writes += 1;
                *calls.by_operation.entry(entry.operation.clone()).or_default() += 1;
            } else {
                calls.reads += 1;
            }
        }
        calls
    }

    /// `12×TagResource, 1×UpdateProvisionedProduct`.
    pub(super) fn written(&self) -> String {
        let told: Vec<String> =
            self.by_operation.iter().map(|(name, count)| format!("{count}×{name}")).collect();
        told.join(", ")
    }
}

/// What this is.
pub(super) fn opening(play: &mut Play) {
    let title = Line::default().and(Tone::Bold, "ted-controller demo");
    play.stage.say(&title);
    let speed = match play.speed() {
        60.0 => "a second here is a minute there".to_owned(),
        speed => format!("a second here is {speed} seconds there"),
    };
    let text = format!(
        "A simulated AWS and the real daemon, in this one process; {speed}. Nothing leaves this machine. Ctrl-C ends it."
    );
    play.stage.tell(&Line::default(), Tone::Dim, &text);
    let page = format!("http://{}", play.page);
    let line = Line::default().and(Tone::Dim, "The daemon's page, as long as it runs: ");
    play.stage.say(&line.and(Tone::Remedy, page));
}

/// What the story came to. Checks once more what can only be checked at the end.
pub(super) fn story(play: &mut Play, seen: &Seen) -> Result<(), Error> {
    let calls = Calls::of(&play.sim);
    let lines = audit_lines(play)?;
    let status = play.daemon.status("einstein").unwrap_or_default();
    let updates = calls.by_operation.get("UpdateProvisionedProduct").copied().unwrap_or_default();
    if updates != 1 {
        return Err(untrue("one update is sent", format!("{updates} were sent")));
    }
    let age_of_hold = age_of_hold(&lines, &seen.record)?;
    let change = status.history.iter().find(|it| it.record_id.as_deref() == Some(&seen.record));
    let from = change.map_or(play.began.1, |change| change.at);
    let seconds = change.and_then(|change| change.seconds).unwrap_or_default();
    let to = from
        .checked_add(SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)))
        .unwrap_or(from);
    let ran: Vec<String> = play
        .home()?
        .workers()
        .filter(|trigger| trigger.ran_between(from, to))
        .map(|trigger| trigger.function.clone())
        .collect();
    if seconds == 0 || !ran.is_empty() {
        let found = format!("from {from} to {to} these ran: {}", ran.join(", "));
        return Err(untrue("no worker runs while the update does", found));
    }

    play.stage.act("What was seen", &play.at());
    let clock = |at: Timestamp| at.strftime("%H:%M:%S").to_string();
    play.check(
        "blocked by gate `valkey-supported`, then by gate `one-way`; each gave the line to add",
    );
    play.check(&format!(
        "one update, {}, sent under holds {} old; it took {}",
        seen.record,
        whole(age_of_hold),
        age(to, from)
    ));
    play.check(&format!(
        "no worker ran from {} to {}, while the update did",
        clock(from),
        clock(to)
    ));
    play.check(&format!("{} in ElastiCache itself", seen.cache));
    play.check(&format!("events given back, {} messages worked off", thousands(seen.backlog)));
    play.check(&format!("a change from outside found: {}", seen.codes.join(", ")));
    play.stage.gap();
    cost(play, &calls, lines.len());
    Ok(())
}

/// What it cost.
pub(super) fn cost(play: &mut Play, calls: &Calls, audit_lines: usize) {
    let (began, aws_began) = play.began;
    let here = began.elapsed().as_secs();
    let aws = age(play.world.time, aws_began);
    let audit = match audit_lines {
        0 => "nothing was done".to_owned(),
        lines => format!("{lines} lines, each start on the disk before it was sent"),
    };
    let written = if calls.writes == 0 { String::new() } else { format!(": {}", calls.written()) };
    for (label, text) in [
        ("time", format!("{aws} in AWS, {here}s here")),
        ("AWS calls", format!("{} that look, {} that change{written}", calls.reads, calls.writes)),
        ("audit", audit),
    ] {
        let first = Line::indented(INDENT).and(Tone::Dim, label).up_to(COLUMN);
        play.stage.tell(&first, Tone::Plain, &text);
    }
}

/// The audit, as the daemon wrote it.
pub(super) fn audit_lines(play: &Play) -> Result<Vec<audit::Line>, Error> {
    let text = match fs::read_to_string(play.folder.state().join(audit::FILE)) {
        Ok(text) => text,
        // Nothing was done.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::Folder(error)),
    };
    text.lines().map(|line| serde_json::from_str(line).map_err(Error::World)).collect()
}

/// How old the hold was when the update was sent, by the audit: its line has to be there before the update's outcome.
fn age_of_hold(lines: &[audit::Line], record: &str) -> Result<SignedDuration, Error> {
    let of = |step: &str, outcome: &str| {
        lines.iter().position(|line| line.step == step && line.outcome == outcome)
    };
    let (held, begun, sent) =
        (of("Hold", "begin"), of("Update", "begin"), of("Update", "accepted"));
    let (Some(held), Some(begun), Some(sent)) = (held, begun, sent) else {
        return Err(untrue(
            "the audit has the hold and the update",
            format!("{} lines", lines.len()),
        ));
    };
    let (held, begun, sent) = match (lines.get(held), lines.get(begun), lines.get(sent)) {
        (Some(held), Some(begun), Some(sent)) if begun.token == sent.token => (held, begun, sent),
        (_, _, _) => return Err(untrue("a start has its line before it is sent", "it has not")),
    };
    let age = begun.at.duration_since(held.at);
    if sent.record_id.as_deref() != Some(record) || age > OLDEST_HOLD {
        let found = format!("record {:?}, {} after the hold", sent.record_id, whole(age));
        return Err(untrue("the update in the audit is Service Catalog's record", found));
    }
    Ok(age)
}

/// A duration in whole seconds.
fn whole(duration: SignedDuration) -> String {
    let then = Timestamp::UNIX_EPOCH;
    age(then.checked_add(duration).unwrap_or(then), then)
}

/// What to try next.
pub(super) fn next(play: &mut Play, is_story: bool) {
    play.stage.gap();
    let keep = ("--keep", "leaves daemon and AWS running, for you to try things");
    let another = (
        "--scenario storage-autoscaled",
        "shows another world; `ted-controller sim --list` has more",
    );
    let more = if is_story { vec![keep, another] } else { vec![keep] };
    let width = more.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    for (command, what) in &more {
        let first = Line::indented(INDENT).and(Tone::Remedy, *command).up_to(INDENT + width + 2);
        play.stage.tell(&first, Tone::Dim, what);
    }
}

/// Leaves everything running, and says how to reach it. Ends with the demo.
pub(super) async fn keep(play: &mut Play) -> Result<(), Error> {
    play.stage.act("It goes on until Ctrl-C", &play.at());
    let documents = play.folder.documents().display().to_string();
    let account = play.scenario.world.account.clone();
    let region = play.scenario.world.region.clone();
    let endpoint = play.endpoint;
    for (label, text) in [
        ("page", format!("http://{}", play.page)),
        ("documents", format!("{documents}: edit them, and the daemon sees it")),
        ("log", play.folder.log().display().to_string()),
        ("AWS", format!("http://{endpoint}; what is in it: http://{endpoint}/_sim/world")),
    ] {
        let first = Line::indented(INDENT).and(Tone::Dim, label).up_to(COLUMN);
        play.stage.tell(&first, Tone::Plain, &text);
    }
    play.stage.gap();
    for line in [
        format!("export AWS_ENDPOINT_URL=http://{endpoint} AWS_REGION={region}"),
        format!("export AWS_ACCESS_KEY_ID={account} AWS_SECRET_ACCESS_KEY=simulated"),
        "aws elasticache describe-replication-groups".to_owned(),
    ] {
        play.stage.say(&Line::indented(INDENT).and(Tone::Remedy, line));
    }
    play.stage.gap();
    play.says_on = SaysOn::News;
    loop {
        play.tick().await?;
    }
}
