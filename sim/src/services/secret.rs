//! Passwords and tokens: kept so that a careless client is caught, never shown.

use std::fmt;

/// A password or token. It can be compared and recognised, not read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps `text`.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Sixteen hexadecimal digits that differ when the secret does.
    pub(crate) fn digest(&self) -> String {
        // FNV-1a, as in `Rng`: the secrets are invented, so that nothing stronger is called for.
        let hash = self.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }

    /// Whether somebody sent back the mask of a secret that they had read.
    pub(crate) fn is_masked(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte == b'*')
    }

    /// How many characters it has.
    pub(crate) fn length(&self) -> usize {
        self.0.chars().count()
    }

    /// Whether all its characters are printable ASCII and none of `forbidden`.
    pub(crate) fn is_printable_without(&self, forbidden: &str) -> bool {
        self.0.chars().all(|char| char.is_ascii_graphic() && !forbidden.contains(char))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_but_not_shown() {
        let secret = Secret::new("correct horse");
        assert!(!format!("{secret:?}").contains("horse"));
        assert_ne!(secret.digest(), Secret::new("****").digest());
        assert!(
            Secret::new("****").is_masked() && !secret.is_masked() && !Secret::new("").is_masked()
        );
        assert!(
            Secret::new("a!b").is_printable_without("@/\"")
                && !Secret::new("a@b").is_printable_without("@/\"")
        );
    }
}
