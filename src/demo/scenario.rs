//! Any other scenario: a document for each of its TEDs that asks for Valkey, and what the daemon makes of that. Nothing is known in
//! advance; it is watched until nothing happens any more.

use super::line::{Line, Tone};
use super::picture::Picture;
use super::play::{Play, SaysOn, state};
use super::stage::INDENT;
use super::{Ending, Error, summary};
use crate::assess::types::{ConditionStatus, ConditionType, GateState, Severity};
use crate::report::Status;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Where what is said of something begins.
const COLUMN: usize = INDENT + 12;

/// A scenario's own events come within its first quarter of an hour.
const LEAST: SignedDuration = SignedDuration::from_mins(15);

/// Nothing may have happened for so long before it is over.
const QUIET: SignedDuration = SignedDuration::from_mins(10);

/// For so long it is waited for what time will heal, when nobody knows how long that takes.
const WAIT: SignedDuration = SignedDuration::from_hours(3);

/// After this it is over, whatever goes on.
const MOST: SignedDuration = SignedDuration::from_hours(72);

/// How often AWS's clock is moved ahead to where a gate opens.
const MOVES: usize = 3;

/// More TEDs than these are not written out.
const MANY: usize = 6;

/// Tells it.
pub(super) async fn tell(play: &mut Play) -> Result<Ending, Error> {
    summary::opening(play);
    let title = format!("Scenario `{}`", play.scenario.name);
    play.stage.act(&title, &play.at());
    let text = play.scenario.summary.clone();
    play.stage.tell(&Line::indented(INDENT), Tone::Plain, &text);
    let teds = what_is_there(play)?;
    let version = play.home()?.newest_version().map(str::to_owned);
    let document = document(version.as_deref());
    write(play, &teds, &document)?;

    play.stage.act("What the daemon does", &play.at());
    play.says_on = SaysOn::News;
    if let [only] = teds.as_slice() {
        play.picture = Some(Picture::before(play.home()?, &only.0, &only.1));
    }
    // By these looks the daemon learns how fast AWS goes here; by itself it would look again in two minutes.
    for _ in 0..3 {
        play.beat().await?;
        play.daemon.look_now().await;
    }
    play.beat().await?;
    let (mut moves, mut moved_at) = (0, play.began.1);
    loop {
        match standing(play, moved_at) {
            Standing::Goes => play.tick().await?,
            Standing::Waits(until) if moves < MOVES => {
                (moves, moved_at) = (moves + 1, until);
                move_ahead(play, until);
                play.tick().await?;
                play.daemon.look_now().await;
            }
            Standing::Waits(_) | Standing::Over => {
                // What has happened since the last tick shows in the status already, and is still to be told.
                let told = play.heard.len();
                play.tick().await?;
                if play.heard.len() == told {
                    break;
                }
            }
        }
    }
    play.picture = None;
    play.stage.wipe();
    let ending = how_it_ended(play);
    play.stage.gap();
    let lines = summary::audit_lines(play)?.len();
    let calls = summary::Calls::of(&play.sim);
    summary::cost(play, &calls, lines);
    Ok(ending)
}

/// Names of TEDs, with their provisioned products.
type Teds = Vec<(String, String)>;

fn what_is_there(play: &mut Play) -> Result<Teds, Error> {
    let home = play.home()?;
    let mut lines = Vec::new();
    let mut teds = Teds::new();
    for (name, product) in home.teds() {
        let version = product.version.as_deref().unwrap_or("no version");
        let cache =
            home.cache_of(name).map_or_else(|| "no cache".to_owned(), |(_, cache)| cache.runs());
        lines.push((name.to_owned(), format!("TED {version}, {}, {cache}", product.status)));
        let ted = name.strip_prefix("ted-").unwrap_or(name);
        teds.push((ted.to_owned(), name.to_owned()));
    }
    let left_out = lines.len().saturating_sub(MANY);
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, text) in lines.into_iter().take(MANY) {
        let first = Line::indented(INDENT).and(Tone::Plain, name).up_to(INDENT + width + 2);
        play.stage.tell(&first, Tone::Plain, &text);
    }
    if left_out > 0 {
        let text = format!("and {left_out} more");
        play.stage.say(&Line::indented(INDENT).and(Tone::Dim, text));
    }
    if teds.is_empty() { Err(Error::Empty) } else { Ok(teds) }
}

/// What every document says.
fn document(version: Option<&str>) -> String {
    let version = version.map_or_else(String::new, |version| format!("tedVersion: {version}\n"));
    format!("engine: valkey\nversion: \"8.0\"\n{version}approve: [redis-to-valkey]\n")
}

fn write(play: &mut Play, teds: &Teds, document: &str) -> Result<(), Error> {
    play.stage.act("What should be", &play.at());
    let files: Vec<String> = teds.iter().map(|(ted, _)| format!("teds/{ted}.yaml")).collect();
    let shown = match files.len() {
        0..=MANY => files.join(", "),
        many => format!("{} and {} more", files[..MANY].join(", "), many - MANY),
    };
    play.stage.tell(&Line::indented(INDENT), Tone::Dim, &shown);
    for line in document.lines() {
        play.stage.say(&Line::indented(INDENT).and(Tone::Good, format!("+ {line}")));
    }
    for (ted, _) in teds {
        play.folder.write(&format!("{ted}.yaml"), document).map_err(Error::Folder)?;
    }
    Ok(())
}

/// How it stands.
enum Standing {
    /// Something goes on, or may.
    Goes,
    /// Nothing goes on until a gate opens, which is then.
    Waits(Timestamp),
    /// Nothing is to be expected any more.
    Over,
}

/// `moved_at`: to when AWS's clock was moved last.
fn standing(play: &Play, moved_at: Timestamp) -> Standing {
    let now = play.world.time;
    let since = |at: Timestamp| now.duration_since(at);
    let aws_began = play.began.1;
    if since(aws_began) > MOST {
        return Standing::Over;
    }
    let last = play.heard.last().map_or(moved_at, |heard| heard.at.max(moved_at));
    let teds = play.daemon.store.teds();
    let rest: Option<Vec<Ending>> = teds.iter().map(|ted| rest(&ted.status)).collect();
    let (Some(rest), true) = (rest, since(aws_began) >= LEAST && since(last) >= QUIET) else {
        return Standing::Goes;
    };
    if rest.is_empty() {
        return Standing::Goes;
    }
    if !rest.contains(&Ending::Waiting) {
        return Standing::Over;
    }
    let gates = teds.iter().flat_map(|ted| &ted.status.gates);
    let waiting = gates.filter(|gate| gate.state == GateState::Waiting);
    match waiting.filter_map(|gate| gate.until).filter(|at| *at > now).min() {
        Some(until) => Standing::Waits(until),
        None if since(last) > WAIT => Standing::Over,
        None => Standing::Goes,
    }
}

/// Nothing happens until then, and a simulated AWS need not be waited for.
fn move_ahead(play: &mut Play, until: Timestamp) {
    let by = Duration::try_from(until.duration_since(play.world.time)).unwrap_or_default();
    let text =
        format!("nothing happens before {}: AWS's clock is moved there", until.strftime("%H:%M"));
    play.say_at(play.world.time, "later", Tone::Dim, &text);
    play.sim.clock().advance(by);
}

/// How a TED rests; nothing while something goes on.
fn rest(status: &Status) -> Option<Ending> {
    let is = |kind| status.condition(kind).map(|condition| condition.status);
    if status.trouble.is_some() {
        return Some(Ending::NeedsPerson);
    }
    if is(ConditionType::EventsPaused) == Some(ConditionStatus::True) {
        // Given back as soon as that is possible; a person is needed before.
        return (is(ConditionType::Stalled) == Some(ConditionStatus::True))
            .then_some(Ending::NeedsPerson);
    }
    if is(ConditionType::Stalled) == Some(ConditionStatus::True) {
        return Some(Ending::NeedsPerson);
    }
    if is(ConditionType::Ready) == Some(ConditionStatus::True) && status.plan.is_empty() {
        return Some(Ending::AsWanted);
    }
    let waits = status.gates.iter().any(|gate| gate.state == GateState::Waiting);
    waits.then_some(Ending::Waiting)
}

/// How every TED stands, and the worst of it.
fn how_it_ended(play: &mut Play) -> Ending {
    play.stage.act("How it ended", &play.at());
    let teds = play.daemon.store.teds();
    let mut worst = Ending::AsWanted;
    for ted in &teds {
        let status = &ted.status;
        let ending = rest(status).unwrap_or(Ending::Waiting);
        worst = match (worst, ending) {
            (Ending::NeedsPerson, _) | (_, Ending::NeedsPerson) => Ending::NeedsPerson,
            (Ending::Waiting, _) | (_, Ending::Waiting) => Ending::Waiting,
            (Ending::AsWanted, Ending::AsWanted) => Ending::AsWanted,
        };
        let (word, tone) = match ending {
            Ending::AsWanted => ("✓ as wanted", Tone::Good),
            Ending::Waiting => ("… waits", Tone::Waiting),
            Ending::NeedsPerson => ("✗ needs a person", Tone::Bad),
        };
        let head = Line::indented(INDENT)
            .and(Tone::Bold, &ted.metadata.name)
            .and(Tone::Plain, "  ")
            .and(tone, word);
        play.stage.say(&head);
        if teds.len() > MANY && ending == Ending::AsWanted {
            continue;
        }
        // A gate that does not hold says the same, and what to do.
        if status.gates.iter().all(|gate| gate.holds) {
            play.stage.tell(&Line::indented(INDENT + 2), Tone::Plain, &state(status));
        }
        for gate in status.gates.iter().filter(|gate| !gate.holds) {
            tell_with_remedy(
                play,
                "gate",
                &format!("`{}`: {}", gate.gate, gate.message),
                &gate.remedy,
            );
        }
        let findings = status.findings.iter().filter(|finding| finding.severity != Severity::Info);
        for finding in findings {
            tell_with_remedy(
                play,
                "found",
                &format!("{}: {}", finding.code, finding.message),
                &finding.remedy,
            );
        }
    }
    worst
}

fn tell_with_remedy(play: &mut Play, label: &str, text: &str, remedy: &str) {
    let first = Line::indented(INDENT + 2).and(Tone::Dim, label).up_to(COLUMN);
    play.stage.tell(&first, Tone::Plain, text);
    let first = Line::indented(COLUMN - 2).and(Tone::Remedy, "→ ");
    play.stage.tell(&first, Tone::Remedy, remedy);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Defaults, File, load};

    #[test]
    fn the_document_is_one() {
        for version in [None, Some("v1.52.1")] {
            let text = document(version);
            let loaded = load(&[File::new("einstein.yaml", text.as_str())], &Defaults::default());
            assert_eq!(loaded.problems, [], "{text}");
            assert_eq!(loaded.documents.len(), 1);
        }
    }
}
