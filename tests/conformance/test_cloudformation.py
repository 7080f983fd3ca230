"""CloudFormation: a tree of stacks that updates, fails, rolls back, gets stuck and is freed; and what its events say about it."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from botocore.exceptions import WaiterError

from calls import Installation
from simulator import ACCOUNT, Simulator
from test_faults import refused

CF = "cloudformation"
NESTED = "AWS::CloudFormation::Stack"
STORAGE = "Invalid storage size for engine name postgres and storage type gp3"


def pages(sim: Simulator, operation: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """All items of a paginated call."""
    return [item for page in sim.client(CF).get_paginator(operation).paginate(**params) for item in page[key]]


def tree(sim: Simulator, root: str) -> dict[str, list[dict[str, Any]]]:
    """Every stack below `root`, itself first: name or ARN -> its resources."""
    found: dict[str, list[dict[str, Any]]] = {}
    waiting = [root]
    while waiting:
        stack = waiting.pop(0)
        found[stack] = pages(sim, "list_stack_resources", "StackResourceSummaries", StackName=stack)
        waiting += [resource["PhysicalResourceId"] for resource in found[stack] if resource["ResourceType"] == NESTED]
    return found


def events(sim: Simulator, stack: str, since: Any = None) -> list[dict[str, Any]]:
    """A stack's events, oldest first."""
    shown = pages(sim, "describe_stack_events", "StackEvents", StackName=stack)
    assert [event["Timestamp"] for event in shown] == sorted((event["Timestamp"] for event in shown), reverse=True), "newest first"
    return [event for event in reversed(shown) if since is None or event["Timestamp"] > since]


def test_the_tree_hangs_together(sim: Simulator) -> None:
    ted = Installation(sim)
    root = ted.stack()
    assert "ParentId" not in root and "RootId" not in root
    below = tree(sim, ted.root)
    nested = list(below)[1:]
    assert 10 <= len(nested) <= 18
    for child in nested:
        stack = ted.stack(child)
        assert stack["StackId"] == child and stack["RootId"] == root["StackId"] and stack["ParentId"]
        assert stack["StackName"].startswith(f"{ted.root}-")
    listed = {summary["StackId"]: summary for summary in pages(sim, "list_stacks", "StackSummaries")}
    assert {root["StackId"], *nested} <= listed.keys()
    assert all(listed[child]["RootId"] == root["StackId"] for child in nested)


def test_stacks_are_found_by_name_by_arn_and_all_at_once(sim: Simulator) -> None:
    ted = Installation(sim)
    stack = ted.stack()
    assert ted.stack(stack["StackId"]) == stack
    everything = pages(sim, "describe_stacks", "Stacks")
    assert stack in everything


def test_resources_are_the_same_by_both_calls(sim: Simulator) -> None:
    ted = Installation(sim)
    listed = {resource["LogicalResourceId"]: resource for resource in tree(sim, ted.root)[ted.root]}
    described = sim.call(CF, "DescribeStackResources", {"StackName": ted.root})["StackResources"]
    assert {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in described} == {name: resource["PhysicalResourceId"] for name, resource in listed.items()}
    one = sim.call(CF, "DescribeStackResources", {"StackName": ted.root, "LogicalResourceId": described[0]["LogicalResourceId"]})["StackResources"]
    assert one == described[:1]


def test_a_physical_id_finds_its_stack(sim: Simulator) -> None:
    ted = Installation(sim)
    found = sim.call(CF, "DescribeStackResources", {"PhysicalResourceId": ted.database})["StackResources"]
    assert ted.database in [resource["PhysicalResourceId"] for resource in found]
    assert len({resource["StackName"] for resource in found}) == 1


def test_secrets_are_masked_and_ssm_values_resolve(sim: Simulator) -> None:
    ted = Installation(sim)
    hidden = {parameter["ParameterKey"] for parameter in ted.parameters_of(ted.version) if parameter["IsNoEcho"]}
    shown = {parameter["ParameterKey"]: parameter for parameter in ted.stack()["Parameters"]}
    assert hidden and all(shown[key]["ParameterValue"] == "****" for key in hidden)
    resolved = [parameter for parameter in shown.values() if "ResolvedValue" in parameter]
    assert resolved and all(parameter["ResolvedValue"] != parameter["ParameterValue"] for parameter in resolved)
    sim.options(noEchoMask="*****")
    assert {parameter["ParameterValue"] for parameter in ted.stack()["Parameters"] if parameter["ParameterKey"] in hidden} == {"*****"}


def test_the_template_and_its_summary_agree(sim: Simulator) -> None:
    ted = Installation(sim)
    body = sim.call(CF, "GetTemplate", {"StackName": ted.root, "TemplateStage": "Original"})
    text = body["TemplateBody"]
    template = text if isinstance(text, dict) else json.loads(text)
    by_stack = sim.call(CF, "GetTemplateSummary", {"StackName": ted.root})
    assert {parameter["ParameterKey"] for parameter in by_stack["Parameters"]} == set(template["Parameters"])
    assert json.loads(by_stack["Metadata"]) == template["Metadata"]
    assert set(by_stack["ResourceTypes"]) == {resource["Type"] for resource in template["Resources"].values()}
    by_body = sim.call(CF, "GetTemplateSummary", {"TemplateBody": json.dumps(template)})
    assert by_body["Parameters"] == by_stack["Parameters"]


def test_an_update_touches_every_child_in_order(sim: Simulator) -> None:
    """Facts 3.3: the parent's event for the child, the child's own, its resources, its clean-up; all done at the root's end."""
    ted = Installation(sim)
    began = sim.now
    sim.advance(1)
    assert ted.finish(ted.start(MaxConnections="801")["RecordId"])["Status"] == "SUCCEEDED"
    root = events(sim, ted.root, began)
    own = [event for event in root if event["PhysicalResourceId"] == event["StackId"]]
    assert [event["ResourceStatus"] for event in own] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert own[0]["ResourceStatusReason"] == "User Initiated"
    children = [resource for resource in tree(sim, ted.root)[ted.root] if resource["ResourceType"] == NESTED]
    for child in children:
        in_parent = [event["ResourceStatus"] for event in root if event["PhysicalResourceId"] == child["PhysicalResourceId"]]
        assert in_parent[0] == "UPDATE_IN_PROGRESS" and in_parent[-1] == "UPDATE_COMPLETE", child["LogicalResourceId"]
        mine = events(sim, child["PhysicalResourceId"], began)
        states = [event["ResourceStatus"] for event in mine if event["PhysicalResourceId"] == child["PhysicalResourceId"]]
        assert states == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"], child["LogicalResourceId"]
        assert ted.stack(child["PhysicalResourceId"])["StackStatus"] == "UPDATE_COMPLETE"
    assert len({event["EventId"] for event in root}) == len(root)


def test_operation_events_tell_the_operation(sim: Simulator) -> None:
    ted = Installation(sim)
    ted.finish(ted.start(MaxConnections="801")["RecordId"])
    (operation, *_) = ted.stack()["LastOperations"]
    assert operation["OperationType"] == "UPDATE_STACK"
    shown = sim.call(CF, "DescribeEvents", {"OperationId": operation["OperationId"]})["OperationEvents"]
    assert shown and {event["OperationId"] for event in shown} == {operation["OperationId"]}
    assert all(event["OperationType"] == "UPDATE_STACK" for event in shown if "OperationType" in event)


def test_a_failure_is_found_from_the_root_down(sim: Simulator) -> None:
    """The earliest real failure, descending through nested stacks; the rest is noise about cancelling."""
    ted = Installation(sim)
    began = sim.now
    sim.advance(1)
    ted.fail()
    assert ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    stack, cause = ted.root, None
    for _ in range(5):
        failed = [event for event in events(sim, stack, began) if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", "")]
        cause = failed[0]
        if cause["ResourceType"] != NESTED:
            break
        assert "was not successfully updated" in cause["ResourceStatusReason"], cause
        stack = cause["PhysicalResourceId"]
    assert cause is not None and cause["LogicalResourceId"] == "HivePrimary"
    assert "Database instance is not in available state." in cause["ResourceStatusReason"]
    (operation, *_) = ted.stack()["LastOperations"]
    filtered = sim.call(CF, "DescribeEvents", {"OperationId": operation["OperationId"], "Filters": {"FailedEvents": True}})["OperationEvents"]
    assert filtered and all(event["ResourceStatus"].endswith("_FAILED") for event in filtered)


def stuck(sim: Simulator) -> Installation:
    """An installation whose rollback failed: storage autoscaled, the update failed on it, and so did the way back."""
    ted = Installation(sim)
    size = sim.call("rds", "DescribeDBInstances", {"DBInstanceIdentifier": ted.database})["DBInstances"][0]["AllocatedStorage"]
    sim.act("grow-storage", to=size + 60)
    sim.advance(7 * 3600)
    ted.finish(ted.start(BackupRetentionPeriod="9")["RecordId"])
    assert ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    return ted


def owner(sim: Simulator, ted: Installation) -> str:
    """The name of the stack that holds the database."""
    return sim.call(CF, "DescribeStackResources", {"PhysicalResourceId": ted.database})["StackResources"][0]["StackName"]


def test_autoscaled_storage_ends_in_a_failed_rollback_that_can_be_continued(sim: Simulator) -> None:
    """Facts 3.4 and 5.3, and Turbot's guide to out-of-sync installations."""
    ted = stuck(sim)
    below = owner(sim, ted)
    reasons = [event.get("ResourceStatusReason", "") for event in events(sim, below) if event["LogicalResourceId"] == "HivePrimary" and event["ResourceStatus"] == "UPDATE_FAILED"]
    assert any(STORAGE in reason for reason in reasons)
    assert ted.detail["Status"] == "TAINTED"
    code, _, message = refused(sim, CF, "UpdateStack", direct(ted, MaxConnections="802"))
    assert code == "ValidationError" and "UPDATE_ROLLBACK_FAILED state and can not be updated" in message
    skip = f"{below}.HivePrimary" if below != ted.root else "HivePrimary"
    sim.call(CF, "ContinueUpdateRollback", {"StackName": ted.root, "ResourcesToSkip": [skip]})
    sim.until(lambda: ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")
    size = sim.call("rds", "DescribeDBInstances", {"DBInstanceIdentifier": ted.database})["DBInstances"][0]["AllocatedStorage"]
    record = ted.finish(ted.start(token="token-2", AllocatedStorage=str(size))["RecordId"])
    assert record["Status"] == "SUCCEEDED" and ted.detail["Status"] == "AVAILABLE"


CONTINUES: list[tuple[str, Callable[[Installation, str], dict[str, Any]], str]] = [
    ("a child", lambda ted, below: {"StackName": below}, "cannot be invoked on child stacks"),
    ("a logical id for a stack's name", lambda ted, below: {"ResourcesToSkip": ["NoSuchStack.HivePrimary"]}, "does not"),
    ("a resource that did not fail", lambda ted, below: {"ResourcesToSkip": [f"{below}.NoSuchResource"]}, ""),
    ("skip and force", lambda ted, below: {"ResourcesToSkip": [f"{below}.HivePrimary"], "ForceRollback": True}, ""),
]


def test_what_continuing_a_rollback_refuses(sim: Simulator) -> None:
    ted = stuck(sim)
    below = owner(sim, ted)
    for why, params, text in CONTINUES:
        if why == "a child" and below == ted.root:
            continue
        code, status, message = refused(sim, CF, "ContinueUpdateRollback", {"StackName": ted.root} | params(ted, below))
        assert (code, status) == ("ValidationError", 400) and text in message, why
    sim.call(CF, "ContinueUpdateRollback", {"StackName": ted.root, "ForceRollback": True, "ClientRequestToken": "again-1"})
    assert sim.until(lambda: ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")


def direct(ted: Installation, **changed: str) -> dict[str, Any]:
    """UpdateStack of the root stack with some parameters changed."""
    return {
        "StackName": ted.root,
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": changed[key]} if key in changed else {"ParameterKey": key, "UsePreviousValue": True} for key in ted.values()],
    }


def test_a_direct_update_is_validated_at_once(sim: Simulator) -> None:
    ted = Installation(sim)
    same = ted.values()["MaxConnections"]
    for why, params, text in [
        ("no change", direct(ted, MaxConnections=same), "No updates are to be performed."),
        ("a value with the previous one", direct(ted) | {"Parameters": [{"ParameterKey": "MaxConnections", "ParameterValue": "5", "UsePreviousValue": True}]}, "usePreviousValue"),
        ("a key too many", direct(ted) | {"Parameters": [*direct(ted)["Parameters"], {"ParameterKey": "Nonsense", "ParameterValue": "x"}]}, "Parameters: [Nonsense] do not exist in the template"),
        ("a key too few", direct(ted) | {"Parameters": []}, "must have values"),
    ]:
        code, _, message = refused(sim, CF, "UpdateStack", params)
        assert code == "ValidationError" and text in message, (why, message)
    assert sim.call(CF, "UpdateStack", direct(ted, MaxConnections="802"))["StackId"] == ted.stack()["StackId"]
    code, _, message = refused(sim, CF, "UpdateStack", direct(ted, MaxConnections="803"))
    assert code == "ValidationError" and "UPDATE_IN_PROGRESS state and can not be updated" in message


def test_a_client_token_is_used_once(sim: Simulator) -> None:
    ted = Installation(sim)
    sim.call(CF, "UpdateStack", direct(ted, MaxConnections="802") | {"ClientRequestToken": "once"})
    sim.until(lambda: ted.stack()["StackStatus"] == "UPDATE_COMPLETE")
    assert {event.get("ClientRequestToken") for event in events(sim, ted.root)[-1:]} == {"once"}
    assert refused(sim, CF, "UpdateStack", direct(ted, MaxConnections="803") | {"ClientRequestToken": "once"})[0] == "TokenAlreadyExistsException"


def test_drift_is_detected_per_stack_and_not_in_nested_ones(sim: Simulator) -> None:
    ted = Installation(sim)
    below = owner(sim, ted)
    sim.call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "BackupRetentionPeriod": 9, "ApplyImmediately": True})
    sim.advance(1800)
    status = detect(sim, below)
    assert status["StackDriftStatus"] == "DRIFTED" and status["DriftedStackResourceCount"] >= 1
    drifts = pages_of_drifts(sim, below, ["MODIFIED"])
    (drift,) = [drift for drift in drifts if drift["LogicalResourceId"] == "HivePrimary"]
    assert any(difference["PropertyPath"] == "/BackupRetentionPeriod" and difference["ActualValue"] == "9" for difference in drift["PropertyDifferences"])
    assert ted.stack(below)["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    if below != ted.root:
        assert detect(sim, ted.root)["StackDriftStatus"] == "IN_SYNC"


def detect(sim: Simulator, stack: str) -> dict[str, Any]:
    """Runs a drift detection to its end."""
    detection = sim.call(CF, "DetectStackDrift", {"StackName": stack})["StackDriftDetectionId"]
    assert len(detection) <= 36
    return sim.until(lambda: (now := sim.call(CF, "DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": detection}))["DetectionStatus"] == "DETECTION_COMPLETE" and now)


def pages_of_drifts(sim: Simulator, stack: str, states: list[str]) -> list[dict[str, Any]]:
    """DescribeStackResourceDrifts has no paginator in botocore: by hand."""
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"StackName": stack, "StackResourceDriftStatusFilters": states}
    while True:
        page = sim.call(CF, "DescribeStackResourceDrifts", params)
        found += page["StackResourceDrifts"]
        if "NextToken" not in page:
            return found
        params["NextToken"] = page["NextToken"]


def test_waiters_follow_an_update(sim: Simulator) -> None:
    """boto3's own waiters: one that ends well, one that sees the rollback."""
    ted = Installation(sim)
    client = sim.client(CF)
    quick = {"Delay": 0, "MaxAttempts": 2000}
    client.get_waiter("stack_exists").wait(StackName=ted.root, WaiterConfig=quick)
    ted.start(MaxConnections="801")
    sim.speed(20000)
    client.get_waiter("stack_update_complete").wait(StackName=ted.root, WaiterConfig=quick)
    sim.speed(0)
    assert ted.stack()["StackStatus"] == "UPDATE_COMPLETE"
    sim.until(lambda: ted.status == "AVAILABLE", step=5)
    sim.act("database-status", status="backing-up", **{"for": "5m"})
    ted.start(token="token-2", BackupRetentionPeriod="9")
    sim.speed(5000)
    with pytest.raises(WaiterError):
        client.get_waiter("stack_update_complete").wait(StackName=ted.root, WaiterConfig=quick)
    client.get_waiter("stack_rollback_complete").wait(StackName=ted.root, WaiterConfig=quick)
    sim.speed(0)
    assert ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_denied_launch_role_fails_the_update_with_its_name(sim: Simulator) -> None:
    ted = Installation(sim)
    sim.act("deny", principal="launch-role", actions=["rds:ModifyDBInstance"])
    record = ted.finish(ted.start(BackupRetentionPeriod="9")["RecordId"])
    assert record["Status"] == "FAILED"
    below = owner(sim, ted)
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events(sim, below))
    assert "is not authorized to perform: rds:ModifyDBInstance" in reasons and "assumed-role" in reasons


def test_a_deleted_stack_is_found_by_arn_only(sim: Simulator) -> None:
    ted = Installation(sim)
    arn = ted.provisioned["PhysicalId"]
    sim.act("stack-delete")
    sim.advance(3600)
    code, _, message = refused(sim, CF, "DescribeStacks", {"StackName": ted.root})
    assert code == "ValidationError" and message == f"Stack with id {ted.root} does not exist"
    assert ted.stack(arn)["StackStatus"] == "DELETE_COMPLETE"
    assert arn in [summary["StackId"] for summary in pages(sim, "list_stacks", "StackSummaries", StackStatusFilter=["DELETE_COMPLETE"])]
    assert ACCOUNT in arn
