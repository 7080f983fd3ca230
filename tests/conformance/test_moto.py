"""Side by side with moto, another simulation of AWS: the same kind of object, described by the same call, has the same members of the same
types. Both are readings of AWS; where they differ, a row below says why.

Service Catalog is not here: moto has no provisioned products. Only members and types are compared, not values.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from typing import Any, Iterator

import boto3
import pytest
from moto import mock_aws

from calls import Installation
from simulator import REGION, Simulator, snake

NOT_MODELLED = "moto does not model it; AWS's API reference and botocore's model have it"
UPDATED = "moto's stack was only created, this one has been updated"
DRIFT = "moto has no drift detection"
OF_THE_GROUP = "moto's cluster is its own, since moto's groups have none; these come with being a node of a group"

# What moto has and the simulator has not: call -> member -> why.
MOTO_ONLY: dict[str, dict[str, str]] = {
    "DescribeReplicationGroups": {
        "ReplicationGroups[].MemberClustersOutpostArns": "Outposts only",
        "ReplicationGroups[].UserGroupIds": "AWS leaves it out while no user group is attached",
    },
    "ListFunctions": {
        "Functions[].Layers": "AWS leaves it out when there are none",
        "Functions[].State": "AWS's lists carry no state (facts: Lambda, ListFunctions)",
        "Functions[].LastUpdateStatus": "the same",
    },
    "GetFunctionConfiguration": {
        "Layers": "AWS leaves it out when there are none",
    },
}

# What the simulator has and moto has not: call -> member -> why. (All of it is in botocore's models, or the wire checker would complain.)
OURS_ONLY: dict[str, dict[str, str]] = {
    "DescribeStacks": {
        "Stacks[].Parameters[].ResolvedValue": "moto's stack has no parameter of an SSM type",
        "Stacks[].LastUpdatedTime": UPDATED,
        "Stacks[].RollbackConfiguration": NOT_MODELLED,
        "Stacks[].Capabilities": "moto shows none for this template",
        "Stacks[].DriftInformation": DRIFT,
        "Stacks[].LastOperations": NOT_MODELLED,
    },
    "ListStacks": {
        "StackSummaries[].DriftInformation": DRIFT,
        "StackSummaries[].LastUpdatedTime": UPDATED,
        "StackSummaries[].ParentId": NOT_MODELLED,
        "StackSummaries[].RootId": NOT_MODELLED,
    },
    "ListStackResources": {"StackResourceSummaries[].DriftInformation": DRIFT},
    "DescribeStackResources": {"StackResources[].DriftInformation": DRIFT},
    "DescribeDBInstances": {
        "DBInstances[].Endpoint.HostedZoneId": NOT_MODELLED,
        "DBInstances[].DBSubnetGroup": "moto's instance was made without one",
        "DBInstances[].SecondaryAvailabilityZone": NOT_MODELLED,
        "DBInstances[].PubliclyAccessible": "moto leaves it out where it was not asked for; AWS always shows it",
        "DBInstances[].MonitoringRoleArn": "moto's instance was made without one",
        "DBInstances[].PerformanceInsightsEnabled": NOT_MODELLED,
        "DBInstances[].CustomerOwnedIpEnabled": NOT_MODELLED,
        "DBInstances[].NetworkType": NOT_MODELLED,
        "DBInstances[].ActivityStreamStatus": NOT_MODELLED,
        "DBInstances[].BackupTarget": NOT_MODELLED,
        "DBInstances[].DedicatedLogVolume": NOT_MODELLED,
        "DBInstances[].IsStorageConfigUpgradeAvailable": NOT_MODELLED,
        "DBInstances[].EngineLifecycleSupport": NOT_MODELLED,
    },
    "DescribeReplicationGroups": {
        "ReplicationGroups[].PendingModifiedValues": NOT_MODELLED,
        "ReplicationGroups[].NodeGroups[].ReaderEndpoint": NOT_MODELLED,
        "ReplicationGroups[].AuthTokenLastModifiedDate": NOT_MODELLED,
        "ReplicationGroups[].AutoMinorVersionUpgrade": NOT_MODELLED,
        "ReplicationGroups[].TransitEncryptionMode": NOT_MODELLED,
    },
    "DescribeCacheClusters": {
        "CacheClusters[].ClientDownloadLandingPage": NOT_MODELLED,
        "CacheClusters[].PreferredAvailabilityZone": NOT_MODELLED,
        "CacheClusters[].PreferredMaintenanceWindow": NOT_MODELLED,
        "CacheClusters[].PendingModifiedValues": NOT_MODELLED,
        "CacheClusters[].CacheSecurityGroups": NOT_MODELLED,
        "CacheClusters[].CacheParameterGroup": NOT_MODELLED,
        "CacheClusters[].CacheNodes": NOT_MODELLED,
        "CacheClusters[].AutoMinorVersionUpgrade": NOT_MODELLED,
        "CacheClusters[].SecurityGroups": NOT_MODELLED,
        "CacheClusters[].NetworkType": NOT_MODELLED,
        "CacheClusters[].IpDiscovery": NOT_MODELLED,
        "CacheClusters[].ReplicationGroupId": OF_THE_GROUP,
        "CacheClusters[].SnapshotWindow": OF_THE_GROUP,
        "CacheClusters[].TransitEncryptionEnabled": OF_THE_GROUP,
        "CacheClusters[].TransitEncryptionMode": OF_THE_GROUP,
        "CacheClusters[].AtRestEncryptionEnabled": OF_THE_GROUP,
        "CacheClusters[].ReplicationGroupLogDeliveryEnabled": OF_THE_GROUP,
    },
    "ListFunctions": {"Functions[].RevisionId": NOT_MODELLED, "Functions[].LoggingConfig": NOT_MODELLED},
    "GetFunctionConfiguration": {"RevisionId": NOT_MODELLED, "LoggingConfig": NOT_MODELLED},
    "ListEventSourceMappings": {
        "EventSourceMappings[].ScalingConfig": "moto's mapping was made without one",
        "EventSourceMappings[].FunctionResponseTypes": NOT_MODELLED,
    },
    "GetQueueAttributes": {"Attributes.RedrivePolicy": "moto's queue was made without one"},
}

CHILD = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
ROOT = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "A stack with a bit of everything",
    "Parameters": {"HiveName": {"Type": "String", "Default": "einstein"}, "Secret": {"Type": "String", "Default": "x", "NoEcho": True}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://templates.s3.amazonaws.com/child.json"}},
    },
    "Outputs": {"ReleaseVersion": {"Value": "1.44.0", "Description": "The version"}},
}


def members(value: Any, path: str = "") -> dict[str, str]:
    """Every member of an answer and its type; of a list, those of all its items together."""
    if isinstance(value, dict):
        found = {path: "structure"} if path else {}
        for name, item in value.items():
            name = "{}" if path.endswith("Variables") else name  # A function's variables are its owner's.
            found |= members(item, f"{path}.{name}" if path else name)
        return found
    if isinstance(value, list):
        found = {path: "list"}
        for item in value:
            found |= members(item, f"{path}[]")
        return found
    kind = {bool: "boolean", int: "integer", float: "number", str: "text", datetime: "time"}[type(value)]
    return {path: kind}


class Moto:
    """The objects that an installation consists of, in moto."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
        return self.clients[service]

    def build(self) -> None:
        """A stack with a nested one, a database, a replication group, a cluster, a function and its mapping."""
        bucket = self.client("s3")
        bucket.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
        bucket.put_object(Bucket="templates", Key="child.json", Body=json.dumps(CHILD))
        tags = [{"Key": "owner", "Value": "turbot"}]
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName="root", TemplateBody=json.dumps(ROOT), Tags=tags, RoleARN="arn:aws:iam::123456789012:role/launch")
        self.client("rds").create_db_instance(
            DBInstanceIdentifier="turbot-einstein", Engine="postgres", EngineVersion="15.7", DBInstanceClass="db.m6g.large", AllocatedStorage=200, MaxAllocatedStorage=1000,
            StorageType="gp3", Iops=3000, StorageThroughput=125, MultiAZ=True, MasterUsername="master", MasterUserPassword="password-1", DBName="turbot", Port=5432,
            BackupRetentionPeriod=7, StorageEncrypted=True, Tags=tags, EnableIAMDatabaseAuthentication=True, CopyTagsToSnapshot=True, DeletionProtection=True,
            EnablePerformanceInsights=True, EnableCloudwatchLogsExports=["postgresql"],
        )  # fmt: skip
        caches = self.client("elasticache")
        caches.create_replication_group(ReplicationGroupId="turbot-einstein-cache-cluster", ReplicationGroupDescription="cache", Engine="redis", NumCacheClusters=2, CacheNodeType="cache.m6g.large", AutomaticFailoverEnabled=True, MultiAZEnabled=True, TransitEncryptionEnabled=True, AtRestEncryptionEnabled=True, KmsKeyId="key")  # fmt: skip
        caches.create_cache_cluster(CacheClusterId="turbot-einstein-cache-cluster-001", Engine="redis", EngineVersion="7.1", CacheNodeType="cache.m6g.large", NumCacheNodes=1, CacheParameterGroupName="default.redis7", CacheSubnetGroupName="subnets")  # fmt: skip
        role = self.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.js", "")
        functions = self.client("lambda")
        functions.create_function(FunctionName="worker", Runtime="nodejs20.x", Role=role, Handler="index.handler", Code={"ZipFile": code.getvalue()}, Environment={"Variables": {"A": "b"}}, Tags={"owner": "turbot"}, Description="a worker")  # fmt: skip
        queue = self.client("sqs").create_queue(QueueName="worker", tags={"owner": "turbot"})["QueueUrl"]
        arn = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        functions.create_event_source_mapping(FunctionName="worker", EventSourceArn=arn, BatchSize=10, MaximumBatchingWindowInSeconds=5)

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = getattr(self.client(service), snake(operation))(**params)
        answer.pop("ResponseMetadata")
        return answer


# What is compared: name, service, operation, moto's parameters, ours.
COMPARED: list[tuple[str, str, str, Any, Any]] = [
    ("a root stack", "cloudformation", "DescribeStacks", {"StackName": "root"}, lambda ted: {"StackName": ted.root}),
    ("stacks in a list", "cloudformation", "ListStacks", {}, lambda ted: {}),
    ("events of a stack", "cloudformation", "DescribeStackEvents", {"StackName": "root"}, lambda ted: {"StackName": ted.root}),
    ("resources in a list", "cloudformation", "ListStackResources", {"StackName": "root"}, lambda ted: {"StackName": ted.root}),
    ("resources", "cloudformation", "DescribeStackResources", {"StackName": "root"}, lambda ted: {"StackName": ted.root}),
    ("a database", "rds", "DescribeDBInstances", {}, lambda ted: {"DBInstanceIdentifier": ted.database}),
    ("a replication group", "elasticache", "DescribeReplicationGroups", {}, lambda ted: {"ReplicationGroupId": ted.cache}),
    ("a cluster", "elasticache", "DescribeCacheClusters", {"ShowCacheNodeInfo": True}, lambda ted: {"ShowCacheNodeInfo": True}),
    ("functions in a list", "lambda", "ListFunctions", {}, lambda ted: {}),
    ("a function", "lambda", "GetFunctionConfiguration", {"FunctionName": "worker"}, lambda ted: {"FunctionName": ted.mapping["FunctionArn"]}),
    ("a mapping", "lambda", "ListEventSourceMappings", {}, lambda ted: {"FunctionName": ted.mapping["FunctionArn"]}),
    ("a queue", "sqs", "GetQueueAttributes", lambda moto: {"QueueUrl": moto.client("sqs").get_queue_url(QueueName="worker")["QueueUrl"], "AttributeNames": ["All"]}, lambda ted: {"QueueUrl": ted.queue_url, "AttributeNames": ["All"]}),
    ("who I am", "sts", "GetCallerIdentity", {}, lambda ted: {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def theirs() -> Iterator[dict[str, dict[str, str]]]:
    """Moto's members, by what is compared. Moto replaces every client's transport while it is active, so its answers are taken first."""
    with mock_aws(config={"lambda": {"use_docker": False}, "core": {"mock_credentials": True}}):
        moto = Moto()
        moto.build()
        found = {name: members(moto.call(service, operation, params(moto) if callable(params) else params)) for name, service, operation, params, _ in COMPARED}
    yield found


@pytest.mark.parametrize(("name", "service", "operation", "params", "own"), COMPARED, ids=[row[0] for row in COMPARED])
def test_the_same_kind_of_object_has_the_same_members(sim: Simulator, theirs: dict[str, dict[str, str]], name: str, service: str, operation: str, params: Any, own: Any) -> None:
    ted = Installation(sim)
    ours = members(sim.call(service, operation, own(ted)))
    known_moto, known_ours = MOTO_ONLY.get(operation, {}), OURS_ONLY.get(operation, {})
    problems = []
    for path, kind in theirs[name].items():
        if path not in ours:
            if not any(path == known or path.startswith((f"{known}.", f"{known}[")) for known in known_moto):
                problems.append(f"only moto has {path} ({kind})")
        elif ours[path] != kind and {ours[path], kind} != {"integer", "number"}:
            problems.append(f"{path} is {ours[path]} here and {kind} in moto")
    for path, kind in ours.items():
        if path not in theirs[name] and not any(path == known or path.startswith((f"{known}.", f"{known}[")) for known in known_ours):
            problems.append(f"only the simulator has {path} ({kind})")
    assert not problems, f"{operation}:\n" + "\n".join(problems)
    stale = [known for known in known_moto if known in ours] + [known for known in known_ours if known in theirs[name]]
    assert not stale, f"rows of the tables that no longer apply: {stale}"
