//! Who may ask for what.
//!
//! The server has no users: on loopback it trusts whoever can open a connection, and nobody's web page.
//!
//! 1. **The host asked for is ours.** A page can have its own name point at 127.0.0.1 (DNS rebinding); the browser then takes us for
//!    that page's own server. It cannot make the browser send another `Host`, so a name that is not ours is refused.
//! 2. **No other page asks.** What browsers say of the page behind a request (`Origin`, `Sec-Fetch-Site`) has to be us, or nothing. Links
//!    are let pass.
//! 3. **An order is no form.** What a page may send anywhere without asking (a "simple request") has neither our header nor the type of
//!    JSON.
//! 4. **Beyond loopback, orders need a token.** With a token they need it on loopback as well. Without one, beyond loopback, there are none.

use super::answer::Refusal;
use crate::settings::Secret;
use axum::http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN,
};
use axum::http::{Method, StatusCode, Uri};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use subtle::ConstantTimeEq as _;

/// What an order without a body carries in place of a content type.
pub(super) const ORDER_HEADER: HeaderName = HeaderName::from_static("x-ted-controller");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// How the value of `Authorization` begins.
const BEARER: &[u8] = b"Bearer ";

/// Who may give orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Orders {
    /// Whoever can connect: only this machine can.
    Open,
    /// Who has the token.
    Token,
    /// Nobody: there is no token, and others than this machine can connect.
    Off,
}

/// The four rules.
#[derive(Debug)]
pub(super) struct Guard {
    /// Lower case, without a full stop at the end.
    hosts: Vec<String>,
    /// The token's digest: two of them are equally long, so that comparing them tells nothing of the token, not even its length.
    token: Option<[u8; 32]>,
    loopback: bool,
}

impl Guard {
    pub(super) fn new(hosts: &[String], token: Option<&Secret>, local: IpAddr) -> Self {
        Self {
            hosts: hosts.iter().map(|host| plain_name(host)).collect(),
            token: token.map(|token| digest(token.reveal().as_bytes())),
            loopback: local.to_canonical().is_loopback(),
        }
    }

    /// Who may give orders.
    pub(super) fn orders(&self) -> Orders {
        match (self.token, self.loopback) {
            (Some(_), _) => Orders::Token,
            (None, true) => Orders::Open,
            (None, false) => Orders::Off,
        }
    }

    /// Rules 1 and 2, for every request.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        let host = asked_host(uri, headers)?;
        self.check_host(&host)?;
        check_page(method, headers, &host)
    }

    /// Rules 3 and 4, for orders. `order::read` asks, and there is no other way to an order's body.
    pub(super) fn check_order(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_token(headers)?;
        check_form(headers)
    }

    fn check_host(&self, host: &Authority) -> Result<(), Refusal> {
        let ours = match &host.name {
            HostName::Address => true,
            HostName::Named(name) => name == "localhost" || self.hosts.contains(name),
        };
        if ours {
            return Ok(());
        }
        let hint = "ask for `localhost`, for an address, or list the name under `server.hosts` in the controller's settings";
        Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("this is not `{}`", crate::text::sanitize_to(&host.text, 80)),
            hint,
        ))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = self.token else {
            if self.loopback {
                return Ok(());
            }
            let hint = "set `server.tokenFile` in the controller's settings to a file with a token, and send it as `Authorization: Bearer …`; \
                        or ask on loopback";
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "this server listens beyond loopback and has no token, so it serves reads only",
                hint,
            ));
        };
        let refused = |error: &str| {
            let hint = "send the token in the file that `server.tokenFile` names: `Authorization: Bearer …`";
            Refusal::new(StatusCode::UNAUTHORIZED, error, hint)
        };
        let sent = headers.get(AUTHORIZATION).ok_or_else(|| refused("orders need a token"))?;
        let (scheme, sent) = sent.as_bytes().split_at(sent.as_bytes().len().min(BEARER.len()));
        if !scheme.eq_ignore_ascii_case(BEARER) {
            return Err(refused("this is no bearer token"));
        }
        if bool::from(digest(sent.trim_ascii()).ct_eq(&token)) {
            Ok(())
        } else {
            Err(refused("this is not the token"))
        }
    }
}

fn digest(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Rule 2.
fn check_page(method: &Method, headers: &HeaderMap, host: &Authority) -> Result<(), Refusal> {
    let refused = |of: &str| {
        let error = format!("another site's page asks ({})", crate::text::sanitize_to(of, 80));
        Refusal::new(StatusCode::FORBIDDEN, error, "open this server's own page at `/`")
    };
    if let Some(origin) = headers.get(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let own = origin.split_once("://").is_some_and(|(scheme, authority)| {
            let default = if scheme == "https" { 443 } else { 80 };
            Authority::parse(authority).is_some_and(|of| {
                of.text == host.text && of.port.unwrap_or(default) == host.port.unwrap_or(default)
            })
        });
        if !own {
            return Err(refused(origin));
        }
    }
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let elsewhere = matches!(header(SEC_FETCH_SITE), "cross-site" | "same-site");
    let is_link = *method == Method::GET && header(SEC_FETCH_MODE) == "navigate";
    if elsewhere && !is_link { Err(refused(header(SEC_FETCH_SITE))) } else { Ok(()) }
}

/// Rule 3.
fn check_form(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let is_json = content_type.is_some_and(|content_type| {
        let kind = content_type.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(super::answer::JSON)
    });
    let refused = |error: &str| {
        let hint =
            "send `Content-Type: application/json`; without a body `X-Ted-Controller: 1` will do";
        Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, hint))
    };
    if headers.contains_key(CONTENT_ENCODING) {
        return refused("bodies are read as they are, without an encoding");
    }
    match content_type {
        Some(_) if is_json => Ok(()),
        Some(_) => refused("orders are JSON"),
        None if headers.contains_key(ORDER_HEADER) => Ok(()),
        None => refused("an order says that it is one"),
    }
}

/// The host that a request is for. A request line that names one counts, whatever the header says (RFC 9112, 3.2.2); both have to be right.
fn asked_host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, Refusal> {
    let bad = |error: &str| Refusal::new(StatusCode::BAD_REQUEST, error, "");
    let mut sent = headers.get_all(HOST).iter();
    let (Some(host), None) = (sent.next(), sent.next()) else {
        return Err(bad("a request names its host exactly once"));
    };
    let host = host.to_str().ok().and_then(Authority::parse);
    let host = host.ok_or_else(|| bad("the header `Host` names no host"))?;
    match uri.authority() {
        None => Ok(host),
        Some(named) => match Authority::parse(named.as_str()) {
            Some(named) if named == host => Ok(host),
            Some(_) | None => {
                Err(bad("the request line and the header `Host` name different hosts"))
            }
        },
    }
}

/// Host and port, as requests name them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    /// The host without its port, lower case.
    text: String,
    name: HostName,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostName {
    /// An address cannot be made to point elsewhere.
    Address,
    Named(String),
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        // An IPv6 address has colons of its own, and brackets for that.
        let (host, rest) = match text.strip_prefix('[') {
            Some(inside) => {
                let (address, rest) = inside.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (text.get(..address.len() + 2)?, rest)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some("") => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            Some(_) => return None,
            None if rest.is_empty() => None,
            None => return None,
        };
        let name = if host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
            HostName::Address
        } else {
            HostName::Named(plain_name(host))
        };
        let text = plain_name(host);
        (!text.is_empty()).then_some(Self { text, name, port })
    }
}

/// A host name as names are compared: lower case, and without the full stop that makes it absolute.
fn plain_name(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
