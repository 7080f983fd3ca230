"""After all other tests: was every operation really called, by both clients, and every error provoked? The simulators' call logs tell."""

from __future__ import annotations

from conftest import Record
from simulator import Simulator, model

# Operations that the AWS CLI cannot be seen to call: (service, operation) -> why.
NOT_BY_CLI: dict[tuple[str, str], str] = {}

# Errors that a model lists and the simulator never gives: (service, operation or None for all, code) -> why.
NOT_SIMULATED: dict[tuple[str, str | None, str], str] = {
    ("cloudformation", "GetTemplate", "ChangeSetNotFound"): "there are no change sets",
    ("cloudformation", "GetTemplateSummary", "StackSetNotFoundException"): "there are no stack sets",
    ("cloudformation", "UpdateStack", "InsufficientCapabilitiesException"): "capabilities are taken as given: an update past Service Catalog comes from somebody who may",
    ("servicecatalog", "ListProvisioningArtifacts", "InvalidParametersException"): "it has one member, and a product that is not there is not found",
    ("elasticache", "DescribeReplicationGroups", "InvalidParameterCombination"): "no two of its members exclude each other",
    ("elasticache", "DescribeCacheClusters", "InvalidParameterCombination"): "no two of its members exclude each other",
    ("elasticache", "DescribeServerlessCaches", "InvalidParameterCombination"): "no two of its members exclude each other",
    ("elasticache", "DescribeServerlessCaches", "InvalidParameterValue"): "there are no serverless caches to page through",
    ("elasticache", "DescribeUserGroups", "InvalidParameterCombination"): "no two of its members exclude each other",
    ("elasticache", "DescribeUserGroups", "ServiceLinkedRoleNotFoundFault"): "every account has the service-linked role",
    ("elasticache", "DescribeEvents", "InvalidParameterCombination"): "members that exclude each other are refused as values",
    ("lambda", None, "InvalidParameterValueException"): "most limits are refused as ValidationException; it is provoked where Lambda itself looks at a value",
    ("lambda", None, "ResourceConflictException"): "two changes at the same instant cannot meet: calls are carried out one after the other",
    ("sqs", None, "InvalidAddress"): "a queue URL that cannot be read is a queue that does not exist",
    ("sqs", None, "InvalidSecurity"): "requests are not refused for missing TLS",
    ("sqs", None, "UnsupportedOperation"): "both operations are supported for every queue",
    ("sts", "AssumeRole", "PackedPolicyTooLarge"): "session policies have no packed size here",
    ("sts", "AssumeRole", "RegionDisabledException"): "every region is enabled",
    ("sts", "AssumeRole", "ExpiredTokenException"): "STS's expired callers get the common ExpiredToken; this one is for web identities",
    ("iam", "SimulatePrincipalPolicy", "PolicyEvaluation"): "policies that were accepted can be evaluated",
}  # fmt: skip

# Of the two modifying calls, whose models list errors for all that can be modified, the ones that the simulated properties can give.
MODIFYING = {
    ("elasticache", "ModifyReplicationGroup"): {"ReplicationGroupNotFoundFault", "InvalidReplicationGroupState", "InvalidParameterValue", "InvalidParameterCombination", "CacheParameterGroupNotFound"},
    ("rds", "ModifyDBInstance"): {"DBInstanceNotFound", "InvalidDBInstanceState"},
}

# What every operation was refused with, in its protocol's words, by the faults.
COMMON = {
    "json": {"AccessDeniedException", "ExpiredTokenException", "InternalFailure", "ServiceUnavailable"},
    "query": {"AccessDenied", "ExpiredToken", "InternalFailure", "ServiceUnavailable", "Throttling"},
    "rest-json": {"AccessDeniedException", "ExpiredTokenException", "ServiceException", "ServiceUnavailable", "TooManyRequestsException"},
}


def test_every_operation_was_called_by_both_clients(sim: Simulator, record: Record) -> None:
    missing = []
    for row in sim.operations():
        of = row["service"], row["operation"]
        for client in ("boto3", "aws-cli"):
            if None not in record.outcomes.get((client, *of), set()) and not (client == "aws-cli" and of in NOT_BY_CLI):
                missing.append(f"{client} never had a good answer of {of[0]}:{of[1]}")
    assert not missing, "\n".join(missing)


def test_every_error_was_provoked(sim: Simulator, record: Record) -> None:
    missing, unused = [], set(NOT_SIMULATED)
    for row in sim.operations():
        service, operation = row["service"], row["operation"]
        seen = set().union(*(record.outcomes.get((client, service, operation), set()) for client in ("boto3", "aws-cli", "other")))
        listed = {shape.error_code for shape in model(service).operation_model(operation).error_shapes}
        listed = MODIFYING.get((service, operation), listed)
        common = set(COMMON[model(service).resolved_protocol])
        if operation == "GetCallerIdentity":
            common -= {"AccessDenied"}  # It needs no permission.
        for code in sorted(listed | common):
            excused = [key for key in ((service, operation, code), (service, None, code)) if key in NOT_SIMULATED]
            unused -= set(excused)
            if code not in seen and not excused:
                missing.append(f"{service}:{operation} never gave {code}")
    assert not missing, "\n".join(missing)
    assert not unused, f"rows of NOT_SIMULATED that no longer apply: {unused}"


def test_nothing_was_answered_that_no_model_knows(record: Record) -> None:
    """Operations that the suite itself made up stay refused; all others are in the tables."""
    answered = {(service, operation) for (_, service, operation), codes in record.outcomes.items() if None in codes}
    assert all(operation in model(service).operation_names for service, operation in answered)
