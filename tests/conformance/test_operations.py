"""The simulator's own table of operations against botocore's models, and one good call of each operation."""

from __future__ import annotations

from typing import Any, Iterator

from calls import Installation, example_calls
from simulator import SERVICES, Simulator, model

# What is asked for beyond issue 2 may be there; what it names has to be (issue 2, point 2).
DEMANDED = {
    "servicecatalog": """SearchProvisionedProducts DescribeProvisionedProduct SearchProducts DescribeProduct DescribeProductAsAdmin
        ListLaunchPaths ListProvisioningArtifacts DescribeProvisioningArtifact DescribeProvisioningParameters
        GetProvisionedProductOutputs UpdateProvisionedProduct DescribeRecord ListRecordHistory""",
    "cloudformation": """DescribeStacks ListStacks DescribeStackEvents DescribeEvents ListStackResources DescribeStackResources
        GetTemplate GetTemplateSummary ContinueUpdateRollback UpdateStack DetectStackDrift DescribeStackDriftDetectionStatus
        DescribeStackResourceDrifts""",
    "elasticache": "DescribeReplicationGroups DescribeCacheClusters DescribeCacheEngineVersions DescribeEvents ModifyReplicationGroup",
    "rds": "DescribeDBInstances DescribeEvents ModifyDBInstance",
    "lambda": """ListFunctions GetFunctionConfiguration ListEventSourceMappings GetEventSourceMapping UpdateEventSourceMapping ListTags
        TagResource UntagResource""",
    "sqs": "GetQueueAttributes GetQueueUrl",
    "sts": "GetCallerIdentity AssumeRole",
    "iam": "SimulatePrincipalPolicy",
}

# Input members that the simulator ignores on purpose: (service, operation) -> member -> why. A request that has them is accepted, as AWS
# accepts it, and they change nothing.
IGNORED: dict[tuple[str, str], dict[str, str]] = {}

# Where limits differ from the model on purpose: (service, member, what) -> why.
DIFFERENT: dict[tuple[str, str, str], str] = {
    ("elasticache", "MaxRecords", "min"): "20 and 100 stand in the API reference's text, not in the model",
    ("elasticache", "MaxRecords", "max"): "the same",
    ("rds", "MaxRecords", "min"): "the same",
    ("rds", "MaxRecords", "max"): "the same",
}


def rows(sim: Simulator) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(service, operation, row) of the simulator's table."""
    for row in sim.operations():
        yield row["service"], row["operation"], row


def test_every_demanded_operation_is_there(sim: Simulator) -> None:
    there = {(service, name) for service, name, _ in rows(sim)}
    missing = {(service, name) for service, names in DEMANDED.items() for name in names.split()} - there
    assert not missing


def test_every_operation_exists_in_the_models(sim: Simulator) -> None:
    for service, name, _ in rows(sim):
        assert service in SERVICES and name in model(service).operation_names, f"{service}:{name}"


def test_writes_are_called_writes(sim: Simulator) -> None:
    """By AWS's own naming: what describes, gets, lists or searches changes nothing."""
    reading = ("Describe", "Get", "List", "Search", "Scan", "Simulate")
    for service, name, row in rows(sim):
        assert (row["effect"] == "read") == name.startswith(reading), f"{service}:{name} is {row['effect']}"


def test_rest_routes_are_the_models(sim: Simulator) -> None:
    for service, name, row in rows(sim):
        if model(service).resolved_protocol != "rest-json":
            assert row.get("route") is None, f"{service}:{name}"
            continue
        operation = model(service).operation_model(name)
        route = row["route"]
        assert route["method"] == operation.http["method"], name
        assert route["path"].rstrip("/") == operation.http["requestUri"].split("?")[0].rstrip("/"), name
        assert route["success"] == operation.http.get("responseCode", 200), name


def test_inputs_are_the_models(sim: Simulator) -> None:
    problems: list[str] = []
    unused = set(DIFFERENT)
    unused_ignored = {(*key, member) for key, members in IGNORED.items() for member in members}
    for service, name, row in rows(sim):
        shape = model(service).operation_model(name).input_shape
        for path, what, ours, theirs in differences(shape, row["input"]):
            if (service, path, what) in DIFFERENT:
                unused.discard((service, path, what))
            elif what == "absent" and path in IGNORED.get((service, name), {}):
                unused_ignored.discard((service, name, path))
            else:
                problems.append(f"{service}:{name} {path} {what}: {ours!r}, the model has {theirs!r}")
    assert not problems, "\n".join(problems)
    assert not unused and not unused_ignored, f"rows of the tables above that no longer apply: {unused | unused_ignored}"


Difference = tuple[str, str, Any, Any]


def differences(shape: Any, ours: dict[str, Any], path: str = "") -> Iterator[Difference]:
    """Where a structure of the table differs from the model's: (path, what, ours, theirs)."""
    theirs = dict(shape.members) if shape is not None else {}
    required = shape.required_members if shape is not None else []
    for name in ours.keys() - theirs.keys():
        yield f"{path}{name}", "unknown", ours[name], None
    for name, member in theirs.items():
        if name not in ours:
            yield f"{path}{name}", "absent", None, member.type_name
            continue
        if ours[name]["required"] != (name in required):
            yield f"{path}{name}", "required", ours[name]["required"], name in required
        yield from shape_differences(member, ours[name], f"{path}{name}")


def shape_differences(shape: Any, ours: dict[str, Any], path: str) -> Iterator[Difference]:
    """Where one member's shape differs from the model's."""
    kind = shape.type_name.replace("long", "integer")
    if ours["type"] != kind:
        yield path, "type", ours["type"], kind
    elif kind == "list":
        yield from limits(shape, ours, path, "max")
        yield from shape_differences(shape.member, ours["item"], f"{path}[]")
    elif kind == "structure":
        yield from differences(shape, ours["members"], f"{path}.")
    elif kind == "map":
        yield from shape_differences(shape.value, ours["value"], f"{path}{{}}")
    elif set(ours.get("enum", ())) != set(shape.metadata.get("enum", ())):
        yield path, "enum", ours.get("enum"), shape.metadata.get("enum")
    elif "enum" not in ours:
        yield from limits(shape, ours, path, "min", "max", "pattern")


def limits(shape: Any, ours: dict[str, Any], path: str, *names: str) -> Iterator[Difference]:
    """Which limits differ. A text's `min` of 0 is no limit."""
    for name in names:
        mine, theirs = ours.get(name), shape.metadata.get(name)
        if shape.type_name == "string" and name == "min":
            mine, theirs = mine or None, theirs or None
        if mine != theirs:
            yield path, name, mine, theirs


def test_every_operation_answers_a_good_call(sim: Simulator) -> None:
    """In the order of the examples; the wire checker reads every answer."""
    ted = Installation(sim)
    examples = example_calls(sim)
    known = {(service, name) for service, name, _ in rows(sim)}
    assert known <= examples.keys(), f"operations without an example: {sorted(known - examples.keys())}"
    quiet = known - {("cloudformation", "ContinueUpdateRollback"), ("cloudformation", "DescribeStackDriftDetectionStatus")}
    for (service, operation), params in examples.items():
        if (service, operation) not in quiet:
            continue
        if operation in ("UpdateStack", "UpdateProvisionedProduct"):
            settle(sim, ted)
        answer = sim.call(service, operation, params)
        if operation == "DetectStackDrift":
            state = sim.call("cloudformation", "DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": answer["StackDriftDetectionId"]})
            assert state["DetectionStatus"] == "DETECTION_IN_PROGRESS"
            sim.until(lambda: sim.call("cloudformation", "DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": answer["StackDriftDetectionId"]})["DetectionStatus"] == "DETECTION_COMPLETE")  # fmt: skip


def settle(sim: Simulator, ted: Installation) -> None:
    """Lets time pass until stack, database and cache rest."""

    def rests() -> bool:
        database = sim.call("rds", "DescribeDBInstances", {"DBInstanceIdentifier": ted.database})["DBInstances"][0]
        cache = sim.call("elasticache", "DescribeReplicationGroups", {"ReplicationGroupId": ted.cache})["ReplicationGroups"][0]
        return ted.stack()["StackStatus"].endswith("_COMPLETE") and database["DBInstanceStatus"] == "available" and cache["Status"] == "available"

    sim.until(rests, step=30)


def test_page_limits_are_those_a_client_trips_over(sim: Simulator) -> None:
    """The comparison above sees them too; these are the ones of the facts: 100 for the two searches, 20 elsewhere."""
    for service, operation, row in rows(sim):
        if service == "servicecatalog" and "PageSize" in row["input"]:
            wanted = 100 if operation in ("SearchProvisionedProducts", "SearchProducts") else 20
            assert row["input"]["PageSize"].get("max") == wanted, operation
