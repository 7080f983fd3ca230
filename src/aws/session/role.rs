//! Roles that documents name. The controller's list of those it may assume is a setting.

pub use crate::settings::RolePattern;
use std::fmt;

/// A role to assume.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// What the role's trust policy wants to hear, if anything.
    pub external_id: Option<String>,
}

impl Role {
    /// The account in the ARN.
    pub fn account(&self) -> Option<&str> {
        let account = self.arn.split(':').nth(4)?;
        (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
    }
}

/// The external id is agreed upon between two parties: it stays out of logs.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("arn", &self.arn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_the_arn_and_the_external_id_is_not_shown() {
        let role = |arn: &str| Role { arn: arn.to_owned(), external_id: Some("agreed".to_owned()) };
        assert_eq!(role("arn:aws:iam::111122223333:role/x").account(), Some("111122223333"));
        assert_eq!(role("nonsense").account(), None);
        assert!(!format!("{:?}", role("arn:aws:iam::111122223333:role/x")).contains("agreed"));
    }
}
