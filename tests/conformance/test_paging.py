"""Pages: every paginator that botocore has for a simulated operation, and loops by hand where it has none. However small the pages, the
sum is the same."""

from __future__ import annotations

from typing import Any, Iterator

import botocore.session
import pytest

from calls import TED_PRODUCT, Installation, example_calls
from conftest import Record, world
from simulator import Simulator, model, snake

SESSION = botocore.session.get_session()

# Paged operations without a paginator: (service, operation) -> token sent, token received, list. (ListProvisioningArtifacts answers a
# token but takes none, and is not here.)
BY_HAND = {
    ("servicecatalog", "SearchProvisionedProducts"): ("PageToken", "NextPageToken", "ProvisionedProducts"),
    ("servicecatalog", "ScanProvisionedProducts"): ("PageToken", "NextPageToken", "ProvisionedProducts"),
    ("servicecatalog", "SearchProducts"): ("PageToken", "NextPageToken", "ProductViewSummaries"),
    ("servicecatalog", "DescribeRecord"): ("PageToken", "NextPageToken", "RecordOutputs"),
    ("servicecatalog", "GetProvisionedProductOutputs"): ("PageToken", "NextPageToken", "Outputs"),
    ("cloudformation", "DescribeStackResourceDrifts"): ("NextToken", "NextToken", "StackResourceDrifts"),
}

# Broader than the examples, so that there is more than one page's worth.
BROAD: dict[tuple[str, str], dict[str, Any]] = {
    ("cloudformation", "DescribeStacks"): {},
    ("cloudformation", "ListStacks"): {},
    ("rds", "DescribeDBInstances"): {},
    ("elasticache", "DescribeReplicationGroups"): {},
    ("elasticache", "DescribeCacheEngineVersions"): {},
    ("lambda", "ListFunctions"): {},
    ("lambda", "ListEventSourceMappings"): {},
    ("servicecatalog", "SearchProducts"): {},
    ("servicecatalog", "SearchProvisionedProducts"): {},
    ("elasticache", "DescribeEvents"): {"Duration": 20160},
    ("rds", "DescribeEvents"): {"Duration": 20160},
    ("iam", "SimulatePrincipalPolicy"): {"ActionNames": ["rds:DescribeDBInstances", "rds:DescribeEvents", "rds:ModifyDBInstance"]},
}


def paginator_of(service: str, operation: str) -> Any:
    """Botocore's paginator of an operation, or None."""
    try:
        return SESSION.get_paginator_model(service).get_paginator(operation)
    except (ValueError, botocore.exceptions.UnknownServiceError):
        return None


def everything(sim: Simulator, service: str, operation: str, params: dict[str, Any]) -> tuple[list[Any], int]:
    """All items, and the number of pages they came in."""
    config = paginator_of(service, operation)
    if config is not None:
        keys = [config["result_key"]] if isinstance(config["result_key"], str) else config["result_key"]
        pages = list(sim.client(service).get_paginator(snake(operation)).paginate(**params))
        return [item for page in pages for item in page.get(keys[0], [])], len(pages)
    sent, received, key = BY_HAND[service, operation]
    found: list[Any] = []
    count, token = 0, None
    while count == 0 or token:
        page = sim.call(service, operation, params | ({sent: token} if token else {}))
        found += page.get(key, [])
        count, token = count + 1, page.get(received)
        assert count < 10_000, "pages without end"
    return found, count


def paged(sim: Simulator) -> Iterator[tuple[str, str]]:
    """Simulated operations that come in pages."""
    for row in sim.operations():
        of = row["service"], row["operation"]
        if paginator_of(*of) is not None or of in BY_HAND:
            yield of


def test_pages_of_one_add_up_to_the_same(sim: Simulator) -> None:
    ted = Installation(sim)
    examples = example_calls(sim)
    # Records, events and outputs to page through.
    ted.finish(ted.start()["RecordId"])
    sim.call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "AllocatedStorage": 400, "ApplyImmediately": True})
    valkey = {"Engine": "valkey", "EngineVersion": "8.0", "CacheParameterGroupName": "default.valkey8"}
    sim.call("elasticache", "ModifyReplicationGroup", {"ReplicationGroupId": ted.cache, "ApplyImmediately": True} | valkey)
    sim.advance(3600)
    detection = sim.call("cloudformation", "DetectStackDrift", {"StackName": ted.root})["StackDriftDetectionId"]
    sim.until(lambda: sim.call("cloudformation", "DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": detection})["DetectionStatus"] == "DETECTION_COMPLETE")
    listed = list(paged(sim))
    assert len(listed) >= 20
    whole = {of: everything(sim, *of, examples[of] | BROAD.get(of, {}) if of not in BROAD or of[0] == "iam" else BROAD[of]) for of in listed}
    sim.options(pageSize=1)
    single = []
    for of, (items, _) in whole.items():
        params = examples[of] | BROAD.get(of, {}) if of not in BROAD or of[0] == "iam" else BROAD[of]
        found, pages = everything(sim, *of, params)
        assert found == items, of
        assert pages >= len(items), f"{of}: {len(items)} items in {pages} pages"
        if len(items) > 1:
            single.append(of)
    few = {of: len(whole[of][0]) for of in listed if of not in single}
    assert set(few) <= {
        # One product, one path, one cache: nothing to page through in the default world.
        ("servicecatalog", "SearchProvisionedProducts"),
        ("servicecatalog", "ScanProvisionedProducts"),
        ("servicecatalog", "SearchProducts"),
        ("servicecatalog", "ListLaunchPaths"),
        ("elasticache", "DescribeReplicationGroups"),
        ("elasticache", "DescribeServerlessCaches"),
        ("elasticache", "DescribeUserGroups"),
        ("rds", "DescribeDBInstances"),
        ("cloudformation", "DescribeStackResourceDrifts"),
    }, f"nothing to page through: {few}"


def test_a_page_may_be_shorter_than_asked_but_never_longer(sim: Simulator) -> None:
    ted = Installation(sim)
    for service, operation, size, key, params in [
        ("servicecatalog", "ListRecordHistory", "PageSize", "RecordDetails", {"AccessLevelFilter": {"Key": "Account", "Value": "self"}}),
        ("servicecatalog", "GetProvisionedProductOutputs", "PageSize", "Outputs", {"ProvisionedProductId": ted.id}),
        ("lambda", "ListFunctions", "MaxItems", "Functions", {}),
        ("lambda", "ListEventSourceMappings", "MaxItems", "EventSourceMappings", {}),
    ]:
        for asked in (1, 2):
            page = sim.call(service, operation, params | {size: asked})
            assert len(page[key]) <= asked, operation


def test_a_token_belongs_to_its_own_list(sim: Simulator) -> None:
    """A token of one list is no token of another, and none of another operation."""
    sim.options(pageSize=1)
    functions = sim.call("lambda", "ListFunctions")["NextMarker"]
    for service, operation, name, params in [("lambda", "ListEventSourceMappings", "Marker", {}), ("cloudformation", "ListStacks", "NextToken", {}), ("rds", "DescribeDBInstances", "Marker", {})]:
        with pytest.raises(botocore.exceptions.ClientError):
            sim.call(service, operation, params | {name: functions})


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, record: Record) -> Iterator[Simulator]:
    """A world with more than a page of everything."""
    with world(record, tmp_path_factory.mktemp("large"), "summary: more than a page of everything\nworld:\n  count: 24\n  extraFunctions: 1500\n") as simulator:
        yield simulator


# AWS's own ceilings: what a page holds at most when the client asks for more, or for nothing (facts 2.1, 3.1, 4.1, 5.1, 6.1).
CEILINGS = [
    ("lambda", "ListFunctions", "Functions", {}, 50),
    ("lambda", "ListFunctions", "Functions", {"MaxItems": 10000}, 50),
    ("lambda", "ListEventSourceMappings", "EventSourceMappings", {"MaxItems": 10000}, 100),
    ("servicecatalog", "SearchProvisionedProducts", "ProvisionedProducts", {}, 100),
    ("servicecatalog", "SearchProvisionedProducts", "ProvisionedProducts", {"PageSize": 100}, 100),
    ("servicecatalog", "ListRecordHistory", "RecordDetails", {"AccessLevelFilter": {"Key": "Account", "Value": "self"}}, 20),
    ("rds", "DescribeDBInstances", "DBInstances", {"MaxRecords": 20}, 20),
    ("elasticache", "DescribeReplicationGroups", "ReplicationGroups", {"MaxRecords": 20}, 20),
    ("elasticache", "DescribeCacheClusters", "CacheClusters", {"MaxRecords": 20}, 20),
    ("cloudformation", "ListStacks", "StackSummaries", {}, 100),
    ("cloudformation", "DescribeStackEvents", "StackEvents", {"StackName": "root"}, 100),
]


@pytest.mark.parametrize(("service", "operation", "key", "params", "most"), CEILINGS, ids=[f"{row[1]} {row[3]}" for row in CEILINGS])
def test_a_page_is_never_longer_than_awss_ceiling(large: Simulator, service: str, operation: str, key: str, params: dict[str, Any], most: int) -> None:
    if params.get("StackName"):
        params = params | {"StackName": Installation(large).root}
    page = large.call(service, operation, params)
    assert 0 < len(page[key]) <= most


def test_a_large_world_is_read_whole(large: Simulator) -> None:
    client = large.client
    functions = [function["FunctionName"] for page in client("lambda").get_paginator("list_functions").paginate() for function in page["Functions"]]
    assert len(functions) == len(set(functions)) >= 1500
    products, _ = everything(large, "servicecatalog", "SearchProvisionedProducts", {"PageSize": 7})
    assert len({product["Id"] for product in products}) == len(products)
    products = [product for product in products if product["ProductName"] == TED_PRODUCT]
    assert len(products) == 25
    databases = [database for page in client("rds").get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20}) for database in page["DBInstances"]]
    caches = [cache for page in client("elasticache").get_paginator("describe_replication_groups").paginate(PaginationConfig={"PageSize": 20}) for cache in page["ReplicationGroups"]]
    assert len(databases) == len(caches) == 25
    stacks, pages = everything(large, "cloudformation", "DescribeStacks", {})
    assert pages > 1, "pages of a megabyte"
    assert {product["PhysicalId"] for product in products} <= {stack["StackId"] for stack in stacks}


def test_every_list_with_a_token_is_covered(sim: Simulator) -> None:
    """An operation whose model has a token, but neither paginator nor a row above, would never be paged through here."""
    covered = set(paged(sim))
    for row in sim.operations():
        of = row["service"], row["operation"]
        members = model(of[0]).operation_model(of[1]).input_shape
        tokens = {"PageToken", "NextToken", "Marker"} & set(members.members if members is not None else ())
        assert not tokens or of in covered, of


