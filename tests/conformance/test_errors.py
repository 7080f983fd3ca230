"""What each operation refuses: missing things, bad input, wrong states. Each row is one call and the error that AWS gives."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from calls import Installation
from simulator import ACCOUNT, Simulator
from test_faults import refused

Case = tuple[str, str, str, dict[str, Any] | Callable[[Installation], dict[str, Any]], str, str]

SC, CF, EC, RDS, LAMBDA, SQS, STS, IAM = "servicecatalog", "cloudformation", "elasticache", "rds", "lambda", "sqs", "sts", "iam"
NOBODY = "00000000-0000-4000-8000-000000000000"
GONE = "does not exist"
MAPPING_ARN = f"arn:aws:lambda:us-east-2:{ACCOUNT}:event-source-mapping:{NOBODY}"


def ids(ted: Installation, **more: Any) -> dict[str, Any]:
    """A good update with some members changed; None takes one out."""
    update = ted.update(ted.version, "token", MaxConnections="801") | more
    return {name: value for name, value in update.items() if value is not None}


# why, service, operation, parameters, code, a part of the message
CASES: list[Case] = [
    # --- Service Catalog: not found (facts 2.1: not found and not allowed read the same)
    ("no such product", SC, "DescribeProvisionedProduct", {"Id": "pp-nothere"}, "ResourceNotFoundException", GONE),
    ("no such name", SC, "DescribeProvisionedProduct", {"Name": "ted-nobody"}, "ResourceNotFoundException", GONE),
    ("no such product", SC, "DescribeProduct", {"Id": "prod-nothere"}, "ResourceNotFoundException", GONE),
    ("no such product", SC, "DescribeProductAsAdmin", {"Id": "prod-nothere"}, "ResourceNotFoundException", GONE),
    ("no such product", SC, "ListLaunchPaths", {"ProductId": "prod-nothere"}, "ResourceNotFoundException", ""),
    ("no such product", SC, "ListProvisioningArtifacts", {"ProductId": "prod-nothere"}, "ResourceNotFoundException", ""),
    ("no such version", SC, "DescribeProvisioningArtifact", lambda ted: {"ProductId": ted.product, "ProvisioningArtifactId": "pa-nothere"}, "ResourceNotFoundException", ""),
    ("no such product", SC, "DescribeProvisioningParameters", {"ProductId": "prod-nothere", "ProvisioningArtifactId": "pa-nothere"}, "ResourceNotFoundException", ""),
    ("no such product", SC, "GetProvisionedProductOutputs", {"ProvisionedProductId": "pp-nothere"}, "ResourceNotFoundException", ""),
    ("no such record", SC, "DescribeRecord", {"Id": "rec-nothere"}, "ResourceNotFoundException", ""),
    ("no such product", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisionedProductId="pp-nothere"), "ResourceNotFoundException", ""),
    ("no such version", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisioningArtifactId="pa-nothere"), "ResourceNotFoundException", ""),
    ("a stale path", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, PathId="lp-nothere"), "", ""),
    ("no such serverless cache", EC, "DescribeServerlessCaches", {"ServerlessCacheName": "nothing"}, "ServerlessCacheNotFoundFault", ""),
    ("no such user group", EC, "DescribeUserGroups", {"UserGroupId": "nothing"}, "UserGroupNotFound", ""),
    ("a page of nobody", SC, "ScanProvisionedProducts", {"PageToken": "nothing"}, "InvalidParametersException", ""),
    # --- Service Catalog: id xor name
    ("neither id nor name", SC, "DescribeProvisionedProduct", {}, "InvalidParametersException", ""),
    ("id and name", SC, "DescribeProvisionedProduct", lambda ted: {"Id": ted.id, "Name": ted.name}, "InvalidParametersException", ""),
    ("neither id nor name", SC, "DescribeProduct", {}, "InvalidParametersException", ""),
    ("id and name", SC, "DescribeProduct", lambda ted: {"Id": ted.product, "Name": "x"}, "InvalidParametersException", ""),
    ("neither id nor name", SC, "DescribeProductAsAdmin", {}, "InvalidParametersException", ""),
    ("neither id nor name", SC, "GetProvisionedProductOutputs", {}, "InvalidParametersException", ""),
    ("id and name", SC, "GetProvisionedProductOutputs", lambda ted: {"ProvisionedProductId": ted.id, "ProvisionedProductName": ted.name}, "InvalidParametersException", ""),
    ("no version", SC, "DescribeProvisioningArtifact", lambda ted: {"ProductId": ted.product}, "InvalidParametersException", ""),
    ("no version", SC, "DescribeProvisioningParameters", lambda ted: {"ProductId": ted.product}, "InvalidParametersException", ""),
    ("path id and name", SC, "DescribeProvisioningParameters", lambda ted: {"ProductId": ted.product, "ProvisioningArtifactId": ted.versions[ted.version], "PathId": ted.path, "PathName": "x"}, "InvalidParametersException", ""),
    ("no product", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisionedProductId=None), "InvalidParametersException", ""),
    ("id and name", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisionedProductName=ted.name), "InvalidParametersException", ""),
    ("version id and name", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisioningArtifactName=ted.version), "InvalidParametersException", ""),
    ("path id and name", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, PathName="x"), "InvalidParametersException", ""),
    # --- Service Catalog: input outside the model, sent past boto3's own checks
    ("a page too large", SC, "SearchProvisionedProducts", {"PageSize": 101}, "ValidationException", "pageSize"),
    ("a page too large", SC, "ListRecordHistory", {"PageSize": 21}, "ValidationException", "pageSize"),
    ("a page too large", SC, "ListLaunchPaths", lambda ted: {"ProductId": ted.product, "PageSize": 21}, "ValidationException", "pageSize"),
    ("a page too large", SC, "DescribeRecord", lambda ted: {"Id": ted.detail["LastRecordId"], "PageSize": 21}, "ValidationException", "pageSize"),
    ("a negative page", SC, "SearchProvisionedProducts", {"PageSize": -1}, "ValidationException", "pageSize"),
    ("an unknown order", SC, "SearchProvisionedProducts", {"SortOrder": "UPWARDS"}, "ValidationException", "enum"),
    ("an unknown level", SC, "SearchProvisionedProducts", {"AccessLevelFilter": {"Key": "Everyone", "Value": "self"}}, "ValidationException", "enum"),
    ("an unknown sort field", SC, "SearchProvisionedProducts", {"SortBy": "colour"}, "InvalidParametersException", ""),
    ("a bad page token", SC, "SearchProvisionedProducts", {"PageToken": "nonsense"}, "InvalidParametersException", ""),
    ("a bad page token", SC, "ListRecordHistory", {"PageToken": "nonsense"}, "InvalidParametersException", ""),
    ("a bad page token", SC, "ListLaunchPaths", lambda ted: {"ProductId": ted.product, "PageToken": "nonsense"}, "InvalidParametersException", ""),
    ("a bad search filter", SC, "ListRecordHistory", {"SearchFilter": {"Key": "colour", "Value": "red"}}, "InvalidParametersException", ""),
    ("an unknown search field", SC, "SearchProducts", {"Filters": {"Colour": ["red"]}}, "InvalidParametersException", "Colour"),
    ("a bad id", SC, "DescribeRecord", {"Id": "rec/abc"}, "ValidationException", "pattern"),
    ("an id too long", SC, "DescribeRecord", {"Id": "r" * 101}, "ValidationException", "100"),
    ("an id missing", SC, "DescribeRecord", {}, "ValidationException", "null"),
    ("an id missing", SC, "ListProvisioningArtifacts", {}, "ValidationException", "null"),
    ("an empty id", SC, "ListLaunchPaths", {"ProductId": ""}, "ValidationException", ""),
    ("no token", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, UpdateToken=""), "ValidationException", "updateToken"),
    ("a token with a dot", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, UpdateToken="v1.2"), "ValidationException", "pattern"),
    ("a token that begins with _", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, UpdateToken="_a"), "ValidationException", "pattern"),
    ("a token too long", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, UpdateToken="a" * 129), "ValidationException", "128"),
    ("a value too long", SC, "UpdateProvisionedProduct", lambda ted: ids(ted, ProvisioningParameters=[{"Key": "HiveName", "Value": "x" * 4097}]), "ValidationException", "4096"),
    ("too many keys", SC, "GetProvisionedProductOutputs", lambda ted: {"ProvisionedProductId": ted.id, "OutputKeys": ["a"] * 61}, "ValidationException", "60"),
    ("a bad page token", SC, "SearchProducts", {"PageToken": "nonsense"}, "InvalidParametersException", ""),
    # --- CloudFormation: one code for everything, so the text decides (facts 3.1)
    ("no such stack", CF, "DescribeStacks", {"StackName": "SC-none"}, "ValidationError", "Stack with id SC-none does not exist"),
    ("no such stack", CF, "DescribeStackEvents", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such stack", CF, "DescribeEvents", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such stack", CF, "ListStackResources", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such stack", CF, "DescribeStackResources", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such resource", CF, "DescribeStackResources", {"PhysicalResourceId": "nothing-has-this-id"}, "ValidationError", GONE),
    ("stack and resource", CF, "DescribeStackResources", lambda ted: {"StackName": ted.root, "PhysicalResourceId": "x"}, "ValidationError", ""),
    ("neither stack nor resource", CF, "DescribeStackResources", {}, "ValidationError", ""),
    ("no such stack", CF, "GetTemplate", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no stack", CF, "GetTemplate", {}, "ValidationError", ""),
    ("no such stack", CF, "GetTemplateSummary", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no template", CF, "GetTemplateSummary", {}, "ValidationError", ""),
    ("a template that is none", CF, "GetTemplateSummary", {"TemplateBody": "{"}, "ValidationError", ""),
    ("no such stack", CF, "DetectStackDrift", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such detection", CF, "DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": NOBODY}, "ValidationError", ""),
    ("no such stack", CF, "DescribeStackResourceDrifts", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no such stack", CF, "ContinueUpdateRollback", {"StackName": "SC-none"}, "ValidationError", GONE),
    ("no failed rollback", CF, "ContinueUpdateRollback", lambda ted: {"StackName": ted.root}, "ValidationError", "UPDATE_COMPLETE"),
    ("no such stack", CF, "UpdateStack", {"StackName": "SC-none", "UsePreviousTemplate": True}, "ValidationError", GONE),
    ("no template", CF, "UpdateStack", lambda ted: {"StackName": ted.root}, "ValidationError", ""),
    ("a bad token", CF, "DescribeStackEvents", lambda ted: {"StackName": ted.root, "NextToken": "nonsense"}, "ValidationError", ""),
    ("a bad token", CF, "ListStacks", {"NextToken": "nonsense"}, "ValidationError", ""),
    ("a bad token", CF, "DescribeStacks", {"NextToken": "nonsense"}, "ValidationError", ""),
    ("a bad token", CF, "ListStackResources", lambda ted: {"StackName": ted.root, "NextToken": "nonsense"}, "ValidationError", ""),
    ("an unknown status", CF, "ListStacks", {"StackStatusFilter": ["GOOD"]}, "ValidationError", "enum"),
    ("a bad skip", CF, "ContinueUpdateRollback", lambda ted: {"StackName": ted.root, "ResourcesToSkip": ["a.b.c"]}, "ValidationError", ""),
    ("a bad client token", CF, "ContinueUpdateRollback", lambda ted: {"StackName": ted.root, "ClientRequestToken": "_"}, "ValidationError", ""),
    ("no name", CF, "ListStackResources", {}, "ValidationError", "null"),
    # --- ElastiCache and RDS: wire codes are code names, not shape names (facts 1.3)
    ("no such group", EC, "DescribeReplicationGroups", {"ReplicationGroupId": "nothing"}, "ReplicationGroupNotFoundFault", "nothing"),
    ("no such cluster", EC, "DescribeCacheClusters", {"CacheClusterId": "nothing-001"}, "CacheClusterNotFound", "nothing-001"),
    ("a page too small", EC, "DescribeReplicationGroups", {"MaxRecords": 19}, "InvalidParameterValue", "MaxRecords"),
    ("a page too large", EC, "DescribeReplicationGroups", {"MaxRecords": 101}, "InvalidParameterValue", "MaxRecords"),
    ("a page too large", EC, "DescribeCacheClusters", {"MaxRecords": 101}, "InvalidParameterValue", "MaxRecords"),
    ("a bad marker", EC, "DescribeReplicationGroups", {"Marker": "nonsense"}, "InvalidParameterValue", ""),
    ("an unknown source", EC, "DescribeEvents", {"SourceType": "planet"}, "InvalidParameterValue", ""),
    ("no such group", EC, "ModifyReplicationGroup", {"ReplicationGroupId": "nothing"}, "ReplicationGroupNotFoundFault", "nothing"),
    ("no group", EC, "ModifyReplicationGroup", {}, "MissingParameter", "ReplicationGroupId"),
    ("a version to the patch", EC, "ModifyReplicationGroup", lambda ted: {"ReplicationGroupId": ted.cache, "Engine": "valkey", "EngineVersion": "8.0.1", "ApplyImmediately": True}, "InvalidParameterValue", "8.0"),
    ("a family of another engine", EC, "ModifyReplicationGroup", lambda ted: {"ReplicationGroupId": ted.cache, "CacheParameterGroupName": "default.valkey8", "ApplyImmediately": True}, "InvalidParameterCombination", "valkey"),
    ("no such parameter group", EC, "ModifyReplicationGroup", lambda ted: {"ReplicationGroupId": ted.cache, "CacheParameterGroupName": "nothing", "ApplyImmediately": True}, "CacheParameterGroupNotFound", "nothing"),
    ("an unknown engine", EC, "ModifyReplicationGroup", lambda ted: {"ReplicationGroupId": ted.cache, "Engine": "memcached", "ApplyImmediately": True}, "InvalidParameterValue", ""),
    ("no such database", RDS, "DescribeDBInstances", {"DBInstanceIdentifier": "nothing"}, "DBInstanceNotFound", "nothing"),
    ("a page too small", RDS, "DescribeDBInstances", {"MaxRecords": 19}, "InvalidParameterValue", "MaxRecords"),
    ("a page too large", RDS, "DescribeDBInstances", {"MaxRecords": 101}, "InvalidParameterValue", "MaxRecords"),
    ("a bad marker", RDS, "DescribeDBInstances", {"Marker": "nonsense"}, "InvalidParameterValue", ""),
    ("an unknown filter", RDS, "DescribeDBInstances", {"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue", "colour"),
    ("id without type", RDS, "DescribeEvents", {"SourceIdentifier": "x"}, "InvalidParameterCombination", ""),
    ("an unknown source", RDS, "DescribeEvents", {"SourceType": "planet"}, "InvalidParameterValue", ""),
    ("no such database", RDS, "ModifyDBInstance", {"DBInstanceIdentifier": "nothing", "ApplyImmediately": True}, "DBInstanceNotFound", "nothing"),
    ("no database", RDS, "ModifyDBInstance", {}, "MissingParameter", "DBInstanceIdentifier"),
    ("storage never shrinks", RDS, "ModifyDBInstance", lambda ted: {"DBInstanceIdentifier": ted.database, "AllocatedStorage": 21, "ApplyImmediately": True}, "InvalidParameterCombination", "storage"),
    # --- Lambda
    ("no such mapping", LAMBDA, "GetEventSourceMapping", {"UUID": NOBODY}, "ResourceNotFoundException", ""),
    ("no such mapping", LAMBDA, "UpdateEventSourceMapping", {"UUID": NOBODY, "Enabled": False}, "ResourceNotFoundException", ""),
    ("no such function", LAMBDA, "GetFunctionConfiguration", {"FunctionName": "nothing"}, "ResourceNotFoundException", "nothing"),
    ("no such function", LAMBDA, "ListEventSourceMappings", {"FunctionName": "nothing"}, "ResourceNotFoundException", ""),
    ("no such mapping", LAMBDA, "ListTags", {"Resource": MAPPING_ARN}, "ResourceNotFoundException", ""),
    ("no such mapping", LAMBDA, "TagResource", {"Resource": MAPPING_ARN, "Tags": {"a": "b"}}, "ResourceNotFoundException", ""),
    ("no such mapping", LAMBDA, "UntagResource", {"Resource": MAPPING_ARN, "TagKeys": ["a"]}, "ResourceNotFoundException", ""),
    ("a bad marker", LAMBDA, "ListFunctions", {"Marker": "nonsense"}, "InvalidParameterValueException", ""),
    ("a bad marker", LAMBDA, "ListEventSourceMappings", {"Marker": "nonsense"}, "InvalidParameterValueException", ""),
    ("a bad function name", LAMBDA, "GetFunctionConfiguration", {"FunctionName": "no such name"}, "ValidationException", ""),
    ("a page too large", LAMBDA, "ListFunctions", {"MaxItems": 10001}, "ValidationException", ""),
    ("a batch too large", LAMBDA, "UpdateEventSourceMapping", lambda ted: {"UUID": ted.mapping["UUID"], "BatchSize": 10001}, "ValidationException", ""),
    # --- SQS, STS, IAM
    ("no such queue", SQS, "GetQueueUrl", {"QueueName": "nothing"}, "AWS.SimpleQueueService.NonExistentQueue", ""),
    ("no such queue", SQS, "GetQueueAttributes", {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/nothing"}, "AWS.SimpleQueueService.NonExistentQueue", ""),
    ("an unknown attribute", SQS, "GetQueueAttributes", lambda ted: {"QueueUrl": ted.queue_url, "AttributeNames": ["Colour"]}, "InvalidAttributeName", ""),
    ("no such role", STS, "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody", "RoleSessionName": "x-y"}, "AccessDenied", "sts:AssumeRole"),
    ("too short a session", STS, "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "x-y", "DurationSeconds": 899}, "ValidationError", "900"),
    ("longer than the role allows", STS, "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "x-y", "DurationSeconds": 43200}, "ValidationError", "MaxSessionDuration"),
    ("a bad session name", STS, "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "x y"}, "ValidationError", ""),
    ("a bad policy", STS, "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "x-y", "Policy": "{"}, "MalformedPolicyDocument", ""),
    ("no such role", IAM, "SimulatePrincipalPolicy", {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/nobody", "ActionNames": ["rds:ModifyDBInstance"]}, "NoSuchEntity", ""),
    ("an action that is none", IAM, "SimulatePrincipalPolicy", {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "ActionNames": ["modify"]}, "InvalidInput", ""),
]  # fmt: skip


@pytest.mark.parametrize(("why", "service", "operation", "params", "code", "message"), CASES, ids=[f"{row[1]}:{row[2]}: {row[0]}" for row in CASES])
def test_bad_input_is_refused_as_aws_does(sim: Simulator, why: str, service: str, operation: str, params: Any, code: str, message: str) -> None:
    given = params(Installation(sim)) if callable(params) else params
    found, status, text = refused(sim, service, operation, given, validate=False)
    if code:
        assert found == code, text
    else:
        assert found in ("InvalidParametersException", "ResourceNotFoundException"), text
    assert 400 <= status < 500
    assert message.lower() in text.lower(), text


def test_a_token_of_another_request_is_refused(sim: Simulator) -> None:
    ted = Installation(sim)
    parameters = [{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in ted.stack()["Parameters"] if one["ParameterKey"] != "MaxConnections"]
    parameters.append({"ParameterKey": "MaxConnections", "ParameterValue": "801"})
    sim.call(CF, "UpdateStack", {"StackName": ted.root, "UsePreviousTemplate": True, "Parameters": parameters, "ClientRequestToken": "once"})
    with pytest.raises(sim.client(CF).exceptions.TokenAlreadyExistsException):
        sim.call(CF, "ContinueUpdateRollback", {"StackName": ted.root, "ClientRequestToken": "once"})
