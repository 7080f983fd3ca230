"""A whole redis -> valkey migration, the way an operator would script it with boto3 from Turbot's guide.

`migrate` is a plain program: it knows nothing of the simulator but an endpoint and a way to wait. It finds parameter keys by their labels,
since the keys are not public.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pytest

from calls import TED_PRODUCT, Installation
from conftest import Record, world
from simulator import Simulator

LEVEL = {"Key": "Account", "Value": "self"}
NESTED = "AWS::CloudFormation::Stack"


@dataclass
class Outcome:
    """What the operator saw."""

    paused: list[str] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    caches: dict[str, str] = field(default_factory=dict)


class Operator:
    """The guide, step by step."""

    def __init__(self, client: Callable[[str], Any], wait: Callable[[float], None], hive: str, version: str, valkey: str) -> None:
        self.sc, self.cf, self.ec = client("servicecatalog"), client("cloudformation"), client("elasticache")
        self.rds, self.functions = client("rds"), client("lambda")
        self.wait, self.hive, self.version, self.valkey = wait, hive, version, valkey
        self.outcome = Outcome()

    def migrate(self) -> Outcome:
        """From Redis to Valkey."""
        product = self.find()
        root = product["PhysicalId"]
        self.check(product, root)
        workers = self.workers()
        self.pause(workers)
        since = self.stack(root).get("LastUpdatedTime", self.stack(root)["CreationTime"])
        record = self.update(product, root)
        self.follow(product["Id"], record, root, since)
        self.verify(root)
        self.resume(workers)
        return self.outcome

    def find(self) -> dict[str, Any]:
        """The provisioned product, with the access filter Account (step 3)."""
        found = self.sc.search_provisioned_products(AccessLevelFilter=LEVEL, Filters={"SearchQuery": [f"productName:{TED_PRODUCT}"]})
        (product,) = [product for product in found["ProvisionedProducts"] if product["Name"].endswith(self.hive)]
        return product

    def stack(self, name: str) -> dict[str, Any]:
        return self.cf.describe_stacks(StackName=name)["Stacks"][0]

    def check(self, product: dict[str, Any], root: str) -> None:
        """Before anything is touched (step 1)."""
        assert product["Status"] == "AVAILABLE" and self.stack(root)["StackStatus"].endswith("_COMPLETE")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self.stack(root)["Outputs"]}
        (database,) = self.rds.describe_db_instances(DBInstanceIdentifier=outputs["HivePrimaryInstance"])["DBInstances"]
        assert database["DBInstanceStatus"] == "available"
        assert {cache["Engine"] for cache in self.groups()} == {"redis"}

    def groups(self) -> list[dict[str, Any]]:
        pages = self.ec.get_paginator("describe_replication_groups").paginate()
        return [group for page in pages for group in page["ReplicationGroups"] if self.hive in group["ReplicationGroupId"]]

    def workers(self) -> list[str]:
        """The enabled worker mappings of every TE version that a workspace of this hive runs."""
        versions = set()
        for page in self.cf.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                values = {parameter["ParameterKey"]: parameter.get("ParameterValue") for parameter in stack.get("Parameters", [])}
                if values.get("Hive") == self.hive and "Version" in values:
                    versions.add(values["Version"].replace(".", "_"))
        assert versions
        name = re.compile(rf"turbot_({'|'.join(sorted(versions))})_worker(_priority|_retry)?$")
        found = []
        for page in self.functions.get_paginator("list_event_source_mappings").paginate():
            for mapping in page["EventSourceMappings"]:
                if name.search(mapping["FunctionArn"]) and mapping["State"] == "Enabled":
                    found.append(mapping["UUID"])
                else:
                    self.outcome.untouched.append(mapping["UUID"])
        assert len(found) == 3 * len(versions)
        return found

    def set_all(self, workers: list[str], enabled: bool, state: str) -> None:
        for uuid in workers:
            self.functions.update_event_source_mapping(UUID=uuid, Enabled=enabled)
        for _ in range(100):
            if all(self.functions.get_event_source_mapping(UUID=uuid)["State"] == state for uuid in workers):
                return
            self.wait(5)
        raise AssertionError(f"mappings do not become {state}")

    def pause(self, workers: list[str]) -> None:
        """Step 2."""
        self.set_all(workers, False, "Disabled")
        self.outcome.paused = workers

    def resume(self, workers: list[str]) -> None:
        """Step 8."""
        self.set_all(workers, True, "Enabled")

    def update(self, product: dict[str, Any], root: str) -> str:
        """Steps 4 and 5: previous values for what the stack has, the cache's by label, defaults for what is new."""
        artifacts = self.sc.list_provisioning_artifacts(ProductId=product["ProductId"])["ProvisioningArtifactDetails"]
        (artifact,) = [artifact["Id"] for artifact in artifacts if artifact["Name"] == self.version and artifact["Active"]]
        (path,) = self.sc.list_launch_paths(ProductId=product["ProductId"])["LaunchPathSummaries"]
        described = self.sc.describe_provisioning_parameters(ProductId=product["ProductId"], ProvisioningArtifactId=artifact, PathId=path["Id"])
        usage = {instruction["Type"]: instruction["Value"] for instruction in described["UsageInstructions"]}
        labels = {label["default"]: key for key, label in json.loads(usage["metadata"])["AWS::CloudFormation::Interface"]["ParameterLabels"].items()}
        wanted = {labels["ElastiCache Engine"]: "valkey", labels["Valkey Cache Version"]: self.valkey}
        running = {parameter["ParameterKey"] for parameter in self.stack(root)["Parameters"]}
        given = []
        for parameter in described["ProvisioningArtifactParameters"]:
            key = parameter["ParameterKey"]
            if key in wanted:
                assert wanted[key] in parameter["ParameterConstraints"]["AllowedValues"]
                given.append({"Key": key, "Value": wanted[key]})
            elif key in running:
                given.append({"Key": key, "UsePreviousValue": True})
            else:
                assert "DefaultValue" in parameter, f"{key} is new and needs a decision"
        answer = self.sc.update_provisioned_product(
            ProvisionedProductId=product["Id"],
            ProductId=product["ProductId"],
            ProvisioningArtifactId=artifact,
            PathId=path["Id"],
            ProvisioningParameters=given,
            UpdateToken=f"migrate-{self.hive}-1",
        )
        return answer["RecordDetail"]["RecordId"]

    def follow(self, product: str, record: str, root: str, since: Any) -> None:
        """Step 6: the record until it is final, and then all events of the tree."""
        for _ in range(1000):
            detail = self.sc.describe_record(Id=record)["RecordDetail"]
            if detail["Status"] in ("SUCCEEDED", "FAILED"):
                break
            self.wait(30)
        self.outcome.record = detail
        waiting = [root]
        while waiting:
            stack = waiting.pop()
            for page in self.cf.get_paginator("describe_stack_events").paginate(StackName=stack):
                self.outcome.events += [event for event in page["StackEvents"] if event["Timestamp"] > since]
            for page in self.cf.get_paginator("list_stack_resources").paginate(StackName=stack):
                waiting += [resource["PhysicalResourceId"] for resource in page["StackResourceSummaries"] if resource["ResourceType"] == NESTED]
        assert detail["Status"] == "SUCCEEDED", detail
        state = self.sc.describe_provisioned_product(Id=product)["ProvisionedProductDetail"]
        assert state["Status"] == "AVAILABLE" and state["LastSuccessfulProvisioningRecordId"] == record

    def verify(self, root: str) -> None:
        """Step 7: engine and version on every node of the group that the stack now has."""
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self.stack(root)["Outputs"]}
        assert f"v{outputs['ReleaseVersion']}" == self.version and self.stack(root)["StackStatus"] == "UPDATE_COMPLETE"
        self.outcome.caches = {group["ReplicationGroupId"]: group["Engine"] for group in self.groups()}
        for group in self.groups():
            if group["Engine"] != "valkey":
                continue
            assert group["Status"] == "available"
            for node in group["MemberClusters"]:
                (cluster,) = self.ec.describe_cache_clusters(CacheClusterId=node)["CacheClusters"]
                assert cluster["Engine"] == "valkey" and cluster["CacheClusterStatus"] == "available"
                assert cluster["EngineVersion"].startswith(f"{self.valkey}."), cluster["EngineVersion"]
                assert cluster["CacheParameterGroup"]["ParameterApplyStatus"] == "in-sync"


WAYS = [("in-place", {"valkey": 1}), ("replace", {"valkey": 1}), ("leave-behind", {"redis": 1, "valkey": 1})]


@pytest.mark.parametrize(("way", "caches"), WAYS, ids=[row[0] for row in WAYS])
def test_the_guide_leads_to_valkey(tmp_path: Path, record: Record, way: str, caches: dict[str, int]) -> None:
    """How a TED version gets to Valkey differs: one group in place, a new one, or a new one with the old left behind."""
    with world(record, tmp_path, f"summary: {way}\noptions:\n  cacheUpgrade: {way}\n") as sim:
        began = sim.now
        before = Installation(sim)
        states = {mapping["UUID"]: mapping["State"] for mapping in before.mappings()}
        old = sim.call("elasticache", "DescribeReplicationGroups")["ReplicationGroups"][0]["ReplicationGroupId"]
        outcome = Operator(sim.client, sim.advance, hive="einstein", version="v1.52.1", valkey="8.0").migrate()
        engines = list(outcome.caches.values())
        assert {engine: engines.count(engine) for engine in set(engines)} == caches
        assert (old in outcome.caches) == (way != "replace")
        assert {mapping["UUID"]: mapping["State"] for mapping in before.mappings()} == states, "all triggers are as they were"
        touched = {entry["parameters"]["UUID"] for entry in sim.log() if entry["operation"] == "UpdateEventSourceMapping"}
        assert touched == set(outcome.paused) and not touched & set(outcome.untouched)
        assert 600 <= (sim.now - began).total_seconds() <= 2 * 3600, "10 to 60 minutes, and the pause around it"
        failed = [event for event in outcome.events if event["ResourceStatus"].endswith("_FAILED")]
        assert bool(failed) == (way == "leave-behind"), "only a removal in the clean-up may fail"
        writes = [entry["operation"] for entry in sim.log() if entry["effect"] == "write"]
        assert writes.count("UpdateProvisionedProduct") == 1
        assert set(writes) == {"UpdateProvisionedProduct", "UpdateEventSourceMapping"}


def test_there_is_no_way_back(sim: Simulator) -> None:
    """After the migration an update back to Redis fails, and the cache stays Valkey."""
    Operator(sim.client, sim.advance, hive="einstein", version="v1.52.1", valkey="8.0").migrate()
    ted = Installation(sim)
    engine = next(key for key, value in ted.values().items() if value == "valkey")
    record = ted.finish(ted.start("v1.52.1", token="back", **{engine: "redis"})["RecordId"])
    assert record["Status"] == "FAILED"
    assert sim.call("elasticache", "DescribeReplicationGroups", {"ReplicationGroupId": ted.cache})["ReplicationGroups"][0]["Engine"] == "valkey"


def test_a_careless_client_really_sets_a_password_of_asterisks(sim: Simulator) -> None:
    """Trap 1 of the facts: masked values must not be sent back. The simulator does what AWS does with them."""
    ted = Installation(sim)
    hidden = {parameter["ParameterKey"] for parameter in ted.parameters_of(ted.version) if parameter["IsNoEcho"]}
    password = next(key for key in sorted(hidden) if "Password" in key)
    record = ted.finish(ted.start(token="careless", **{password: "****"})["RecordId"])
    asked = [entry for entry in sim.log() if entry["operation"] == "UpdateProvisionedProduct"][-1]["parameters"]["ProvisioningParameters"]
    assert {"Key": password, "Value": "****"} in asked
    assert record["Status"] in ("SUCCEEDED", "FAILED")
    if record["Status"] == "SUCCEEDED":
        again = ted.finish(ted.start(token="again", **{password: "****"})["RecordId"])
        assert again["Status"] == "FAILED" and "No updates are to be performed" in again["RecordErrors"][0]["Description"], "the password is four asterisks now"
