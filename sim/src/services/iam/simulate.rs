//! `SimulatePrincipalPolicy`: would the policies of a user or role allow these actions?
//!
//! Evaluated are the principal's own policies, scenario denials, and the policies and boundaries in the request. Accepted and ignored:
//! `ContextEntries` beyond naming what is missing (conditions are not evaluated), `ResourcePolicy`, `ResourceOwner`, `CallerArn`,
//! `ResourceHandlingOption` and `PolicyExclusionList`. Positions of statements are not reported.

use super::decide::{Decision, Layer, Supposed};
use super::policy::Policy;
use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::services::paging::page;
use crate::spec::{Member, Operation, Shape, TEXT, list, opt, pattern, req, text};

const ARN: Shape = text(20, 2048);
const DOCUMENT: Shape = pattern(1, 131_072, r"[\u0009\u000A\u000D\u0020-\u00FF]+");
const NAME: Shape = pattern(1, 128, r"[\w+=,.@-]+");
const RESOURCE: Shape = text(1, 2048);
/// Results of one page when the request does not say.
const DEFAULT_PAGE: usize = 100;

static INLINE_POLICY: [Member; 3] = [
    req("PolicyName", NAME),
    req("AttachmentType", Shape::Enum(&["user", "group", "role"])),
    req("AttachmentName", NAME),
];

static EXCLUSION: [Member; 3] = [
    opt(
        "PolicyType",
        Shape::Enum(&[
            "inline",
            "aws-managed",
            "user-managed",
            "permission-boundary",
            "scp",
            "rcp",
        ]),
    ),
    opt("PolicyArn", ARN),
    opt("InlinePolicyIdentifier", Shape::Struct(&INLINE_POLICY)),
];

static CONTEXT_ENTRY: [Member; 3] = [
    opt("ContextKeyName", text(5, 256)),
    opt("ContextKeyValues", list(&TEXT)),
    opt(
        "ContextKeyType",
        Shape::Enum(&[
            "string",
            "stringList",
            "numeric",
            "numericList",
            "boolean",
            "booleanList",
            "ip",
            "ipList",
            "binary",
            "binaryList",
            "date",
            "dateList",
        ]),
    ),
];

static INPUT: [Member; 13] = [
    req("PolicySourceArn", ARN),
    opt("PolicyInputList", list(&DOCUMENT)),
    opt("PermissionsBoundaryPolicyInputList", list(&DOCUMENT)),
    opt(
        "PolicyExclusionList",
        Shape::List { item: &Shape::Struct(&EXCLUSION), name: "member", max: 256 },
    ),
    req("ActionNames", list(&text(3, 128))),
    opt("ResourceArns", list(&RESOURCE)),
    opt("ResourcePolicy", DOCUMENT),
    opt("ResourceOwner", RESOURCE),
    opt("CallerArn", RESOURCE),
    opt("ContextEntries", list(&Shape::Struct(&CONTEXT_ENTRY))),
    opt("ResourceHandlingOption", text(1, 64)),
    opt("MaxItems", Shape::Int { min: 1, max: 1000 }),
    opt("Marker", pattern(1, 320, r"[\u0020-\u00FF]+")),
];

pub(crate) const OPERATIONS: &[Operation] =
    &[Operation::read("SimulatePrincipalPolicy", &INPUT, simulate)];

fn simulate(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let arn = call.input.need("PolicySourceArn");
    let supposed = Supposed {
        policies: documents(call, "PolicyInputList")?,
        boundary: Some(documents(call, "PermissionsBoundaryPolicyInputList")?)
            .filter(|boundary| !boundary.is_empty()),
    };
    check_source(call, arn)?;
    let actions = call.input.texts("ActionNames");
    if let Some(wrong) = actions.iter().find(|action| !action.contains(':')) {
        return Err(ApiError::new("InvalidInput", format!("Invalid Action: {wrong}")));
    }
    let mut resources = call.input.texts("ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let pairs =
        actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
    let size = call
        .input
        .int("MaxItems")
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(DEFAULT_PAGE);
    let page =
        page(pairs, "simulation", call.input.text("Marker"), size, call.world.options.page_size)
            .map_err(|_| ApiError::new("InvalidInput", "Invalid Marker."))?;
    let missing = missing_keys(call, arn, &supposed);
    let results: Vec<Map> = page
        .items
        .into_iter()
        .map(|(action, resource)| result(call, arn, action, resource, &supposed, &missing))
        .collect();
    Ok(Map::new()
        .list("EvaluationResults", results)
        .with("IsTruncated", page.next.is_some())
        .maybe("Marker", page.next))
}

fn documents(call: &Call<'_>, member: &str) -> Result<Vec<Policy>, ApiError> {
    let parse =
        |(index, text): (usize, String)| Policy::parse(format!("{member}.{}", index + 1), &text);
    let parsed: Result<Vec<Policy>, _> =
        call.input.texts(member).into_iter().enumerate().map(parse).collect();
    parsed.map_err(|error| ApiError::new("InvalidInput", error.to_string()))
}

/// Only users, groups and roles have policies; a session has its role's. The administrator that lenient credentials act as exists in
/// every account.
fn check_source(call: &Call<'_>, arn: &str) -> Result<(), ApiError> {
    let Some((prefix, name)) =
        [":user/", ":role/", ":group/"].iter().find_map(|kind| arn.split_once(kind))
    else {
        return Err(ApiError::new(
            "InvalidInput",
            format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."),
        ));
    };
    let own = prefix.rsplit(':').next() == Some(call.caller.account.as_str());
    let lenient_admin = arn == call.caller.arn && !call.world.options.strict_credentials;
    if own && (call.world.iam.identity(arn).is_some() || lenient_admin) {
        return Ok(());
    }
    let kind = if arn.contains(":user/") { "user" } else { "role" };
    let name = name.rsplit('/').next().unwrap_or(name);
    Err(ApiError::new("NoSuchEntity", format!("The {kind} with name {name} cannot be found."))
        .with_status(404))
}

/// Keys of conditions in the policies that the request gives no value for.
fn missing_keys(call: &Call<'_>, arn: &str, supposed: &Supposed) -> Vec<String> {
    let given: Vec<String> = call
        .input
        .list("ContextEntries")
        .iter()
        .map(|entry| entry.need("ContextKeyName").to_owned())
        .collect();
    let own = call.world.iam.identity(arn).map_or(&[][..], |identity| &identity.policies);
    let keys = own.iter().chain(&supposed.policies).flat_map(Policy::condition_keys);
    let mut missing: Vec<String> = keys
        .filter(|key| !given.iter().any(|given| given.eq_ignore_ascii_case(key)))
        .map(str::to_owned)
        .collect();
    missing.sort();
    missing.dedup();
    missing
}

fn result(
    call: &Call<'_>,
    arn: &str,
    action: &str,
    resource: &str,
    supposed: &Supposed,
    missing: &[String],
) -> Map {
    let decision = call.world.iam.decide(arn, action, resource, supposed);
    let administrator = || vec!["AdministratorAccess".to_owned()];
    let (word, matched, layer) = match decision {
        Decision::Allowed(policies) if policies.is_empty() => ("allowed", administrator(), None),
        Decision::Allowed(policies) => ("allowed", policies, None),
        Decision::NotAllowed(layer) => ("implicitDeny", Vec::new(), Some(layer)),
        Decision::Denied(layer, policy) => {
            ("explicitDeny", policy.into_iter().collect(), Some(layer))
        }
    };
    let statement = |policy: String| {
        let kind = match () {
            () if policy.contains("InputList.") => "none",
            () if policy == "AdministratorAccess" => "aws-managed",
            () if arn.contains(":role/") => "role",
            () => "user",
        };
        Map::new().with("SourcePolicyId", policy).with("SourcePolicyType", kind)
    };
    let organization = (layer == Some(Layer::Organization))
        .then(|| Map::new().with("AllowedByOrganizations", false));
    let boundary = supposed
        .boundary
        .is_some()
        .then(|| Map::new().with("AllowedByPermissionsBoundary", layer != Some(Layer::Boundary)));
    Map::new()
        .with("EvalActionName", action)
        .with("EvalResourceName", resource)
        .with("EvalDecision", word)
        .list("MatchedStatements", matched.into_iter().map(statement))
        .list("MissingContextValues", missing.iter().map(String::as_str))
        .maybe("OrganizationsDecisionDetail", organization)
        .maybe("PermissionsBoundaryDecisionDetail", boundary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{ACCOUNT, admin, ask, at, length, text, world};
    use crate::services::iam::{Denial, DenialKind, Trust};
    use crate::spec::Service;
    use crate::world::World;
    use serde_json::{Value, json};

    const ROLE: &str = "arn:aws:iam::111122223333:role/Controller";

    fn controlled() -> World {
        let mut world = world(Options::default());
        world.iam.add_role(ROLE, Trust::of([ACCOUNT]));
        let document = json!({"Statement": [
            {"Effect": "Allow", "Action": ["lambda:List*", "rds:*"], "Resource": "*", "Condition": {"StringLike": {"lambda:FunctionArn": "*"}}},
            {"Effect": "Deny", "Action": "rds:Delete*", "Resource": "*"}
        ]});
        world.iam.attach(ROLE, Policy::from_value("controller", &document).unwrap());
        world.iam.deny(Denial {
            principal: "*".to_owned(),
            action: "sts:*".to_owned(),
            resource: "*".to_owned(),
            kind: DenialKind::Scp,
        });
        world
    }

    fn simulate(world: &mut World, input: &Value) -> Result<Map, ApiError> {
        ask(world, Service::Iam, "SimulatePrincipalPolicy", input)
    }

    #[test]
    fn each_action_is_evaluated() {
        let mut world = controlled();
        for (action, decision, policy) in [
            ("lambda:ListTags", "allowed", Some("controller")),
            ("rds:DeleteDBInstance", "explicitDeny", Some("controller")),
            ("iam:GetUser", "implicitDeny", None),
            ("sts:AssumeRole", "explicitDeny", None),
        ] {
            let answer =
                simulate(&mut world, &json!({"PolicySourceArn": ROLE, "ActionNames": [action]}))
                    .unwrap();
            let member = |name: &str| text(&answer, &format!("EvaluationResults.0.{name}"));
            assert_eq!(member("EvalDecision").as_deref(), Some(decision), "{action}");
            assert_eq!(member("EvalActionName").as_deref(), Some(action));
            assert_eq!(member("EvalResourceName").as_deref(), Some("*"));
            assert_eq!(member("MatchedStatements.0.SourcePolicyId").as_deref(), policy, "{action}");
            assert_eq!(member("MissingContextValues.0").as_deref(), Some("lambda:FunctionArn"));
            let organization = member("OrganizationsDecisionDetail.AllowedByOrganizations");
            assert_eq!(organization.is_some(), action.starts_with("sts"), "{action}");
        }
        let entries = json!([{"ContextKeyName": "lambda:FunctionArn", "ContextKeyValues": ["x"], "ContextKeyType": "string"}]);
        let answer = simulate(
            &mut world,
            &json!({"PolicySourceArn": ROLE, "ActionNames": ["lambda:ListTags"], "ContextEntries": entries}),
        );
        assert_eq!(
            length(&answer.unwrap(), "EvaluationResults.0.MissingContextValues"),
            0,
            "the key was given"
        );
    }

    #[test]
    fn supposed_policies_and_boundaries_count() {
        let mut world = controlled();
        let allow = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        let narrow =
            r#"{"Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}"#;
        for (why, extra, decision) in [
            ("as it is", json!({}), "implicitDeny"),
            ("with another policy", json!({"PolicyInputList": [allow]}), "allowed"),
            (
                "within a boundary",
                json!({"PolicyInputList": [allow], "PermissionsBoundaryPolicyInputList": [narrow]}),
                "implicitDeny",
            ),
        ] {
            let mut input = json!({"PolicySourceArn": ROLE, "ActionNames": ["iam:GetUser"]});
            input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            let answer = simulate(&mut world, &input).unwrap();
            assert_eq!(
                text(&answer, "EvaluationResults.0.EvalDecision").as_deref(),
                Some(decision),
                "{why}"
            );
        }
    }

    #[test]
    fn an_administrator_may_do_everything() {
        let mut world = controlled();
        let answer = simulate(
            &mut world,
            &json!({"PolicySourceArn": admin().arn, "ActionNames": ["rds:DeleteDBInstance"]}),
        )
        .unwrap();
        assert_eq!(text(&answer, "EvaluationResults.0.EvalDecision").as_deref(), Some("allowed"));
        assert_eq!(
            text(&answer, "EvaluationResults.0.MatchedStatements.0.SourcePolicyId").as_deref(),
            Some("AdministratorAccess")
        );
    }

    #[test]
    fn results_come_in_pages() {
        let mut world = controlled();
        let mut input = json!({"PolicySourceArn": ROLE, "ActionNames": ["rds:A", "rds:B"], "ResourceArns": ["r1", "r2"], "MaxItems": 3});
        let first = simulate(&mut world, &input).unwrap();
        assert_eq!(
            (length(&first, "EvaluationResults"), text(&first, "IsTruncated").as_deref()),
            (3, Some("true"))
        );
        input["Marker"] = json!(text(&first, "Marker").unwrap());
        let second = simulate(&mut world, &input).unwrap();
        assert_eq!(
            (length(&second, "EvaluationResults"), text(&second, "IsTruncated").as_deref()),
            (1, Some("false"))
        );
        assert_eq!(text(&second, "EvaluationResults.0.EvalResourceName").as_deref(), Some("r2"));
        assert_eq!(at(&second, "Marker"), None);
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let mut world = controlled();
        for (why, source, action, code, status) in [
            (
                "an unknown role",
                "arn:aws:iam::111122223333:role/Nobody",
                "rds:A",
                "NoSuchEntity",
                404,
            ),
            (
                "another account's",
                "arn:aws:iam::444455556666:role/Controller",
                "rds:A",
                "NoSuchEntity",
                404,
            ),
            (
                "a session",
                "arn:aws:sts::111122223333:assumed-role/Controller/s",
                "rds:A",
                "InvalidInput",
                400,
            ),
            ("no action", ROLE, "everything", "InvalidInput", 400),
            ("too short an ARN", "role", "rds:A", "ValidationError", 400),
        ] {
            let error =
                simulate(&mut world, &json!({"PolicySourceArn": source, "ActionNames": [action]}))
                    .unwrap_err();
            assert_eq!(
                (error.code.as_ref(), error.status),
                (code, status),
                "{why}: {}",
                error.message
            );
        }
        let error = simulate(
            &mut world,
            &json!({"PolicySourceArn": ROLE, "ActionNames": ["rds:A"], "PolicyInputList": ["{"]}),
        )
        .unwrap_err();
        assert_eq!(error.code, "InvalidInput");
    }
}
