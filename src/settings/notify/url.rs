//! The address of a receiver. Its path may be a secret of its own, so only the server is ever shown.

use crate::desired::Complaint;
use crate::settings::git::{host_and_port, is_loopback};
use crate::settings::{SecretError, SecretRef};
use std::fmt;

/// Where a receiver's address is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlRef {
    /// In the settings.
    Written(ReceiverUrl),
    /// Where secrets are kept: whoever has the address may write there.
    Kept(SecretRef),
}

/// An `http://` or `https://` address.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiverUrl {
    text: String,
    server: String,
}

/// An address that cannot be used. The text holds nothing of it but where it is kept.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    /// It cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is none.
    #[error("the address in {place}: {complaint}")]
    Wrong {
        /// Where it is kept.
        place: SecretRef,
        /// What is wrong with it.
        complaint: Complaint,
    },
}

impl UrlRef {
    /// Reads the address now.
    ///
    /// # Errors
    /// It is not there, or is none that may be used.
    pub fn read(&self, plain_http: bool) -> Result<ReceiverUrl, UrlError> {
        match self {
            Self::Written(url) => Ok(url.clone()),
            Self::Kept(place) => {
                let text = place.read()?;
                ReceiverUrl::parse(text.reveal(), plain_http)
                    .map_err(|complaint| UrlError::Wrong { place: place.clone(), complaint })
            }
        }
    }
}

impl ReceiverUrl {
    /// Reads an address. Without `plain_http`, `http://` is for this host only.
    ///
    /// # Errors
    /// It is none, holds a password, or would have secrets travel unprotected. What was found is not to be shown.
    pub fn parse(text: &str, plain_http: bool) -> Result<Self, Complaint> {
        let complaint = || {
            Complaint::new("not the address of a receiver")
                .allowed("such as `https://hooks.example.com/teds`")
        };
        // What a request line can carry.
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(complaint());
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(complaint)?;
        let scheme = scheme.to_ascii_lowercase();
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(Complaint::new("an address with credentials in it")
                .hint("keep the whole address in a file and name it by `urlFile`, or use a header's secret"));
        }
        if path.contains('#') {
            return Err(complaint().hint("leave out `#` and what follows"));
        }
        let (host, port) = host_and_port(authority).ok_or_else(complaint)?;
        match scheme.as_str() {
            "https" => {}
            "http" if plain_http || is_loopback(&host) => {}
            "http" => {
                return Err(Complaint::new("what is sent would travel unprotected").hint(
                    "use an `https://` address; `plainHttp: true` where the network is trusted",
                ));
            }
            _ => return Err(complaint()),
        }
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let server = format!("{scheme}://{host}{port}");
        Ok(Self { text: format!("{server}{path}"), server })
    }

    /// The whole address: for the one place that asks there.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The server, which is all that is shown of it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What of it may be a secret, for whoever takes secrets out of foreign text.
    pub fn path(&self) -> &str {
        self.text.strip_prefix(&self.server).unwrap_or_default()
    }
}

impl fmt::Debug for ReceiverUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiverUrl({}/…)", self.server)
    }
}
