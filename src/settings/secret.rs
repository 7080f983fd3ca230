//! Where a secret is kept, and the secret once it is read: a type that shows nothing of itself.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

/// The longest secret that is read, in bytes: the longest private key in use is under 16 KiB.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

/// A secret. It shows nothing of itself; [`Secret::reveal`] is for the one place that sends it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text: for the one place that sends it, and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// In a file, without the line's end.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

/// A secret that cannot be had. The text names the place and nothing of the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The variable is not set.
    #[error("the environment variable `{0}`, which should hold a secret, is not set or not UTF-8")]
    NotSet(String),
    /// The place holds nothing.
    #[error("the secret in {0} is empty")]
    Empty(SecretRef),
    /// The place holds too much to be a secret.
    #[error("the secret in {0} is longer than {MAX_SECRET_BYTES} bytes")]
    TooLong(SecretRef),
}

impl SecretRef {
    /// Reads the secret now. Blanks and line ends around it are taken away: editors and `echo` leave them.
    ///
    /// # Errors
    /// It is not there, is empty or too long.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(path) => {
                let mut text = String::new();
                fs::File::open(path)
                    .and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text))
                    .map_err(|source| SecretError::Unreadable {
                        path: path.display().to_string(),
                        source,
                    })?;
                text
            }
            Self::Environment(name) => {
                std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?
            }
        };
        if text.len() as u64 > MAX_SECRET_BYTES {
            return Err(SecretError::TooLong(self.clone()));
        }
        match text.trim() {
            "" => Err(SecretError::Empty(self.clone())),
            secret => Ok(Secret(secret.to_owned())),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "`{}`", path.display()),
            Self::Environment(name) => write!(f, "the environment variable `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_without_its_line_end_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "s3cret\n").unwrap();
        let secret = SecretRef::File(path).read().unwrap();
        assert_eq!(secret.reveal(), "s3cret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_secret_that_is_not_there_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, text: Option<&str>| {
            let path = folder.path().join(name);
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            SecretRef::File(path).read().unwrap_err().to_string()
        };
        let long = "x".repeat(70_000);
        for (name, text, part, why) in [
            ("absent", None, "cannot read", "no such file"),
            ("empty", Some(" \n"), "is empty", "blanks only"),
            ("long", Some(long.as_str()), "longer than", "somebody named the wrong file"),
        ] {
            let message = place(name, text);
            assert!(message.contains(part) && message.contains(name), "{why}: {message}");
        }
        let unset = SecretRef::Environment("TED_CONTROLLER_TEST_NOT_SET".to_owned());
        assert!(unset.read().unwrap_err().to_string().contains("TED_CONTROLLER_TEST_NOT_SET"));
    }
}
