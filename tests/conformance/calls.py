"""A valid call of every operation in the default world, with everything looked up through the API itself."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from simulator import ACCOUNT, Simulator

TED_PRODUCT = "Turbot Guardrails Enterprise Database"
PROVISIONED = "ted-einstein"


class Installation:
    """The TED installation of a world, as a client finds it."""

    def __init__(self, sim: Simulator, provisioned: str = PROVISIONED) -> None:
        self.sim, self.name = sim, provisioned

    @cached_property
    def provisioned(self) -> dict[str, Any]:
        """The provisioned product as the search shows it."""
        found = self.sim.call("servicecatalog", "SearchProvisionedProducts", {"Filters": {"SearchQuery": [f"name:{self.name}"]}})
        return next(product for product in found["ProvisionedProducts"] if product["Name"] == self.name)

    @property
    def status(self) -> str:
        """The provisioned product's status now."""
        return self.detail["Status"]

    @property
    def detail(self) -> dict[str, Any]:
        """The provisioned product now."""
        return self.sim.call("servicecatalog", "DescribeProvisionedProduct", {"Name": self.name})["ProvisionedProductDetail"]

    @property
    def id(self) -> str:
        """`pp-…`."""
        return self.provisioned["Id"]

    @property
    def product(self) -> str:
        """`prod-…`."""
        return self.provisioned["ProductId"]

    @cached_property
    def path(self) -> str:
        """The only launch path."""
        (path,) = self.sim.call("servicecatalog", "ListLaunchPaths", {"ProductId": self.product})["LaunchPathSummaries"]
        return path["Id"]

    @cached_property
    def versions(self) -> dict[str, str]:
        """Version name to artifact id."""
        found = self.sim.call("servicecatalog", "ListProvisioningArtifacts", {"ProductId": self.product})
        return {artifact["Name"]: artifact["Id"] for artifact in found["ProvisioningArtifactDetails"]}

    @property
    def root(self) -> str:
        """The root stack's name."""
        return self.provisioned["PhysicalId"].split("/")[1]

    def stack(self, name: str | None = None) -> dict[str, Any]:
        """A stack, by default the root, as CloudFormation shows it now."""
        return self.sim.call("cloudformation", "DescribeStacks", {"StackName": name or self.root})["Stacks"][0]

    def values(self) -> dict[str, str]:
        """The root stack's parameters now."""
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in self.stack()["Parameters"]}

    def parameters_of(self, version: str) -> list[dict[str, Any]]:
        """The parameters of a version, as the catalog shows them."""
        answer = self.sim.call(
            "servicecatalog",
            "DescribeProvisioningParameters",
            {"ProductId": self.product, "ProvisioningArtifactId": self.versions[version], "PathId": self.path},
        )
        return answer["ProvisioningArtifactParameters"]

    def update(self, version: str, token: str, **changed: str) -> dict[str, Any]:
        """Parameters of an update to `version`: previous values for all the running stack has, `changed` by value, defaults for the rest."""
        running = self.values()
        given = []
        for parameter in self.parameters_of(version):
            key = parameter["ParameterKey"]
            if key in changed:
                given.append({"Key": key, "Value": changed[key]})
            elif key in running:
                given.append({"Key": key, "UsePreviousValue": True})
        return {
            "ProvisionedProductId": self.id,
            "ProductId": self.product,
            "ProvisioningArtifactId": self.versions[version],
            "PathId": self.path,
            "ProvisioningParameters": given,
            "UpdateToken": token,
        }

    @property
    def version(self) -> str:
        """The name of the version that the root stack runs."""
        return "v" + next(output["OutputValue"] for output in self.stack()["Outputs"] if output["OutputKey"] == "ReleaseVersion")

    def start(self, version: str | None = None, token: str = "token-1", **changed: str) -> dict[str, Any]:
        """Sends an update (by default a small one of the running version); its record."""
        changed = changed or {"MaxConnections": "801"}
        return self.sim.call("servicecatalog", "UpdateProvisionedProduct", self.update(version or self.version, token, **changed))["RecordDetail"]

    def record(self, record: str) -> dict[str, Any]:
        """A record now."""
        return self.sim.call("servicecatalog", "DescribeRecord", {"Id": record})["RecordDetail"]

    def finish(self, record: str, step: float = 30, limit: float = 8 * 3600) -> dict[str, Any]:
        """Lets time pass until a record is final, and answers it."""
        return self.sim.until(lambda: (now := self.record(record))["Status"] in ("SUCCEEDED", "FAILED") and now, step=step, limit=limit)

    def fail(self, version: str | None = None, token: str = "token-1", **changed: str) -> dict[str, Any]:
        """An update that fails because the database is busy, and rolls back when it is not any more; its final record."""
        self.sim.act("database-status", status="backing-up")
        record = self.start(version, token, **(changed or {"BackupRetentionPeriod": "9"}))["RecordId"]
        self.sim.until(lambda: self.record(record)["Status"] == "IN_PROGRESS_IN_ERROR", step=2)
        self.sim.act("database-status", status="available")
        return self.finish(record)

    @cached_property
    def database(self) -> str:
        """The database's identifier."""
        found = self.sim.call("rds", "DescribeDBInstances")["DBInstances"]
        return next(database["DBInstanceIdentifier"] for database in found if "ReadReplicaSourceDBInstanceIdentifier" not in database)

    @cached_property
    def cache(self) -> str:
        """The replication group's id."""
        return self.sim.call("elasticache", "DescribeReplicationGroups")["ReplicationGroups"][0]["ReplicationGroupId"]

    @cached_property
    def mapping(self) -> dict[str, Any]:
        """The event source mapping of a worker."""
        return next(mapping for mapping in self.mappings() if mapping["FunctionArn"].rsplit(":", 1)[-1].endswith("_worker"))

    def mappings(self) -> list[dict[str, Any]]:
        """All event source mappings."""
        pages = self.sim.client("lambda").get_paginator("list_event_source_mappings").paginate()
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]

    @cached_property
    def queue(self) -> str:
        """The name of the queue behind `mapping`."""
        return self.mapping["EventSourceArn"].rsplit(":", 1)[-1]

    @cached_property
    def queue_url(self) -> str:
        """Its URL."""
        return self.sim.call("sqs", "GetQueueUrl", {"QueueName": self.queue})["QueueUrl"]


def example_calls(sim: Simulator) -> dict[tuple[str, str], dict[str, Any]]:
    """(service, operation) -> parameters that the default world accepts, in an order in which all succeed one after the other."""
    ted = Installation(sim)
    mapping = ted.mapping
    last = ted.detail["LastRecordId"]
    artifact = ted.versions[ted.version]
    return {
        ("servicecatalog", "SearchProvisionedProducts"): {
            "AccessLevelFilter": {"Key": "Account", "Value": "self"},
            "Filters": {"SearchQuery": [f"name:{PROVISIONED}"]},
            "SortBy": "name",
            "SortOrder": "ASCENDING",
            "PageSize": 100,
        },
        ("servicecatalog", "ScanProvisionedProducts"): {"AccessLevelFilter": {"Key": "Account", "Value": "self"}},
        ("servicecatalog", "DescribeProvisionedProduct"): {"Id": ted.id},
        ("servicecatalog", "SearchProducts"): {"Filters": {"FullTextSearch": ["Turbot"]}},
        ("servicecatalog", "DescribeProduct"): {"Id": ted.product},
        ("servicecatalog", "DescribeProductAsAdmin"): {"Id": ted.product},
        ("servicecatalog", "ListLaunchPaths"): {"ProductId": ted.product},
        ("servicecatalog", "ListProvisioningArtifacts"): {"ProductId": ted.product},
        ("servicecatalog", "DescribeProvisioningArtifact"): {
            "ProvisioningArtifactId": artifact,
            "ProductId": ted.product,
            "Verbose": True,
            "IncludeProvisioningArtifactParameters": True,
        },
        ("servicecatalog", "DescribeProvisioningParameters"): {"ProductId": ted.product, "ProvisioningArtifactId": artifact, "PathId": ted.path},
        ("servicecatalog", "GetProvisionedProductOutputs"): {"ProvisionedProductId": ted.id},
        ("servicecatalog", "DescribeRecord"): {"Id": last},
        ("servicecatalog", "ListRecordHistory"): {
            "AccessLevelFilter": {"Key": "Account", "Value": "self"},
            "SearchFilter": {"Key": "provisionedproduct", "Value": ted.id},
        },
        ("cloudformation", "DescribeStacks"): {"StackName": ted.root},
        ("cloudformation", "ListStacks"): {"StackStatusFilter": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
        ("cloudformation", "DescribeStackEvents"): {"StackName": ted.root},
        ("cloudformation", "DescribeEvents"): {"StackName": ted.root},
        ("cloudformation", "ListStackResources"): {"StackName": ted.root},
        ("cloudformation", "DescribeStackResources"): {"StackName": ted.root},
        ("cloudformation", "GetTemplate"): {"StackName": ted.root, "TemplateStage": "Original"},
        ("cloudformation", "GetTemplateSummary"): {"StackName": ted.root},
        ("cloudformation", "DetectStackDrift"): {"StackName": ted.root},
        ("cloudformation", "DescribeStackResourceDrifts"): {"StackName": ted.root},
        ("elasticache", "DescribeReplicationGroups"): {"ReplicationGroupId": ted.cache},
        ("elasticache", "DescribeCacheClusters"): {"ShowCacheNodeInfo": True},
        ("elasticache", "DescribeCacheEngineVersions"): {"Engine": "valkey"},
        ("elasticache", "DescribeEvents"): {"SourceType": "replication-group", "Duration": 60},
        ("elasticache", "DescribeServerlessCaches"): {},
        ("elasticache", "DescribeUserGroups"): {},
        ("rds", "DescribeDBInstances"): {"DBInstanceIdentifier": ted.database},
        ("rds", "DescribeEvents"): {"SourceType": "db-instance", "Duration": 60},
        ("lambda", "ListFunctions"): {"MaxItems": 50},
        ("lambda", "GetFunctionConfiguration"): {"FunctionName": mapping["FunctionArn"]},
        ("lambda", "ListEventSourceMappings"): {"FunctionName": mapping["FunctionArn"]},
        ("lambda", "GetEventSourceMapping"): {"UUID": mapping["UUID"]},
        ("lambda", "TagResource"): {"Resource": mapping["EventSourceMappingArn"], "Tags": {"owner": "conformance"}},
        ("lambda", "ListTags"): {"Resource": mapping["EventSourceMappingArn"]},
        ("lambda", "UntagResource"): {"Resource": mapping["EventSourceMappingArn"], "TagKeys": ["owner"]},
        ("sqs", "ListQueues"): {"QueueNamePrefix": "turbot_", "MaxResults": 1000},
        ("sqs", "GetQueueUrl"): {"QueueName": ted.queue},
        ("sqs", "GetQueueAttributes"): {"QueueUrl": ted.queue_url, "AttributeNames": ["All"]},
        ("sts", "GetCallerIdentity"): {},
        ("sts", "AssumeRole"): {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "conformance"},
        ("iam", "SimulatePrincipalPolicy"): {
            "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator",
            "ActionNames": ["servicecatalog:UpdateProvisionedProduct"],
        },
        # From here on the world changes.
        ("elasticache", "ModifyReplicationGroup"): {"ReplicationGroupId": ted.cache, "SnapshotRetentionLimit": 3, "ApplyImmediately": True},
        ("rds", "ModifyDBInstance"): {"DBInstanceIdentifier": ted.database, "BackupRetentionPeriod": 8, "ApplyImmediately": True},
        ("lambda", "UpdateEventSourceMapping"): {"UUID": mapping["UUID"], "Enabled": False},
        ("cloudformation", "UpdateStack"): _direct_update(ted),
        ("servicecatalog", "UpdateProvisionedProduct"): ted.update(ted.version, "conformance", MaxConnections="801"),
        ("cloudformation", "ContinueUpdateRollback"): {"StackName": ted.root},
        ("cloudformation", "DescribeStackDriftDetectionStatus"): {"StackDriftDetectionId": "filled in by the test"},
    }


def _direct_update(ted: Installation) -> dict[str, Any]:
    """An update of the root stack by CloudFormation itself, past Service Catalog."""
    keys = ted.values()
    return {
        "StackName": ted.root,
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": "802"} if key == "MaxConnections" else {"ParameterKey": key, "UsePreviousValue": True}
            for key in keys
        ],
    }
