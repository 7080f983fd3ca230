//! AWS Security Token Service: who am I, and sessions of roles.

use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::services::iam::policy::Policy;
use crate::services::iam::{Credentials, Principal};
use crate::spec::{Member, Operation, Shape, list, opt, pattern, req, text};
use std::time::Duration;

/// How long a session lasts when the request does not say (STS API reference, `AssumeRole`).
const DEFAULT_SESSION_SECONDS: i64 = 3600;
/// Sessions of sessions last at most this long (IAM user guide, "Role chaining").
const CHAINED_SESSION: Duration = Duration::from_hours(1);

const PRINTABLE: &str =
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";
const ARN: Shape = pattern(20, 2048, PRINTABLE);
const NAME: Shape = pattern(2, 64, r"[\w+=,.@-]*");
const TAG_KEY: Shape = pattern(1, 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+");

static POLICY_ARN: [Member; 1] = [opt("arn", ARN)];
static TAG: [Member; 2] =
    [req("Key", TAG_KEY), req("Value", pattern(0, 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"))];
static CONTEXT: [Member; 2] = [opt("ProviderArn", ARN), opt("ContextAssertion", text(4, 2048))];

static ASSUME_ROLE: [Member; 13] = [
    req("RoleArn", ARN),
    req("RoleSessionName", NAME),
    opt("PolicyArns", list(&Shape::Struct(&POLICY_ARN))),
    opt("Policy", pattern(1, usize::MAX, r"[\u0009\u000A\u000D\u0020-\u00FF]+")),
    opt("DurationSeconds", Shape::Int { min: 900, max: 43200 }),
    opt("Tags", Shape::List { item: &Shape::Struct(&TAG), name: "member", max: 50 }),
    opt("TransitiveTagKeys", Shape::List { item: &TAG_KEY, name: "member", max: 50 }),
    opt("ExternalId", pattern(2, 1224, r"[\w+=,.@:\/-]*")),
    opt("SerialNumber", pattern(9, 256, r"[\w+=/:,.@-]*")),
    opt("TokenCode", pattern(6, 6, r"[\d]*")),
    opt("SourceIdentity", NAME),
    opt("ProvidedContexts", Shape::List { item: &Shape::Struct(&CONTEXT), name: "member", max: 5 }),
    opt("MinimumSessionTokenSize", Shape::Int { min: 0, max: 4096 }),
];

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::read("GetCallerIdentity", &[], get_caller_identity),
    Operation::write("AssumeRole", &ASSUME_ROLE, assume_role),
];

#[expect(clippy::unnecessary_wraps, reason = "the signature of every operation")]
fn get_caller_identity(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let id = call.caller.unique_id();
    Ok(Map::new()
        .with("Arn", &call.caller.arn)
        .with("UserId", id)
        .with("Account", &call.caller.account))
}

fn assume_role(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let role_arn = call.input.need("RoleArn").to_owned();
    let session_name = call.input.need("RoleSessionName").to_owned();
    call.world.iam.authorize(&call.caller, "sts:AssumeRole", &role_arn)?;
    let refused = || {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            call.caller.arn
        );
        ApiError::new("AccessDenied", message).with_status(403)
    };
    let trust = call
        .world
        .iam
        .assumable(&role_arn, &call.caller, call.input.text("ExternalId"))
        .ok_or_else(refused)?;
    let session = Principal::of_role(&role_arn, &session_name).ok_or_else(refused)?;
    let lasts = duration(call, trust.max_session)?;
    let narrowed =
        call.input.text("Policy").map(|document| Policy::parse("session", document)).transpose();
    let narrowed =
        narrowed.map_err(|error| ApiError::new("MalformedPolicyDocument", error.to_string()))?;
    let (credentials, secret) = credentials(call, lasts);
    let now = call.now();
    call.world.iam.issue(&session, &credentials, narrowed, now);
    let id = session.unique_id();
    Ok(Map::new()
        .with(
            "Credentials",
            Map::new()
                .with("AccessKeyId", &credentials.access_key)
                .with("SecretAccessKey", secret)
                .with("SessionToken", &credentials.token)
                .with("Expiration", credentials.expires),
        )
        .with("AssumedRoleUser", Map::new().with("AssumedRoleId", id).with("Arn", &session.arn))
        .maybe("SourceIdentity", call.input.text("SourceIdentity")))
}

fn duration(call: &Call<'_>, role_allows: Duration) -> Result<Duration, ApiError> {
    let seconds = call.input.int("DurationSeconds").unwrap_or(DEFAULT_SESSION_SECONDS);
    let asked = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    if call.caller.session().is_some() && asked > CHAINED_SESSION {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
        return Err(ApiError::new("ValidationError", message));
    }
    if asked > role_allows {
        return Err(ApiError::new(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(asked)
}

/// New credentials, and their secret: no signature is checked, so nobody needs to remember it.
fn credentials(call: &mut Call<'_>, lasts: Duration) -> (Credentials, String) {
    let mut digits = |length: usize| {
        let mut text = String::with_capacity(length + 32);
        while text.len() < length {
            text.push_str(&call.world.uuid().replace('-', ""));
        }
        text.truncate(length);
        text
    };
    let access_key = format!("ASIA{}", digits(16).to_uppercase());
    let (secret, token) = (digits(40), format!("IQoJb3JpZ2luX2Vj{}", digits(240)));
    (Credentials { access_key, token, expires: call.now() + lasts }, secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;
    use crate::options::Options;
    use crate::services::iam::testing::{ACCOUNT, admin, ask, ask_as, at, pass, text, world};
    use crate::services::iam::{Denial, DenialKind, Trust};
    use crate::spec::Service;
    use crate::world::World;
    use serde_json::{Value, json};

    const ROLE: &str = "arn:aws:iam::444455556666:role/TedController";

    fn trusting(trust: Trust) -> World {
        let mut world = world(Options::default());
        world.iam.add_account("444455556666", "aws");
        world.iam.add_role(ROLE, trust);
        world
    }

    fn assume(world: &mut World, caller: Principal, extra: &Value) -> Result<Map, ApiError> {
        let mut input = json!({"RoleArn": ROLE, "RoleSessionName": "ted-controller"});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ask_as(world, caller, Service::Sts, "AssumeRole", &input)
    }

    #[test]
    fn a_session_acts_in_the_account_of_its_role_until_it_ends() {
        let mut world = trusting(Trust::of([ACCOUNT]));
        let answer = assume(&mut world, admin(), &json!({"DurationSeconds": 900})).unwrap();
        let member = |name: &str| text(&answer, &format!("Credentials.{name}")).unwrap();
        let (key, token) = (member("AccessKeyId"), member("SessionToken"));
        assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
        assert_eq!(
            at(&answer, "Credentials.Expiration"),
            Some(&Node::Time(world.now() + Duration::from_mins(15)))
        );
        let arn = "arn:aws:sts::444455556666:assumed-role/TedController/ted-controller";
        assert_eq!(text(&answer, "AssumedRoleUser.Arn").as_deref(), Some(arn));
        let caller = world.iam.principal_for(&key, Some(&token), true, world.now()).unwrap();
        assert_eq!(caller, Principal { arn: arn.to_owned(), account: "444455556666".to_owned() });
        let identity =
            ask_as(&mut world, caller, Service::Sts, "GetCallerIdentity", &json!({})).unwrap();
        assert_eq!(text(&identity, "Account").as_deref(), Some("444455556666"));
        assert_eq!(text(&identity, "UserId"), text(&answer, "AssumedRoleUser.AssumedRoleId"));
        pass(&mut world, 900);
        assert_eq!(
            world.iam.principal_for(&key, Some(&token), true, world.now()).unwrap_err().code,
            "ExpiredToken"
        );
    }

    #[test]
    fn trust_and_limits_decide() {
        let long = |trust: Trust| Trust { max_session: Duration::from_hours(12), ..trust };
        let secret = Trust { external_id: Some("s3cret".to_owned()), ..Trust::of([ACCOUNT]) };
        let chained = Principal::of_role("arn:aws:iam::111122223333:role/Ci", "run").unwrap();
        for (why, trust, caller, extra, code) in [
            ("trusted", Trust::of([ACCOUNT]), admin(), json!({}), None),
            ("not trusted", Trust::of(["555566667777"]), admin(), json!({}), Some("AccessDenied")),
            (
                "with the external id",
                secret.clone(),
                admin(),
                json!({"ExternalId": "s3cret"}),
                None,
            ),
            ("without the external id", secret.clone(), admin(), json!({}), Some("AccessDenied")),
            (
                "with another external id",
                secret,
                admin(),
                json!({"ExternalId": "other"}),
                Some("AccessDenied"),
            ),
            (
                "an external id nobody asked for",
                Trust::of(["*"]),
                admin(),
                json!({"ExternalId": "other"}),
                None,
            ),
            (
                "longer than the role allows",
                Trust::of(["*"]),
                admin(),
                json!({"DurationSeconds": 3601}),
                Some("ValidationError"),
            ),
            (
                "as long as the role allows",
                long(Trust::of(["*"])),
                admin(),
                json!({"DurationSeconds": 43200}),
                None,
            ),
            (
                "longer than AWS allows",
                long(Trust::of(["*"])),
                admin(),
                json!({"DurationSeconds": 43201}),
                Some("ValidationError"),
            ),
            (
                "shorter than AWS allows",
                Trust::of(["*"]),
                admin(),
                json!({"DurationSeconds": 899}),
                Some("ValidationError"),
            ),
            (
                "a chained hour",
                long(Trust::of(["*"])),
                chained.clone(),
                json!({"DurationSeconds": 3600}),
                None,
            ),
            (
                "more than a chained hour",
                long(Trust::of(["*"])),
                chained,
                json!({"DurationSeconds": 3601}),
                Some("ValidationError"),
            ),
            (
                "another role",
                Trust::of(["*"]),
                admin(),
                json!({"RoleArn": format!("{ROLE}2")}),
                Some("AccessDenied"),
            ),
            (
                "a bad name",
                Trust::of(["*"]),
                admin(),
                json!({"RoleSessionName": "a b"}),
                Some("ValidationError"),
            ),
            (
                "a bad policy",
                Trust::of(["*"]),
                admin(),
                json!({"Policy": "{}"}),
                Some("MalformedPolicyDocument"),
            ),
        ] {
            let found = assume(&mut trusting(trust), caller, &extra);
            assert_eq!(found.err().map(|error| error.code).as_deref(), code, "{why}");
        }
    }

    #[test]
    fn a_denied_caller_is_told_so_but_knows_who_it_is() {
        let mut world = trusting(Trust::of(["*"]));
        world.iam.deny(Denial {
            principal: "caller".to_owned(),
            action: "sts:*".to_owned(),
            resource: "*".to_owned(),
            kind: DenialKind::Scp,
        });
        let error = assume(&mut world, admin(), &json!({})).unwrap_err();
        assert!(
            error.message.ends_with("with an explicit deny in a service control policy"),
            "{}",
            error.message
        );
        assert_eq!(error.status, 403);
        let identity = ask(&mut world, Service::Sts, "GetCallerIdentity", &json!({})).unwrap();
        assert_eq!(text(&identity, "Arn"), Some(admin().arn));
        assert!(text(&identity, "UserId").unwrap().starts_with("AIDA"));
    }
}
