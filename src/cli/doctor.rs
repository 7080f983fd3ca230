//! `ted-controller doctor`: what is missing before the controller can do its work, and how to get it.
//!
//! With the daemon's settings it also reads their sources and the secrets of their receivers ([`daemon`]).
//!
//! Reads are tried, since that is the only proof. Rights to write are asked of IAM's simulation, which may itself be denied: then that is
//! said, and nothing is claimed.

mod daemon;

use super::what::{AwsArgs, Subject, subjects};
use super::{Failure, Format, exit, output, terminal};
use crate::assess::{Context, assess, survey};
use crate::desired::{Mode, Recovery};
use crate::observe::observation::{Gap, Observation};
use crate::observe::{Depth, Observer};
use crate::report::render;
use crate::settings::Aws;
use serde::Serialize;
use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Documents, names of TEDs or provisioned products; none: those of the settings' sources, else all that the region has
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
    /// The daemon's settings file: its sources and the secrets of its receivers are checked as well [default: `TED_CONTROLLER_CONFIG`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only what observing needs
    #[arg(long)]
    observe: bool,
    /// How to write the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    aws: AwsArgs,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    /// Not proven, or worth a thought.
    Unknown,
    Failed,
}

#[derive(Debug, Serialize)]
struct Check {
    /// What it is about: a TED, or nothing for what all of them share.
    #[serde(skip_serializing_if = "Option::is_none")]
    ted: Option<String>,
    #[serde(rename = "check")]
    name: String,
    outcome: Outcome,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

fn check(
    name: impl Into<String>,
    outcome: Outcome,
    message: impl Into<String>,
    remedy: Option<String>,
) -> Check {
    Check { ted: None, name: name.into(), outcome, message: message.into(), remedy }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut checks = Vec::new();
    let mut aws = args.aws.settings()?;
    let mut documents = Vec::new();
    let config =
        args.config.clone().or_else(|| env::var_os("TED_CONTROLLER_CONFIG").map(PathBuf::from));
    match config.map(|file| daemon::settings(&file)) {
        None => {}
        Some(Err(wrong)) => checks.extend(wrong),
        Some(Ok(settings)) => {
            let (read, found) = daemon::sources(&settings).await;
            checks.extend(read);
            documents = found;
            checks.extend(daemon::receivers(&settings));
            aws = with_flags(settings.aws, aws);
        }
    }
    let observer = Observer::from_environment(&aws).await;
    checks.push(endpoint());
    let subjects = if args.what.is_empty() && !documents.is_empty() {
        Ok(documents)
    } else {
        subjects(&args.what, &args.aws, &observer).await
    };
    match subjects {
        Ok(subjects) => {
            for subject in &subjects {
                let found = Box::pin(examine(subject, &observer, args.observe)).await;
                let ted = Some(subject.name.clone());
                checks.extend(found.into_iter().map(|check| Check { ted: ted.clone(), ..check }));
            }
        }
        Err(failure) => checks.push(check(
            "credentials and products",
            Outcome::Failed,
            failure.message,
            failure.hint,
        )),
    }
    match args.output {
        Format::Json => output::line(
            serde_json::to_string_pretty(&serde_json::json!({ "checks": checks }))
                .unwrap_or_default(),
        ),
        Format::Text => text(&checks),
    }
    let failed = checks.iter().any(|check| check.outcome == Outcome::Failed);
    Ok(if failed { ExitCode::from(exit::ERROR) } else { ExitCode::SUCCESS })
}

/// The daemon's settings, with flags over them.
fn with_flags(settings: Aws, flags: Aws) -> Aws {
    let mut allowed_roles = settings.allowed_roles;
    allowed_roles.extend(flags.allowed_roles);
    Aws {
        region: flags.region.or(settings.region),
        account: flags.account.or(settings.account),
        allowed_roles,
        timeouts: settings.timeouts,
    }
}

/// What all share, then one TED below the other.
fn text(checks: &[Check]) {
    let (paint, columns) = (terminal::paint(), terminal::columns());
    let mut about = None;
    for (place, check) in checks.iter().enumerate() {
        if place == 0 || about != check.ted.as_ref() {
            let gap = if place > 0 { "\n" } else { "" };
            let ted = check.ted.as_deref().unwrap_or("this host");
            output::line(format_args!("{gap}{}", paint.bold(ted)));
        }
        about = check.ted.as_ref();
        let (mark, name) = match check.outcome {
            Outcome::Ok => (paint.good("✓"), check.name.clone()),
            Outcome::Unknown => (paint.waiting("?"), paint.bold(&check.name)),
            Outcome::Failed => (paint.bad("✗"), paint.bold(&check.name)),
        };
        output::line(format_args!("  {mark} {name}"));
        output::data(render::paragraph("      ", &check.message, columns, str::to_owned));
        if let Some(remedy) = &check.remedy {
            output::data(render::paragraph("    → ", remedy, columns, |line| paint.remedy(line)));
        }
    }
    let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
    output::line(format_args!(
        "\n{} ok, {} unknown, {} failed",
        count(Outcome::Ok),
        count(Outcome::Unknown),
        count(Outcome::Failed)
    ));
}

fn endpoint() -> Check {
    let mut names: Vec<String> = env::vars()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("AWS_ENDPOINT_URL"))
        .collect();
    names.sort();
    if names.is_empty() {
        check("endpoint", Outcome::Ok, "AWS's own endpoints", None)
    } else {
        check("endpoint", Outcome::Ok, format!("set by {}", names.join(", ")), None)
    }
}

async fn examine(subject: &Subject, observer: &Observer, observe_only: bool) -> Vec<Check> {
    let observation = match observer.look(&subject.query, Depth::Full).await {
        Ok(look) => look.observation,
        Err(error) => {
            return vec![check(
                "credentials",
                Outcome::Failed,
                error.to_string(),
                error.hint().map(str::to_owned),
            )];
        }
    };
    let mut checks = vec![caller(&observation), clock(&observation)];
    if observation.products.present().is_some_and(Vec::is_empty) {
        // Nothing else can be tried without it.
        checks.push(check(
            "product",
            Outcome::Failed,
            format!("`{}` is not there, or may not be seen: Service Catalog does not tell these apart", subject.query.product),
            Some("correct its name or id; `ted-controller adopt` lists what these credentials can see".to_owned()),
        ));
        return checks;
    }
    // A steady TED needs fewer rights than one that is to be changed or has failed: the others are tried as well.
    let rest = match observer.try_rights(&subject.query, &observation).await {
        Ok(gaps) => gaps,
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            checks.push(check("credentials", Outcome::Failed, error.to_string(), hint));
            return checks;
        }
    };
    checks.extend(reads(&observation, &rest));
    checks.push(launch_role(&observation));
    checks.extend(recovery(subject, &observation));
    let context = Context { mode_bound: Mode::Apply, ..Context::default() };
    let assessment = match &subject.desired {
        Some(desired) => assess(desired, &observation, &context),
        None => survey(&observation, &context),
    };
    for note in &assessment.notes {
        checks.push(check("document", Outcome::Unknown, note, None));
    }
    if !observe_only {
        checks.extend(writes(subject, observer, &observation).await);
    }
    checks
}

fn caller(observation: &Observation) -> Check {
    match observation.caller.present() {
        Some(caller) => check(
            "credentials",
            Outcome::Ok,
            format!("{} in account {}, {}", caller.arn, caller.account, observation.region),
            None,
        ),
        None => check("credentials", Outcome::Failed, "who the caller is is not known", None),
    }
}

/// AWS refuses requests that were signed more than five minutes off (IAM user guide, "Signature Version 4").
fn clock(observation: &Observation) -> Check {
    let off = crate::clock::wall().duration_since(observation.now).as_secs().abs();
    if off < 120 {
        check("clock", Outcome::Ok, format!("within {off} s of AWS's"), None)
    } else {
        check(
            "clock",
            Outcome::Unknown,
            format!("{off} s off AWS's"),
            Some("set the host's clock by NTP: at five minutes AWS refuses requests".to_owned()),
        )
    }
}

fn reads(observation: &Observation, rest: &[Gap]) -> Vec<Check> {
    let mut gaps: Vec<&Gap> = observation.gaps().into_iter().map(|(_, gap)| gap).collect();
    gaps.extend(rest);
    gaps.sort_by(|a, b| a.operation.cmp(&b.operation));
    gaps.dedup_by(|a, b| a.operation == b.operation);
    let mut checks: Vec<Check> = gaps
        .iter()
        .map(|gap| {
            let remedy = if gap.passing {
                "try again".to_owned()
            } else {
                format!(
                    "allow `{}`: `ted-controller iam-policy --observe` prints the whole policy",
                    gap.operation
                )
            };
            check(
                format!("rights to read: {}", gap.operation),
                Outcome::Failed,
                &gap.message,
                Some(remedy),
            )
        })
        .collect();
    if checks.is_empty() {
        checks.push(check("rights to read", Outcome::Ok, "everything could be read", None));
    }
    checks
}

fn launch_role(observation: &Observation) -> Check {
    let product = observation.products.present().and_then(|products| products.first());
    let Some(product) = product else {
        let message = "without the product it is not known";
        return check("launch role", Outcome::Unknown, message, None);
    };
    match &product.launch_role_arn {
        Some(role) => check("launch role", Outcome::Ok, format!("updates run under {role}"), None),
        None => check(
            "launch role",
            Outcome::Unknown,
            "the product has none: updates run on the caller's own rights",
            Some("give the portfolio a launch constraint, or grant `ted-controller iam-policy --no-launch-role` and approve `no-launch-role`".to_owned()),
        ),
    }
}

/// Whether a rollback that fails could be continued by itself, when the document wants that.
fn recovery(subject: &Subject, observation: &Observation) -> Option<Check> {
    let stack = observation.root.present().filter(|stack| stack.role_arn.is_none())?;
    recovers(subject).then(|| {
        check(
            "recovery",
            Outcome::Unknown,
            format!("the stack {} has no role of its own: should a rollback fail, a person has to continue it", stack.name),
            Some("nothing now; or write `recovery: manual`, which says the same".to_owned()),
        )
    })
}

/// Whether the document leaves recovery to the controller.
fn recovers(subject: &Subject) -> bool {
    subject.desired.as_ref().is_some_and(|desired| desired.spec.policy.recovery == Recovery::Auto)
}

/// What IAM's simulation says of the rights to write.
async fn writes(subject: &Subject, observer: &Observer, observation: &Observation) -> Vec<Check> {
    let by_a_person = subject.desired.is_some() && !recovers(subject);
    let denied = observer.denied_writes(&subject.query, observation).await.map(|mut denied| {
        // Whoever recovers by hand needs the right, and this controller does not.
        denied.retain(|action| !by_a_person || action != "cloudformation:ContinueUpdateRollback");
        denied
    });
    match denied {
        Err(why) => vec![check(
            "rights to write",
            Outcome::Unknown,
            format!("they cannot be tried without using them: {why}"),
            Some(
                "allow `iam:SimulatePrincipalPolicy`, or compare with `ted-controller iam-policy`"
                    .to_owned(),
            ),
        )],
        Ok(denied) if denied.is_empty() => {
            vec![check("rights to write", Outcome::Ok, "IAM's simulation allows all of them", None)]
        }
        Ok(denied) => denied
            .into_iter()
            .map(|action| {
                check(
                    format!("rights to write: {action}"),
                    Outcome::Failed,
                    "IAM's simulation denies it",
                    Some(format!(
                        "allow `{action}`: `ted-controller iam-policy` prints the whole policy"
                    )),
                )
            })
            .collect(),
    }
}
