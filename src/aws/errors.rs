//! What can go wrong when AWS is asked, classified once, by code string.
//!
//! The typed variants of the SDK are no use here: throttling, denials, expired credentials and every `ValidationError` of
//! CloudFormation arrive as "unhandled", while their code and message are always filled. So one table, [`classify`],
//! turns (service, code, message, HTTP status) into a [`Kind`], and everybody else asks the kind.
//!
//! Nothing secret gets into a message (signature errors echo the request's headers: cut), and every message is on one
//! line without terminal escapes.

mod convert;

pub use crate::denial::{Denial, DeniedBy};

use crate::aws::table::Service;
use crate::text::sanitize;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A call to AWS that did not give an answer we can use. Plain data: can be recorded and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What it means for us.
    pub kind: Kind,
    /// The service that was asked.
    pub service: Service,
    /// The operation, in AWS's spelling.
    pub operation: String,
    /// AWS's error code, when there was an answer.
    pub code: Option<String>,
    /// AWS's message, or what happened on the way; one line, bounded, without secrets.
    pub message: String,
    /// AWS's id of the request, for support.
    pub request_id: Option<String>,
    /// The HTTP status, when there was an answer.
    pub http_status: Option<u16>,
    /// How long AWS asked us to stay away.
    pub retry_after: Option<Duration>,
}

/// The meaning of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Too many requests; the request was not carried out.
    Throttled,
    /// Not allowed.
    Denied(Denial),
    /// The thing does not exist.
    NotFound,
    /// Service Catalog's "does not exist or access was denied": one of the two, it does not say which. Never proof of absence.
    NotFoundOrDenied,
    /// The thing is in a state that does not allow this now.
    Conflict,
    /// The request is wrong, or names a value that is not allowed.
    Invalid,
    /// The credentials ran out.
    Expired,
    /// The credentials are wrong or unknown.
    BadCredentials,
    /// The standard credential chain found no credentials.
    NoCredentials,
    /// The clock of this host is too far from AWS's.
    Clock,
    /// The region is not enabled for this account.
    RegionDisabled,
    /// A quota is used up. AWS's own clients retry this; it is not worth it, a person has to raise the quota.
    Quota,
    /// No usable connection, or no answer in time.
    Transport {
        /// False only if the request provably never left: then a write was not carried out.
        may_have_arrived: bool,
    },
    /// AWS failed (5xx). A write may have been carried out.
    Service,
    /// There was an answer, but it cannot be read or lacks what it must have. A write was probably carried out.
    BadAnswer,
    /// A code this version does not know.
    Unrecognised,
}

/// What may make an error go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// May pass by itself: back off and try again.
    Transient,
    /// Somebody must grant or raise something: look again, slowly.
    Denied,
    /// The document must change: wait for an edit.
    Terminal,
}

impl Kind {
    /// What may make it go away.
    pub fn class(&self) -> Class {
        match self {
            Self::Throttled
            | Self::Conflict
            | Self::Expired
            | Self::Transport { .. }
            | Self::Service
            | Self::BadAnswer
            | Self::Unrecognised => Class::Transient,
            Self::Denied(_)
            | Self::NotFoundOrDenied
            | Self::BadCredentials
            | Self::NoCredentials
            | Self::Clock
            | Self::RegionDisabled
            | Self::Quota => Class::Denied,
            Self::NotFound | Self::Invalid => Class::Terminal,
        }
    }

    /// A fixed CamelCase word: condition reason and metric label.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Throttled => "Throttled",
            Self::Denied(_) => "AccessDenied",
            Self::NotFound => "NotFound",
            Self::NotFoundOrDenied => "NotFoundOrDenied",
            Self::Conflict => "Conflict",
            Self::Invalid => "InvalidRequest",
            Self::Expired => "CredentialsExpired",
            Self::BadCredentials => "CredentialsRefused",
            Self::NoCredentials => "NoCredentials",
            Self::Clock => "ClockSkew",
            Self::RegionDisabled => "RegionDisabled",
            Self::Quota => "QuotaExceeded",
            Self::Transport { may_have_arrived: true } => "NoAnswer",
            Self::Transport { may_have_arrived: false } => "NoConnection",
            Self::Service => "ServiceError",
            Self::BadAnswer => "BadAnswer",
            Self::Unrecognised => "UnrecognisedError",
        }
    }

    /// May the request have been carried out all the same?
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Transport { may_have_arrived } => *may_have_arrived,
            Self::Service | Self::BadAnswer => true,
            Self::Throttled
            | Self::Denied(_)
            | Self::NotFound
            | Self::NotFoundOrDenied
            | Self::Conflict
            | Self::Invalid
            | Self::Expired
            | Self::BadCredentials
            | Self::NoCredentials
            | Self::Clock
            | Self::RegionDisabled
            | Self::Quota
            | Self::Unrecognised => false,
        }
    }

    /// What to do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCredentials => Some(
                "set `AWS_PROFILE` or `AWS_ACCESS_KEY_ID`, log in with `aws sso login`, or run under an instance or task role",
            ),
            Self::BadCredentials => Some(
                "check which credentials are used: `aws sts get-caller-identity`; log in again with `aws sso login`",
            ),
            Self::Expired => {
                Some("renew the credentials (`aws sso login`); roles are renewed without your help")
            }
            Self::Clock => Some(
                "set this host's clock: AWS refuses requests that are more than five minutes off",
            ),
            Self::RegionDisabled => Some("check `region`, or enable the region for the account"),
            Self::Denied(_) | Self::NotFoundOrDenied => Some(
                "`ted-controller iam-policy` prints what is needed; the principal must also be associated with the portfolio",
            ),
            Self::Transport { .. } => {
                Some("check the network, proxy and `AWS_ENDPOINT_URL` settings of this host")
            }
            Self::Quota => Some("raise the quota in the AWS console"),
            Self::Throttled
            | Self::NotFound
            | Self::Conflict
            | Self::Invalid
            | Self::Service
            | Self::BadAnswer
            | Self::Unrecognised => None,
        }
    }

    fn phrase(&self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Denied(_) => "not allowed",
            Self::NotFound => "not found",
            Self::NotFoundOrDenied => "not found, or not allowed",
            Self::Conflict => "not possible in the present state",
            Self::Invalid => "refused as invalid",
            Self::Expired => "credentials have expired",
            Self::BadCredentials => "credentials were refused",
            Self::NoCredentials => "no AWS credentials found",
            Self::Clock => "this host's clock is wrong",
            Self::RegionDisabled => "the region is not enabled",
            Self::Quota => "a quota is used up",
            Self::Transport { may_have_arrived: true } => "no answer",
            Self::Transport { may_have_arrived: false } => "no connection",
            Self::Service => "AWS failed",
            Self::BadAnswer => "unusable answer",
            Self::Unrecognised => "failed",
        }
    }
}

impl Error {
    /// An answer that lacks what it must have; `what` is ours.
    pub(crate) fn bad_answer(service: Service, operation: &str, what: &str) -> Self {
        Self {
            kind: Kind::BadAnswer,
            service,
            operation: operation.to_owned(),
            code: None,
            message: what.to_owned(),
            request_id: None,
            http_status: None,
            retry_after: None,
        }
    }

    /// What may make it go away.
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// A fixed CamelCase word: condition reason and metric label.
    pub fn reason(&self) -> &'static str {
        self.kind.reason()
    }

    /// May the request have been carried out all the same? Then the outcome of a write is unknown.
    pub fn may_have_arrived(&self) -> bool {
        self.kind.may_have_arrived()
    }

    /// What to do about it, where we know.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.kind {
            // AWS does not say which of the two is missing, and no policy of ours grants either.
            Kind::Denied(_) if self.operation.starts_with("AssumeRole") => Some(
                "the role's trust policy has to name this caller, and `externalId` where it asks for one; the caller needs `sts:AssumeRole` on the role",
            ),
            kind => kind.hint(),
        }
    }

    /// True if AWS says that the thing does not exist, and means only that.
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.service, self.operation, self.kind.phrase())?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match (&self.code, &self.request_id) {
            (Some(code), Some(id)) => write!(f, " ({code}, request {id})"),
            (Some(code), None) => write!(f, " ({code})"),
            (None, Some(id)) => write!(f, " (request {id})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// `None` where AWS's answer is that the thing does not exist; other errors stay errors.
///
/// # Errors
/// Everything but [`Kind::NotFound`].
pub fn absent_if_not_found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A message of AWS without what must not be shown. Signature errors echo the canonical request, and with it the session token.
fn presentable(code: &str, message: &str) -> String {
    const ECHOES: [&str; 5] = [
        "the canonical string",
        "x-amz-security-token",
        "authorization=",
        "credential=",
        "aws4-hmac-sha256",
    ];
    let lower = message.to_ascii_lowercase();
    let mut end = ECHOES.iter().filter_map(|echo| lower.find(echo)).min().unwrap_or(message.len());
    if matches!(code, "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature")
    {
        end = end.min(lower.find('\n').unwrap_or(end));
    }
    sanitize(message.get(..end).unwrap_or_default())
}

/// What an answer with an error means. Codes first; the text decides only where AWS uses one code for several things.
///
/// Sources: the "errors that every service shares" of the general reference, the botocore models of the seven services, and
/// for the texts of CloudFormation and Service Catalog public reports that quote them.
pub(crate) fn classify(
    service: Service,
    code: &str,
    message: &str,
    http_status: Option<u16>,
) -> Kind {
    let text = message.to_ascii_lowercase();
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "EC2ThrottledException"
        | "SlowDown"
        | "PriorRequestNotComplete" => Kind::Throttled,

        "AccessDenied"
        | "AccessDeniedException"
        | "AccessDeniedFault"
        | "UnauthorizedOperation"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "NotAuthorized"
        | "NotAuthorizedException" => Kind::Denied(Denial::parse(message)),

        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Kind::Expired,
        "RequestExpired" | "RequestTimeTooSkewed" => Kind::Clock,
        "SignatureDoesNotMatch" | "InvalidSignatureException"
            if text.contains("signature expired") || text.contains("signature not yet current") =>
        {
            Kind::Clock
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidToken"
        | "AuthFailure" => Kind::BadCredentials,
        "RegionDisabledException" | "OptInRequired" => Kind::RegionDisabled,

        "LimitExceededException" | "LimitExceeded" | "ServiceQuotaExceededException" => Kind::Quota,
        _ if code.ends_with("QuotaExceeded") || code.ends_with("QuotaExceededFault") => Kind::Quota,

        "ResourceNotFoundException" if service == Service::ServiceCatalog => Kind::NotFoundOrDenied,
        "InvalidParametersException"
            if text.contains("successful provisioning record doesn't exist") =>
        {
            Kind::NotFound
        }
        "NoSuchEntity" | "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => {
            Kind::NotFound
        }
        _ if code.ends_with("NotFound")
            || code.ends_with("NotFoundFault")
            || code.ends_with("NotFoundException") =>
        {
            Kind::NotFound
        }

        "ValidationError" if is_missing_stack(&text) => Kind::NotFound,
        "ValidationError" | "ValidationException" | "InvalidParametersException"
            if text.contains("can not be updated")
                || text.contains("under_change")
                || text.contains("under change") =>
        {
            Kind::Conflict
        }
        "ResourceInUseException"
        | "ResourceConflictException"
        | "ConflictException"
        | "DuplicateResourceException" => Kind::Conflict,
        "TokenAlreadyExistsException"
        | "OperationInProgressException"
        | "InvalidStateException" => Kind::Conflict,
        _ if code.starts_with("Invalid")
            && (code.ends_with("State") || code.ends_with("StateFault")) =>
        {
            Kind::Conflict
        }

        "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "InternalServiceError"
        | "ServiceException"
        | "ServiceFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException" => Kind::Service,

        "ValidationError"
        | "ValidationException"
        | "MalformedQueryString"
        | "MissingAction"
        | "MissingParameter"
        | "OperationNotSupportedException"
        | "UnsupportedOperation" => Kind::Invalid,
        _ if code.starts_with("Invalid") => Kind::Invalid,

        _ => match http_status {
            Some(429) => Kind::Throttled,
            Some(403) => Kind::Denied(Denial::parse(message)),
            Some(500..=599) => Kind::Service,
            _ => Kind::Unrecognised,
        },
    }
}

/// `Stack with id X does not exist` and `Stack [X] does not exist` (lower case).
fn is_missing_stack(text: &str) -> bool {
    text.contains("does not exist") && text.contains("stack")
}

#[cfg(test)]
mod tests;
