//! Figures of the simulated AWS: simple reads a second over HTTP, and the memory of a world of 1,000 TEDs.
//!
//! `cargo bench -p ted-sim`. It prints what it measured and judges nothing.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing to tell")]

use std::time::{Duration, Instant};
use ted_sim::{Scenario, Server, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Keep-alive connections that read at the same time.
const CONNECTIONS: usize = 4;
/// For how long each kind of read is repeated.
const SPAN: Duration = Duration::from_secs(3);
/// TEDs of the large world.
const TEDS: usize = 1000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        reads().await;
        memory();
    });
}

async fn reads() {
    let scenario = Scenario::named("default").unwrap();
    let sim = Sim::start(&scenario, 1.0).unwrap();
    let handle = Server::new(sim).bind(([127, 0, 0, 1], 0).into()).await;
    let (address, _running) = handle.unwrap();
    for (name, request) in requests() {
        let started = Instant::now();
        let clients: Vec<_> =
            (0..CONNECTIONS).map(|_| tokio::spawn(client(address, request.clone()))).collect();
        let mut done = 0;
        for client in clients {
            done += client.await.unwrap();
        }
        let a_second = f64::from(done) / started.elapsed().as_secs_f64();
        println!("{name:45} {a_second:>9.0} reads/s over HTTP, {CONNECTIONS} connections");
    }
}

/// Repeats one request on one connection until the span is over. Answers how often.
async fn client(address: std::net::SocketAddr, request: String) -> u32 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < SPAN {
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut buffer).await;
        done += 1;
    }
    done
}

/// Reads one answer: headers, then as many bytes as they promise.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let more = stream.read(&mut buffer[filled..]).await;
        filled += more.unwrap();
        let text = String::from_utf8_lossy(&buffer[..filled]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
        });
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or_default();
        if body.len() >= length {
            return;
        }
    }
}

/// Simple reads in each protocol, signed well enough for a server without secrets.
fn requests() -> [(&'static str, String); 3] {
    let form = "application/x-www-form-urlencoded";
    let json = "application/x-amz-json-1.1\r\nx-amz-target: AWS242ServiceCatalogService.DescribeProvisionedProduct";
    [
        (
            "servicecatalog DescribeProvisionedProduct",
            request("servicecatalog", json, r#"{"Name":"ted-einstein"}"#),
        ),
        (
            "rds DescribeDBInstances",
            request("rds", form, "Action=DescribeDBInstances&Version=2014-10-31"),
        ),
        (
            "sts GetCallerIdentity",
            request("sts", form, "Action=GetCallerIdentity&Version=2011-06-15"),
        ),
    ]
}

fn request(service: &str, content_type: &str, body: &str) -> String {
    let scope = format!("AKIAIOSFODNN7EXAMPLE/20260801/us-east-2/{service}/aws4_request");
    let signature = "a".repeat(64);
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\nx-amz-date: 20260801T100000Z\r\nauthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn memory() {
    let before = resident();
    let scenario = Scenario::parse("benchmark", &format!("world: {{count: {}}}\n", TEDS - 1));
    let scenario = scenario.unwrap();
    let started = Instant::now();
    let sim = Sim::start(&scenario, 1.0).unwrap();
    let took = started.elapsed();
    let after = resident();
    let scopes = sim.look(|world| world.scopes().count());
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of one process")]
    let mib = after.saturating_sub(before) as f64 / 1024.0;
    println!(
        "a world of {TEDS} TEDs in {scopes} scope(s)          {:>6.1} MiB, built in {} ms",
        mib,
        took.as_millis()
    );
}

/// Resident memory in KiB, as Linux tells it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
