//! `ted-controller sim`: a local AWS with a simulated TED installation, for every AWS client that can be given an endpoint.

use super::signals::Signals;
use super::{Failure, output};
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use ted_sim::time::SimTime;
use ted_sim::{Scenario, Server, Sim};

/// How long requests in progress may take after the first signal.
const DRAIN: Duration = Duration::from_secs(5);

/// Requests are short; more threads would only wait for one lock.
const THREADS: usize = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// Listen on other addresses than loopback; whoever reaches it may do anything with the simulated AWS
    #[arg(long)]
    listen_beyond_loopback: bool,
    /// A named scenario, or the path of a scenario file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    scenario: String,
    /// Virtual seconds a second; 0 stands still
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// A word that decides every random choice
    #[arg(long, value_name = "WORD")]
    seed: Option<String>,
    /// List the named scenarios and exit
    #[arg(long)]
    list: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if speed.is_finite() && speed >= 0.0 { Ok(speed) } else { Err("it is 0 or more".to_owned()) }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot load the scenario")]
    Scenario(#[source] ted_sim::scenario::Error),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("cannot start")]
    Start(#[source] io::Error),
}

impl Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Scenario(error) => error.hint(),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Some(
                "another one may be running; `--listen 127.0.0.1:0` takes a free port".to_owned(),
            ),
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("`--listen-beyond-loopback` allows it".to_owned())
            }
            Self::Listen { .. } | Self::Start(_) => None,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    start(args).map_err(|error| Failure::new(&error, error.hint()))
}

fn start(args: &Args) -> Result<ExitCode, Error> {
    if args.list {
        list();
        return Ok(ExitCode::SUCCESS);
    }
    let mut scenario = Scenario::load(&args.scenario).map_err(Error::Scenario)?;
    if let Some(seed) = &args.seed {
        scenario.world.seed.clone_from(seed);
    }
    // Clients sign with the host's time; a world that lives in it looks right to them and to people.
    #[expect(
        clippy::disallowed_methods,
        reason = "a world of its own begins when the command is given"
    )]
    scenario.world.start.get_or_insert_with(|| SimTime::from(SystemTime::now()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(Error::Start)?;
    runtime.block_on(serve(args, &scenario))
}

fn list() {
    let width = Scenario::names().map(str::len).max().unwrap_or_default();
    for name in Scenario::names() {
        let summary = Scenario::named(name).map(|scenario| scenario.summary).unwrap_or_default();
        output::line(format_args!("{name:width$}  {summary}"));
    }
}

async fn serve(args: &Args, scenario: &Scenario) -> Result<ExitCode, Error> {
    let sim = Sim::start(scenario, args.speed).map_err(Error::Scenario)?;
    let server = Server::new(sim.clone());
    let server = if args.listen_beyond_loopback { server.beyond_loopback() } else { server };
    let (address, handle) = server
        .bind(args.listen)
        .await
        .map_err(|source| Error::Listen { address: args.listen, source })?;
    // Whoever reads the greeting may send a signal at once.
    let mut signals = Signals::listen().map_err(Error::Start)?;
    greet(&sim, scenario, address);
    signals.next().await;
    tokio::select! {
        () = handle.shut_down(DRAIN) => Ok(ExitCode::SUCCESS),
        () = signals.next() => Ok(ExitCode::from(super::exit::ERROR)),
    }
}

/// Where it listens, and what makes every AWS client use it.
fn greet(sim: &Sim, scenario: &Scenario, address: SocketAddr) {
    let (now, speed) = (sim.clock().now().iso(), sim.clock().speed());
    output::line(format_args!("# scenario `{}`: {}", scenario.name, scenario.summary));
    output::line(format_args!(
        "# {now} at {speed} virtual seconds a second; control API at http://{address}/_sim/"
    ));
    output::line(format_args!("export AWS_ENDPOINT_URL=http://{address}"));
    // Any key will do: one of twelve digits names its account.
    output::line(format_args!("export AWS_ACCESS_KEY_ID={}", scenario.world.account));
    output::line("export AWS_SECRET_ACCESS_KEY=simulated");
    output::line(format_args!("export AWS_REGION={}", scenario.world.region));
}
