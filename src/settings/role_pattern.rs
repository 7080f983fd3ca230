//! The controller's list of roles that documents may name.

/// A pattern for role ARNs: `*` is any text within one part of the ARN (so never across a `:`), everything else is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePattern(String);

/// A text that is no pattern for role ARNs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pattern for role ARNs such as `arn:aws:iam::111122223333:role/ted-*`: it has to name the role at least in part"
)]
pub struct BadRolePattern(String);

impl RolePattern {
    /// Checks the pattern. It must be a role's ARN with all six parts, and name the role at least in part: a bare `*`
    /// would allow whatever a document asks for.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn new(pattern: &str) -> Result<Self, BadRolePattern> {
        let parts: Vec<&str> = pattern.split(':').collect();
        let is_role = matches!(
            parts.as_slice(),
            ["arn", partition, "iam", "", account, role]
                if !partition.is_empty()
                    && !account.is_empty()
                    && role.strip_prefix("role/").is_some_and(|name| name.contains(|c| c != '*'))
        );
        if is_role {
            Ok(Self(pattern.to_owned()))
        } else {
            Err(BadRolePattern(crate::text::sanitize_to(pattern, 200)))
        }
    }

    /// Does it allow this role?
    pub fn matches(&self, arn: &str) -> bool {
        let (pattern, arn): (Vec<&str>, Vec<&str>) =
            (self.0.split(':').collect(), arn.split(':').collect());
        pattern.len() == arn.len()
            && pattern.iter().zip(arn).all(|(pattern, part)| part_matches(pattern, part))
    }
}

/// `*` stands for any text; the first piece must begin the text, the last must end it, the others follow in order.
fn part_matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_allow_what_they_spell_and_no_more() {
        let arn = "arn:aws:iam::111122223333:role/ted-controller";
        let rows = [
            ("arn:aws:iam::111122223333:role/ted-controller", true, "itself"),
            ("arn:aws:iam::111122223333:role/ted-*", true, "a beginning"),
            ("arn:aws:iam::*:role/ted-controller", true, "any account"),
            ("arn:*:iam::*:role/*-contr*ler", true, "several stars"),
            ("arn:aws:iam::111122223333:role/ted", false, "no hidden star at the end"),
            ("arn:aws:iam::999900001111:role/ted-*", false, "another account"),
            ("arn:aws-cn:iam::*:role/ted-*", false, "another partition"),
            ("arn:aws:iam::111122223333:role/ted-controller*x", false, "the end must match too"),
            ("arn:aws:iam::111122223333:role/ted-controlle*er", false, "pieces may not overlap"),
        ];
        for (pattern, wanted, why) in rows {
            assert_eq!(RolePattern::new(pattern).unwrap().matches(arn), wanted, "{why}");
        }
        let pattern = RolePattern::new("arn:aws:iam::1*:role/ted-*").unwrap();
        assert!(
            !pattern.matches("arn:aws:iam::1:evil:role/ted-x"),
            "a star does not cross a colon"
        );
    }

    #[test]
    fn patterns_that_allow_everything_or_nothing_are_refused() {
        for pattern in [
            "*",
            "",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::1:user/x",
            "arn:aws:sts::1:assumed-role/x/y",
        ] {
            assert!(RolePattern::new(pattern).is_err(), "{pattern}");
        }
    }
}
