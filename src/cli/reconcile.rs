//! `ted-controller reconcile NAME`: has a running daemon look at a TED now, and waits until it stands still if that is wanted.

use super::client::{Daemon, ServerArgs, Stream, Told};
use super::known::find;
use super::{Failure, exit, output, terminal};
use crate::clock::{self, Instant};
use crate::desired::duration;
use crate::report::{Standing, Ted, TedList, render};
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// How long to wait before a lost connection is tried again.
const RECONNECT: Duration = Duration::from_secs(1);

/// How often in a row; a daemon that is started again is back within seconds.
const MOST_RECONNECTS: u32 = 30;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The TED: its name, its provisioned product, or the path of its document
    #[arg(value_name = "NAME")]
    name: String,
    /// Forget attempts that failed: what was given up is tried again
    #[arg(long)]
    retry: bool,
    /// Wait until it was looked at and is settled, waits for time, or needs a person; the exit code says which (0, 2, 3)
    #[arg(long)]
    wait: bool,
    /// How long to wait, such as `90s` or `2h` [default: as long as it takes]
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout, requires = "wait")]
    timeout: Option<Duration>,
    #[command(flatten)]
    server: ServerArgs,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct Accepted {
    token: String,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let daemon = args.server.daemon()?;
    let (list, _) = daemon.teds().await?;
    let name = find(&list, &args.name)?.metadata.name.clone();
    if !args.wait {
        let token = ask(&daemon, &name, args.retry, None).await?;
        output::line(format_args!(
            "{name}: asked to look now; `status.lastHandledReconcile` is `{token}` when that is done"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let end = args.timeout.map(|timeout| clock::now() + timeout);
    let mut waiting =
        Waiting { daemon: &daemon, name: &name, retry: args.retry, token: None, seen: None };
    let stands = tokio::select! {
        stands = waiting.until_it_stands_still() => stands?,
        () = until(end) => return waiting.out_of_time(),
    };
    Ok(told(&stands))
}

/// Asks, and says by which token the answer is known.
async fn ask(
    daemon: &Daemon,
    name: &str,
    retry: bool,
    token: Option<&str>,
) -> Result<String, Failure> {
    let path = format!("/api/v1/teds/{name}/reconcile");
    let accepted: Accepted = daemon.order(&path, &json!({"retry": retry, "token": token})).await?;
    Ok(accepted.token)
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => clock::sleep(end.saturating_duration_since(clock::now())).await,
        None => std::future::pending().await,
    }
}

/// Follows one TED.
struct Waiting<'a> {
    daemon: &'a Daemon,
    name: &'a str,
    retry: bool,
    /// Of our request, once it was taken up.
    token: Option<String>,
    /// How the TED was when we last heard of it.
    seen: Option<Box<Ted>>,
}

impl Waiting<'_> {
    async fn until_it_stands_still(&mut self) -> Result<Box<Ted>, Failure> {
        let mut lost = 0;
        loop {
            let failure = match self.daemon.stream().await {
                Ok(stream) => match self.follow(stream, &mut lost).await {
                    Ok(ted) => return Ok(ted),
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            lost += 1;
            if lost > MOST_RECONNECTS || self.token.is_none() {
                return Err(failure);
            }
            clock::sleep(RECONNECT).await;
        }
    }

    /// Asks on this connection, so that no answer can be missed, and reads until the TED stands still.
    async fn follow(&mut self, mut stream: Stream, lost: &mut u32) -> Result<Box<Ted>, Failure> {
        // A daemon that was started again knows nothing of the request. One that knows it answers once more.
        let token = ask(self.daemon, self.name, self.retry, self.token.as_deref()).await?;
        self.token = Some(token);
        let mut handled = false;
        loop {
            let ted = match stream.next().await? {
                Told::Ted(ted, _) if ted.metadata.name == self.name => ted,
                Told::List(all, _) => match self.ours(all) {
                    Some(ted) => ted,
                    None => return Err(self.gone()),
                },
                Told::Gone(name) if name == self.name => return Err(self.gone()),
                Told::Ted(..) | Told::Gone(_) | Told::Freeze(_) | Told::Other => continue,
            };
            *lost = 0;
            handled |= ted.status.last_handled_reconcile == self.token;
            let stands_still = ted.status.standing() != Standing::Moving;
            self.seen = Some(ted.clone());
            if handled && stands_still {
                return Ok(ted);
            }
        }
    }

    fn ours(&self, list: TedList) -> Option<Box<Ted>> {
        list.items.into_iter().find(|ted| ted.metadata.name == self.name).map(Box::new)
    }

    fn gone(&self) -> Failure {
        Failure {
            message: format!("the document of `{}` is gone", self.name),
            hint: Some("`GET /api/v1/sources` says which documents are in force".to_owned()),
        }
    }

    /// It goes on without us: "unfinished, time will heal" as long as it is being worked on.
    fn out_of_time(&self) -> Result<ExitCode, Failure> {
        let handled = |ted: &&Ted| ted.status.last_handled_reconcile == self.token;
        let Some(ted) = self.seen.as_deref().filter(handled) else {
            return Err(Failure {
                message: format!("`{}` was not looked at in time", self.name),
                hint: Some(format!(
                    "`curl {}/healthz` says whether the daemon is alive",
                    self.daemon.address()
                )),
            });
        };
        say(ted);
        output::note("the time is up; the daemon goes on");
        Ok(ExitCode::from(exit::DIFFERS))
    }
}

/// How it stands, and the exit code that says it.
fn told(ted: &Ted) -> ExitCode {
    say(ted);
    match ted.status.standing() {
        Standing::Settled => ExitCode::SUCCESS,
        Standing::Waiting | Standing::Moving => ExitCode::from(exit::DIFFERS),
        Standing::NeedsPerson => ExitCode::from(exit::NEEDS_PERSON),
        Standing::Unseen => ExitCode::from(exit::ERROR),
    }
}

fn say(ted: &Ted) {
    let list = TedList { items: vec![ted.clone()], ..TedList::default() };
    output::data(render::status_table(&list, terminal::paint(), terminal::columns()));
}
