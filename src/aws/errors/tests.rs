//! The table of codes and texts, as AWS sends them.

use super::*;
use Service::{CloudFormation, ElastiCache, Lambda, Rds, ServiceCatalog, Sqs, Sts};

fn denied(message: &str) -> Kind {
    Kind::Denied(Denial::parse(message))
}

#[test]
fn codes_and_texts_have_their_meaning() {
    let rows: Vec<(Service, &str, &str, u16, Kind, &str)> = vec![
        (
            ServiceCatalog,
            "ThrottlingException",
            "Rate exceeded",
            400,
            Kind::Throttled,
            "JSON services",
        ),
        (CloudFormation, "Throttling", "Rate exceeded", 400, Kind::Throttled, "Query services"),
        (Lambda, "TooManyRequestsException", "Rate Exceeded.", 429, Kind::Throttled, "Lambda"),
        (
            Rds,
            "RequestLimitExceeded",
            "",
            503,
            Kind::Throttled,
            "EC2 style; the code outranks the status",
        ),
        (
            ServiceCatalog,
            "SomethingNew",
            "",
            429,
            Kind::Throttled,
            "the status speaks where the code does not",
        ),
        (
            ServiceCatalog,
            "ResourceNotFoundException",
            "pp-abc does not exist or access was denied",
            400,
            Kind::NotFoundOrDenied,
            "ambiguous: no proof of absence",
        ),
        (
            Lambda,
            "ResourceNotFoundException",
            "The resource you requested does not exist.",
            404,
            Kind::NotFound,
            "plain",
        ),
        (
            CloudFormation,
            "ValidationError",
            "Stack with id SC-1-pp-x does not exist",
            400,
            Kind::NotFound,
            "one code for everything: the text tells",
        ),
        (
            CloudFormation,
            "ValidationError",
            "Stack:arn:aws:cloudformation:us-east-2:1:stack/S/u is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
            400,
            Kind::Conflict,
            "under change",
        ),
        (
            CloudFormation,
            "ValidationError",
            "No updates are to be performed.",
            400,
            Kind::Invalid,
            "an empty update",
        ),
        (
            CloudFormation,
            "ValidationError",
            "Parameters: [X] do not exist in the template",
            400,
            Kind::Invalid,
            "not the stack is missing",
        ),
        (
            CloudFormation,
            "TokenAlreadyExistsException",
            "",
            400,
            Kind::Conflict,
            "the only modelled one",
        ),
        (
            ServiceCatalog,
            "InvalidParametersException",
            "Path lp-x is invalid",
            400,
            Kind::Invalid,
            "a stale path",
        ),
        (
            ServiceCatalog,
            "InvalidParametersException",
            "Last Successful Provisioning Record doesn't exist.",
            400,
            Kind::NotFound,
            "never provisioned: that is an answer",
        ),
        (
            ServiceCatalog,
            "ValidationException",
            "1 validation error detected: Value 'x' at 'name' failed to satisfy constraint",
            400,
            Kind::Invalid,
            "unmodelled",
        ),
        (ServiceCatalog, "InvalidStateException", "", 400, Kind::Conflict, "state"),
        (
            ElastiCache,
            "ReplicationGroupNotFoundFault",
            "ReplicationGroup x not found.",
            404,
            Kind::NotFound,
            "with `Fault`",
        ),
        (
            ElastiCache,
            "CacheClusterNotFound",
            "CacheCluster not found: x",
            404,
            Kind::NotFound,
            "without",
        ),
        (
            ElastiCache,
            "InvalidReplicationGroupState",
            "not in available state",
            400,
            Kind::Conflict,
            "state",
        ),
        (ElastiCache, "InvalidParameterCombination", "", 400, Kind::Invalid, "value"),
        (
            Rds,
            "DBInstanceNotFound",
            "DBInstance x not found.",
            404,
            Kind::NotFound,
            "wire code, not the shape's name",
        ),
        (
            Rds,
            "InvalidDBInstanceState",
            "Database instance is not in available state.",
            400,
            Kind::Conflict,
            "backup",
        ),
        (Rds, "StorageQuotaExceeded", "", 400, Kind::Quota, "a quota by another name"),
        (
            Lambda,
            "ResourceInUseException",
            "Cannot update the event source mapping because it is in use.",
            400,
            Kind::Conflict,
            "transitional",
        ),
        (Lambda, "ResourceConflictException", "", 409, Kind::Conflict, "concurrent"),
        (Lambda, "ServiceException", "", 500, Kind::Service, "server"),
        (
            Sqs,
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
            400,
            Kind::NotFound,
            "legacy code",
        ),
        (Sqs, "QueueDoesNotExist", "", 400, Kind::NotFound, "JSON code"),
        (ServiceCatalog, "LimitExceededException", "", 400, Kind::Quota, "the SDK would retry it"),
        (ServiceCatalog, "ExpiredTokenException", "", 400, Kind::Expired, "JSON"),
        (CloudFormation, "ExpiredToken", "", 403, Kind::Expired, "Query"),
        (ServiceCatalog, "UnrecognizedClientException", "", 400, Kind::BadCredentials, "JSON"),
        (CloudFormation, "InvalidClientTokenId", "", 403, Kind::BadCredentials, "Query"),
        (
            Rds,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            403,
            Kind::BadCredentials,
            "key",
        ),
        (
            Rds,
            "SignatureDoesNotMatch",
            "Signature expired: 20260801T100000Z is now earlier than 20260801T101000Z",
            403,
            Kind::Clock,
            "the same code, another cause",
        ),
        (
            Sts,
            "InvalidSignatureException",
            "Signature not yet current: …",
            400,
            Kind::Clock,
            "clock ahead",
        ),
        (Sts, "RequestExpired", "", 400, Kind::Clock, "clock"),
        (Sts, "RegionDisabledException", "", 403, Kind::RegionDisabled, "region"),
        (Rds, "OptInRequired", "", 403, Kind::RegionDisabled, "region"),
        (Rds, "InternalFailure", "", 500, Kind::Service, "server"),
        (Rds, "NeverHeardOf", "", 502, Kind::Service, "server by status"),
        (Rds, "NeverHeardOf", "", 400, Kind::Unrecognised, "said as it is"),
        (Rds, "", "", 403, denied(""), "a denial without a code"),
        (
            ServiceCatalog,
            "AccessDeniedException",
            "no",
            400,
            denied("no"),
            "Service Catalog denies with 400",
        ),
    ];
    for (service, code, message, status, kind, why) in rows {
        assert_eq!(classify(service, code, message, Some(status)), kind, "{code} {message}: {why}");
    }
}

#[test]
fn denials_are_read_as_far_as_aws_explains_them() {
    let user = "User: arn:aws:sts::111122223333:assumed-role/ted/s is not authorized to perform: rds:DescribeDBInstances";
    let rds = "rds:DescribeDBInstances";
    let on = "arn:aws:rds:us-east-2:111122223333:db:*";
    let rows = [
        (
            format!(
                "{user} on resource: {on} because no identity-based policy allows the {rds} action"
            ),
            (true, Some(rds), Some(on), DeniedBy::NoIdentityPolicy),
            "the full form",
        ),
        (
            format!("{user} on resource: {on} with an explicit deny in a service control policy"),
            (true, Some(rds), Some(on), DeniedBy::ServiceControlPolicy),
            "an organisation's denial is explicit too, but says more",
        ),
        (
            format!(
                "{user} on resource: {on} with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/p"
            ),
            (true, Some(rds), Some(on), DeniedBy::ExplicitDeny),
            "the newer form names the policy",
        ),
        (
            format!("{user} with an explicit deny in an identity-based policy"),
            (true, Some(rds), None, DeniedBy::ExplicitDeny),
            "no resource",
        ),
        (
            format!(
                "{user} on resource: * because no permissions boundary allows the {rds} action"
            ),
            (true, Some(rds), Some("*"), DeniedBy::PermissionsBoundary),
            "a boundary, on everything",
        ),
        (user.to_owned(), (true, Some(rds), None, DeniedBy::Unsaid), "cut after the action"),
        (
            "is not authorized to perform: lambda:ListTags on resource: \"arn:x\".".to_owned(),
            (false, Some("lambda:ListTags"), Some("arn:x"), DeniedBy::Unsaid),
            "no principal, quotes and a full stop",
        ),
        ("Access Denied".to_owned(), (false, None, None, DeniedBy::Unsaid), "nothing at all"),
        ("User: ".to_owned(), (false, None, None, DeniedBy::Unsaid), "a lead without a word"),
    ];
    for (message, (principal, action, resource, by), why) in rows {
        let denial = Denial::parse(&message);
        assert_eq!(denial.principal.is_some(), principal, "{why}");
        assert_eq!(
            (denial.action.as_deref(), denial.resource.as_deref(), denial.by),
            (action, resource, by),
            "{why}"
        );
    }
}

#[test]
fn hostile_parts_of_a_denial_are_harmless() {
    let denial = Denial::parse(
        "User: \u{1b}[31mevil is not authorized to perform: a:b on resource: x\u{202e}y",
    );
    assert_eq!(
        (denial.principal.as_deref(), denial.resource.as_deref()),
        (Some("evil"), Some("xy"))
    );
}

#[test]
fn what_a_signature_error_echoes_is_cut_off() {
    let message = "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for \
                   this request should have been\n'POST\n/\nx-amz-security-token:SECRETTOKEN'";
    let shown = presentable("SignatureDoesNotMatch", message);
    assert_eq!(
        shown,
        "The request signature we calculated does not match the signature you provided."
    );
    let shown = presentable(
        "IncompleteSignature",
        "Bad header. Authorization=AWS4-HMAC-SHA256 Credential=AKIAX/2026, Signature=abc",
    );
    assert_eq!(shown, "Bad header.");
    assert_eq!(presentable("Other", "url?X-Amz-Security-Token=SECRET"), "url?");
}

#[test]
fn an_error_reads_as_one_sentence_with_what_support_needs() {
    let error = Error {
        kind: Kind::Throttled,
        service: ServiceCatalog,
        operation: "DescribeRecord".to_owned(),
        code: Some("ThrottlingException".to_owned()),
        message: "Rate exceeded".to_owned(),
        request_id: Some("abc".to_owned()),
        http_status: Some(400),
        retry_after: None,
    };
    assert_eq!(
        error.to_string(),
        "Service Catalog DescribeRecord: throttled: Rate exceeded (ThrottlingException, request abc)"
    );
    let bare = Error::bad_answer(Sts, "GetCallerIdentity", "the answer has no `Arn`");
    assert_eq!(bare.to_string(), "STS GetCallerIdentity: unusable answer: the answer has no `Arn`");
    let copy: Error = serde_json::from_str(&serde_json::to_string(&error).unwrap()).unwrap();
    assert_eq!(copy, error, "errors can be recorded and replayed");
}

#[test]
fn every_kind_has_its_own_reason() {
    let kinds = [
        Kind::Throttled,
        denied(""),
        Kind::NotFound,
        Kind::NotFoundOrDenied,
        Kind::Conflict,
        Kind::Invalid,
        Kind::Expired,
        Kind::BadCredentials,
        Kind::NoCredentials,
        Kind::Clock,
        Kind::RegionDisabled,
        Kind::Quota,
        Kind::Transport { may_have_arrived: true },
        Kind::Transport { may_have_arrived: false },
        Kind::Service,
        Kind::BadAnswer,
        Kind::Unrecognised,
    ];
    let reasons: std::collections::BTreeSet<_> = kinds.iter().map(Kind::reason).collect();
    assert_eq!(reasons.len(), kinds.len());
    for reason in reasons {
        assert!(
            reason.chars().all(|c| c.is_ascii_alphanumeric())
                && reason.starts_with(|c: char| c.is_ascii_uppercase())
        );
    }
    assert_eq!(denied("").class(), Class::Denied);
    assert_eq!(Kind::Quota.class(), Class::Denied, "somebody must raise it");
    assert_eq!(Kind::Invalid.class(), Class::Terminal);
    assert_eq!(Kind::Conflict.class(), Class::Transient);
}

#[test]
fn only_a_plain_not_found_is_absence() {
    let error = |kind| Error { kind, ..Error::bad_answer(Lambda, "ListTags", "") };
    assert_eq!(absent_if_not_found::<()>(Err(error(Kind::NotFound))), Ok(None));
    for kind in [Kind::NotFoundOrDenied, denied(""), Kind::Throttled] {
        assert!(absent_if_not_found::<()>(Err(error(kind))).is_err());
    }
}
