//! What is: AWS's answers, taken together as an observation. Reads, and changes nothing.
//!
//! [`Observer::look`] looks at one TED. The first look finds everything by itself, in at most four round trips, each of them parallel.
//! Later looks ([`Depth::Steady`]) ask only for what moves (product, root stack, cache group, cache nodes, database: five calls, one round
//! trip) and read the rest again when one of these says that something happened, or when it is ten minutes old. While something changes
//! ([`Depth::Brisk`]) stacks and triggers are among what is asked for. What is about to be acted on is read again right before.
//!
//! What all TEDs of an account and region have in common is asked for once by those who look at the same time (`shared`), and what a stack
//! holds is listed again only when the stack has moved.
//!
//! Every part is present, absent, or unreadable with its reason; nothing is assumed. Only who we are must be known: without credentials,
//! in the wrong account, or behind a role that cannot be assumed there is no look at all ([`LookError`]).
//!
//! Nothing here is judged; that is `assess`'s. Nothing is remembered that safety depends on: an observer that was just made sees the
//! same as one that has run for a year.

mod collect;
mod convert;
mod deep;
pub mod dossier;
mod dossier_reader;
mod find;
mod join;
pub mod observation;
mod rights;
mod shared;
pub mod story;
mod story_reader;
mod triggers;

pub use find::Found;

use crate::aws::{Class, Error, Role, Session, SessionError, Sessions, SessionsOptions, Target};
use crate::desired::{Desired, Events, ProductRef, VersionWish};
use crate::settings;
use collect::Known;
use jiff::Timestamp;
use observation::{Gap, Observation};
use shared::{Lists, Shared, Since, Turn};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Looks at TEDs. Shared by all of them.
#[derive(Debug)]
pub struct Observer {
    sessions: Arc<Sessions>,
    /// By query, what the last look found: ids, and the parts on the slower clock.
    known: Mutex<BTreeMap<Key, Arc<Known>>>,
    /// What all TEDs of an account and region have in common.
    shared: Mutex<BTreeMap<Target, Arc<Shared>>>,
    /// By query, how far CloudFormation's drift detection is.
    deep: deep::AllTurns,
}

/// How old a search over all products may be. The index behind it lags anyway (facts of Service Catalog): it finds, and decides nothing.
const SEARCH_AGE: Duration = Duration::from_secs(30);

/// What a look is about: the same query finds the same things.
type Key = (Target, ProductRef);

/// Which TED to look at, and what the document wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The provisioned product.
    pub product: ProductRef,
    /// Its region; absent: the controller's.
    pub region: Option<String>,
    /// The account that the credentials must be of.
    pub account: Option<String>,
    /// The role to look with.
    pub role: Option<Role>,
    /// The hive's name; absent: found by what the stack's parameters and the workspaces have in common.
    pub hive: Option<String>,
    /// The version to have: its parameters are read too.
    pub wish: Option<VersionWish>,
    /// What the names of the worker functions begin with.
    pub prefix: String,
}

impl Query {
    /// What a document asks for.
    pub fn of(desired: &Desired) -> Self {
        let spec = &desired.spec;
        let role = spec.role.as_ref().map(|role| Role {
            arn: role.arn.as_str().to_owned(),
            external_id: role.external_id.as_ref().map(|id| id.reveal().to_owned()),
        });
        Self {
            product: spec.provisioned_product.clone(),
            region: spec.region.as_ref().map(|region| region.as_str().to_owned()),
            account: spec.account.as_ref().map(|account| account.as_str().to_owned()),
            role,
            hive: Some(spec.hive.as_str().to_owned()),
            wish: spec.ted_version.clone(),
            prefix: spec.events.prefix.as_str().to_owned(),
        }
    }

    /// A product without a document.
    pub fn product(product: ProductRef, region: Option<String>) -> Self {
        Self {
            product,
            region,
            account: None,
            role: None,
            hive: None,
            wish: None,
            prefix: Events::default().prefix.as_str().to_owned(),
        }
    }

    fn target(&self) -> Target {
        Target { region: self.region.clone(), role: self.role.clone() }
    }
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What moves; the rest when something happened, or on its slower clock.
    Steady,
    /// What moves during a change, the triggers among it; the rest when the change ended.
    Brisk,
    /// Everything, now: before something is begun, and for people.
    Full,
}

/// What a look found.
#[derive(Clone, Debug)]
pub struct Look {
    /// The findings of this look.
    pub observation: Observation,
    /// Round trips that waited for one another. Pages of a list count once.
    pub rounds: u32,
}

/// There was no look: nobody knows anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// Who we are, or where, is not as it must be.
    #[error("{}", one_line(.0))]
    Session(#[from] SessionError),
    /// The provisioned product could not be read, for a reason that may pass by itself.
    #[error("cannot read the provisioned product: {operation}: {message}")]
    Product {
        /// What was asked.
        operation: String,
        /// What came of it.
        message: String,
    },
    /// The search for products failed.
    #[error("cannot search for provisioned products: {0}")]
    Search(Box<Error>),
}

impl LookError {
    /// What may make it go away.
    pub fn class(&self) -> Class {
        match self {
            Self::Session(error) => error.class(),
            Self::Product { .. } => Class::Transient,
            Self::Search(error) => error.class(),
        }
    }

    /// One CamelCase word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Session(error) => error.reason(),
            Self::Product { .. } => "Unreadable",
            Self::Search(error) => error.reason(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Session(error) => error.hint(),
            Self::Product { .. } => None,
            Self::Search(error) => error.hint(),
        }
    }
}

/// The tag key of a product's holds (design, "The pause protocol"). `assess::holds` says what stands under it.
fn hold_key(product_id: &str) -> String {
    format!("ted-controller:hold:{product_id}")
}

/// An error with its cause.
fn one_line(error: &SessionError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl Observer {
    /// By the standard credential chain. Asks AWS nothing yet.
    pub async fn from_environment(aws: &settings::Aws) -> Self {
        let options = SessionsOptions {
            region: aws.region.as_ref().map(|region| region.as_str().to_owned()),
            account: aws.account.as_ref().map(|account| account.as_str().to_owned()),
            allowed_roles: aws.allowed_roles.clone(),
            timeouts: aws.timeouts,
            ..SessionsOptions::default()
        };
        Self::new(Arc::new(Sessions::from_environment(options).await))
    }

    /// Over sessions that exist.
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self {
            sessions,
            known: Mutex::default(),
            shared: Mutex::default(),
            deep: deep::AllTurns::default(),
        }
    }

    /// One that reaches nobody: for what is replayed.
    pub fn offline() -> Self {
        Self::new(Arc::new(Sessions::offline()))
    }

    /// The sessions: `act` gets its writer from here.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// Looks at one TED.
    ///
    /// # Errors
    /// There is no session, or it is not the account that it must be. What AWS does not let us see is no error: it is a part of the
    /// observation.
    pub async fn look(&self, query: &Query, depth: Depth) -> Result<Look, LookError> {
        let session = self.session(query).await?;
        let known = self.known(query);
        let shared = self.shared(&query.target());
        // On the heap: dozens of calls at once make a large future.
        let looking = Box::pin(collect::look(&session, &shared, query, depth, known.as_deref()));
        let (look, known) = looking.await?;
        self.remember(query, known);
        Ok(look)
    }

    /// All TED products of a region, in the order of their names.
    ///
    /// # Errors
    /// There is no session, or the search failed.
    pub async fn products(
        &self,
        region: Option<&str>,
        account: Option<&str>,
    ) -> Result<Vec<Found>, LookError> {
        let target = Target { region: region.map(str::to_owned), role: None };
        let session = self.sessions.session(&target).await?;
        check(&session, account).await?;
        let (shared, reader) = (self.shared(&target), session.reader());
        let lists = Lists::new(&reader, &shared, Since::ago(SEARCH_AGE, Turn::default()));
        let found = find::products(&session, lists).await;
        found.map_err(|error| LookError::Search(Box::new(error)))
    }

    /// The events of the newest change of a TED's stacks, for a diagnosis. `observation` says which stacks there are.
    ///
    /// # Errors
    /// There is no session.
    pub async fn story(
        &self,
        query: &Query,
        observation: &Observation,
    ) -> Result<story::Story, LookError> {
        let session = self.session(query).await?;
        Ok(story_reader::story(&session.reader(), observation).await)
    }

    /// Reads what this look had no reason to read: the parameters of another version, the events of the root stack, the queue behind a
    /// trigger. Answers why what could not be read; what there is none of is not tried.
    ///
    /// # Errors
    /// There is no session.
    pub async fn try_rights(
        &self,
        query: &Query,
        observation: &Observation,
    ) -> Result<Vec<Gap>, LookError> {
        let session = self.session(query).await?;
        Ok(Box::pin(rights::try_rest(&session.reader(), observation)).await)
    }

    /// What a support ticket asks for beyond an observation. What cannot be read is a part of the answer.
    ///
    /// # Errors
    /// There is no session.
    pub async fn dossier(
        &self,
        query: &Query,
        observation: &Observation,
    ) -> Result<dossier::Dossier, LookError> {
        let session = self.session(query).await?;
        Ok(Box::pin(dossier_reader::dossier(&session.reader(), observation)).await)
    }

    /// AWS's time, as far as it is known where a query looks.
    pub async fn aws_now(&self, query: &Query) -> Option<Timestamp> {
        self.sessions.session(&query.target()).await.ok()?.aws_now()
    }

    /// Which of the actions that change something IAM's simulation denies to the caller.
    ///
    /// # Errors
    /// Nobody knows; the text says why.
    pub async fn denied_writes(
        &self,
        query: &Query,
        observation: &Observation,
    ) -> Result<Vec<String>, String> {
        let caller = observation.caller.present().ok_or("the caller is not known")?;
        let principal = principal(&caller.arn).ok_or_else(|| {
            format!("`{}` is neither a user nor a role", crate::text::sanitize(&caller.arn))
        })?;
        let session = self.session(query).await.map_err(|error| error.to_string())?;
        rights::denied_writes(&session.reader(), &principal, observation).await
    }

    /// The session that a query is asked by.
    ///
    /// # Errors
    /// There is none.
    pub async fn session(&self, query: &Query) -> Result<Session, LookError> {
        Ok(self.sessions.session(&query.target()).await?)
    }

    fn known(&self, query: &Query) -> Option<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(query.target(), query.product.clone())).cloned()
    }

    fn remember(&self, query: &Query, known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((query.target(), query.product.clone()), Arc::new(known));
    }

    fn shared(&self, target: &Target) -> Arc<Shared> {
        let mut all = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(target.clone()).or_default())
    }

    /// Forgets what earlier looks found: the next one finds everything by itself.
    pub fn forget(&self, query: &Query) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(query.target(), query.product.clone()));
    }
}

/// Checks the account, if one is expected; asks who we are in any case, once.
async fn check(session: &Session, account: Option<&str>) -> Result<(), SessionError> {
    match account {
        Some(account) => session.check_account(account).await,
        None => session.identity().await.map(|_| ()),
    }
}

/// Whom IAM's simulation is asked about: it takes users and roles, not sessions. (A role's path is not part of a session's ARN; a role
/// below a path is then not found, which is said.)
fn principal(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let (_, partition, service, _, account, rest) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    match service {
        "iam" => Some(arn.to_owned()),
        "sts" => {
            let role = rest.strip_prefix("assumed-role/")?.split('/').next()?;
            Some(format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::principal;

    #[test]
    fn a_session_stands_for_its_role() {
        let role = principal("arn:aws-cn:sts::111122223333:assumed-role/ted/session");
        assert_eq!(role.as_deref(), Some("arn:aws-cn:iam::111122223333:role/ted"));
        let user = "arn:aws:iam::111122223333:user/someone";
        assert_eq!(principal(user).as_deref(), Some(user));
        assert_eq!(principal("arn:aws:sts::111122223333:federated-user/x"), None);
        assert_eq!(principal("nonsense"), None);
    }
}
