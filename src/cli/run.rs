//! `ted-controller run`: the daemon. It puts the parts together and lets them run; what they do is theirs.
//!
//! Sources read documents, one task each, and `source::merge` makes one set of them. The loop (`controller`) looks at their TEDs and
//! writes what it knows into the store. The server (`web`) answers from the store and hands orders to the loop; `notify` tells receivers
//! what changes in it.
//!
//! The first signal drains: passes under way end and `/readyz` turns 503, while everything else is still answered. The second one ends
//! the process at once, which costs nothing but what was under way.

use super::signals::Signals;
use super::{Failure, exit, output, terminal};
use crate::clock;
use crate::controller::{Controller, StateDir, Summary};
use crate::desired::Mode;
use crate::observe::Observer;
use crate::report::{Store, commands, render};
use crate::settings::{self, LogFormat, Overrides, Settings, SettingsError, parse_listen};
use crate::source::{self, Documents};
use crate::{notify, telemetry, web};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Threads for everything: the daemon mostly waits.
const THREADS: usize = 2;

/// How long whatever blocks (a disk, a name server) may hold up the end of the process.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// How long receivers and open answers may hold it up: what a receiver gets for its last words, and a disk that hangs.
const LAST_TELLING: Duration = Duration::from_secs(8);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The settings file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file or folder of desired documents; replaces all sources of the settings
    #[arg(long, value_name = "PATH")]
    desired: Option<PathBuf>,
    /// An upper bound for everything: `observe` changes nothing, whatever documents and settings say
    #[arg(long, value_name = "MODE", value_parser = mode())]
    mode: Option<Mode>,
    /// The only account that may be touched with the controller's own credentials
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Go on until every TED is settled, waits for time, or needs a person; print how they stand, and serve nothing
    #[arg(long)]
    once: bool,
    /// Where page and API are served; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = listen)]
    listen: Option<SocketAddr>,
    /// The region of documents that name none [default: `AWS_REGION`, the profile's, the instance's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Where history, times and the audit outlive a restart; one controller's at a time
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// A level (error, warn, info, debug, trace), or directives as `RUST_LOG` takes them
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How log lines are written [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT", value_parser = log_format())]
    log_format: Option<LogFormat>,
}

fn mode() -> impl clap::builder::TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::NAMES).try_map(|name| Mode::parse(&name))
}

fn log_format() -> impl clap::builder::TypedValueParser<Value = LogFormat> {
    PossibleValuesParser::new(LogFormat::NAMES).try_map(|name| LogFormat::parse(&name))
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    parse_listen(text).map_err(|complaint| match complaint.hint {
        Some(ref hint) => format!("{complaint}; {hint}"),
        None => complaint.to_string(),
    })
}

impl Args {
    fn settings(self) -> Result<Settings, SettingsError> {
        let flags = Overrides {
            config: None,
            mode: self.mode,
            desired: self.desired,
            region: self.region,
            account: self.account,
            listen: self.listen,
            state_dir: self.state_dir,
            log_level: self.log_level,
            log_format: self.log_format,
        };
        settings::load(self.config.as_deref(), flags)
    }
}

pub(super) fn run(args: Args) -> Result<ExitCode, Failure> {
    let once = args.once;
    let settings = match args.settings() {
        Ok(settings) => settings,
        Err(error) => return Ok(wrong_settings(&error)),
    };
    if settings.all_sources().is_empty() {
        output::error(
            "nothing says what is desired: there is neither `--desired` nor a source in the settings",
            Some(
                "`--desired PATH` names a file or folder of desired documents; `ted-controller adopt` writes them for what is deployed",
            ),
        );
        return Ok(ExitCode::from(exit::USAGE));
    }
    telemetry::init(&settings.log).map_err(|error| Failure::new(&error, None))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))?;
    let ended = runtime.block_on(Box::pin(daemon(Arc::new(settings), once)));
    runtime.shutdown_timeout(LAST_GRACE);
    ended
}

/// A wrong configuration is for a person: starting again does not help, and the exit code says so.
fn wrong_settings(error: &SettingsError) -> ExitCode {
    if error.problems().is_empty() {
        let failure = Failure::new(error, error.hint().map(str::to_owned));
        output::error(failure.message, failure.hint.as_deref());
    }
    for problem in error.problems() {
        output::error(problem, problem.hint.as_deref());
    }
    ExitCode::from(exit::USAGE)
}

fn cannot_start(error: &std::io::Error) -> Failure {
    Failure { message: format!("cannot start: {error}"), hint: None }
}

async fn daemon(settings: Arc<Settings>, once: bool) -> Result<ExitCode, Failure> {
    // Before anything that a signal could leave half done.
    let signals = Signals::listen().map_err(|error| cannot_start(&error))?;
    let taken = settings.state_dir.as_deref().map(StateDir::open).transpose();
    let _taken = taken.map_err(|error| Failure::new(&error, Some(error.hint().to_owned())))?;
    let store = Arc::new(Store::new(Controller::remembered(&settings), clock::wall()));
    let (orders, orders_taken) = commands::channel();
    let stop_serving = CancellationToken::new();
    let mut server = JoinSet::new();
    if !once {
        let site = web::Site {
            store: Arc::clone(&store),
            commands: orders.clone(),
            token: settings.server.token().map_err(|error| Failure::new(&error, None))?,
            hosts: settings.server.hosts.clone(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let listener = bind(&settings, site.token.is_some()).await?;
        server.spawn(web::serve(listener, site, stop_serving.clone()));
    }

    // Before anything can change, and until after everything has.
    let (stop_telling, mut telling) = (CancellationToken::new(), JoinSet::new());
    notify::start(&settings, &store, &mut telling, &stop_telling);

    let stop = CancellationToken::new();
    let mut sources = JoinSet::new();
    let documents = start_sources(&settings, &mut sources, &stop);
    let (known, stopped) = (Arc::clone(&store), stop.clone());
    let mut work = JoinSet::new();
    work.spawn(async move {
        // In here, so that a signal is heard meanwhile: it may ask the instance for its region.
        let observer = Arc::new(Observer::from_environment(&settings.aws).await);
        let controller = Controller::new(settings, observer, known, documents, orders_taken);
        if once { controller.once(stopped).await } else { controller.run(stopped).await }
    });
    let mut parts = Parts { signals, store, stop, work, sources, server };
    let ended = parts.until_ended().await;
    if !matches!(ended, Ended::Aborted) {
        stop_telling.cancel();
        stop_serving.cancel();
        let served_and_told = async {
            while telling.join_next().await.is_some() {}
            parts.server.join_next().await;
        };
        tokio::select! {
            () = served_and_told => {}
            () = parts.signals.next() => {}
            () = clock::sleep(LAST_TELLING) => {}
        }
    }
    match ended {
        Ended::Done(summary) if once => Ok(told(&summary, &parts.store)),
        Ended::Done(_) => Ok(ExitCode::SUCCESS),
        Ended::Aborted => Ok(ExitCode::from(exit::ERROR)),
        Ended::Broken(what) => Err(Failure {
            message: format!("{what} broke off"),
            hint: Some("that is a mistake of the controller, and its log says where; starting it again is safe".to_owned()),
        }),
    }
}

/// What runs, and what ends it.
struct Parts {
    signals: Signals,
    store: Arc<Store>,
    stop: CancellationToken,
    work: JoinSet<Summary>,
    sources: JoinSet<()>,
    server: JoinSet<std::io::Result<()>>,
}

/// Why it ended.
enum Ended {
    /// Everything was done, or was let end.
    Done(Summary),
    /// A second signal.
    Aborted,
    /// A part ended that must not.
    Broken(&'static str),
}

impl Parts {
    async fn until_ended(&mut self) -> Ended {
        let broken = tokio::select! {
            Some(summary) = self.work.join_next() => return done(summary),
            () = self.signals.next() => None,
            Some(ended) = self.sources.join_next() => {
                tracing::error!(error = ended.err().map(|error| error.to_string()), "a source broke off");
                Some(Ended::Broken("a source"))
            }
            Some(ended) = self.server.join_next() => {
                let error = match ended {
                    Ok(served) => served.err().map(|error| error.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                tracing::error!(error, "the server broke off");
                Some(Ended::Broken("the server"))
            }
        };
        self.store.drain();
        self.stop.cancel();
        let drained = tokio::select! {
            Some(summary) = self.work.join_next() => done(summary),
            () = self.signals.next() => Ended::Aborted,
        };
        broken.unwrap_or(drained)
    }
}

fn done(ended: Result<Summary, tokio::task::JoinError>) -> Ended {
    match ended {
        Ok(summary) => Ended::Done(summary),
        Err(error) => {
            tracing::error!(%error, "the loop broke off");
            Ended::Broken("the loop")
        }
    }
}

/// Starts to read the sources; what they say together is what this gives.
fn start_sources(
    settings: &Settings,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> watch::Receiver<Arc<Documents>> {
    let defaults = settings.defaults();
    let sources = settings.all_sources();
    let (poll, state) = (settings.source_poll, settings.state_dir.as_deref());
    let snapshots = source::start(&sources, &defaults, poll, state, tasks, stop);
    let (sender, documents) = watch::channel(Arc::new(Documents::unread(&snapshots)));
    tasks.spawn(source::merge(snapshots, defaults, sender, stop.clone()));
    documents
}

/// Takes the address, and says which one it is.
async fn bind(settings: &Settings, has_token: bool) -> Result<TcpListener, Failure> {
    let wanted = settings.server.listen;
    let failed = |error: std::io::Error| Failure {
        message: format!("cannot listen on {wanted}: {error}"),
        hint: (error.kind() == std::io::ErrorKind::AddrInUse).then(|| {
            "another one may be running; `--listen 127.0.0.1:0` takes a free port".to_owned()
        }),
    };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!("listening on http://{address}");
    if !address.ip().is_loopback() && !has_token {
        tracing::warn!(
            "others than this machine may connect and there is no token: nothing can be asked of the controller, only read"
        );
    }
    Ok(listener)
}

/// How all stand, and the exit code that says the worst of it.
fn told(summary: &Summary, store: &Store) -> ExitCode {
    let list = store.list();
    if !list.items.is_empty() {
        output::data(render::status_table(&list, terminal::paint(), terminal::columns()));
    }
    for source in store.sources() {
        if let Some(problem) = source.problem {
            output::error(format_args!("{}: {problem}", source.source), None);
        }
        for problem in source.files.iter().flat_map(|file| &file.problems) {
            output::error(problem, problem.hint.as_deref());
        }
    }
    output::line(counts(summary, list.items.len()));
    let Summary { broken_sources, failed, stalled, waiting, settled: _ } = *summary;
    if broken_sources > 0 || failed > 0 {
        ExitCode::from(exit::ERROR)
    } else if stalled > 0 {
        ExitCode::from(exit::NEEDS_PERSON)
    } else if waiting > 0 {
        ExitCode::from(exit::DIFFERS)
    } else {
        ExitCode::SUCCESS
    }
}

/// `2 TEDs: 1 settled, 1 needs a person`.
fn counts(summary: &Summary, teds: usize) -> String {
    let Summary { broken_sources, failed, stalled, waiting, settled } = *summary;
    let count = |number: usize, one: &str, many: &str| {
        (number > 0).then(|| format!("{number} {}", if number == 1 { one } else { many }))
    };
    let told: Vec<String> = [
        count(settled, "settled", "settled"),
        count(waiting, "waits", "wait"),
        count(stalled, "needs a person", "need a person"),
        count(failed, "could not be looked at", "could not be looked at"),
        count(broken_sources, "source has problems", "sources have problems"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let teds = count(teds, "TED", "TEDs").unwrap_or_else(|| "no TEDs".to_owned());
    if told.is_empty() { teds } else { format!("{teds}: {}", told.join(", ")) }
}
