//! Who we are towards AWS, where, and by which connection.
//!
//! [`Sessions`] is made once. It holds the standard credential chain, one HTTP client with one connection pool, the
//! budgets and the counters, and gives out a [`Session`] for each (role, region), made once. A role is assumed only if
//! the controller's allow-list has it: a desired document must not be able to pick any role that trusts us.
//!
//! TLS is rustls with ring: it builds with a C compiler alone (no cmake, no nasm). Certificates are those of the host, so
//! that a company's own authority works; proxies come from `HTTPS_PROXY` and `NO_PROXY`.
//!
//! **AWS's time.** Each session remembers the newest `Date` header of its answers ([`Session::aws_now`]). What is compared
//! with AWS's timestamps uses that and never the host's clock.

mod role;
mod wire;

pub use crate::settings::Timeouts;
pub use role::{Role, RolePattern};

use super::budget::{Budgets, Counters, Rate, RequestLabels};
use super::call::{Caller, Jitter, RetryPolicy, Scope};
use super::detector::Detector;
use super::errors::{Class, Error};
use super::reader::Reader;
use super::table::Service;
use super::types::CallerIdentity;
use super::writer::Writer;
use crate::settings;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Mutex, OnceCell};
use wire::{AwsTime, Dated};

/// How our requests name us, next to the SDK's own name. (A `/` is not allowed in an application name.)
const APP_NAME: &str = concat!("ted-controller-", env!("CARGO_PKG_VERSION"));

/// How an assumed role's session is called: what CloudTrail shows.
const ROLE_SESSION_NAME: &str = "ted-controller";

/// The limits as the SDK takes them.
fn sdk_timeouts(timeouts: Timeouts) -> TimeoutConfig {
    // The SDK makes one attempt only (`aws::call`), so its operation is our attempt.
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.read)
        .operation_attempt_timeout(timeouts.attempt)
        .operation_timeout(timeouts.attempt)
        .build()
}

/// Settings of all sessions.
#[derive(Clone, Debug, Default)]
pub struct SessionsOptions {
    /// Region, where a document names none. Else the environment's (`AWS_REGION`, profile, instance).
    pub region: Option<String>,
    /// The only account that may be touched without a role (`run --account`).
    pub account: Option<String>,
    /// Roles that documents may name; none: no roles.
    pub allowed_roles: Vec<RolePattern>,
    /// Limits of one attempt.
    pub timeouts: Timeouts,
    /// Attempts of one call.
    pub retry: RetryPolicy,
    /// Request rates, where they differ from the defaults.
    pub rates: BTreeMap<Service, Rate>,
    /// Where jitter begins; from the operating system if absent.
    pub seed: Option<u64>,
}

impl From<&settings::Aws> for SessionsOptions {
    fn from(settings: &settings::Aws) -> Self {
        let settings::Aws { region, account, allowed_roles, timeouts } = settings;
        Self {
            region: region.as_ref().map(ToString::to_string),
            account: account.as_ref().map(ToString::to_string),
            allowed_roles: allowed_roles.clone(),
            timeouts: *timeouts,
            ..Self::default()
        }
    }
}

/// A wire without an environment: tests and the simulated AWS in process.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// What answers.
    pub http_client: SharedHttpClient,
    /// Who asks.
    pub credentials: Credentials,
    /// The time that requests are signed with; the host's if absent.
    pub time_source: Option<SharedTimeSource>,
}

impl InProcess {
    /// A wire that is asked with one access key, and signs with the time of whoever answers.
    pub fn new(
        http_client: SharedHttpClient,
        access_key: &str,
        secret: &str,
        time_source: SharedTimeSource,
    ) -> Self {
        let credentials = Credentials::new(access_key, secret, None, None, "in process");
        Self { http_client, credentials, time_source: Some(time_source) }
    }
}

/// Where a TED lives, and by which role it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Region; if absent the controller's.
    pub region: Option<String>,
    /// Role to assume; if absent the controller's own credentials.
    pub role: Option<Role>,
}

/// A session cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Nobody named a region.
    #[error("no AWS region is set")]
    NoRegion,
    /// The region would not make a host name.
    #[error("`{0}` is no AWS region")]
    BadRegion(String),
    /// The role is not on the allow-list.
    #[error("the role `{0}` is not on the controller's list of allowed roles")]
    RoleNotAllowed(String),
    /// The credentials are of another account than the one expected.
    #[error("the credentials are those of account {actual} (`{arn}`), not of {expected}")]
    WrongAccount {
        /// The account that is wanted.
        expected: String,
        /// The caller's.
        actual: String,
        /// The caller.
        arn: String,
    },
    /// AWS did not tell who we are.
    #[error("cannot find out whose credentials these are")]
    Identity(#[source] Error),
}

impl SessionError {
    /// What may make it go away.
    pub fn class(&self) -> Class {
        match self {
            Self::NoRegion | Self::RoleNotAllowed(_) | Self::WrongAccount { .. } => Class::Denied,
            Self::BadRegion(_) => Class::Terminal,
            Self::Identity(error) => error.class(),
        }
    }

    /// A fixed CamelCase word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRegion => "NoRegion",
            Self::BadRegion(_) => "BadRegion",
            Self::RoleNotAllowed(_) => "RoleNotAllowed",
            Self::WrongAccount { .. } => "WrongAccount",
            Self::Identity(error) => error.reason(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRegion => Some(
                "add `region: us-east-2` to the document, give `--region`, or set `AWS_REGION`",
            ),
            Self::BadRegion(_) => Some("a region looks like `us-east-2`"),
            Self::RoleNotAllowed(_) => Some(
                "add the role's ARN, or a pattern for it, to the controller's `allowedRoles`, or give it with `--allow-role`",
            ),
            Self::WrongAccount { .. } => {
                Some("use credentials of the right account, or correct the account number")
            }
            Self::Identity(error) => error.hint(),
        }
    }
}

/// One client a service, for one principal in one region.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) catalog: aws_sdk_servicecatalog::Client,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) elasticache: aws_sdk_elasticache::Client,
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) iam: aws_sdk_iam::Client,
}

impl Clients {
    fn new(config: &SdkConfig) -> Self {
        Self {
            catalog: aws_sdk_servicecatalog::Client::new(config),
            cloudformation: aws_sdk_cloudformation::Client::new(config),
            elasticache: aws_sdk_elasticache::Client::new(config),
            rds: aws_sdk_rds::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
        }
    }
}

/// All sessions of this process.
#[derive(Debug)]
pub struct Sessions {
    options: SessionsOptions,
    /// The environment's configuration: credentials, region, endpoints, HTTP client.
    base: SdkConfig,
    budgets: Arc<Budgets>,
    counters: Arc<Counters>,
    jitter: Arc<Jitter>,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    /// One provider a role, so that all regions share the assumed credentials.
    providers: BTreeMap<Role, SharedCredentialsProvider>,
    sessions: BTreeMap<(Option<Role>, String), Session>,
}

impl Sessions {
    /// Sessions by the standard chain: environment, profiles, SSO, web identity, container and instance roles; endpoints
    /// from `AWS_ENDPOINT_URL…` and profiles. Reads the environment, asks AWS nothing.
    pub async fn from_environment(options: SessionsOptions) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(wire::https_client())
            .timeout_config(sdk_timeouts(options.timeouts))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(name) = app_name() {
            loader = loader.app_name(name);
        }
        Self::new(options, loader.load().await)
    }

    /// Sessions over a wire of the caller's. Reads nothing from the environment.
    pub fn in_process(options: SessionsOptions, wire: InProcess) -> Self {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(wire.http_client)
            .credentials_provider(SharedCredentialsProvider::new(wire.credentials))
            .identity_cache(aws_config::identity::IdentityCache::lazy().build())
            .timeout_config(sdk_timeouts(options.timeouts))
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .time_source(wire.time_source.unwrap_or_default())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .region(options.region.clone().map(Region::new));
        config.set_app_name(app_name());
        Self::new(options, config.build())
    }

    /// Sessions that reach nobody: there is no region, no credentials and no connection.
    pub fn offline() -> Self {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        Self::new(SessionsOptions::default(), config)
    }

    fn new(options: SessionsOptions, base: SdkConfig) -> Self {
        let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one("jitter"));
        Self {
            base,
            budgets: Arc::new(Budgets::new(options.rates.clone())),
            counters: Arc::default(),
            jitter: Arc::new(Jitter::new(seed)),
            made: Mutex::default(),
            options,
        }
    }

    /// The session for a target. Asks AWS nothing: wrong credentials show with the first call.
    ///
    /// # Errors
    /// No region, or a role that is not allowed.
    pub async fn session(&self, target: &Target) -> Result<Session, SessionError> {
        let region = self.region_of(target)?;
        if let Some(role) = &target.role
            && !self.options.allowed_roles.iter().any(|pattern| pattern.matches(&role.arn))
        {
            return Err(SessionError::RoleNotAllowed(crate::text::sanitize(&role.arn)));
        }
        let mut made = self.made.lock().await;
        let key = (target.role.clone(), region.clone());
        if let Some(session) = made.sessions.get(&key) {
            return Ok(session.clone());
        }
        let mut config = self.base.to_builder().region(Region::new(region.clone()));
        if let Some(role) = &target.role {
            config = config.credentials_provider(self.provider(&mut made, role, &region).await);
        }
        let session = self.make(config, target.role.as_ref(), region);
        made.sessions.insert(key, session.clone());
        Ok(session)
    }

    fn region_of(&self, target: &Target) -> Result<String, SessionError> {
        let region = target.region.as_deref().or_else(|| self.base.region().map(AsRef::as_ref));
        let region = region.filter(|region| !region.is_empty()).ok_or(SessionError::NoRegion)?;
        // It becomes part of a host name.
        let fits = region.len() <= 32
            && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fits {
            Ok(region.to_owned())
        } else {
            Err(SessionError::BadRegion(crate::text::sanitize_to(region, 64)))
        }
    }

    async fn provider(
        &self,
        made: &mut Made,
        role: &Role,
        region: &str,
    ) -> SharedCredentialsProvider {
        if let Some(provider) = made.providers.get(role) {
            return provider.clone();
        }
        // The region of the first use decides which STS endpoint is asked; the credentials hold everywhere.
        let mut builder = AssumeRoleProvider::builder(&role.arn)
            .session_name(ROLE_SESSION_NAME)
            .region(Region::new(region.to_owned()))
            .configure(&self.base);
        if let Some(external_id) = &role.external_id {
            builder = builder.external_id(external_id);
        }
        let provider = SharedCredentialsProvider::new(builder.build().await);
        made.providers.insert(role.clone(), provider.clone());
        provider
    }

    fn make(
        &self,
        config: aws_types::sdk_config::Builder,
        role: Option<&Role>,
        region: String,
    ) -> Session {
        let aws_time = AwsTime::default();
        let mut config = config
            .retry_config(RetryConfig::disabled())
            .timeout_config(sdk_timeouts(self.options.timeouts));
        if let Some(http_client) = self.base.http_client() {
            config.set_http_client(Some(SharedHttpClient::new(Dated::new(
                http_client,
                aws_time.clone(),
            ))));
        }
        let account = OnceLock::new();
        if let Some(id) = role.and_then(Role::account) {
            let _ = account.set(id.to_owned());
        }
        let caller = Caller {
            scope: Arc::new(Scope { account, region }),
            budgets: Arc::clone(&self.budgets),
            counters: Arc::clone(&self.counters),
            jitter: Arc::clone(&self.jitter),
            retry: self.options.retry,
        };
        let pinned = if role.is_none() { self.options.account.clone() } else { None };
        Session(Arc::new(Inner {
            clients: Arc::new(Clients::new(&config.build())),
            caller,
            aws_time,
            pinned,
            identity: OnceCell::new(),
        }))
    }

    /// How many requests were made so far, for `ted_controller_aws_requests_total`.
    pub fn requests(&self) -> Vec<(RequestLabels, u64)> {
        self.counters.snapshot()
    }
}

fn app_name() -> Option<AppName> {
    AppName::new(APP_NAME).ok()
}

/// One principal in one region. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clients: Arc<Clients>,
    caller: Caller,
    aws_time: AwsTime,
    /// The account that it must be, if the controller says so.
    pinned: Option<String>,
    identity: OnceCell<CallerIdentity>,
}

impl Session {
    /// Who reads.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.0.clients), self.0.caller.clone())
    }

    /// Who starts drift detections.
    pub fn detector(&self) -> Detector {
        Detector::new(Arc::clone(&self.0.clients), self.0.caller.clone())
    }

    /// Who changes things. For `act` only.
    pub fn writer(&self) -> Writer {
        Writer::new(Arc::clone(&self.0.clients), self.0.caller.clone())
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.0.caller.scope.region
    }

    /// The caller. Asked once; an identity does not change under one set of credentials.
    ///
    /// # Errors
    /// AWS did not tell, or it is not the account that the controller is pinned to.
    pub async fn identity(&self) -> Result<&CallerIdentity, SessionError> {
        let ask = || async { self.reader().caller_identity().await };
        let identity =
            self.0.identity.get_or_try_init(ask).await.map_err(SessionError::Identity)?;
        let _ = self.0.caller.scope.account.set(identity.account.clone());
        if let Some(pinned) = &self.0.pinned {
            same_account(identity, pinned)?;
        }
        Ok(identity)
    }

    /// Checks that the caller's account is `expected`.
    ///
    /// # Errors
    /// It is another one; or as [`Session::identity`].
    pub async fn check_account(&self, expected: &str) -> Result<(), SessionError> {
        same_account(self.identity().await?, expected)
    }

    /// AWS's time: the newest `Date` header of this session's answers. None before the first answer. Whole seconds.
    pub fn aws_now(&self) -> Option<Timestamp> {
        self.0.aws_time.newest()
    }
}

fn same_account(identity: &CallerIdentity, expected: &str) -> Result<(), SessionError> {
    if identity.account == expected {
        return Ok(());
    }
    let actual = crate::text::sanitize_to(&identity.account, 64);
    Err(SessionError::WrongAccount {
        expected: expected.to_owned(),
        actual,
        arn: identity.arn.clone(),
    })
}

#[cfg(test)]
mod tests;
