//! `ted-controller resume-events WHAT`: gives back what is paused for a TED, by hand, for when its controller is gone.
//!
//! It asks the same decision as the daemon does, once for every controller that holds something, and so gives back only what that allows:
//! nothing while a change runs, and nothing that may still lead to an update. What an operator disabled stays his.

use super::what::{AwsArgs, Subject, subjects};
use super::{Failure, exit, output};
use crate::act::{self, Disabled, Outcome};
use crate::assess::holds::{End, Hold, hold_of};
use crate::assess::protocol::{Motion, scene};
use crate::assess::types::{Order, Step, StepKind};
use crate::assess::{Context, survey};
use crate::clock;
use crate::observe::observation::{Observation, Trigger};
use crate::observe::{Depth, Observer};
use crate::text::{moment, sanitize};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// How far apart the two looks are that see a change ended, and how soon to look again after a step.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// For how long triggers on their way are waited for.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long a step may take that was decided on a look.
const LOOK_IS_GOOD_FOR: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A document, the name of a TED, or the name or id of a provisioned product
    #[arg(value_name = "WHAT")]
    what: String,
    /// Do not ask; without a terminal nobody can be asked, and nothing is done without this
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    aws: AwsArgs,
}

/// How it ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// Nothing is paused for it any more.
    GivenBack,
    /// Time has to pass first.
    Later,
    /// A person has to do something first.
    NeedsPerson,
    /// AWS refused something.
    Refused,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let observer = args.aws.observer().await?;
    let subjects = subjects(std::slice::from_ref(&args.what), &args.aws, &observer).await?;
    let mut worst = Ended::GivenBack;
    for subject in &subjects {
        worst = worst.max(Box::pin(resume(subject, &observer, args.yes)).await?);
    }
    Ok(match worst {
        Ended::GivenBack => ExitCode::SUCCESS,
        Ended::Later => ExitCode::from(exit::DIFFERS),
        Ended::NeedsPerson => ExitCode::from(exit::NEEDS_PERSON),
        Ended::Refused => ExitCode::from(exit::ERROR),
    })
}

async fn resume(subject: &Subject, observer: &Observer, yes: bool) -> Result<Ended, Failure> {
    let name = subject.name.as_str();
    let observation = subject.look(observer).await?;
    let owed = owed(&observation).map_err(|why| Failure {
        message: format!("{name}: {why}"),
        hint: Some("`ted-controller doctor` shows what is missing".to_owned()),
    })?;
    for trigger in left_alone(&observation) {
        output::note(format_args!(
            "{name}: `{}` is {} without a hold: somebody disabled it, and it is left alone",
            trigger.function, trigger.state
        ));
    }
    if owed.is_empty() {
        output::line(format_args!("{name}: nothing is paused by a controller."));
        return Ok(Ended::GivenBack);
    }
    for line in &owed {
        output::line(format_args!("{name}: {line}"));
    }
    if let Some((ended, why)) = forbidden(&observation) {
        output::error(format_args!("{name}: not now: {why}"), None);
        return Ok(ended);
    }
    if !yes && !confirmed(name, owed.len())? {
        output::line(format_args!("{name}: left as it is."));
        return Ok(Ended::NeedsPerson);
    }
    Box::pin(give_back(subject, observer, observation)).await
}

/// What is paused for the product, a sentence a trigger; or what could not be read.
fn owed(observation: &Observation) -> Result<Vec<String>, String> {
    let (product, triggers) = parts(observation)?;
    let lines = triggers.iter().filter_map(|trigger| {
        let (since, by) = match hold_of(trigger, product)? {
            Hold::Held(claim) => (Some(claim.at), claim.controller),
            Hold::Released(release) if release.end == End::Open => {
                (release.at, release.controller.unwrap_or("somebody"))
            }
            Hold::Released(_) | Hold::Garbled(_) => return None,
        };
        let since = since.map_or_else(String::new, |at| format!(" since {}", moment(at)));
        let by = sanitize(by);
        Some(format!("`{}` is {}, held by {by}{since}", trigger.function, trigger.state))
    });
    Ok(lines.collect())
}

fn parts(observation: &Observation) -> Result<(&str, &[Trigger]), String> {
    let unread = |what: &str, gap: Option<&crate::observe::observation::Gap>| match gap {
        Some(gap) => format!("{what} cannot be read: {}", gap.message),
        None => format!("{what} are not known"),
    };
    let products = observation.products.present();
    let Some([product]) = products.map(Vec::as_slice) else {
        return Err(unread("the provisioned product", observation.products.gap()));
    };
    let Some(triggers) = observation.triggers.present() else {
        return Err(unread("the worker triggers", observation.triggers.gap()));
    };
    if let Some(gap) = &observation.details.tags {
        return Err(unread("the tags of worker triggers", Some(gap)));
    }
    Ok((&product.id, &triggers.mappings))
}

/// Triggers that are off for nobody's sake.
fn left_alone(observation: &Observation) -> impl Iterator<Item = &Trigger> {
    let triggers = observation.triggers.present().into_iter().flat_map(|all| &all.mappings);
    triggers.filter(|trigger| {
        let held = trigger.tags.iter().flat_map(|tags| tags.iter()).any(|(key, value)| {
            key.starts_with(crate::assess::holds::HOLD_PREFIX) && Hold::parse(value).is_owed()
        });
        trigger.state != "Enabled" && trigger.state != "Enabling" && !held
    })
}

/// Why nothing may be given back at this moment.
fn forbidden(observation: &Observation) -> Option<(Ended, String)> {
    let motion = scene(observation).map(|scene| scene.motion);
    let root = observation.root.present().map_or("unknown", |root| root.status.as_str());
    match motion {
        Some(Motion::Moving) => {
            Some((Ended::Later, "a change runs; events stay paused until it ends".to_owned()))
        }
        Some(Motion::Unknown) | None => Some((
            Ended::NeedsPerson,
            "whether a change runs is not known: `ted-controller doctor` shows what cannot be read"
                .to_owned(),
        )),
        Some(Motion::Stuck) if next(observation).is_none() => Some((
            Ended::NeedsPerson,
            format!(
                "the stack is {root}, and events would run against a half-changed TED; repair it (`ted-controller diagnose`), or enable the triggers in Lambda and remove their hold tags"
            ),
        )),
        Some(Motion::Still) if next(observation).is_none() => Some(wait_for_lease(observation)),
        Some(Motion::Still | Motion::Stuck) => None,
    }
}

/// A hold that may still lead to an update: until its lease is over only the process that made it knows whether it does.
fn wait_for_lease(observation: &Observation) -> (Ended, String) {
    let Ok((product, triggers)) = parts(observation) else {
        return (Ended::NeedsPerson, "what is held cannot be read".to_owned());
    };
    if triggers.iter().any(|trigger| !matches!(trigger.state.as_str(), "Enabled" | "Disabled")) {
        return (Ended::Later, "triggers are on their way; try again in a moment".to_owned());
    }
    let until = triggers
        .iter()
        .filter_map(|trigger| match hold_of(trigger, product)? {
            Hold::Held(claim) => claim.at.checked_add(crate::assess::holds::LEASE).ok(),
            Hold::Released(_) | Hold::Garbled(_) => None,
        })
        .max();
    let until = until.map_or_else(|| "it ends".to_owned(), moment);
    (
        Ended::Later,
        format!(
            "the hold may still lead to an update until {until}; a controller that runs gives events back by itself, and after that time anybody may"
        ),
    )
}

/// Whether a person at the terminal says yes.
fn confirmed(name: &str, triggers: usize) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure {
            message: format!("{name}: there is no terminal to ask at, so nothing was done"),
            hint: Some("`--yes` gives events back without asking".to_owned()),
        });
    }
    let s = if triggers == 1 { "" } else { "s" };
    let mut stderr = std::io::stderr().lock();
    let _ = write!(stderr, "Give back {triggers} trigger{s} of {name}? [y/N] ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The next step of giving back, of whichever controller's holds.
fn next(observation: &Observation) -> Option<Step> {
    let (product, triggers) = parts(observation).ok()?;
    let of_whom: BTreeSet<&str> = triggers
        .iter()
        .filter_map(|trigger| match hold_of(trigger, product)? {
            Hold::Held(claim) => Some(claim.controller),
            Hold::Released(release) => Some(release.controller.unwrap_or_default()),
            Hold::Garbled(_) => None,
        })
        .collect();
    of_whom.into_iter().find_map(|controller| {
        let context = Context {
            controller_id: controller.to_owned(),
            process: "by-hand".to_owned(),
            ..Context::default()
        };
        let step = survey(observation, &context).next_step().cloned()?;
        matches!(step.step, StepKind::Release | StepKind::Enable).then_some(step)
    })
}

async fn give_back(
    subject: &Subject,
    observer: &Observer,
    mut observation: Observation,
) -> Result<Ended, Failure> {
    let name = subject.name.as_str();
    let end = clock::now() + PATIENCE;
    let mut refused = false;
    loop {
        let looked_at = clock::now();
        if let Some(step) = next(&observation) {
            // What is given up was seen to be over in two looks.
            clock::sleep(BETWEEN_LOOKS).await;
            observation = observer.look(&subject.query, Depth::Full).await?.observation;
            match next(&observation) {
                Some(again) if again.step == step.step => {
                    let outcome = carry_out(subject, observer, &again).await?;
                    refused |= !outcome.refused.is_empty();
                    tell(name, &again, &outcome);
                }
                Some(_) | None => {}
            }
        } else if owed(&observation).is_ok_and(|owed| owed.is_empty()) {
            output::line(format_args!("{name}: events run again."));
            return Ok(Ended::GivenBack);
        }
        if let Some((ended, why)) = forbidden(&observation).filter(|_| !is_on_its_way(&observation))
        {
            output::error(format_args!("{name}: not now: {why}"), None);
            return Ok(ended);
        }
        if refused {
            return Ok(Ended::Refused);
        }
        if looked_at > end {
            output::error(format_args!("{name}: triggers are still on their way"), None);
            return Ok(Ended::Later);
        }
        clock::sleep(BETWEEN_LOOKS).await;
        observation = observer.look(&subject.query, Depth::Full).await?.observation;
    }
}

/// Whether triggers are still changing their state.
fn is_on_its_way(observation: &Observation) -> bool {
    parts(observation).is_ok_and(|(_, triggers)| {
        triggers.iter().any(|trigger| !matches!(trigger.state.as_str(), "Enabled" | "Disabled"))
    })
}

async fn carry_out(
    subject: &Subject,
    observer: &Observer,
    step: &Step,
) -> Result<Outcome, Failure> {
    let session = observer.session(&subject.query).await?;
    let until = clock::now() + LOOK_IS_GOOD_FOR;
    Ok(act::perform(&session, step, until, &Disabled::default()).await)
}

fn tell(name: &str, step: &Step, outcome: &Outcome) {
    let of = match &step.order {
        Order::Triggers(targets) => targets.len(),
        Order::Update(_) | Order::Continue(_) | Order::Wait(_) | Order::Later => 0,
    };
    let done = outcome.done;
    output::line(format_args!("{name}: {}: {done} of {of} done.", step.summary));
    if !outcome.trouble().is_empty() {
        output::error(format_args!("{name}: {}", outcome.trouble()), None);
    }
}
