//! Both doors, every fault, and requests that are not what they should be.

use super::*;
use crate::connector::InProcess;
use crate::faults::{Delay, Fault, Pattern};
use crate::server::{Handle, Server};
use crate::spec::Effect;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body_util::BodyExt as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const FORM: &str = "application/x-www-form-urlencoded";
const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const MINUTE: Duration = Duration::from_mins(1);

fn sim() -> Sim {
    Sim::start(&Scenario::named("default").unwrap(), 1.0).unwrap()
}

/// `Credential=…` of a signature that has the right form.
fn authorization(scope: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=111122223333/{scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
        "0".repeat(64)
    )
}

fn signed(
    method: &str,
    path: &str,
    scope: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("x-amz-date", "20260801T100000Z");
    let request =
        request.header("authorization", authorization(scope)).header("user-agent", "test");
    headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value))
        .body(body.into())
        .unwrap()
}

fn who() -> Request<Bytes> {
    signed("POST", "/", "20260801/us-east-2/sts", &[("content-type", FORM)], WHO)
}

/// A call that needs a permission.
fn stacks() -> Request<Bytes> {
    signed(
        "POST",
        "/",
        "20260801/us-east-2/cloudformation",
        &[("content-type", FORM)],
        "Action=ListStacks&Version=2010-05-15",
    )
}

fn whole(delivery: Delivery) -> Response<Bytes> {
    match delivery {
        Delivery::Whole(response) => response,
        other => panic!("not delivered whole: {other:?}"),
    }
}

fn text(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[tokio::test]
async fn a_request_that_is_not_right_gets_the_error_of_aws() {
    let json = ("content-type", "application/x-amz-json-1.1");
    let target = |operation: &str| format!("AWS242ServiceCatalogService.{operation}");
    let unsigned = |request: Request<Bytes>| {
        let (mut parts, body) = request.into_parts();
        parts.headers.remove("authorization");
        Request::from_parts(parts, body)
    };
    let day = "20260801/us-east-2/";
    let scoped = |service: &str| format!("{day}{service}");
    for (why, request, status, code) in [
        ("nothing at all", Request::new(Bytes::new()), 403, "MissingAuthenticationToken"),
        (
            "garbage",
            Request::builder()
                .method("BREW")
                .uri("/coffee")
                .body(Bytes::from_static(b"\xff\0"))
                .unwrap(),
            403,
            "MissingAuthenticationToken",
        ),
        ("unsigned Query", unsigned(who()), 403, "MissingAuthenticationToken"),
        (
            "unsigned JSON",
            unsigned(signed(
                "POST",
                "/",
                &scoped("servicecatalog"),
                &[json, ("x-amz-target", &target("X"))],
                "{}",
            )),
            400,
            "MissingAuthenticationTokenException",
        ),
        (
            "basic authentication",
            Request::builder()
                .uri("/")
                .header("authorization", "Basic YTpi")
                .body(Bytes::new())
                .unwrap(),
            403,
            "IncompleteSignature",
        ),
        (
            "a service that is not simulated",
            signed("POST", "/", &scoped("ec2"), &[], ""),
            400,
            "InvalidAction",
        ),
        (
            "the day before",
            signed("POST", "/", "20260731/us-east-2/sts", &[("content-type", FORM)], WHO),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "no region",
            signed("POST", "/", "20260801/here/sts", &[("content-type", FORM)], WHO),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "scope of another service",
            signed("POST", "/", &scoped("rds"), &[("content-type", FORM)], WHO),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "no action",
            signed("POST", "/", &scoped("sts"), &[("content-type", FORM)], ""),
            400,
            "MissingAction",
        ),
        (
            "unknown action",
            signed(
                "POST",
                "/",
                &scoped("sts"),
                &[("content-type", FORM)],
                "Action=Nope&Version=2011-06-15",
            ),
            400,
            "InvalidAction",
        ),
        (
            "another API version",
            signed(
                "POST",
                "/",
                &scoped("sts"),
                &[("content-type", FORM)],
                "Action=GetCallerIdentity&Version=1999-01-01",
            ),
            400,
            "InvalidAction",
        ),
        (
            "unknown target",
            signed(
                "POST",
                "/",
                &scoped("servicecatalog"),
                &[json, ("x-amz-target", &target("Nope"))],
                "{}",
            ),
            400,
            "UnknownOperationException",
        ),
        (
            "unknown path",
            signed("GET", "/nowhere", &scoped("lambda"), &[], ""),
            404,
            "UnknownOperationException",
        ),
        (
            "missing member",
            signed(
                "POST",
                "/",
                &scoped("sts"),
                &[("content-type", FORM)],
                "Action=AssumeRole&Version=2011-06-15",
            ),
            400,
            "ValidationError",
        ),
        (
            "too much",
            signed(
                "POST",
                "/",
                &scoped("sts"),
                &[("content-type", FORM)],
                vec![b'a'; MAX_BODY + 1],
            ),
            413,
            "RequestEntityTooLarge",
        ),
        (
            "a form that nests for ever",
            signed(
                "POST",
                "/",
                &scoped("sts"),
                &[("content-type", FORM)],
                format!("Action=GetCallerIdentity&Version=2011-06-15&{}=x", "a.".repeat(5000)),
            ),
            400,
            "MalformedInput",
        ),
    ] {
        let sim = sim();
        let response = whole(sim.serve(request).await);
        let found = response
            .headers()
            .get("x-amzn-errortype")
            .map_or_else(|| text(&response), |kind| kind.to_str().unwrap().to_owned());
        assert!(found.contains(code), "{why}: {found}");
        assert_eq!(response.status().as_u16(), status, "{why}");
        assert!(response.headers().contains_key("x-amzn-requestid"), "{why}");
        assert_eq!(response.headers()["date"], "Sat, 01 Aug 2026 10:00:00 GMT", "{why}");
        assert_eq!(sim.log().len(), 1, "{why}: it is in the log");
        assert_eq!(sim.log()[0].error_code.as_deref(), Some(code), "{why}");
    }
}

#[tokio::test]
async fn a_call_is_logged_with_everything_about_it() {
    let sim = sim();
    let response = whole(sim.serve(who()).await);
    let entry = sim.log().remove(0);
    assert_eq!(
        (entry.sequence, entry.service, entry.operation.as_str(), entry.effect),
        (1, Some("sts"), "GetCallerIdentity", Some(Effect::Read))
    );
    assert_eq!(
        (entry.caller.as_str(), entry.account.as_str(), entry.region.as_str()),
        ("arn:aws:iam::111122223333:user/admin", "111122223333", "us-east-2")
    );
    assert_eq!(
        (entry.status, entry.error_code, entry.fault, entry.user_agent.as_str()),
        (Some(200), None, None, "test")
    );
    assert_eq!(response.headers()["x-amzn-requestid"], entry.request_id.as_str());
}

/// What a client sees of an answer.
#[derive(Debug, PartialEq)]
enum Seen {
    Answer(u16, String),
    Closed,
    Cut,
    Nothing,
}

/// Every fault with what a client then sees, and whether the call was carried out.
fn faults() -> Vec<(Fault, Seen, bool)> {
    let error = |status, code: &str| Seen::Answer(status, code.to_owned());
    vec![
        (Fault::Throttle, error(400, "Throttling"), true),
        (Fault::InternalFailure, error(500, "InternalFailure"), true),
        (Fault::ServiceUnavailable, error(503, "ServiceUnavailable"), true),
        (Fault::Latency(Delay::fixed(Duration::from_millis(5))), error(200, ""), true),
        (Fault::Hang, Seen::Nothing, false),
        (Fault::Drop, Seen::Closed, false),
        (Fault::LostAnswer, Seen::Closed, true),
        (Fault::Silence, Seen::Nothing, true),
        (Fault::Truncate, Seen::Cut, true),
        (Fault::AccessDenied, error(403, "AccessDenied"), true),
        (Fault::ExpiredCredentials, error(403, "ExpiredToken"), true),
        (Fault::Stale { lag: MINUTE }, error(200, ""), true),
        (
            Fault::Error {
                code: "OptInRequired".to_owned(),
                message: "no".to_owned(),
                status: 403,
            },
            error(403, "OptInRequired"),
            true,
        ),
    ]
}

fn code_of(body: &str) -> String {
    body.split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map_or(String::new(), |(code, _)| code.to_owned())
}

fn check(seen: &Seen, expected: &Seen, answered: bool, sim: &Sim, fault: &Fault) {
    assert_eq!(seen, expected, "{fault:?}");
    let log = sim.log();
    assert_eq!(log.len(), 1, "{fault:?}");
    assert_eq!(log[0].fault.as_deref(), Some(fault.kind()));
    assert_eq!(log[0].status.is_some(), answered, "{fault:?}: {:?}", log[0]);
}

#[tokio::test(start_paused = true)]
async fn every_fault_reaches_a_client_in_process() {
    for (fault, expected, answered) in faults() {
        let sim = sim();
        sim.add_fault(Rule::always(fault.clone()));
        let request =
            HttpRequest::try_from(stacks().map(aws_smithy_types::body::SdkBody::from)).unwrap();
        let seen =
            match tokio::time::timeout(MINUTE, InProcess::new(sim.clone(), None).call(request))
                .await
            {
                Err(_) => Seen::Nothing,
                Ok(Err(error)) => {
                    assert!(error.is_io(), "{fault:?}: {error:?}");
                    Seen::Closed
                }
                Ok(Ok(response)) => {
                    let status = response.status().as_u16();
                    match response.into_body().collect().await {
                        Err(_) => Seen::Cut,
                        Ok(body) => Seen::Answer(
                            status,
                            code_of(&String::from_utf8_lossy(&body.to_bytes())),
                        ),
                    }
                }
            };
        check(&seen, &expected, answered, &sim, &fault);
    }
}

async fn serve(sim: &Sim) -> (SocketAddr, Handle) {
    Server::new(sim.clone()).bind("127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn bytes_of(request: &Request<Bytes>) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\ncontent-length: {}\r\n",
        request.method(),
        request.uri(),
        request.body().len()
    );
    for (name, value) in request.headers() {
        head += &[name.as_str(), ": ", value.to_str().unwrap(), "\r\n"].concat();
    }
    [head.as_bytes(), b"\r\n", request.body()].concat()
}

/// Reads one answer: its status and body, or how it ended.
async fn read_answer(stream: &mut TcpStream) -> Seen {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse::<usize>().unwrap());
            if body.len() >= length {
                return Seen::Answer(head[9..12].parse().unwrap(), code_of(body));
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) if read.is_empty() => return Seen::Closed,
            Ok(0) | Err(_) => {
                let (head, body) =
                    text.split_once("\r\n\r\n").expect("a truncated answer has its headers");
                assert!(head.starts_with("HTTP/1.1 200") && !body.is_empty(), "{text}");
                return Seen::Cut;
            }
            Ok(count) => read.extend_from_slice(&chunk[..count]),
        }
    }
}

#[tokio::test]
async fn every_fault_reaches_a_client_over_http() {
    for (fault, expected, answered) in faults() {
        let sim = sim();
        sim.add_fault(Rule::always(fault.clone()));
        let (address, handle) = serve(&sim).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&bytes_of(&stacks())).await.unwrap();
        let seen = if expected == Seen::Nothing {
            // Nothing can be waited for here but the fault itself: once it struck, the connection is still open and silent.
            while sim.log().is_empty() {
                tokio::task::yield_now().await;
            }
            let quiet =
                tokio::time::timeout(Duration::from_millis(50), read_answer(&mut stream)).await;
            quiet.unwrap_or(Seen::Nothing)
        } else {
            read_answer(&mut stream).await
        };
        check(&seen, &expected, answered, &sim, &fault);
        handle.shut_down(Duration::ZERO).await;
    }
}

#[tokio::test]
async fn connections_are_kept_alive_and_served_at_the_same_time() {
    let sim = sim();
    sim.add_fault(Rule { nth: Some(1), ..Rule::always(Fault::Hang) });
    let (address, handle) = serve(&sim).await;
    let mut hanging = TcpStream::connect(address).await.unwrap();
    hanging.write_all(&bytes_of(&who())).await.unwrap();
    while sim.log().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for _ in 0..5 {
                stream.write_all(&bytes_of(&who())).await.unwrap();
                assert_eq!(read_answer(&mut stream).await, Seen::Answer(200, String::new()));
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    assert_eq!(sim.log().len(), 41);
    handle.shut_down(Duration::ZERO).await;
    assert_eq!(read_answer(&mut hanging).await, Seen::Closed, "a shutdown closes what hangs");
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_log() {
    let run = |seed: &'static str| async move {
        let mut scenario = Scenario::named("default").unwrap();
        scenario.world.seed = seed.to_owned();
        scenario.faults = vec![
            Rule { probability: Some(0.4), ..Rule::always(Fault::Throttle) },
            Rule { probability: Some(0.3), ..Rule::always(Fault::LostAnswer) },
        ];
        let sim = Sim::start(&scenario, 0.0).unwrap();
        for _ in 0..50 {
            sim.serve(who()).await;
            sim.clock().advance(Duration::from_secs(7));
        }
        serde_json::to_string(&sim.log()).unwrap()
    };
    let first = run("a word").await;
    assert_eq!(first, run("a word").await);
    assert_ne!(first, run("another").await);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_sockets_keeps_its_read_timeout() {
    let sim = sim();
    sim.add_fault(Rule::always(Fault::Hang));
    let request = HttpRequest::try_from(who().map(aws_smithy_types::body::SdkBody::from)).unwrap();
    let error = InProcess::new(sim, Some(MINUTE)).call(request).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_denial_stops_a_call_but_not_the_question_who_one_is() {
    let sim = sim();
    sim.act(&scenario::Action::Deny {
        principal: "caller".to_owned(),
        actions: vec!["*".to_owned()],
        kind: scenario::DenyKind::Explicit,
    })
    .unwrap();
    assert_eq!(whole(sim.serve(who()).await).status(), 200);
    let describe = || {
        signed(
            "POST",
            "/",
            "20260801/us-east-2/cloudformation",
            &[("content-type", FORM)],
            "Action=DescribeStacks&Version=2010-05-15&StackName=SC-1",
        )
    };
    let response = whole(sim.serve(describe()).await);
    assert_eq!(
        (response.status().as_u16(), code_of(&text(&response)).as_str()),
        (403, "AccessDenied")
    );
    assert!(text(&response).contains("cloudformation:DescribeStacks on resource: arn:aws:cloudformation:us-east-2:111122223333:stack/SC-1/* with an explicit deny"), "{}", text(&response));
    sim.act(&scenario::Action::Allow).unwrap();
    assert_eq!(code_of(&text(&whole(sim.serve(describe()).await))), "ValidationError");
}

#[tokio::test]
async fn faults_narrow_by_caller_and_time() {
    let sim = sim();
    let rule = Rule {
        service: Some(Pattern("sts".to_owned())),
        caller: Some(Pattern("*user/admin".to_owned())),
        after: Some(MINUTE),
        ..Rule::always(Fault::Throttle)
    };
    sim.add_fault(rule);
    assert_eq!(whole(sim.serve(who()).await).status(), 200);
    sim.clock().advance(MINUTE);
    assert_eq!(whole(sim.serve(who()).await).status(), 400);
    sim.clear_faults();
    assert_eq!(whole(sim.serve(who()).await).status(), 200);
}

#[tokio::test]
async fn only_loopback_is_listened_on_unless_told() {
    let refused = Server::new(sim()).bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
    assert!(Server::new(sim()).beyond_loopback().bind("0.0.0.0:0".parse().unwrap()).await.is_ok());
}
