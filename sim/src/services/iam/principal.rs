//! Who acts, and which roles trust whom.

use super::policy::glob;
use crate::rng::Rng;
use std::time::Duration;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    /// `arn:aws:iam::111122223333:user/admin` or `arn:aws:sts::111122223333:assumed-role/<role>/<session>`.
    pub(crate) arn: String,
    /// Twelve digits.
    pub(crate) account: String,
}

impl Principal {
    /// The session `session` of the role with this ARN, as a service or `AssumeRole` makes it; absent when the ARN is not a role's.
    pub(crate) fn of_role(role_arn: &str, session: &str) -> Option<Self> {
        let (prefix, name) = role_arn.split_once(":role/")?;
        let account = prefix.rsplit(':').next()?;
        let partition = prefix.split(':').nth(1)?;
        // A session's ARN has the role's name without its path.
        let name = name.rsplit('/').next()?;
        let arn = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}");
        Some(Self { arn, account: account.to_owned() })
    }

    /// Name of the role and of the session, when it is a session of a role.
    pub(crate) fn session(&self) -> Option<(&str, &str)> {
        self.arn.split_once(":assumed-role/")?.1.split_once('/')
    }

    /// The ARN of the role behind a session (without the role's path, which a session does not show).
    pub(crate) fn role_arn(&self) -> Option<String> {
        let (role, _) = self.session()?;
        let partition = self.arn.split(':').nth(1)?;
        Some(format!("arn:{partition}:iam::{}:role/{role}", self.account))
    }

    /// The name of the user or role.
    pub(crate) fn name(&self) -> &str {
        self.session().map_or_else(|| last_segment(&self.arn), |(role, _)| role)
    }

    /// The unique id of a user, session or account root, as AWS shows it: `AIDA…`, `AROA…:<session>` or the account.
    pub(crate) fn unique_id(&self) -> String {
        if let Some((_, session)) = self.session() {
            return format!(
                "{}:{session}",
                generated("AROA", &self.role_arn().unwrap_or_default())
            );
        }
        if self.arn.ends_with(":root") {
            self.account.clone()
        } else {
            generated("AIDA", &self.arn)
        }
    }
}

/// An id that belongs to `arn` for ever.
fn generated(prefix: &str, arn: &str) -> String {
    format!("{prefix}{}", Rng::new(arn, "iam-id").text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17))
}

fn last_segment(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// Who may assume a role, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// ARNs (with `*`), twelve digits or `…:root` for a whole account, `servicecatalog.amazonaws.com` for a service, `*` for everybody.
    pub(crate) principals: Vec<String>,
    /// What a caller has to send as `ExternalId`.
    pub(crate) external_id: Option<String>,
    /// Longest `DurationSeconds`; AWS allows 1 to 12 hours.
    pub(crate) max_session: Duration,
}

impl Trust {
    /// Trust in these principals, without an external id, for an hour at most.
    pub(crate) fn of(principals: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            principals: principals.into_iter().map(Into::into).collect(),
            external_id: None,
            max_session: Duration::from_hours(1),
        }
    }

    /// Whether it trusts `caller`.
    pub(super) fn trusts(&self, caller: &Principal) -> bool {
        let role = caller.role_arn();
        self.principals.iter().any(|trusted| {
            let account = trusted
                .strip_suffix(":root")
                .and_then(|arn| arn.rsplit(':').next())
                .unwrap_or(trusted);
            account == caller.account
                || glob(trusted, &caller.arn)
                || role.as_ref().is_some_and(|role| glob(trusted, role))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_shows_its_role() {
        let session =
            Principal::of_role("arn:aws-cn:iam::111122223333:role/service/path/Launch", "s")
                .unwrap();
        assert_eq!(session.arn, "arn:aws-cn:sts::111122223333:assumed-role/Launch/s");
        assert_eq!(session.role_arn().unwrap(), "arn:aws-cn:iam::111122223333:role/Launch");
        assert_eq!(
            (session.account.as_str(), session.name(), session.session()),
            ("111122223333", "Launch", Some(("Launch", "s")))
        );
        assert_eq!(Principal::of_role("arn:aws:iam::1:user/x", "s"), None);
    }
}
