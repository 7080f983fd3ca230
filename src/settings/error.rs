//! Why there are no settings: each message says where, what was found, and what to write instead.

use crate::desired::{Complaint, Problem};
use std::fmt;
use std::io;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings `{path}`")]
    Unreadable {
        /// The file as it was named.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something in the file is wrong. The text is one line a problem.
    #[error("{}", lines(.0))]
    Invalid(
        /// Everything that is wrong, in the order of places. Never empty.
        Vec<Problem>,
    ),
    /// A variable of the environment is wrong.
    #[error("the environment variable `{variable}`: {complaint}: found `{}`", crate::text::sanitize_to(.found, 80))]
    Variable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        found: String,
        /// What is wrong with it.
        complaint: Complaint,
    },
    /// A flag is wrong.
    #[error("{flag}: {complaint}: found `{}`", crate::text::sanitize_to(.found, 80))]
    Flag {
        /// The flag.
        flag: &'static str,
        /// Its value.
        found: String,
        /// What is wrong with it.
        complaint: Complaint,
    },
}

impl SettingsError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("`--config` names a file such as config/controller.yaml")
            }
            Self::Unreadable { .. } => Some("check the permissions of the file"),
            Self::Invalid(problems) => problems.iter().find_map(|problem| problem.hint.as_deref()),
            Self::Variable { complaint, .. } | Self::Flag { complaint, .. } => {
                complaint.hint.as_deref()
            }
        }
    }

    /// What is wrong in the file, each with its place and hint; empty for other errors.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            Self::Unreadable { .. } | Self::Variable { .. } | Self::Flag { .. } => &[],
        }
    }
}

fn lines(problems: &[Problem]) -> impl fmt::Display + '_ {
    struct Lines<'a>(&'a [Problem]);
    impl fmt::Display for Lines<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for (index, problem) in self.0.iter().enumerate() {
                if index > 0 {
                    writeln!(f)?;
                }
                write!(f, "{problem}")?;
            }
            Ok(())
        }
    }
    Lines(problems)
}
