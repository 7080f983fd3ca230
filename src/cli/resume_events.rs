//! `ted-controller resume-events WHAT`: gives back what is paused for a TED, by hand, for when its controller is gone.
//!
//! What may be given back is decided in [`by_hand`]:
//! nothing while a change runs, and nothing that may still lead to an update. What an operator disabled stays his.

use super::what::{AwsArgs, Subject, subjects};
use super::{Failure, exit, output};
use crate::act::{self, BETWEEN_LOOKS, Disabled, LOOK_IS_GOOD_FOR, Outcome};
use crate::assess::by_hand::{self, NotNow};
use crate::assess::types::{Order, Step};
use crate::clock;
use crate::observe::observation::Observation;
use crate::observe::{Depth, Observer};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// For how long triggers on their way are waited for.
const PATIENCE: Duration = Duration::from_mins(5);

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
    let owed = by_hand::owed(&observation).map_err(|why| Failure {
        message: format!("{name}: {why}"),
        hint: Some("`ted-controller doctor` shows what is missing".to_owned()),
    })?;
    for trigger in by_hand::left_alone(&observation) {
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
    if let Some(not_now) = by_hand::forbidden(&observation) {
        return Ok(tell_not_now(name, &not_now));
    }
    if !yes && !confirmed(name, owed.len())? {
        output::line(format_args!("{name}: left as it is."));
        return Ok(Ended::NeedsPerson);
    }
    Box::pin(give_back(subject, observer, observation)).await
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
        if let Some(step) = by_hand::next(&observation) {
            // What is given up was seen to be over in two looks.
            clock::sleep(BETWEEN_LOOKS).await;
            observation = observer.look(&subject.query, Depth::Full).await?.observation;
            match by_hand::next(&observation) {
                Some(again) if again.step == step.step => {
                    let outcome = carry_out(subject, observer, &again).await?;
                    refused |= !outcome.refused.is_empty();
                    tell(name, &again, &outcome);
                }
                Some(_) | None => {}
            }
        } else if by_hand::owed(&observation).is_ok_and(|owed| owed.is_empty()) {
            output::line(format_args!("{name}: events run again."));
            return Ok(Ended::GivenBack);
        }
        let on_its_way = by_hand::is_on_its_way(&observation);
        if let Some(not_now) = by_hand::forbidden(&observation).filter(|_| !on_its_way) {
            return Ok(tell_not_now(name, &not_now));
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

fn tell_not_now(name: &str, not_now: &NotNow) -> Ended {
    output::error(format_args!("{name}: not now: {}", not_now.why), None);
    if not_now.needs_person { Ended::NeedsPerson } else { Ended::Later }
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
