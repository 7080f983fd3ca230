//! Sessions: made once, allowed roles only, the right account, and the real HTTP client.

use super::*;
use crate::aws::Kind;
use crate::aws::tests::canned::{Canned, Reply, ok};
use std::io::{Read as _, Write as _};

const WHO: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

fn options() -> SessionsOptions {
    SessionsOptions {
        region: Some("us-east-2".to_owned()),
        seed: Some(1),
        ..SessionsOptions::default()
    }
}

fn by_role(arn: &str) -> Target {
    let role = Role { arn: arn.to_owned(), external_id: Some("agreed".to_owned()) };
    Target { region: None, role: Some(role) }
}

#[tokio::test]
async fn a_session_is_made_once_for_a_role_and_region() {
    let sessions = Canned::default().sessions(options());
    let first = sessions.session(&Target::default()).await.unwrap();
    let same = sessions
        .session(&Target { region: Some("us-east-2".to_owned()), role: None })
        .await
        .unwrap();
    let other = sessions
        .session(&Target { region: Some("eu-west-1".to_owned()), role: None })
        .await
        .unwrap();
    assert!(Arc::ptr_eq(&first.0, &same.0));
    assert!(!Arc::ptr_eq(&first.0, &other.0));
    assert_eq!(other.region(), "eu-west-1");
}

#[tokio::test]
async fn without_a_region_or_with_a_strange_one_there_is_no_session() {
    let sessions = Canned::default().sessions(SessionsOptions::default());
    let error = sessions.session(&Target::default()).await.unwrap_err();
    assert_eq!((&error, error.reason()), (&SessionError::NoRegion, "NoRegion"));
    assert!(error.hint().unwrap().contains("AWS_REGION"));
    for region in ["us-east-2.evil.example", "us east", "\u{1b}[31m", "US-EAST-2"] {
        let target = Target { region: Some(region.to_owned()), role: None };
        assert!(
            matches!(sessions.session(&target).await, Err(SessionError::BadRegion(_))),
            "{region}"
        );
    }
}

#[tokio::test]
async fn only_roles_on_the_list_are_assumed() {
    let allowed = vec![RolePattern::new("arn:aws:iam::111122223333:role/ted-*").unwrap()];
    let sessions =
        Canned::default().sessions(SessionsOptions { allowed_roles: allowed, ..options() });
    for (arn, fits) in [
        ("arn:aws:iam::111122223333:role/ted-controller", true),
        ("arn:aws:iam::111122223333:role/admin", false),
        ("arn:aws:iam::999900001111:role/ted-controller", false),
    ] {
        let session = sessions.session(&by_role(arn)).await;
        assert_eq!(session.is_ok(), fits, "{arn}");
    }
    let none = Canned::default().sessions(options());
    let target = by_role("arn:aws:iam::111122223333:role/ted-controller");
    assert!(
        matches!(none.session(&target).await, Err(SessionError::RoleNotAllowed(_))),
        "no list, no roles"
    );
}

fn assuming(wire: &Canned) -> (Sessions, Target) {
    let allowed = vec![RolePattern::new("arn:aws:iam::111122223333:role/ted-*").unwrap()];
    let sessions = wire.sessions(SessionsOptions { allowed_roles: allowed, ..options() });
    (sessions, by_role("arn:aws:iam::111122223333:role/ted-controller"))
}

#[tokio::test]
async fn a_role_is_assumed_once_under_our_name_and_used() {
    let assumed = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    let wire = Canned::new([ok(assumed), ok(r#"{"Functions":[]}"#), ok(r#"{"Functions":[]}"#)]);
    let (sessions, target) = assuming(&wire);
    let reader = sessions.session(&target).await.unwrap().reader();
    for _ in 0..2 {
        reader.functions().await.unwrap();
    }
    let asked = wire.asked();
    assert_eq!(asked.len(), 3, "one assumption for both calls");
    assert!(
        asked[0].body.contains("RoleSessionName=ted-controller")
            && asked[0].body.contains("ExternalId=agreed")
    );
    assert!(asked[1].header("authorization").unwrap().contains("ASIAROLE"));
    assert_eq!(
        sessions.requests()[0].0.account,
        "111122223333",
        "known from the role, before AWS tells"
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_is_a_denial_by_sts() {
    let denial = "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ted-controller";
    let wire = Canned::new([crate::aws::tests::canned::xml_error(403, "AccessDenied", denial)]);
    let (sessions, target) = assuming(&wire);
    let error = sessions.session(&target).await.unwrap().reader().functions().await.unwrap_err();
    assert_eq!((error.service, error.operation.as_str()), (Service::Sts, "AssumeRole"));
    let Kind::Denied(denial) = &error.kind else { panic!("{error}") };
    assert_eq!(denial.action.as_deref(), Some("sts:AssumeRole"));
}

#[tokio::test]
async fn the_account_is_asked_once_and_checked() {
    let wire = Canned::new([ok(WHO)]);
    let sessions =
        wire.sessions(SessionsOptions { account: Some("111122223333".to_owned()), ..options() });
    let session = sessions.session(&Target::default()).await.unwrap();
    assert_eq!(session.identity().await.unwrap().account, "111122223333");
    session.check_account("111122223333").await.unwrap();
    let error = session.check_account("999900001111").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the credentials are those of account 111122223333 (`arn:aws:iam::111122223333:user/u`), not of 999900001111"
    );
    assert_eq!(wire.asked().len(), 1);
}

#[tokio::test]
async fn another_account_than_the_pinned_one_is_refused() {
    let sessions = Canned::new([ok(WHO)])
        .sessions(SessionsOptions { account: Some("999900001111".to_owned()), ..options() });
    let session = sessions.session(&Target::default()).await.unwrap();
    assert!(matches!(session.identity().await, Err(SessionError::WrongAccount { .. })));
}

#[tokio::test]
async fn requests_name_us_and_carry_no_retry_of_the_sdk() {
    let wire = Canned::new([ok(WHO)]);
    wire.session().await.identity().await.unwrap();
    let asked = &wire.asked()[0];
    let agent = asked.header("user-agent").unwrap();
    assert!(agent.contains(&format!("app/{APP_NAME}")), "{agent}");
    assert_eq!(asked.header("amz-sdk-request"), Some("attempt=1; max=1"));
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_are_said_once_and_clearly() {
    let wire = Canned::default();
    let options = options();
    let mut sessions = wire.sessions(options);
    let chain = aws_credential_types::provider::error::CredentialsError::not_loaded(
        "no providers in chain provided credentials",
    );
    let message = std::sync::Mutex::new(Some(chain));
    let provider = aws_credential_types::credential_fn::provide_credentials_fn(move || {
        let error = message.lock().unwrap().take().unwrap_or_else(
            aws_credential_types::provider::error::CredentialsError::not_loaded_no_source,
        );
        async move { Err::<Credentials, _>(error) }
    });
    sessions.base = sessions
        .base
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build();
    let error =
        sessions.session(&Target::default()).await.unwrap().reader().functions().await.unwrap_err();
    assert_eq!(error.kind, Kind::NoCredentials, "{error}");
    assert!(error.hint().unwrap().contains("AWS_PROFILE"));
    assert!(!error.may_have_arrived());
    assert!(wire.asked().is_empty());
}

/// Sessions over the real HTTP client, towards this host.
fn over_http(port: u16) -> Sessions {
    let wire = InProcess {
        http_client: wire::https_client(),
        credentials: Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"),
        time_source: None,
    };
    let mut sessions = Sessions::in_process(options(), wire);
    sessions.base =
        sessions.base.to_builder().endpoint_url(format!("http://127.0.0.1:{port}")).build();
    sessions
}

#[tokio::test]
async fn the_real_client_speaks_plain_http_to_an_endpoint_and_reads_the_date() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ndate: Sat, 01 Aug 2026 10:00:00 GMT\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            WHO.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(WHO.as_bytes()).unwrap();
    });
    let session = over_http(port).session(&Target::default()).await.unwrap();
    assert_eq!(session.identity().await.unwrap().account, "111122223333");
    assert_eq!(session.aws_now().unwrap().to_string(), "2026-08-01T10:00:00Z");
    server.join().unwrap();
}

#[tokio::test]
async fn a_refused_connection_provably_never_arrived() {
    // A port that was free a moment ago, and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut sessions = over_http(port);
    sessions.options.retry.max_attempts = 1;
    let error =
        sessions.session(&Target::default()).await.unwrap().reader().functions().await.unwrap_err();
    assert_eq!(error.kind, Kind::Transport { may_have_arrived: false }, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_may_have_arrived() {
    let mut sessions = Canned::new([Reply::Break]).sessions(options());
    sessions.options.retry.max_attempts = 1;
    let error =
        sessions.session(&Target::default()).await.unwrap().reader().functions().await.unwrap_err();
    assert_eq!(error.kind, Kind::Transport { may_have_arrived: true });
}
