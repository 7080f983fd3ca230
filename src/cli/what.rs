//! What a command is about: a document's path, a TED's name, a provisioned product's name or id; and the observer to look with.

use super::{Failure, output};
use crate::desired::{AccountId, Defaults, Desired, ProductRef, Region, Revision, load};
use crate::observe::observation::{Observation, Seen};
use crate::observe::{Depth, LookError, Observer, Query};
use crate::settings::{Aws, RolePattern, Timeouts};
use crate::source::collect;
use std::path::Path;
use std::sync::Arc;

/// Flags of every command that asks AWS by itself.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct AwsArgs {
    /// The region, where a document names none [default: `AWS_REGION`, the profile's, the instance's]
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,
    /// The account that the credentials must be of
    #[arg(long, value_name = "ID")]
    pub(super) account: Option<String>,
    /// A role, or a pattern of roles, that documents may name; can be given several times
    #[arg(long, value_name = "ARN")]
    pub(super) allow_role: Vec<String>,
}

impl AwsArgs {
    pub(super) fn settings(&self) -> Result<Aws, Failure> {
        let wrong = |flag: &str, error: crate::desired::Complaint| Failure {
            message: format!("{flag}: {error}"),
            hint: error.hint,
        };
        let region = self.region.as_deref().map(Region::parse).transpose();
        let account = self.account.as_deref().map(AccountId::parse).transpose();
        Ok(Aws {
            region: region.map_err(|error| wrong("--region", error))?,
            account: account.map_err(|error| wrong("--account", error))?,
            allowed_roles: self
                .allow_role
                .iter()
                .map(|pattern| RolePattern::new(pattern))
                .collect::<Result<_, _>>()
                .map_err(|error| Failure {
                    message: format!("--allow-role: {error}"),
                    hint: None,
                })?,
            timeouts: Timeouts::default(),
        })
    }

    pub(super) async fn observer(&self) -> Result<Observer, Failure> {
        Ok(Observer::from_environment(&self.settings()?).await)
    }
}

impl From<LookError> for Failure {
    fn from(error: LookError) -> Self {
        Self { hint: error.hint().map(str::to_owned), message: error.to_string() }
    }
}

/// A TED that a command is about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// What it is called here: the document's name, or the product's.
    pub(super) name: String,
    /// Its document, if there is one.
    pub(super) desired: Option<Desired>,
    /// The revision the document was read from.
    pub(super) revision: Option<Revision>,
    pub(super) query: Query,
}

impl Subject {
    pub(super) fn of(desired: Desired, revision: &Revision) -> Self {
        Self {
            name: desired.name.to_string(),
            query: Query::of(&desired),
            revision: Some(revision.clone()),
            desired: Some(desired),
        }
    }

    /// One of which only a recording is known.
    pub(super) fn recorded(name: &str) -> Self {
        Self::product(ProductRef::Name(name.to_owned()), None)
    }

    fn product(product: ProductRef, region: Option<String>) -> Self {
        let name = product.as_str().to_owned();
        Self { name, desired: None, revision: None, query: Query::product(product, region) }
    }

    /// Looks, and sees to it that there is something to talk about.
    pub(super) async fn look(&self, observer: &Observer) -> Result<Observation, Failure> {
        let observation = observer.look(&self.query, Depth::Full).await?.observation;
        if self.desired.is_none()
            && matches!(&observation.products, Seen::Present(found) if found.is_empty())
        {
            return Err(Failure {
                message: format!("there is no provisioned product `{}` in {}, or these credentials may not see it", self.name, observation.region),
                hint: Some("`ted-controller adopt` lists what is there; products of other users show to who may see the whole account".to_owned()),
            });
        }
        Ok(observation)
    }

    /// Looks, and has CloudFormation detect drift on every stack.
    async fn look_deep(&self, observer: &Observer) -> Result<Observation, Failure> {
        let mut observation = self.look(observer).await?;
        output::note(format_args!(
            "{}: drift detection runs on every stack; this takes minutes",
            self.name
        ));
        observer.deep_now(&self.query, &mut observation).await?;
        Ok(observation)
    }
}

/// Looks at all of them at once, and answers in their order: looks that run at the same time share what their TEDs have in common.
/// With `deep` CloudFormation's drift detection runs, too.
pub(super) async fn look_at_all(
    subjects: Vec<Subject>,
    observer: &Arc<Observer>,
    deep: bool,
) -> Vec<(Subject, Result<Observation, Failure>)> {
    let mut looks = tokio::task::JoinSet::new();
    for (place, subject) in subjects.into_iter().enumerate() {
        let observer = Arc::clone(observer);
        looks.spawn(async move {
            let look = if deep {
                Box::pin(subject.look_deep(&observer)).await
            } else {
                Box::pin(subject.look(&observer)).await
            };
            (place, subject, look)
        });
    }
    let mut done = looks.join_all().await;
    done.sort_by_key(|(place, ..)| *place);
    done.into_iter().map(|(_, subject, look)| (subject, look)).collect()
}

/// The TEDs that the arguments mean; without arguments all that the region has.
pub(super) async fn subjects(
    what: &[String],
    aws: &AwsArgs,
    observer: &Observer,
) -> Result<Vec<Subject>, Failure> {
    let mut subjects = Vec::new();
    if what.is_empty() {
        return everything(aws, observer).await;
    }
    for word in what {
        if looks_like_a_path(word) {
            subjects.extend(documents(Path::new(word), aws)?);
        } else if word.starts_with("pp-") {
            subjects.push(Subject::product(ProductRef::Id(word.clone()), aws.region.clone()));
        } else {
            subjects.push(named(word, aws, observer).await?);
        }
    }
    Ok(subjects)
}

async fn everything(aws: &AwsArgs, observer: &Observer) -> Result<Vec<Subject>, Failure> {
    let found = observer.products(aws.region.as_deref(), aws.account.as_deref()).await?;
    if found.is_empty() {
        return Err(Failure {
            message: "there is no provisioned product of Turbot Guardrails Enterprise Database that these credentials can see".to_owned(),
            hint: Some("check region and account, or name one: `ted-controller plan ted-einstein`".to_owned()),
        });
    }
    let subjects = found.into_iter().map(|found| {
        let mut subject = Subject::product(ProductRef::Id(found.product.id), aws.region.clone());
        subject.name = found.product.name;
        subject
    });
    Ok(subjects.collect())
}

/// A product by its name; a TED's name stands for `ted-<name>` when no product is called so.
async fn named(word: &str, aws: &AwsArgs, observer: &Observer) -> Result<Subject, Failure> {
    let found = observer.products(aws.region.as_deref(), aws.account.as_deref()).await?;
    let prefixed = format!("ted-{word}");
    let by_name = |name: &str| found.iter().find(|found| found.product.name == name);
    if let Some(found) = by_name(word).or_else(|| by_name(&prefixed)) {
        let mut subject =
            Subject::product(ProductRef::Id(found.product.id.clone()), aws.region.clone());
        subject.name.clone_from(&found.product.name);
        return Ok(subject);
    }
    // The search index may lag, or the product is called otherwise: asked for by its name it may be there.
    Ok(Subject::product(ProductRef::Name(word.to_owned()), aws.region.clone()))
}

fn looks_like_a_path(word: &str) -> bool {
    let path = Path::new(word);
    let yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    yaml || word.contains('/') || word.starts_with('.') || path.exists()
}

/// The documents of a file or folder. What is wrong in them is said, and what is right is looked at.
fn documents(path: &Path, aws: &AwsArgs) -> Result<Vec<Subject>, Failure> {
    let mut files = Vec::new();
    collect(path, &mut files)
        .map_err(|error| Failure::new(&error, Some(error.hint().to_owned())))?;
    let defaults = Defaults {
        region: aws.region.as_deref().and_then(|region| Region::parse(region).ok()),
        account: None,
        interval: None,
    };
    let loaded = load(&files, &defaults);
    for problem in &loaded.problems {
        output::error(problem, problem.hint.as_deref());
    }
    for note in &loaded.notes {
        output::note(note);
    }
    if !loaded.problems.is_empty() {
        let count = loaded.problems.len();
        return Err(Failure {
            message: format!(
                "`{}` has {count} problem{}",
                path.display(),
                if count == 1 { "" } else { "s" }
            ),
            hint: Some(
                "correct what is said above; `ted-controller validate` checks offline".to_owned(),
            ),
        });
    }
    if loaded.documents.is_empty() {
        return Err(Failure {
            message: format!("there is no desired document in `{}`", path.display()),
            hint: Some("`ted-controller adopt` writes one for what is deployed".to_owned()),
        });
    }
    Ok(loaded.documents.into_iter().map(|desired| Subject::of(desired, &loaded.revision)).collect())
}
