//! AWS Identity and Access Management: who acts, and what they may do.
//!
//! Principals live in accounts: users with access keys, roles with trust and policies, sessions of roles. A principal **without any
//! policy is an administrator**, so that a world needs no policies until a scenario is about them. Of IAM's own API there is
//! `SimulatePrincipalPolicy` only. [`decide`] holds the evaluation, [`policy`] the documents.
//!
//! Errors from here are neutral (`AccessDenied`, `ExpiredToken`, `InvalidClientTokenId`); [`denied`] turns them into what a service
//! writes on the wire.

mod decide;
pub(crate) mod policy;
mod principal;
mod simulate;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use decide::{Denial, DenialKind};
pub(crate) use principal::{Principal, Trust};
pub(crate) use simulate::OPERATIONS;

use crate::error::ApiError;
use crate::spec::{Protocol, Service};
use crate::time::SimTime;
use policy::{Policy, glob};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The account of unknown access keys while the world has none: AWS's own example.
const DEFAULT_ACCOUNT: &str = "123456789012";
/// Over sessions are forgotten so long after their end; until then they answer "expired", later "invalid".
const EXPIRED_SESSIONS_KEPT: Duration = Duration::from_hours(24);

/// A user or a role.
#[derive(Clone, Debug)]
struct Identity {
    policies: Vec<Policy>,
    /// Of a role.
    trust: Option<Trust>,
}

/// What an access key stands for.
#[derive(Clone, Debug)]
struct Key {
    principal: Principal,
    /// The session token that has to come with it.
    token: Option<String>,
    issued: Option<SimTime>,
    expires: Option<SimTime>,
}

/// Credentials of a session, as `AssumeRole` hands them out.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) token: String,
    pub(crate) expires: SimTime,
}

/// Principals, policies and denials of all accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Account and partition, in the order they were added.
    accounts: Vec<(String, &'static str)>,
    /// Users and roles by ARN.
    identities: BTreeMap<String, Identity>,
    /// ARNs of roles by account and name.
    roles: BTreeMap<(String, String), String>,
    keys: BTreeMap<String, Key>,
    /// Sessions that hold credentials, by ARN, with the policy they were narrowed by. Of two sessions with one name the newer counts.
    sessions: BTreeMap<String, Option<Policy>>,
    /// Patterns of access keys that are over from a time on.
    expirations: BTreeMap<String, SimTime>,
    denials: BTreeMap<u64, Denial>,
    denials_made: u64,
    /// Users and roles that were removed: what they left behind (keys, sessions) may do nothing, rather than all.
    gone: BTreeSet<String>,
}

impl State {
    /// Makes an account known. The first one is that of unknown access keys.
    pub(crate) fn add_account(&mut self, account: &str, partition: &'static str) {
        if !self.accounts.iter().any(|(known, _)| known == account) {
            self.accounts.push((account.to_owned(), partition));
        }
    }

    /// Adds a user (an administrator until a policy is attached). Answers its ARN.
    pub(crate) fn add_user(&mut self, account: &str, name: &str) -> String {
        let arn = format!("arn:{}:iam::{account}:user/{name}", self.partition(account));
        self.gone.remove(&arn);
        self.identities.insert(arn.clone(), Identity { policies: Vec::new(), trust: None });
        arn
    }

    /// Adds a role (an administrator until a policy is attached), or changes its trust. Answers whether `arn` is a role's.
    pub(crate) fn add_role(&mut self, arn: &str, trust: Trust) -> bool {
        let Some(session) = Principal::of_role(arn, "") else { return false };
        self.gone.remove(arn);
        self.roles.insert((session.account.clone(), session.name().to_owned()), arn.to_owned());
        let role = self
            .identities
            .entry(arn.to_owned())
            .or_insert(Identity { policies: Vec::new(), trust: None });
        role.trust = Some(trust);
        true
    }

    /// Removes a user or role with its policies. Its keys are invalid from now on, its sessions may do nothing.
    pub(crate) fn remove_identity(&mut self, arn: &str) -> bool {
        let removed = self.identities.remove(arn).is_some();
        if removed {
            self.gone.insert(arn.to_owned());
        }
        removed
    }

    /// Attaches a policy to a user or role, in place of one of the same name. Answers whether there is such a principal.
    pub(crate) fn attach(&mut self, arn: &str, policy: Policy) -> bool {
        self.detach(arn, &policy.name);
        self.identities.get_mut(arn).map(|identity| identity.policies.push(policy)).is_some()
    }

    /// Takes a policy away. The last one leaves an administrator.
    pub(crate) fn detach(&mut self, arn: &str, policy: &str) {
        if let Some(identity) = self.identities.get_mut(arn) {
            identity.policies.retain(|attached| attached.name != policy);
        }
    }

    /// Gives a user an access key, which is over at `expires`.
    pub(crate) fn add_key(&mut self, access_key: &str, arn: &str, expires: Option<SimTime>) {
        let principal = Principal {
            arn: arn.to_owned(),
            account: arn.split(':').nth(4).unwrap_or_default().to_owned(),
        };
        self.keys
            .insert(access_key.to_owned(), Key { principal, token: None, issued: None, expires });
    }

    /// From `at` on, access keys that match `pattern` are over, known or not. Sessions that are issued later are spared, as a client
    /// that fetches new credentials would be.
    pub(crate) fn expire(&mut self, pattern: &str, at: SimTime) {
        self.expirations.insert(pattern.to_owned(), at);
    }

    /// Takes an [`Self::expire`] back.
    pub(crate) fn renew(&mut self, pattern: &str) {
        self.expirations.remove(pattern);
    }

    /// Adds a denial; its number removes it again.
    pub(crate) fn deny(&mut self, denial: Denial) -> u64 {
        self.denials_made += 1;
        self.denials.insert(self.denials_made, denial);
        self.denials_made
    }

    /// Removes a denial. Answers whether it was there.
    pub(crate) fn remove_denial(&mut self, number: u64) -> bool {
        self.denials.remove(&number).is_some()
    }

    /// Whose request comes with `access_key`. Unknown keys are refused when `strict`; otherwise a key of 12 digits names its account, any
    /// other the first account, and the principal is its `user/admin`.
    ///
    /// # Errors
    /// `ExpiredToken` or `InvalidClientTokenId`, for [`denied`] to adapt.
    pub(crate) fn principal_for(
        &self,
        access_key: &str,
        token: Option<&str>,
        strict: bool,
        now: SimTime,
    ) -> Result<Principal, ApiError> {
        let key = self.keys.get(access_key);
        let issued = key.and_then(|key| key.issued);
        let ended = |at: SimTime| now >= at && issued.is_none_or(|issued| issued < at);
        let over =
            self.expirations.iter().any(|(pattern, &at)| ended(at) && glob(pattern, access_key));
        if over || key.and_then(|key| key.expires).is_some_and(|expires| now >= expires) {
            return Err(ApiError::new(
                "ExpiredToken",
                "The security token included in the request is expired",
            )
            .with_status(403));
        }
        let invalid = || {
            ApiError::new(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            )
            .with_status(403)
        };
        match key {
            Some(key) if key.token.is_some() && key.token.as_deref() != token => Err(invalid()),
            Some(key) if self.gone.contains(&key.principal.arn) => Err(invalid()),
            Some(key) => Ok(key.principal.clone()),
            None if strict => Err(invalid()),
            None => Ok(self.admin_for(access_key)),
        }
    }

    fn admin_for(&self, access_key: &str) -> Principal {
        let names_account =
            access_key.len() == 12 && access_key.bytes().all(|byte| byte.is_ascii_digit());
        let first = self.accounts.first().map_or(DEFAULT_ACCOUNT, |(account, _)| account);
        let account = if names_account { access_key } else { first };
        Principal {
            arn: format!("arn:{}:iam::{account}:user/admin", self.partition(account)),
            account: account.to_owned(),
        }
    }

    fn partition(&self, account: &str) -> &'static str {
        self.accounts
            .iter()
            .find(|(known, _)| known == account)
            .map_or("aws", |(_, partition)| partition)
    }

    /// How `caller` may assume the role `arn`: absent when it does not exist, does not trust the caller, or asks for another external id.
    pub(crate) fn assumable(
        &self,
        arn: &str,
        caller: &Principal,
        external_id: Option<&str>,
    ) -> Option<&Trust> {
        let trust = self.identities.get(arn)?.trust.as_ref()?;
        (trust.trusts(caller)
            && (trust.external_id.is_none() || trust.external_id.as_deref() == external_id))
            .then_some(trust)
    }

    /// Remembers the credentials of a session.
    pub(crate) fn issue(
        &mut self,
        session: &Principal,
        credentials: &Credentials,
        narrowed: Option<Policy>,
        now: SimTime,
    ) {
        self.keys.retain(|_, key| {
            key.expires.is_none_or(|expires| now.since(expires) < EXPIRED_SESSIONS_KEPT)
        });
        let (token, expires) = (Some(credentials.token.clone()), Some(credentials.expires));
        let key = Key { principal: session.clone(), token, issued: Some(now), expires };
        self.keys.insert(credentials.access_key.clone(), key);
        self.sessions.insert(session.arn.clone(), narrowed);
        let live: BTreeSet<&str> =
            self.keys.values().map(|key| key.principal.arn.as_str()).collect();
        self.sessions.retain(|arn, _| live.contains(arn.as_str()));
    }
}

/// What `service` writes for a neutral refusal: code and status differ by protocol (AWS docs: common errors of each service).
pub(crate) fn denied(service: Service, neutral: ApiError) -> ApiError {
    if matches!(service.protocol(), Protocol::Query { .. }) {
        return neutral;
    }
    let code = match neutral.code.as_ref() {
        "AccessDenied" => "AccessDeniedException",
        "ExpiredToken" => "ExpiredTokenException",
        "InvalidClientTokenId" => "UnrecognizedClientException",
        _ => return neutral,
    };
    let status = if service == Service::Lambda { 403 } else { 400 };
    ApiError { code: code.into(), status, ..neutral }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn at(seconds: i64) -> SimTime {
        SimTime::from_millis(seconds * 1000)
    }

    #[test]
    fn access_keys_name_their_principal() {
        let mut state = State::default();
        assert_eq!(
            state.principal_for("AKIA1", None, false, at(0)).unwrap().account,
            DEFAULT_ACCOUNT
        );
        state.add_account(ACCOUNT, "aws");
        state.add_account("444455556666", "aws-us-gov");
        let ann = state.add_user(ACCOUNT, "ann");
        state.add_key("AKIAANN", &ann, Some(at(100)));
        let session = Principal::of_role("arn:aws:iam::444455556666:role/Reader", "s").unwrap();
        let credentials = Credentials {
            access_key: "ASIA1".to_owned(),
            token: "token".to_owned(),
            expires: at(50),
        };
        state.issue(&session, &credentials, None, at(0));
        state.expire("AKIAOLD*", at(10));
        for (why, key, token, strict, second, expected) in [
            ("known", "AKIAANN", None, true, 99, Ok("arn:aws:iam::111122223333:user/ann")),
            ("over", "AKIAANN", None, true, 100, Err("ExpiredToken")),
            ("unknown, strict", "AKIA1", None, true, 0, Err("InvalidClientTokenId")),
            (
                "unknown, lenient",
                "AKIA1",
                None,
                false,
                0,
                Ok("arn:aws:iam::111122223333:user/admin"),
            ),
            (
                "names its account",
                "444455556666",
                None,
                false,
                0,
                Ok("arn:aws-us-gov:iam::444455556666:user/admin"),
            ),
            (
                "names an account nobody added",
                "777788889999",
                None,
                false,
                0,
                Ok("arn:aws:iam::777788889999:user/admin"),
            ),
            (
                "a session",
                "ASIA1",
                Some("token"),
                true,
                49,
                Ok("arn:aws:sts::444455556666:assumed-role/Reader/s"),
            ),
            ("a session without its token", "ASIA1", None, true, 0, Err("InvalidClientTokenId")),
            (
                "a session with another token",
                "ASIA1",
                Some("x"),
                false,
                0,
                Err("InvalidClientTokenId"),
            ),
            ("a session at its end", "ASIA1", Some("token"), true, 50, Err("ExpiredToken")),
            (
                "an unknown key before its end",
                "AKIAOLD1",
                None,
                false,
                9,
                Ok("arn:aws:iam::111122223333:user/admin"),
            ),
            ("an unknown key after its end", "AKIAOLD1", None, false, 10, Err("ExpiredToken")),
        ] {
            let found = state.principal_for(key, token, strict, at(second));
            assert_eq!(
                found.as_ref().map(|found| found.arn.as_str()).map_err(|error| error.code.as_ref()),
                expected,
                "{why}"
            );
        }
        state.renew("AKIAOLD*");
        assert!(state.principal_for("AKIAOLD1", None, false, at(10)).is_ok(), "renewed");
    }

    #[test]
    fn credentials_that_are_fetched_after_the_end_of_all_are_good() {
        let mut state = State::default();
        state.expire("*", at(100));
        let session = Principal::of_role("arn:aws:iam::111122223333:role/Reader", "s").unwrap();
        for (key, issued) in [("ASIAOLD", 50), ("ASIANEW", 100)] {
            let credentials = Credentials {
                access_key: key.to_owned(),
                token: "t".to_owned(),
                expires: at(9000),
            };
            state.issue(&session, &credentials, None, at(issued));
        }
        assert_eq!(
            state.principal_for("ASIAOLD", Some("t"), true, at(101)).unwrap_err().code,
            "ExpiredToken"
        );
        assert!(state.principal_for("ASIANEW", Some("t"), true, at(101)).is_ok());
    }

    #[test]
    fn sessions_are_forgotten_a_day_after_their_end() {
        let mut state = State::default();
        let session =
            |name: &str| Principal::of_role("arn:aws:iam::111122223333:role/Reader", name).unwrap();
        for (key, issued) in [("ASIA1", 0), ("ASIA2", 3600), ("ASIA3", 3600 + 86_400)] {
            let credentials = Credentials {
                access_key: key.to_owned(),
                token: "t".to_owned(),
                expires: at(issued + 3600),
            };
            state.issue(&session(key), &credentials, None, at(issued));
        }
        assert_eq!(state.keys.keys().collect::<Vec<_>>(), ["ASIA2", "ASIA3"]);
        assert_eq!(state.sessions.len(), 2, "{:?}", state.sessions);
    }

    #[test]
    fn trust_is_by_arn_account_service_or_everybody() {
        let user = Principal {
            arn: "arn:aws:iam::111122223333:user/ann".to_owned(),
            account: ACCOUNT.to_owned(),
        };
        let session = Principal::of_role("arn:aws:iam::111122223333:role/Ci", "run-1").unwrap();
        for (why, trusted, of_user, of_session) in [
            ("the user", "arn:aws:iam::111122223333:user/ann", true, false),
            ("the role", "arn:aws:iam::111122223333:role/Ci", false, true),
            ("the session", "arn:aws:sts::111122223333:assumed-role/Ci/run-1", false, true),
            ("the account", ACCOUNT, true, true),
            ("the account's root", "arn:aws:iam::111122223333:root", true, true),
            ("another account", "arn:aws:iam::444455556666:root", false, false),
            ("a service", "servicecatalog.amazonaws.com", false, false),
            ("everybody", "*", true, true),
        ] {
            let mut state = State::default();
            assert!(state.add_role("arn:aws:iam::444455556666:role/R", Trust::of([trusted])));
            let may = |caller| {
                state.assumable("arn:aws:iam::444455556666:role/R", caller, None).is_some()
            };
            assert_eq!((may(&user), may(&session)), (of_user, of_session), "{why}");
        }
    }

    #[test]
    fn each_service_words_a_refusal_its_way() {
        for (service, neutral, code, status) in [
            (Service::Rds, "AccessDenied", "AccessDenied", 403),
            (Service::CloudFormation, "ExpiredToken", "ExpiredToken", 403),
            (Service::Iam, "InvalidClientTokenId", "InvalidClientTokenId", 403),
            (Service::ServiceCatalog, "AccessDenied", "AccessDeniedException", 400),
            (Service::ServiceCatalog, "ExpiredToken", "ExpiredTokenException", 400),
            (Service::Sqs, "AccessDenied", "AccessDeniedException", 400),
            (Service::Lambda, "AccessDenied", "AccessDeniedException", 403),
            (Service::Lambda, "InvalidClientTokenId", "UnrecognizedClientException", 403),
            (Service::Lambda, "ResourceInUseException", "ResourceInUseException", 403),
        ] {
            let error = denied(service, ApiError::new(neutral, "text").with_status(403));
            assert_eq!(
                (error.code.as_ref(), error.status, error.message.as_str()),
                (code, status, "text"),
                "{service:?} {neutral}"
            );
        }
    }
}
