//! Where a repository is: over HTTP, over SSH, or on this host. Says which commit is wanted and gives its objects.
//!
//! Over HTTP the introduction is remembered, so that later visits are one request: the list of the one reference that is followed. A
//! repository on this host is read in place, without any other program.

use super::error::GitError;
use super::exchange::{Exchange, chain};
use super::http::{self, GitHttp, Over, Visit};
use super::kept::Incoming;
use super::pack::{self, MAX_PACK_BYTES};
use super::protocol::{History, Session};
use super::ssh::Ssh;
use crate::desired::yaml::MAX_FILE_BYTES;
use crate::https::Web;
use crate::settings::{GitAuth, GitReference, GitScheme, GitSettings};
use gix::ObjectId;
use gix::objs::FindObjectOrHeader;
use gix_protocol::handshake::Ref;
use gix_transport::Protocol;
use gix_transport::client::blocking_io::http::Transport as HttpTransport;
use hyper::header::HeaderValue;
use std::fs;
use std::sync::Arc;

/// How many names of what there is an error gives.
const MAX_NAMES: usize = 5;

/// The most that is fetched to see whether history was rewritten: commits alone have some 300 bytes each.
const MAX_HISTORY_BYTES: u64 = 4 * 1024 * 1024;

/// Objects of a commit, wherever they lie.
pub(super) type Objects = Box<dyn FindObjectOrHeader>;

/// What is to be in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) id: ObjectId,
    /// The branch or tag, as revisions name it; empty for a commit by its id.
    pub(super) label: String,
}

/// A repository.
pub(super) struct Remote {
    settings: Arc<GitSettings>,
    web: Option<Web>,
    open: Option<Open>,
}

/// A session, and the program that carries it.
struct Open {
    session: Session,
    ssh: Option<Ssh>,
}

/// As whom a repository is asked, read now.
#[derive(Default)]
pub(super) struct Credentials {
    authorization: Option<HeaderValue>,
    /// What must never be repeated.
    pub(super) secrets: Vec<String>,
    /// Tells these credentials from others.
    pub(super) fingerprint: String,
}

impl Credentials {
    /// Reads what the settings name.
    ///
    /// # Errors
    /// A secret cannot be read or sent.
    pub(super) fn read(auth: Option<&GitAuth>) -> Result<Self, GitError> {
        let (header, secret) = match auth {
            None => return Ok(Self::default()),
            Some(GitAuth::SshKey { key, known_hosts }) => {
                // The key itself is read by `ssh` alone; that it was replaced shows in its time.
                let changed =
                    |file| fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
                let fingerprint = format!("{:?} {:?}", changed(key), changed(known_hosts));
                return Ok(Self { fingerprint, ..Self::default() });
            }
            Some(GitAuth::Token { token, scheme }) => {
                let token = token.read()?;
                (http::token_header(token.reveal(), *scheme)?, token)
            }
            Some(GitAuth::Password { username, password }) => {
                let password = password.read()?;
                (http::basic_header(username, password.reveal())?, password)
            }
        };
        let sent = header.to_str().ok().and_then(|text| text.split_once(' '));
        let secrets: Vec<String> = sent
            .map(|(_, sent)| sent.to_owned())
            .into_iter()
            .chain([secret.reveal().to_owned()])
            .collect();
        let fingerprint = secrets.concat();
        Ok(Self { authorization: Some(header), secrets, fingerprint })
    }
}

impl Remote {
    pub(super) fn new(settings: Arc<GitSettings>) -> Self {
        Self { settings, web: None, open: None }
    }

    /// Which commit the reference names now.
    pub(super) fn look(
        &mut self,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Tip, GitError> {
        if let GitReference::Commit(id) = &self.settings.reference {
            let id = ObjectId::from_hex(id.as_bytes())
                .map_err(|error| GitError::Unsupported(chain(&error)))?;
            return Ok(Tip { id, label: String::new() });
        }
        if self.settings.url.scheme() == GitScheme::File {
            return self.look_here();
        }
        let wanted = Wanted::of(&self.settings.reference);
        let remembered = self.open.is_some();
        let refs = match self.refs(&wanted.prefixes(), exchange, credentials) {
            // The server may have changed since we were introduced.
            Err(
                GitError::Protocol { .. } | GitError::Status { .. } | GitError::NoRepository { .. },
            ) if remembered => self.refs(&wanted.prefixes(), exchange, credentials)?,
            refs => refs?,
        };
        if let Some(tip) = wanted.find(&refs) {
            return Ok(tip);
        }
        // Something is missing: worth another request to say what there is instead.
        let all =
            self.refs(&["refs/heads/".to_owned(), "refs/tags/".to_owned()], exchange, credentials)?;
        Err(self.missing(names(&all)))
    }

    fn missing(&self, there: Vec<String>) -> GitError {
        if there.is_empty() {
            return GitError::Empty;
        }
        GitError::NoReference { wanted: self.settings.reference.to_string(), there }
    }

    fn refs(
        &mut self,
        prefixes: &[String],
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Vec<Ref>, GitError> {
        let mut open = self.take_open(exchange, credentials)?;
        match open.session.refs(prefixes, exchange) {
            Ok(refs) => {
                self.open = Some(open);
                Ok(refs)
            }
            Err(error) => Err(self.explain(open.ssh, error, exchange)),
        }
    }

    /// Fetches a commit and what it holds into `incoming`.
    pub(super) fn fetch(
        &mut self,
        tip: &Tip,
        incoming: &Incoming,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Objects, GitError> {
        if self.settings.url.scheme() == GitScheme::File {
            return Ok(Box::new(self.here()?.objects));
        }
        self.fetch_pack(tip.id, History::None, MAX_PACK_BYTES, incoming, exchange, credentials)
    }

    /// Commits from `tip` back to a time, to see what came before it.
    pub(super) fn history(
        &mut self,
        tip: &Tip,
        since: i64,
        incoming: &Incoming,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Objects, GitError> {
        if self.settings.url.scheme() == GitScheme::File {
            return Ok(Box::new(self.here()?.objects));
        }
        let history = History::Since(since);
        self.fetch_pack(tip.id, history, MAX_HISTORY_BYTES, incoming, exchange, credentials)
    }

    fn fetch_pack(
        &mut self,
        id: ObjectId,
        history: History,
        most: u64,
        incoming: &Incoming,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Objects, GitError> {
        let file = incoming.pack();
        let mut pack = fs::File::create(&file).map_err(GitError::disk("write", &file))?;
        let mut open = self.take_open(exchange, credentials)?;
        let fetched = open.session.fetch(id, history, MAX_FILE_BYTES, most, &mut pack, exchange);
        if let Err(error) = fetched {
            return Err(self.explain(open.ssh, error, exchange));
        }
        // Version 0 hangs up after a pack.
        if open.session.takes_more() {
            self.open = Some(open);
        }
        drop(pack);
        let objects = incoming.objects();
        pack::index(&file, &objects, &exchange.server)?;
        gix::odb::at(&objects)
            .map(|handle| Box::new(handle) as Objects)
            .map_err(GitError::disk("read", &objects))
    }

    /// Ends a visit: what need not stay open does not.
    pub(super) fn part(&mut self, exchange: &Exchange) {
        if let Some(open) = &mut self.open {
            open.session.configure(&Over);
        }
        if let Some(open) = self.open.take_if(|open| !open.session.is_lasting()) {
            open.session.end();
            if let Some(ssh) = open.ssh {
                ssh.end(exchange);
            }
        }
    }

    /// Ends a visit that failed: the next one begins from nothing.
    pub(super) fn give_up(&mut self) {
        self.open = None;
    }

    fn explain(&mut self, ssh: Option<Ssh>, error: GitError, exchange: &Exchange) -> GitError {
        if let GitError::Certificate { .. } = error {
            // `caFile` may be replaced before the next visit.
            self.web = None;
        }
        match ssh {
            Some(ssh) => {
                ssh.explain(error, &self.settings.url, self.settings.auth.as_ref(), exchange)
            }
            None => error,
        }
    }

    /// The session of this visit: the one that is open, or a new one.
    fn take_open(
        &mut self,
        exchange: &Arc<Exchange>,
        credentials: &Credentials,
    ) -> Result<Open, GitError> {
        let visit = Visit {
            exchange: Arc::clone(exchange),
            authorization: credentials.authorization.clone(),
        };
        if let Some(mut open) = self.open.take() {
            open.session.configure(&visit);
            return Ok(open);
        }
        let url = &self.settings.url;
        if url.scheme() == GitScheme::Ssh {
            let (ssh, wire) = Ssh::start(url, self.settings.auth.as_ref(), exchange)?;
            return match Session::begin(Box::new(wire), exchange) {
                Ok(session) => Ok(Open { session, ssh: Some(ssh) }),
                Err(error) => Err(self.explain(Some(ssh), error, exchange)),
            };
        }
        let web = if let Some(web) = &self.web {
            web.clone()
        } else {
            // What does not parse here fails when it is asked.
            let server = url.as_str().parse().unwrap_or_default();
            self.web.insert(Web::new(&server, self.settings.ca_file.as_deref())?).clone()
        };
        let parsed = gix::url::parse(url.as_str().into())
            .map_err(|error| GitError::Unsupported(chain(&error)))?;
        let transport =
            HttpTransport::new_http(GitHttp::new(web, visit), parsed, Protocol::V2, false);
        match Session::begin(Box::new(transport), exchange) {
            Ok(session) => Ok(Open { session, ssh: None }),
            Err(error) => Err(self.explain(None, error, exchange)),
        }
    }

    /// The repository on this host.
    fn here(&self) -> Result<gix::Repository, GitError> {
        let url = &self.settings.url;
        gix::open_opts(url.path(), gix::open::Options::isolated()).map_err(|error| {
            GitError::NoRepository {
                url: url.to_string(),
                detail: crate::text::sanitize_to(&chain(&error), 300),
            }
        })
    }

    fn look_here(&self) -> Result<Tip, GitError> {
        let repository = self.here()?;
        let wrong = |error: &dyn std::error::Error| GitError::Protocol {
            server: self.settings.url.to_string(),
            detail: crate::text::sanitize_to(&chain(error), 300),
        };
        let (full, label) = match &self.settings.reference {
            GitReference::Branch(name) => (format!("refs/heads/{name}"), name.clone()),
            GitReference::Tag(name) => (format!("refs/tags/{name}"), name.clone()),
            GitReference::Default | GitReference::Commit(_) => {
                let head = repository.head().map_err(|error| wrong(&error))?;
                if head.is_unborn() {
                    return Err(self.missing(names_here(&repository)));
                }
                let label = head
                    .referent_name()
                    .map_or_else(|| "HEAD".to_owned(), |name| name.shorten().to_string());
                ("HEAD".to_owned(), label)
            }
        };
        let found = repository.try_find_reference(&full).map_err(|error| wrong(&error))?;
        let Some(mut reference) = found else { return Err(self.missing(names_here(&repository))) };
        let id = reference.peel_to_id().map_err(|error| wrong(&error))?.detach();
        Ok(Tip { id, label })
    }
}

/// The reference that is followed, by the names that servers use.
struct Wanted {
    full: String,
    label: Option<String>,
}

impl Wanted {
    fn of(reference: &GitReference) -> Self {
        let (full, label) = match reference {
            GitReference::Branch(name) => (format!("refs/heads/{name}"), Some(name.clone())),
            GitReference::Tag(name) => (format!("refs/tags/{name}"), Some(name.clone())),
            GitReference::Default | GitReference::Commit(_) => ("HEAD".to_owned(), None),
        };
        Self { full, label }
    }

    fn prefixes(&self) -> Vec<String> {
        vec![self.full.clone()]
    }

    /// A prefix names more than it should: `main` also gives `main-2`.
    fn find(&self, refs: &[Ref]) -> Option<Tip> {
        refs.iter().find_map(|reference| {
            let (name, id, target) = match reference {
                Ref::Direct { full_ref_name, object }
                | Ref::Peeled { full_ref_name, object, .. } => (full_ref_name, object, None),
                Ref::Symbolic { full_ref_name, target, object, .. } => {
                    (full_ref_name, object, Some(target))
                }
                // A branch without a commit.
                Ref::Unborn { .. } => return None,
            };
            if *name != self.full || id.is_null() {
                return None;
            }
            let branch = target.map(ToString::to_string);
            let branch = branch.as_deref().and_then(|target| target.strip_prefix("refs/heads/"));
            let label = self.label.clone().unwrap_or_else(|| branch.unwrap_or("HEAD").to_owned());
            Some(Tip { id: *id, label })
        })
    }
}

/// Names of some branches and tags, branches first.
fn names(refs: &[Ref]) -> Vec<String> {
    let mut names: Vec<String> = refs
        .iter()
        .map(|reference| match reference {
            Ref::Direct { full_ref_name, .. }
            | Ref::Peeled { full_ref_name, .. }
            | Ref::Symbolic { full_ref_name, .. }
            | Ref::Unborn { full_ref_name, .. } => full_ref_name.to_string(),
        })
        .collect();
    names.sort();
    shown(names.iter().map(String::as_str))
}

fn names_here(repository: &gix::Repository) -> Vec<String> {
    let platform = repository.references().ok();
    let all = platform.as_ref().and_then(|platform| platform.all().ok());
    let names: Vec<String> = all
        .into_iter()
        .flatten()
        .flatten()
        .map(|reference| reference.name().as_bstr().to_string())
        .collect();
    shown(names.iter().map(String::as_str))
}

fn shown<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names
        .filter_map(|name| {
            name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/"))
        })
        .take(MAX_NAMES)
        .map(|name| crate::text::sanitize_to(name, 60))
        .collect()
}
