//! `ted-controller adopt [PRODUCT…]`: writes desired documents that match what is deployed, and whose plan is therefore empty.

use super::what::{AwsArgs, Subject, look_at_all, subjects};
use super::{Failure, exit, output};
use crate::assess::facts::{Agreed, Facts};
use crate::desired::{Approval, Defaults, Engine, File, Role, load};
use crate::observe::observation::Observation;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Names or ids of provisioned products; none: all TEDs that the region has
    #[arg(value_name = "PRODUCT")]
    what: Vec<String>,
    #[command(flatten)]
    aws: AwsArgs,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let observer = args.aws.observer().await?;
    let subjects = subjects(&args.what, &args.aws, &observer).await?;
    let mut failed = false;
    let mut documents = Vec::new();
    for (subject, look) in look_at_all(subjects, &std::sync::Arc::new(observer), false).await {
        match look.and_then(|observation| adopt(&subject, &observation)) {
            Ok(document) => documents.push(document),
            Err(failure) => {
                failed = true;
                output::error(
                    format_args!("{}: {}", subject.name, failure.message),
                    failure.hint.as_deref(),
                );
            }
        }
    }
    output::data(documents.join("---\n"));
    Ok(if failed { ExitCode::from(exit::ERROR) } else { ExitCode::SUCCESS })
}

/// The document of what is there. It only looks (`mode: observe`), and the approval that a migration takes is left commented out.
fn adopt(subject: &Subject, observation: &Observation) -> Result<String, Failure> {
    unread(observation)?;
    let facts = Facts::of(None, observation);
    let missing = |what: &str| Failure {
        message: format!("{what} is not known"),
        hint: Some(format!("`ted-controller plan {}` says what could not be read", subject.name)),
    };
    let product = facts.product.one().ok_or_else(|| missing("the provisioned product"))?;
    let caller = observation.caller.present().ok_or_else(|| missing("the account"))?;
    let name = document_name(&product.name);
    let hive = facts.role_value(Role::HiveName).map(str::to_owned);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "apiVersion: {}\nkind: {}",
        crate::desired::API_VERSION,
        crate::desired::KIND
    );
    let _ = writeln!(text, "metadata: {{name: {name}}}\nspec:");
    let _ = writeln!(text, "  account: \"{}\"\n  region: {}", caller.account, observation.region);
    let _ = writeln!(text, "  provisionedProduct: {}", quoted(&product.name));
    if let Some(hive) = hive.filter(|hive| *hive != name) {
        let _ = writeln!(text, "  hive: {}", quoted(&hive));
    }
    if let Some(version) = &facts.running.version {
        let _ = writeln!(text, "  tedVersion: {version}");
    }
    match (&facts.engine, &facts.engine_version) {
        (Agreed::All(engine), Agreed::All(version)) => {
            // Patch levels come by themselves; the document names what the stack's parameter names.
            let role =
                if *engine == Engine::Valkey { Role::ValkeyVersion } else { Role::RedisVersion };
            let named = facts.role_value(role).map_or_else(|| short(version), str::to_owned);
            let _ = writeln!(text, "  cache: {{engine: {engine}, version: \"{named}\"}}");
        }
        (Agreed::Mixed(_), _) | (_, Agreed::Mixed(_)) => {
            let _ = writeln!(text, "  # cache: its nodes do not agree on engine and version");
        }
        _ => {
            let _ = writeln!(text, "  # cache: there is none, or it could not be read");
        }
    }
    let _ = writeln!(text, "  policy: {{mode: observe}}");
    // What we print must be right by our own rules, and written as all documents are.
    let loaded = load(&[File::new(format!("{name}.yaml"), text.as_bytes())], &Defaults::default());
    let migration = [Approval::RedisToValkey];
    let suggested = if facts.engine == Agreed::All(Engine::Redis) { &migration[..] } else { &[] };
    match (loaded.documents.first(), loaded.problems.first()) {
        (Some(desired), None) => Ok(desired.to_yaml_suggesting(suggested)),
        (_, Some(problem)) => Err(Failure {
            message: format!("what is deployed cannot be written as a document: {problem}"),
            hint: problem.hint.clone(),
        }),
        (None, None) => Err(missing("the document")),
    }
}

/// What a document says must have been read: one that left the cache out because it could not be read would not be what is deployed.
fn unread(observation: &Observation) -> Result<(), Failure> {
    let parts = [
        ("the provisioned product", observation.products.gap()),
        ("the root stack", observation.root.gap()),
        ("the running template", observation.template.gap()),
        ("the cache", observation.caches.gap()),
    ];
    match parts.into_iter().find_map(|(what, gap)| Some((what, gap?))) {
        None => Ok(()),
        Some((what, gap)) => Err(Failure {
            message: format!("{what} cannot be read: {}", gap.message),
            hint: Some(if gap.passing {
                "try again".to_owned()
            } else {
                format!(
                    "allow `{}`: `ted-controller iam-policy --observe` prints the whole policy",
                    gap.operation
                )
            }),
        }),
    }
}

/// `ted-einstein` is the TED `einstein`.
fn document_name(product: &str) -> String {
    let short = product.strip_prefix("ted-").filter(|rest| !rest.is_empty()).unwrap_or(product);
    let label: String = short
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(63)
        .collect();
    let label = label.trim_matches('-');
    if label.is_empty() { "ted".to_owned() } else { label.to_owned() }
}

/// `7.1.0` as `7.1`.
fn short(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
