//! What a look costs: calls, round trips, time and memory, by the program as it is shipped, over HTTP, against the simulated AWS.
//!
//! `cargo bench --bench look`; `cargo bench --bench look -- --teds 100` for another number of TEDs in the large installation, 0 for none.
//! It prints what it measured and judges nothing; `docs/measures.md` holds the targets beside figures of one machine.
//!
//! The simulated AWS runs in this process and answers at once, or after 50 ms. What asks runs in processes of its own: the shipped binary
//! for `plan` and `run`, and this program again for single looks.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to tell")]
#![expect(
    clippy::disallowed_methods,
    reason = "it takes the time, and waits for what it has started"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use ted_controller::aws::{Sessions, SessionsOptions};
use ted_controller::desired::ProductRef;
use ted_controller::observe::{Depth, Observer, Query};
use ted_sim::faults::{Delay, Fault, Rule};
use ted_sim::{Scenario, Server, Sim};

/// Looks of each kind; the median counts.
const LOOKS: usize = 15;
/// Processes of each kind.
const PROCESSES: usize = 7;
/// How long the simulated AWS takes to answer, in the second column.
const FAR: Duration = Duration::from_millis(50);
/// TEDs of the large installation.
const TEDS: usize = 100;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.find(|argument| argument != "--bench").as_deref() {
        Some("--look") => looks(),
        Some("--names") => names(),
        Some("--teds") => measure(arguments.next().unwrap().parse().unwrap()),
        _ => measure(TEDS),
    }
}

fn measure(teds: usize) {
    println!("{:44} {:>10} {:>10} {:>12}", "", "0 ms", "50 ms", "round trips");
    let near = Aws::start("default", Duration::ZERO);
    let far = Aws::start("default", FAR);

    let (near_looks, far_looks) = (near.looks(), far.looks());
    for (name, place) in [("a look that knows nothing", 0), ("a steady look", 1)] {
        let (calls, rounds, at_once) = near_looks[place];
        row(&format!("{name}, {calls} calls, {rounds} rounds"), at_once, far_looks[place].2);
    }
    let plan = |aws: &Aws| {
        median((0..PROCESSES).map(|_| {
            let started = Instant::now();
            let ended = aws.binary(&["plan", "einstein.yaml", "-o", "json"]).output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            started.elapsed()
        }))
    };
    row("`plan` of one document, the whole process", plan(&near), plan(&far));
    let first = |aws: &Aws| {
        median((0..PROCESSES).map(|_| {
            let daemon = Daemon::start(aws, "einstein.yaml");
            daemon.until(1).0
        }))
    };
    row("`run`, from its start to the first status", first(&near), first(&far));

    let daemon = Daemon::start(&near, "einstein.yaml");
    daemon.until(1);
    std::thread::sleep(Duration::from_secs(5));
    memory("`run` with 1 TED", &daemon);
    drop(daemon);
    if teds > 0 {
        let many = Aws::start(&format!("world: {{count: {}}}\n", teds - 1), Duration::ZERO);
        many.write_documents();
        let daemon = Daemon::start(&many, "teds");
        let (took, calls) = daemon.until(teds);
        println!(
            "{:44} {:>8.0} s, {calls} calls",
            format!("`run`, until {teds} TEDs are seen"),
            took.as_secs_f64()
        );
        std::thread::sleep(Duration::from_secs(5));
        memory(&format!("`run` with {teds} TEDs"), &daemon);
    }
}

fn row(name: &str, near: Duration, far: Duration) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let rounds = (ms(far) - ms(near)) / ms(FAR);
    println!("{name:44} {:>7.1} ms {:>7.1} ms {rounds:>12.1}", ms(near), ms(far));
}

fn memory(name: &str, daemon: &Daemon) {
    let (now, most) = (daemon.kib("VmRSS:") / 1024.0, daemon.kib("VmHWM:") / 1024.0);
    println!("{name:44} {now:>6.1} MiB resident, {most:.1} MiB at most");
}

fn median(all: impl Iterator<Item = Duration>) -> Duration {
    let mut all: Vec<Duration> = all.collect();
    all.sort();
    all[all.len() / 2]
}

/// A simulated AWS in this process, and a folder with documents for it.
struct Aws {
    sim: Sim,
    endpoint: String,
    folder: tempfile::TempDir,
    /// The server runs as long as this does.
    _runtime: tokio::runtime::Runtime,
    _server: ted_sim::server::Handle,
}

const EINSTEIN: &str = "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: einstein}\nspec: {tedVersion: v1.52.1, cache: {engine: valkey, version: \"8.0\"}}\n";

impl Aws {
    fn start(scenario: &str, latency: Duration) -> Self {
        let scenario = if scenario.contains('\n') {
            Scenario::parse("world.yaml", scenario).unwrap()
        } else {
            Scenario::named(scenario).unwrap()
        };
        let sim = Sim::start(&scenario, 1.0).unwrap();
        if !latency.is_zero() {
            sim.add_fault(Rule::always(Fault::Latency(Delay::fixed(latency))));
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let bound = Server::new(sim.clone()).bind("127.0.0.1:0".parse().unwrap());
        let (address, server) = runtime.block_on(bound).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("einstein.yaml"), EINSTEIN).unwrap();
        let endpoint = format!("http://{address}");
        Self { sim, endpoint, folder, _runtime: runtime, _server: server }
    }

    /// A program that asks this AWS and no other.
    fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_REGION", "us-east-2");
        command.env("AWS_ACCESS_KEY_ID", "111122223333").env("AWS_SECRET_ACCESS_KEY", "simulated");
        command
    }

    fn binary(&self, arguments: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_ted-controller")), arguments)
    }

    fn again(&self, argument: &str) -> String {
        let output = self.program(&std::env::current_exe().unwrap(), &[argument]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Calls, rounds and time of a look that knows nothing, and of a steady one.
    fn looks(&self) -> [(u64, u32, Duration); 2] {
        let told = self.again("--look");
        let mut lines = told.lines().map(|line| {
            let mut words = line.split(' ');
            let calls = words.next().unwrap().parse().unwrap();
            let rounds = words.next().unwrap().parse().unwrap();
            (calls, rounds, Duration::from_nanos(words.next().unwrap().parse().unwrap()))
        });
        [lines.next().unwrap(), lines.next().unwrap()]
    }

    /// A document for each TED, in the folder `teds`.
    fn write_documents(&self) {
        let folder = self.folder.path().join("teds");
        std::fs::create_dir(&folder).unwrap();
        for product in self.again("--names").lines() {
            let name = product.strip_prefix("ted-").unwrap();
            let document = EINSTEIN.replace("einstein", name);
            std::fs::write(folder.join(format!("{name}.yaml")), document).unwrap();
        }
    }
}

/// The daemon. Dropping it ends it.
struct Daemon<'a> {
    aws: &'a Aws,
    started: Instant,
    calls_before: usize,
    child: Child,
    address: String,
}

impl<'a> Daemon<'a> {
    fn start(aws: &'a Aws, desired: &str) -> Self {
        let (started, calls_before) = (Instant::now(), aws.sim.log().len());
        let arguments = [
            "run",
            "--mode",
            "observe",
            "--desired",
            desired,
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ];
        let mut command = aws.binary(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, rest) = line.split_once("listening on http://")?;
            Some(rest.split('"').next()?.to_owned())
        });
        // What it says from now on has to go somewhere.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { aws, started, calls_before, child, address: address.unwrap() }
    }

    /// Waits until so many TEDs have a status that comes from AWS. Answers how long that took since the start, and how many calls.
    fn until(&self, teds: usize) -> (Duration, usize) {
        loop {
            let list = self.get("/api/v1/teds");
            let seen = list.matches("\"observedAt\":\"").count();
            if seen >= teds {
                return (self.started.elapsed(), self.aws.sim.log().len() - self.calls_before);
            }
            assert!(self.started.elapsed() < Duration::from_mins(20), "{seen} of {teds}: {list}");
            let pause =
                if teds > 1 { Duration::from_millis(500) } else { Duration::from_millis(2) };
            std::thread::sleep(pause);
        }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A line of `/proc/<pid>/status`, as Linux has it.
    fn kib(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process of its own: looks, and says what it cost.
fn looks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let query = query();
        let (mut cold, mut steady) = (Vec::new(), Vec::new());
        let (mut cold_told, mut steady_told) = ((0, 0), (0, 0));
        for _ in 0..LOOKS {
            // Another observer: no ids, no connections, a full budget.
            let observer = observer().await;
            let (took, rounds) = timed(&observer, &query, Depth::Full).await;
            cold.push(took);
            cold_told = (requests(&observer), rounds);
            for _ in 0..2 {
                let before = requests(&observer);
                let (took, rounds) = timed(&observer, &query, Depth::Steady).await;
                steady.push(took);
                steady_told = (requests(&observer) - before, rounds);
            }
        }
        for ((calls, rounds), all) in [(cold_told, cold), (steady_told, steady)] {
            println!("{calls} {rounds} {}", median(all.into_iter()).as_nanos());
        }
    });
}

async fn timed(observer: &Observer, query: &Query, depth: Depth) -> (Duration, u32) {
    let started = Instant::now();
    let look = observer.look(query, depth).await.unwrap();
    (started.elapsed(), look.rounds)
}

async fn observer() -> Observer {
    Observer::new(std::sync::Arc::new(Sessions::from_environment(SessionsOptions::default()).await))
}

/// One document's, with a version that has to be read as well.
fn query() -> Query {
    let wish = ted_controller::desired::VersionWish::parse("v1.52.1").unwrap();
    let product = ProductRef::Name("ted-einstein".to_owned());
    Query { hive: Some("einstein".to_owned()), wish: Some(wish), ..Query::product(product, None) }
}

fn requests(observer: &Observer) -> u64 {
    observer.sessions().requests().into_iter().map(|(_, count)| count).sum()
}

/// In a process of its own: the products that there are.
fn names() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for found in runtime.block_on(async { observer().await.products(None, None).await }).unwrap() {
        println!("{}", found.product.name);
    }
}
