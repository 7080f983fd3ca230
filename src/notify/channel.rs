//! Makes the request of a notice, sends it, and reads what the answer means.

use super::answer::{self, Outcome};
use super::notice::Notice;
use crate::clock;
use crate::https::Web;
use crate::settings::{
    Channel, GitHubSettings, NoticeSeverity, ReceiverSettings, ReceiverUrl, SecretRef,
};
use crate::text::{chain, hex, sanitize_to};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The most of an answer that is read.
const MAX_ANSWER_BYTES: usize = 4096;

/// The most of what an answer says that is told, in characters.
const MAX_DETAIL_CHARS: usize = 200;

/// How we introduce ourselves.
const AGENT: &str = concat!("ted-controller/", env!("CARGO_PKG_VERSION"));

/// How one receiver is told.
pub(super) struct Line {
    means: Means,
    /// Secrets that are being read. A file that hangs holds one thread, and not another one each attempt.
    reading: Option<JoinHandle<Result<Prepared, String>>>,
}

/// What a request is made with.
#[derive(Clone)]
struct Means {
    settings: Arc<ReceiverSettings>,
    controller: Arc<str>,
    /// The client, and the server it is for. It is made where blocking is allowed.
    web: Option<(String, Web)>,
}

/// What telling a receiver would need and has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The server, without what may be a secret of its address.
    pub server: String,
    /// Whether the receiver can tell who it is told by; chats and GitHub know by the address or the token.
    pub is_signed: bool,
}

/// Does everything that comes before telling a receiver something: reads its secrets, checks its address and certificates. Blocks.
///
/// # Errors
/// Something is missing or wrong. The text holds no secret.
pub fn rehearse(receiver: &ReceiverSettings) -> Result<Rehearsal, String> {
    let means = Means::new(&Arc::new(receiver.clone()), "rehearsal");
    let prepared = means.prepare(&Notice::rehearsal())?;
    let is_signed = !matches!(receiver.to, Channel::Webhook { secret: None, .. });
    Ok(Rehearsal { server: prepared.server, is_signed })
}

/// A request, and what of it must never be repeated.
struct Prepared {
    request: Request<Full<Bytes>>,
    server: String,
    web: Web,
    secrets: Vec<String>,
}

impl Line {
    pub(super) fn new(settings: &Arc<ReceiverSettings>, controller: &str) -> Self {
        Self { means: Means::new(settings, controller), reading: None }
    }

    /// One attempt.
    pub(super) async fn tell(&mut self, notice: &Notice) -> Outcome {
        let limit = self.means.settings.timeout;
        tokio::select! {
            outcome = self.try_to_tell(notice) => outcome,
            () = clock::sleep(limit) => Outcome::Later {
                why: format!("it does not answer within {}", crate::desired::duration::render(limit)),
                wait: None,
            },
        }
    }

    async fn try_to_tell(&mut self, notice: &Notice) -> Outcome {
        // Of an attempt that was given up. What it reads may be old by now.
        if let Some(before) = &mut self.reading {
            let _ = before.await;
        }
        // Secrets and certificates lie in files, and a file may hang.
        let (means, wanted) = (self.means.clone(), notice.clone());
        let reading =
            self.reading.insert(tokio::task::spawn_blocking(move || means.prepare(&wanted)));
        let prepared = reading.await;
        self.reading = None;
        let prepared = match prepared {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(why)) => return Outcome::Later { why, wait: None },
            Err(error) => return Outcome::Later { why: error.to_string(), wait: None },
        };
        let Prepared { request, server, web, secrets } = prepared;
        self.means.web = Some((server.clone(), web.clone()));
        match web.send(request).await {
            Ok(response) => {
                let (status, headers) = (response.status().as_u16(), response.headers().clone());
                let detail = clean(&body(response).await, &secrets);
                answer::read(status, &headers, &detail, clock::wall())
            }
            Err(error) => Outcome::Later {
                why: format!("`{server}` cannot be reached: {}", clean(&chain(&error), &secrets)),
                wait: None,
            },
        }
    }
}

impl Means {
    fn new(settings: &Arc<ReceiverSettings>, controller: &str) -> Self {
        Self { settings: Arc::clone(settings), controller: controller.into(), web: None }
    }

    /// Reads the secrets and makes the request. Blocks.
    fn prepare(&self, notice: &Notice) -> Result<Prepared, String> {
        let mut secrets = Vec::new();
        let (url, request) = match &self.settings.to {
            Channel::Webhook { url, secret } => {
                let url = url.read(self.settings.plain_http).map_err(|error| chain(&error))?;
                (url.clone(), self.webhook(&url, secret.as_ref(), notice, &mut secrets)?)
            }
            Channel::Slack { url } => {
                let url = crate::settings::UrlRef::Kept(url.clone())
                    .read(self.settings.plain_http)
                    .map_err(|error| chain(&error))?;
                (url.clone(), post(url.reveal(), json!({ "text": slack(notice) }).to_string())?)
            }
            Channel::GitHub(github) => {
                (github.api_url.clone(), github_status(github, notice, &mut secrets)?)
            }
        };
        // Of a path whoever has it may write to, no part is repeated.
        secrets.extend(Some(url.path().to_owned()).filter(|path| path.len() > 1));
        let web = match &self.web {
            Some((server, web)) if server == url.server() => web.clone(),
            _ => {
                let uri: Uri = url.server().parse().unwrap_or_default();
                Web::new(&uri, self.settings.ca_file.as_deref()).map_err(|error| chain(&error))?
            }
        };
        Ok(Prepared { request, server: url.server().to_owned(), web, secrets })
    }

    fn webhook(
        &self,
        url: &ReceiverUrl,
        secret: Option<&SecretRef>,
        notice: &Notice,
        secrets: &mut Vec<String>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let body = payload(notice, &self.controller).to_string();
        let timestamp = clock::wall().as_second().to_string();
        let signature = match secret {
            Some(place) => {
                let secret = place.read().map_err(|error| chain(&error))?;
                secrets.push(secret.reveal().to_owned());
                Some(signature(secret.reveal(), &timestamp, &body))
            }
            None => None,
        };
        let mut request = post(url.reveal(), body)?;
        let headers = request.headers_mut();
        for (name, value) in [
            ("x-ted-controller-delivery", Some(notice.id.clone())),
            ("x-ted-controller-timestamp", Some(timestamp)),
            ("x-ted-controller-signature", signature),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        }
        Ok(request)
    }
}

/// `sha256=` and the HMAC of `<timestamp>.<body>`, in hex.
fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

fn post(url: &str, body: String) -> Result<Request<Full<Bytes>>, String> {
    Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| "no request can be made for this address".to_owned())
}

/// A notice as the generic webhook gets it.
pub(super) fn payload(notice: &Notice, controller: &str) -> Value {
    let state = &notice.state;
    let ted = notice.ted.as_ref();
    json!({
        "id": notice.id,
        "at": notice.at,
        "controller": controller,
        "ted": ted.map(|ted| &ted.name),
        "account": ted.and_then(|ted| ted.account.as_ref()),
        "region": ted.and_then(|ted| ted.region.as_ref()),
        "revision": ted.and_then(|ted| ted.revision.as_ref()),
        "commit": ted.and_then(|ted| ted.commit.as_ref()),
        "subject": state.subject,
        "kind": state.kind.as_str(),
        "severity": state.severity.as_str(),
        "since": state.since,
        "resolved": notice.resolves(),
        "reason": state.reason,
        "code": state.code,
        "message": state.message,
        "remedy": state.remedy,
        "update": state.update,
    })
}

/// A notice as a message in a chat.
fn slack(notice: &Notice) -> String {
    let state = &notice.state;
    let mark = match (notice.resolves(), state.severity) {
        (true, _) => "✅",
        (false, NoticeSeverity::Info) => "ℹ️",
        (false, NoticeSeverity::Warning) => "⚠️",
        (false, NoticeSeverity::Critical) => "🛑",
    };
    let who = notice.ted.as_ref().map_or("ted-controller", |ted| ted.name.as_str());
    let what = state.code.as_deref().unwrap_or(&state.reason);
    let first = format!("{mark} *{}* · {}", escape(who), escape(what));
    let remedy = state.remedy.as_deref().filter(|remedy| !remedy.is_empty());
    let commit = notice.ted.as_ref().and_then(|ted| ted.commit.as_ref());
    let lines = [
        Some(first),
        Some(escape(&state.message)),
        remedy.map(|remedy| format!("→ {}", escape(remedy))),
        commit.map(|it| format!("_{} ({})_", escape(&it.subject), escape(&it.author))),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// What Slack would take for a link, a mention or an entity ("Formatting text for app surfaces").
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The status of a commit (`POST /repos/{owner}/{repo}/statuses/{sha}`).
fn github_status(
    github: &GitHubSettings,
    notice: &Notice,
    secrets: &mut Vec<String>,
) -> Result<Request<Full<Bytes>>, String> {
    let Some(commit) = &notice.state.commit else {
        return Err("there is no commit in what is to be told".to_owned());
    };
    let token = github.token.read().map_err(|error| chain(&error))?;
    secrets.push(token.reveal().to_owned());
    let base = github.api_url.reveal().trim_end_matches('/');
    let url = format!("{base}/repos/{}/statuses/{}", github.repository, commit.sha);
    let name = notice.ted.as_ref().map_or("", |ted| ted.name.as_str());
    let mut body = json!({
        "state": commit.state,
        "context": commit.context,
        "description": notice.state.message,
    });
    if let Some(target) = &github.target_url {
        body["target_url"] = Value::String(target.replace("{ted}", name));
    }
    let mut request = post(&url, body.to_string())?;
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        .map_err(|_| "the token holds characters that HTTP cannot carry".to_owned())?;
    authorization.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
    headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    Ok(request)
}

/// What an answer says, as far as it is read.
async fn body(response: Response<Incoming>) -> String {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while bytes.len() < MAX_ANSWER_BYTES {
        let Some(Ok(frame)) = body.frame().await else { break };
        bytes.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
    }
    bytes.truncate(MAX_ANSWER_BYTES);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Foreign text, made safe to print and without any of our secrets.
fn clean(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        text = text.replace(secret.as_str(), "…");
    }
    sanitize_to(text.trim(), MAX_DETAIL_CHARS)
}

#[cfg(test)]
mod tests;
