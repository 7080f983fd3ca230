//! Whether a principal may: the evaluation of denials and policies, and the words of a refusal.
//!
//! 1. A denial of the scenario that matches refuses: an SCP before an explicit deny before a missing permission.
//! 2. A principal without policies is an administrator. Otherwise a deny of any policy refuses, and an allow is needed.
//! 3. A session that was narrowed by a policy needs that policy's allow too.

use super::policy::{Policy, Verdict, glob, same_action};
use super::{Identity, Principal, State};
use crate::error::ApiError;
use serde::{Deserialize, Serialize};

/// Something that scenarios forbid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Denial {
    /// Whom: `caller` (who comes with credentials, not a role that a service works under), the name of a user or role, or an ARN of a
    /// user, role or session; the latter two with `*` and `?`.
    #[serde(default = "anything")]
    pub(crate) principal: String,
    /// What: `rds:ModifyDBInstance`, with `*` and `?`.
    pub(crate) action: String,
    /// On what: an ARN, with `*` and `?`.
    #[serde(default = "anything")]
    pub(crate) resource: String,
    /// By what.
    #[serde(default)]
    pub(crate) kind: DenialKind,
}

fn anything() -> String {
    "*".to_owned()
}

/// What refuses; the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DenialKind {
    /// No policy of the principal allows it.
    #[default]
    Identity,
    /// A policy of the principal denies it.
    Explicit,
    /// A service control policy of the organisation denies it.
    Scp,
}

/// The layer of policies that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Identity,
    Session,
    Organization,
    Boundary,
}

/// The outcome of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// By these policies; by none for an administrator.
    Allowed(Vec<String>),
    /// Nothing in this layer allows it.
    NotAllowed(Layer),
    /// A policy (absent: a denial of the scenario) of this layer denies it.
    Denied(Layer, Option<String>),
}

/// Policies that are evaluated as if the principal had them.
#[derive(Clone, Debug, Default)]
pub(super) struct Supposed {
    pub(super) policies: Vec<Policy>,
    /// Absent: no boundary.
    pub(super) boundary: Option<Vec<Policy>>,
}

impl State {
    /// Whether `principal` may do `action` (`rds:ModifyDBInstance`) on `resource` (an ARN or `*`).
    ///
    /// # Errors
    /// The neutral `AccessDenied` in IAM's words (IAM user guide, "Troubleshoot access denied error messages").
    pub(crate) fn authorize(
        &self,
        principal: &Principal,
        action: &str,
        resource: &str,
    ) -> Result<(), ApiError> {
        // Needs no permission, and works even under an explicit deny (STS API reference, GetCallerIdentity).
        if action == "sts:GetCallerIdentity" {
            return Ok(());
        }
        let because = match self.decide(&principal.arn, action, resource, &Supposed::default()) {
            Decision::Allowed(_) => return Ok(()),
            Decision::NotAllowed(layer) => {
                format!("because no {} allows the {action} action", layer.words().1)
            }
            Decision::Denied(layer, _) => {
                let (article, words) = layer.words();
                format!("with an explicit deny in {article} {words}")
            }
        };
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {because}",
            principal.arn
        );
        Err(ApiError::new("AccessDenied", message).with_status(403))
    }

    /// The evaluation for the user, role or session with this ARN.
    pub(super) fn decide(
        &self,
        arn: &str,
        action: &str,
        resource: &str,
        supposed: &Supposed,
    ) -> Decision {
        match self
            .denials
            .values()
            .filter(|denial| self.denies(denial, arn, action, resource))
            .map(|denial| denial.kind)
            .max()
        {
            Some(DenialKind::Scp) => return Decision::Denied(Layer::Organization, None),
            Some(DenialKind::Explicit) => return Decision::Denied(Layer::Identity, None),
            Some(DenialKind::Identity) => return Decision::NotAllowed(Layer::Identity),
            None => {}
        }
        if self.gone.contains(self.identity_arn(arn)) {
            return Decision::NotAllowed(Layer::Identity);
        }
        let own = self.identity(arn).map_or(&[][..], |identity| &identity.policies);
        let by_identity = if own.is_empty() {
            // The administrator's own permissions allow; what is supposed on top can still deny.
            match verdict(&supposed.policies, action, resource, Layer::Identity) {
                denied @ Decision::Denied(..) => denied,
                _ => Decision::Allowed(Vec::new()),
            }
        } else {
            verdict(own.iter().chain(&supposed.policies), action, resource, Layer::Identity)
        };
        let session = self.sessions.get(arn).and_then(Option::as_ref);
        let narrowed = session.map(|policy| verdict([policy], action, resource, Layer::Session));
        let bounded = supposed
            .boundary
            .as_ref()
            .map(|boundary| verdict(boundary, action, resource, Layer::Boundary));
        let layers = [Some(&by_identity), narrowed.as_ref(), bounded.as_ref()];
        let refusals = || {
            layers
                .into_iter()
                .flatten()
                .filter(|decision| !matches!(decision, Decision::Allowed(_)))
        };
        // An explicit deny of any layer comes before a missing allow of any other.
        let refusal = refusals()
            .find(|decision| matches!(decision, Decision::Denied(..)))
            .or_else(|| refusals().next())
            .cloned();
        refusal.unwrap_or(by_identity)
    }

    /// The user or role itself, when a policy can be attached to it.
    pub(super) fn identity(&self, arn: &str) -> Option<&Identity> {
        self.identities.get(self.identity_arn(arn))
    }

    /// The user or role behind an ARN: for a session its role.
    fn identity_arn<'a>(&'a self, arn: &'a str) -> &'a str {
        let role = arn.split_once(":assumed-role/").and_then(|(prefix, rest)| {
            let account = prefix.rsplit(':').next()?;
            let name = rest.split('/').next()?;
            self.roles.get(&(account.to_owned(), name.to_owned()))
        });
        role.map_or(arn, String::as_str)
    }

    fn denies(&self, denial: &Denial, arn: &str, action: &str, resource: &str) -> bool {
        same_action(&denial.action, action)
            && glob(&denial.resource, resource)
            && self.is_meant(&denial.principal, arn)
    }

    fn is_meant(&self, pattern: &str, arn: &str) -> bool {
        let identity = self.identity_arn(arn);
        match pattern {
            "caller" => self.is_caller(arn),
            pattern if pattern.contains(':') => glob(pattern, arn) || glob(pattern, identity),
            name => {
                glob(name, identity.rsplit('/').next().unwrap_or(identity))
                    || glob(name, session_role(arn).unwrap_or_default())
            }
        }
    }

    /// Whether it comes with credentials: a user, an account's root, a session that `AssumeRole` made, or the role of such a session.
    /// A role that a service assumed has no access key of ours.
    fn is_caller(&self, arn: &str) -> bool {
        if arn.contains(":assumed-role/") {
            return self.sessions.contains_key(arn);
        }
        let is_role = arn.contains(":role/");
        !is_role || self.sessions.keys().any(|session| self.identity_arn(session) == arn)
    }
}

fn session_role(arn: &str) -> Option<&str> {
    arn.split_once(":assumed-role/")?.1.split('/').next()
}

fn verdict<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    action: &str,
    resource: &str,
    layer: Layer,
) -> Decision {
    let mut allowing = Vec::new();
    for policy in policies {
        match policy.verdict(action, resource) {
            Verdict::Denies => return Decision::Denied(layer, Some(policy.name.clone())),
            Verdict::Allows => allowing.push(policy.name.clone()),
            Verdict::Silent => {}
        }
    }
    if allowing.is_empty() { Decision::NotAllowed(layer) } else { Decision::Allowed(allowing) }
}

impl Layer {
    /// Article and name in messages.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("an", "identity-based policy"),
            Self::Session => ("a", "session policy"),
            Self::Organization => ("a", "service control policy"),
            Self::Boundary => ("a", "permissions boundary"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::iam::{Credentials, Trust};
    use crate::time::SimTime;
    use serde_json::json;

    const ROLE: &str = "arn:aws:iam::111122223333:role/path/Launch";
    const DB: &str = "arn:aws:rds:us-east-2:111122223333:db:x";

    fn policy(name: &str, effect: &str, action: &str) -> Policy {
        Policy::from_value(
            name,
            &json!({"Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}),
        )
        .unwrap()
    }

    fn launch() -> Principal {
        Principal::of_role(ROLE, "servicecatalog").unwrap()
    }

    fn world() -> (State, Principal) {
        let mut state = State::default();
        let ann = state.add_user("111122223333", "ann");
        state.add_role(ROLE, Trust::of(["servicecatalog.amazonaws.com"]));
        (state, Principal { arn: ann, account: "111122223333".to_owned() })
    }

    fn denial(principal: &str, action: &str, resource: &str, kind: DenialKind) -> Denial {
        Denial {
            principal: principal.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            kind,
        }
    }

    #[test]
    fn a_refusal_is_worded_as_iam_words_it() {
        let user = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: rds:ModifyDBInstance on resource: ";
        for (kind, because) in [
            (
                DenialKind::Identity,
                "because no identity-based policy allows the rds:ModifyDBInstance action",
            ),
            (DenialKind::Explicit, "with an explicit deny in an identity-based policy"),
            (DenialKind::Scp, "with an explicit deny in a service control policy"),
        ] {
            let (mut state, ann) = world();
            state.deny(denial("caller", "rds:Modify*", "*", kind));
            let error = state.authorize(&ann, "rds:ModifyDBInstance", DB).unwrap_err();
            assert_eq!(error.message, format!("{user}{DB} {because}"), "{kind:?}");
            assert_eq!((error.code.as_ref(), error.status), ("AccessDenied", 403), "{kind:?}");
        }
    }

    #[test]
    fn denials_meet_those_they_are_meant_for() {
        for (why, pattern, user, role) in [
            ("who comes with credentials", "caller", true, false),
            ("everybody", "*", true, true),
            ("a user by name", "ann", true, false),
            ("a role by name, its path left out", "Launch", false, true),
            ("a role by pattern", "Lau*", false, true),
            ("a role by ARN", ROLE, false, true),
            ("a session by ARN", "arn:aws:sts::111122223333:assumed-role/Launch/*", false, true),
            ("an account", "arn:aws:*::111122223333:*", true, true),
            ("another account", "arn:aws:*::444455556666:*", false, false),
        ] {
            let (mut state, ann) = world();
            let number = state.deny(denial(pattern, "*", "*", DenialKind::Explicit));
            let refused = |state: &State, principal: &Principal| {
                state.authorize(principal, "rds:ModifyDBInstance", DB).is_err()
            };
            assert_eq!((refused(&state, &ann), refused(&state, &launch())), (user, role), "{why}");
            assert!(state.remove_denial(number) && !state.remove_denial(number));
            assert!(!refused(&state, &ann) && !refused(&state, &launch()), "{why}: taken back");
        }
    }

    #[test]
    fn denials_are_of_an_action_on_a_resource() {
        let (mut state, ann) = world();
        state.deny(denial("*", "rds:modifydbinstance", "arn:aws:rds:*:db:x", DenialKind::Identity));
        for (action, resource, allowed) in [
            ("rds:ModifyDBInstance", DB, false),
            ("rds:ModifyDBInstance", "arn:aws:rds:us-east-2:111122223333:db:y", true),
            ("rds:DescribeDBInstances", DB, true),
        ] {
            assert_eq!(
                state.authorize(&ann, action, resource).is_ok(),
                allowed,
                "{action} {resource}"
            );
        }
    }

    #[test]
    fn the_strongest_of_several_denials_is_named() {
        let (mut state, ann) = world();
        for kind in [DenialKind::Scp, DenialKind::Identity, DenialKind::Explicit] {
            state.deny(denial("*", "*", "*", kind));
        }
        assert!(
            state
                .authorize(&ann, "rds:ModifyDBInstance", DB)
                .unwrap_err()
                .message
                .ends_with("service control policy")
        );
    }

    #[test]
    fn who_i_am_is_never_denied() {
        let (mut state, ann) = world();
        state.deny(denial("*", "*", "*", DenialKind::Scp));
        assert_eq!(state.authorize(&ann, "sts:GetCallerIdentity", "*"), Ok(()));
    }

    #[test]
    fn policies_decide_for_those_who_have_any() {
        let (mut state, ann) = world();
        let answer = |state: &State| {
            state.decide(&ann.arn, "rds:ModifyDBInstance", DB, &Supposed::default())
        };
        assert_eq!(
            answer(&state),
            Decision::Allowed(Vec::new()),
            "without any policy: an administrator"
        );
        assert!(state.attach(&ann.arn, policy("read", "Allow", "rds:Describe*")));
        assert_eq!(answer(&state), Decision::NotAllowed(Layer::Identity), "no allow");
        state.attach(&ann.arn, policy("write", "Allow", "rds:*"));
        assert_eq!(answer(&state), Decision::Allowed(vec!["write".to_owned()]));
        state.attach(&ann.arn, policy("stop", "Deny", "rds:Modify*"));
        assert_eq!(
            answer(&state),
            Decision::Denied(Layer::Identity, Some("stop".to_owned())),
            "a deny wins"
        );
        state.detach(&ann.arn, "stop");
        assert_eq!(answer(&state), Decision::Allowed(vec!["write".to_owned()]), "detached");
        assert!(!state.attach("arn:aws:iam::1:user/nobody", policy("x", "Allow", "*")));
    }

    #[test]
    fn a_session_has_the_rights_of_its_role() {
        let (mut state, _) = world();
        state.attach(ROLE, policy("cache", "Allow", "elasticache:*"));
        assert!(state.authorize(&launch(), "elasticache:ModifyReplicationGroup", "*").is_ok());
        assert!(state.authorize(&launch(), "rds:ModifyDBInstance", DB).is_err());
        state.remove_identity(ROLE);
        let error =
            state.authorize(&launch(), "elasticache:ModifyReplicationGroup", "*").unwrap_err();
        assert!(
            error.message.contains("no identity-based policy"),
            "a removed role may do nothing: {}",
            error.message
        );
    }

    #[test]
    fn a_narrowed_session_needs_its_own_policy_too() {
        let (mut state, _) = world();
        let session = Principal::of_role(ROLE, "narrow").unwrap();
        let credentials = Credentials {
            access_key: "ASIA1".to_owned(),
            token: String::new(),
            expires: SimTime::from_millis(9_000_000),
        };
        state.issue(
            &session,
            &credentials,
            Some(policy("session", "Allow", "rds:Describe*")),
            SimTime::from_millis(0),
        );
        assert!(state.authorize(&session, "rds:DescribeDBInstances", "*").is_ok());
        let error = state.authorize(&session, "rds:ModifyDBInstance", DB).unwrap_err();
        assert!(
            error
                .message
                .ends_with("because no session policy allows the rds:ModifyDBInstance action"),
            "{}",
            error.message
        );
        assert!(
            state.authorize(&launch(), "rds:ModifyDBInstance", DB).is_ok(),
            "another session of the role is not narrowed"
        );
        state.deny(denial("caller", "*", "*", DenialKind::Identity));
        assert!(
            state.authorize(&session, "rds:DescribeDBInstances", "*").is_err(),
            "an issued session is a caller"
        );
        assert!(
            state.authorize(&launch(), "rds:ModifyDBInstance", DB).is_ok(),
            "a service's session is none"
        );
    }
}
