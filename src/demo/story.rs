//! The story: from Redis 7.1 to Valkey 8.0, and somebody's hand in it afterwards. What an act tells it has seen.

use super::line::{Line, Tone};
use super::picture::{Picture, thousands};
use super::play::{Play, SaysOn, state};
use super::stage::INDENT;
use super::{Ending, Error, folder, summary};
use crate::assess::types::{ConditionStatus, ConditionType, Finding, Gate, StepKind};
use crate::report::Status;
use jiff::Timestamp;
use std::time::Duration;
use ted_sim::faults::Pattern;
use ted_sim::scenario::Action;

/// The TED of the story, and its provisioned product.
const TED: &str = "einstein";
const PRODUCT: &str = "ted-einstein";

/// Where what is said of something begins.
const COLUMN: usize = INDENT + 10;

/// Messages a second that arrive in a worker's queue, and that a worker takes.
const ARRIVAL: f64 = 9.0;
const TAKEN: f64 = 60.0;

/// What the daemon says within seconds.
const SOON: Duration = Duration::from_mins(5);

/// Until an update is sent: under holds that are no older than a quarter of an hour.
const PAUSE: Duration = Duration::from_mins(20);

/// An update takes about a quarter of an hour.
const UPDATE: Duration = Duration::from_mins(90);

/// What is remembered for the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The record of the update.
    pub(super) record: String,
    /// The most messages that waited.
    pub(super) backlog: u64,
    /// What the cache ran in the end.
    pub(super) cache: String,
    /// Codes of the findings of the last act.
    pub(super) codes: Vec<String>,
}

/// Tells it.
pub(super) async fn tell(play: &mut Play) -> Result<Ending, Error> {
    let mut document = Document::default();
    let mut seen = Seen::default();
    summary::opening(play);
    what_is_there(play)?;
    play.beat().await?;
    two_lines(play, &mut document).await?;
    the_line_it_asks_for(play, &mut document).await?;
    let picture = the_approval(play, &mut document).await?;
    pause(play, picture).await?;
    update(play, &mut seen).await?;
    resume(play, &mut seen).await?;
    a_hand_from_outside(play, &mut seen).await?;
    summary::story(play, &seen)?;
    Ok(Ending::AsWanted)
}

/// The document, as it grows.
#[derive(Debug, Default)]
struct Document(String);

impl Document {
    /// Adds lines and saves it.
    fn commit(&mut self, play: &mut Play, added: &[&str]) -> Result<(), Error> {
        let name = Line::indented(INDENT).and(Tone::Dim, format!("teds/{}", folder::DOCUMENT));
        play.stage.say(&name);
        for line in self.0.lines() {
            play.stage.say(&Line::indented(INDENT).and(Tone::Dim, format!("  {line}")));
        }
        for line in added {
            play.stage.say(&Line::indented(INDENT).and(Tone::Good, format!("+ {line}")));
            self.0.push_str(line);
            self.0.push('\n');
        }
        play.folder.write(folder::DOCUMENT, &self.0).map_err(Error::Folder)
    }
}

fn what_is_there(play: &mut Play) -> Result<(), Error> {
    // The three workers of each TE version are busy, so that a pause is seen to cost something.
    for queues in ["turbot_5_*_worker", "turbot_5_*_worker_priority", "turbot_5_*_worker_retry"] {
        let queues = Pattern(queues.to_owned());
        let busy = Action::QueueRates { queues, arrival: ARRIVAL, drain: TAKEN };
        play.sim.act(&busy).map_err(|why| untrue("workers can be kept busy", why))?;
    }
    play.stage.act("1  What is there", &play.at());
    let home = play.home()?;
    let product = home.product(PRODUCT).ok_or(Error::Empty)?;
    let (id, cache) = home.cache_of(PRODUCT).ok_or(Error::Empty)?;
    let root = home.root_of(PRODUCT).ok_or(Error::Empty)?;
    let version = product.version.clone().unwrap_or_default();
    let workers = home.workers().count();
    let facts = [
        ("product", format!("`{PRODUCT}` of account {} in {}", home.account, home.region)),
        (
            "TED",
            format!(
                "{version}, {}: a stack with {} nested ones",
                product.status,
                home.nested_in(root).len()
            ),
        ),
        ("cache", format!("{} on {} nodes: `{id}`", cache.runs(), cache.members.len())),
        (
            "events",
            format!(
                "{workers} triggers of workers enabled, {} events a second come and go",
                ARRIVAL * f64::from(u32::try_from(workers).unwrap_or_default())
            ),
        ),
    ];
    let as_expected = version == "v1.44.0" && cache.runs() == "redis 7.1.0";
    let found = format!("TED {version} on {}", cache.runs());
    for (label, text) in facts {
        fact(play, label, Tone::Plain, &text);
    }
    if as_expected {
        Ok(())
    } else {
        Err(untrue("the world begins with TED v1.44.0 on Redis 7.1", found))
    }
}

async fn two_lines(play: &mut Play, document: &mut Document) -> Result<(), Error> {
    play.stage.act("2  Two lines say what should be", &play.at());
    document.commit(play, &["engine: valkey", "version: \"8.0\""])?;
    let gate = blocked(play, "valkey-supported").await?;
    let status = play.daemon.status(TED).unwrap_or_default();
    if let Some(finding) = status.findings.iter().find(|it| it.code == "drift/cache-engine") {
        fact(play, "found", Tone::Plain, &format!("{}: {}", finding.code, finding.message));
    }
    tell_gate(play, &gate);
    nothing_was_changed(play)?;
    play.beat().await
}

async fn the_line_it_asks_for(play: &mut Play, document: &mut Document) -> Result<(), Error> {
    let gate = blocked(play, "valkey-supported").await?;
    let line = quoted(&gate.remedy)?;
    play.stage.act("3  The line it asks for", &play.at());
    document.commit(play, &[&line])?;
    let gate = blocked(play, "one-way").await?;
    tell_gate(play, &gate);
    nothing_was_changed(play)?;
    play.beat().await
}

async fn the_approval(play: &mut Play, document: &mut Document) -> Result<Picture, Error> {
    let gate = blocked(play, "one-way").await?;
    let line = quoted(&gate.remedy)?;
    play.stage.act("4  The approval, in the document and so in a commit", &play.at());
    play.expects_pause = true;
    // What the stacks look like before anything moves; what the daemon tells from here on is said in the next act.
    let picture = Picture::before(play.home()?, TED, PRODUCT);
    play.skip();
    document.commit(play, &[&line])?;
    let status = play
        .until("every gate holds", SOON, |play| {
            let status = play.daemon.status(TED)?;
            let open = !status.gates.is_empty() && status.gates.iter().all(|gate| gate.holds);
            (open && !status.plan.is_empty()).then_some(status)
        })
        .await?;
    play.check(&format!("all {} gates hold; the plan:", status.gates.len()));
    for (number, step) in status.plan.iter().enumerate() {
        let first = Line::indented(INDENT + 2)
            .and(Tone::Plain, format!("{} ", number + 1))
            .and(Tone::Bold, step.step.as_str())
            .up_to(INDENT + 14);
        play.stage.tell(&first, Tone::Plain, &step.summary);
    }
    Ok(picture)
}

async fn pause(play: &mut Play, picture: Picture) -> Result<(), Error> {
    play.stage.act("5  The daemon carries it out", &play.at());
    play.says_on = SaysOn::Steps;
    play.picture = Some(picture);
    step(play, StepKind::Hold).await?;
    step(play, StepKind::Disable).await?;
    Ok(())
}

async fn update(play: &mut Play, seen: &mut Seen) -> Result<(), Error> {
    step(play, StepKind::Update).await?;
    let home = play.home()?;
    if let Some(on) = home.workers().find(|trigger| trigger.state != "Disabled") {
        let found = format!("the trigger of `{}` is {}", on.function, on.state);
        return Err(untrue("every worker's trigger is disabled when the update begins", found));
    }
    let record = home.product(PRODUCT).and_then(|product| product.last_record.as_ref());
    seen.record = record.map(|record| record.id.clone()).unwrap_or_default();
    let ended = play
        .until("the update ends", UPDATE, |play| {
            let home = play.world.home()?;
            let root = home.stacks.get(home.root_of(PRODUCT)?)?;
            let over = home.product(PRODUCT)?.status != "UNDER_CHANGE";
            (over && !root.status.ends_with("_IN_PROGRESS")).then(|| root.status.clone())
        })
        .await?;
    let home = play.home()?;
    let product = home.product(PRODUCT).map(|product| product.status.clone()).unwrap_or_default();
    if ended != "UPDATE_COMPLETE" || product != "AVAILABLE" {
        return Err(untrue("the update succeeds", format!("{ended}, product {product}")));
    }
    seen.backlog = home.backlog();
    Ok(())
}

async fn resume(play: &mut Play, seen: &mut Seen) -> Result<(), Error> {
    step(play, StepKind::Release).await?;
    step(play, StepKind::Enable).await?;
    play.until("the triggers are enabled again", SOON, |play| {
        play.world.home()?.workers().all(|trigger| trigger.state == "Enabled").then_some(())
    })
    .await?;
    seen.backlog = seen.backlog.max(play.home()?.backlog());
    play.until("the backlog is worked off", UPDATE, |play| {
        (play.world.home()?.backlog() == 0).then_some(())
    })
    .await?;
    let at = play.world.time;
    let text = format!("{} messages that had waited are worked off", thousands(seen.backlog));
    play.say_at(at, "backlog", Tone::Plain, &text);
    let status = play
        .until("Ready", SOON, |play| {
            let status = play.daemon.status(TED)?;
            let is = |kind| status.condition(kind).map(|condition| condition.status);
            let ready = is(ConditionType::Ready) == Some(ConditionStatus::True);
            let paused = is(ConditionType::EventsPaused) != Some(ConditionStatus::False);
            (ready && !paused).then_some(status)
        })
        .await?;
    play.picture = None;
    play.stage.wipe();
    let (id, cache) = play.home()?.cache_of(PRODUCT).ok_or(Error::Empty)?;
    seen.cache = cache.runs();
    let told = format!("Ready: {}", state(&status));
    let found = format!("ElastiCache says the same of `{id}`: {}, {}", seen.cache, cache.status);
    let as_expected = cache.engine == "valkey" && cache.version.starts_with("8.0");
    if !as_expected || cache.status != "available" {
        return Err(untrue("the cache runs Valkey 8.0", found));
    }
    play.check(&told);
    play.check(&found);
    play.beat().await
}

/// Somebody who does not know better upgrades the cache by hand.
async fn a_hand_from_outside(play: &mut Play, seen: &mut Seen) -> Result<(), Error> {
    play.stage.act("6  Somebody changes the cache by hand", &play.at());
    let (id, _) = play.home()?.cache_of(PRODUCT).ok_or(Error::Empty)?;
    let text = format!("`{id}` is upgraded to Valkey 8.1 in ElastiCache, past the stack");
    fact(play, "somebody", Tone::Plain, &text);
    let upgrade =
        Action::CacheUpgrade { id: None, engine: "valkey".to_owned(), version: "8.1".to_owned() };
    play.sim.act(&upgrade).map_err(|why| untrue("the cache can be upgraded by hand", why))?;
    let status = play
        .until("the change is found", SOON, |play| {
            let status = play.daemon.status(TED)?;
            let found = |code| status.findings.iter().any(|finding| finding.code == code);
            (found("drift/cache-version") && found("sync/cache-version")).then_some(status)
        })
        .await?;
    for code in ["drift/cache-version", "sync/cache-version"] {
        for finding in status.findings.iter().filter(|finding| finding.code == code) {
            tell_finding(play, finding);
            seen.codes.push(finding.code.clone());
        }
    }
    side_by_side(play, &status);
    Ok(())
}

/// What document, CloudFormation and ElastiCache say of the cache's version.
fn side_by_side(play: &mut Play, status: &Status) {
    let Some(side) = status.sides.iter().find(|side| side.what == "cache version") else { return };
    let line = Line::indented(INDENT).and(Tone::Dim, "in short").up_to(COLUMN);
    let line = line
        .and(Tone::Plain, "document ")
        .and(Tone::Good, side.desired.to_string())
        .and(Tone::Plain, "   CloudFormation ")
        .and(Tone::Good, side.cloud_formation.to_string())
        .and(Tone::Plain, "   ElastiCache ")
        .and(Tone::Bad, side.real.to_string());
    play.stage.say(&line);
}

/// Waits until the daemon has carried out a step, and says when that was.
async fn step(play: &mut Play, kind: StepKind) -> Result<Timestamp, Error> {
    let wanted = format!("the step {}", kind.as_str());
    play.until(&wanted, PAUSE, |play| {
        let mut heard = play.heard.iter().rev();
        heard
            .find(|heard| heard.ted == TED && heard.step() == Some(kind.as_str()))
            .map(|heard| heard.at)
    })
    .await
}

/// Waits until a gate does not hold.
async fn blocked(play: &mut Play, name: &str) -> Result<Gate, Error> {
    play.until(&format!("gate `{name}` does not hold"), SOON, |play| {
        let status = play.daemon.status(TED)?;
        status.gates.into_iter().find(|gate| gate.gate == name && !gate.holds)
    })
    .await
}

fn tell_gate(play: &mut Play, gate: &Gate) {
    let text = format!("by gate `{}`: {}", gate.gate, gate.message);
    fact(play, "blocked", Tone::Waiting, &text);
    remedy(play, &gate.remedy);
}

fn tell_finding(play: &mut Play, finding: &Finding) {
    let code = Line::indented(INDENT).and(Tone::Dim, "found").up_to(COLUMN);
    play.stage.say(&code.and(Tone::Bad, &finding.code));
    play.stage.tell(&Line::indented(COLUMN), Tone::Plain, &finding.message);
    if let (Some(desired), Some(actual)) = (&finding.desired, &finding.actual) {
        // Whoever watches knows the document by its name in the folder.
        let folder = format!("{}/", play.folder.path().display());
        let read_from = finding.read_from.replace(&folder, "");
        let text = format!("{actual} instead of {desired}; read from {read_from}");
        play.stage.tell(&Line::indented(COLUMN), Tone::Dim, &text);
    }
    remedy(play, &finding.remedy);
}

fn remedy(play: &mut Play, text: &str) {
    let first = Line::indented(COLUMN - 2).and(Tone::Remedy, "→ ");
    play.stage.tell(&first, Tone::Remedy, text);
}

/// A line with a label.
fn fact(play: &mut Play, label: &str, tone: Tone, text: &str) {
    let label_tone = if tone == Tone::Plain { Tone::Dim } else { tone };
    let first = Line::indented(INDENT).and(label_tone, label).up_to(COLUMN);
    play.stage.tell(&first, Tone::Plain, text);
}

/// Nothing may have been changed while a gate does not hold.
fn nothing_was_changed(play: &mut Play) -> Result<(), Error> {
    let calls = summary::Calls::of(&play.sim);
    if calls.writes > 0 {
        let found = format!("{} calls changed something: {}", calls.writes, calls.written());
        return Err(untrue("nothing changes while a gate does not hold", found));
    }
    play.check(&format!("{} calls to AWS so far, and none that changes anything", calls.reads));
    Ok(())
}

/// What stands between backticks: what a person is to write.
fn quoted(remedy: &str) -> Result<String, Error> {
    remedy
        .split('`')
        .nth(1)
        .map(str::to_owned)
        .ok_or_else(|| untrue("a remedy gives the line to write", format!("it says: {remedy}")))
}

pub(super) fn untrue(wanted: &str, found: impl Into<String>) -> Error {
    Error::Untrue { wanted: wanted.to_owned(), found: found.into() }
}

#[cfg(test)]
mod tests;
