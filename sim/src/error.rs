//! An error as AWS answers it: code, message, HTTP status.

use std::borrow::Cow;

/// An answer that is an error. The wire protocol decides how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code as it stands on the wire, e.g. `ResourceNotFoundException` or `DBInstanceNotFound`.
    pub code: Cow<'static, str>,
    /// The text.
    pub message: String,
    /// HTTP status.
    pub status: u16,
    /// Seconds of the `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl ApiError {
    /// A client error with HTTP 400.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, retry_after: None }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}
