"""The real things below the stack: database, cache, triggers, queues, principals. Their statuses over time and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from calls import Installation
from simulator import ACCOUNT, REGION, Simulator
from test_faults import refused

EC, RDS, LAMBDA, SQS, STS, IAM = "elasticache", "rds", "lambda", "sqs", "sts", "iam"


def database(sim: Simulator, ted: Installation) -> dict[str, Any]:
    """The database now."""
    return sim.call(RDS, "DescribeDBInstances", {"DBInstanceIdentifier": ted.database})["DBInstances"][0]


def group(sim: Simulator, ted: Installation) -> dict[str, Any]:
    """The replication group now."""
    return sim.call(EC, "DescribeReplicationGroups", {"ReplicationGroupId": ted.cache})["ReplicationGroups"][0]


def nodes(sim: Simulator, ted: Installation) -> list[dict[str, Any]]:
    """The group's nodes now."""
    found = sim.call(EC, "DescribeCacheClusters", {"ShowCacheNodeInfo": True})["CacheClusters"]
    return [node for node in found if node.get("ReplicationGroupId") == ted.cache]


# --- RDS ---


def test_a_database_is_described_by_identifier_arn_and_filter(sim: Simulator) -> None:
    ted = Installation(sim)
    one = database(sim, ted)
    assert one["DBInstanceArn"] == f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{ted.database}"
    assert one["DBInstanceStatus"] == "available" and one["Engine"] == "postgres"
    assert not one.get("PendingModifiedValues")
    for params in (
        {"DBInstanceIdentifier": one["DBInstanceArn"]},
        {"Filters": [{"Name": "db-instance-id", "Values": [ted.database]}]},
        {"Filters": [{"Name": "dbi-resource-id", "Values": [one["DbiResourceId"]]}]},
        {"Filters": [{"Name": "engine", "Values": ["postgres"]}, {"Name": "db-instance-id", "Values": [ted.database]}]},
    ):
        assert sim.call(RDS, "DescribeDBInstances", params)["DBInstances"] == [one], params
    assert sim.call(RDS, "DescribeDBInstances", {"Filters": [{"Name": "engine", "Values": ["mysql"]}]})["DBInstances"] == []


def test_a_change_passes_through_modifying(sim: Simulator) -> None:
    ted = Installation(sim)
    size = database(sim, ted)["AllocatedStorage"]
    answer = sim.call(RDS, "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "AllocatedStorage": size * 2, "MaxAllocatedStorage": size * 10, "ApplyImmediately": True})
    assert answer["DBInstance"]["PendingModifiedValues"]["AllocatedStorage"] == size * 2
    seen = [database(sim, ted)["DBInstanceStatus"]]

    def optimizing() -> bool:
        status = database(sim, ted)["DBInstanceStatus"]
        if status != seen[-1]:
            seen.append(status)
        return status == "storage-optimization"

    sim.until(optimizing, step=10)
    assert "modifying" in seen
    during = database(sim, ted)
    assert during["AllocatedStorage"] == size * 2 and not during.get("PendingModifiedValues", {}).get("AllocatedStorage")
    code, _, message = refused(sim, RDS, "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "AllocatedStorage": size * 3, "ApplyImmediately": True})
    assert code in ("InvalidParameterCombination", "InvalidDBInstanceState"), message
    sim.until(lambda: database(sim, ted)["DBInstanceStatus"] == "available", step=600)
    sim.advance(6 * 3600)
    sim.call(RDS, "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "AllocatedStorage": size * 3, "ApplyImmediately": True})
    messages = [event["Message"] for event in sim.call(RDS, "DescribeEvents", {"SourceType": "db-instance", "SourceIdentifier": ted.database, "Duration": 24 * 60})["Events"]]
    assert messages


def test_a_database_that_is_busy_takes_no_change(sim: Simulator) -> None:
    ted = Installation(sim)
    for status in ("backing-up", "upgrading", "rebooting", "stopped"):
        sim.act("database-status", status=status)
        assert database(sim, ted)["DBInstanceStatus"] == status
        code, http, message = refused(sim, RDS, "ModifyDBInstance", {"DBInstanceIdentifier": ted.database, "AllocatedStorage": 4000, "ApplyImmediately": True})
        assert (code, http) == ("InvalidDBInstanceState", 400) and "is not in available state" in message, status


def test_the_database_waiter_waits(sim: Simulator) -> None:
    ted = Installation(sim)
    sim.act("database-status", status="backing-up", **{"for": "10m"})
    sim.speed(5000)
    sim.client(RDS).get_waiter("db_instance_available").wait(DBInstanceIdentifier=ted.database, WaiterConfig={"Delay": 0, "MaxAttempts": 2000})
    sim.speed(0)
    assert database(sim, ted)["DBInstanceStatus"] == "available"


def test_events_are_those_of_the_last_hour_unless_asked(sim: Simulator) -> None:
    ted = Installation(sim)
    sim.act("database-status", status="backing-up", **{"for": "5m"})
    sim.advance(600)
    about = {"SourceType": "db-instance", "SourceIdentifier": ted.database}
    recent = sim.call(RDS, "DescribeEvents", about)["Events"]
    assert recent and all(event["SourceArn"].endswith(ted.database) for event in recent)
    sim.advance(2 * 3600)
    assert sim.call(RDS, "DescribeEvents", about)["Events"] == []
    assert sim.call(RDS, "DescribeEvents", about | {"Duration": 240})["Events"] == recent
    assert sim.call(RDS, "DescribeEvents", about | {"StartTime": recent[0]["Date"], "EndTime": sim.now})["Events"] == recent


# --- ElastiCache ---


def test_a_group_and_its_nodes_agree(sim: Simulator) -> None:
    ted = Installation(sim)
    one, members = group(sim, ted), nodes(sim, ted)
    assert "EngineVersion" not in one and one["Engine"] == "redis" and one["Status"] == "available"
    assert sorted(node["CacheClusterId"] for node in members) == sorted(one["MemberClusters"])
    assert all(node["EngineVersion"].startswith("7.1.") for node in members), "nodes know the patch level"
    assert all(node["CacheParameterGroup"]["ParameterApplyStatus"] == "in-sync" for node in members)
    roles = [member["CurrentRole"] for member in one["NodeGroups"][0]["NodeGroupMembers"]]
    assert sorted(roles) == ["primary"] + ["replica"] * (len(roles) - 1)
    assert sim.call(EC, "DescribeReplicationGroups", {"ReplicationGroupId": ted.cache.upper()})["ReplicationGroups"] == [one], "ids are case-insensitive"
    assert "CacheNodes" not in sim.call(EC, "DescribeCacheClusters", {"CacheClusterId": members[0]["CacheClusterId"]})["CacheClusters"][0]


@pytest.mark.parametrize("echoes", [True, False])
def test_an_engine_is_changed_in_place(sim: Simulator, echoes: bool) -> None:
    sim.options(modifyEchoesOldEngine=echoes)
    ted = Installation(sim)
    before = group(sim, ted)
    change = {"ReplicationGroupId": ted.cache, "Engine": "valkey", "EngineVersion": "8.0", "ApplyImmediately": True}
    code, _, message = refused(sim, EC, "ModifyReplicationGroup", change)
    assert code == "InvalidParameterCombination" and "Expected a parameter group of family valkey8" in message, "a custom group is not replaced by itself"
    change["CacheParameterGroupName"] = "default.valkey8"
    answer = sim.call(EC, "ModifyReplicationGroup", change)["ReplicationGroup"]
    assert answer["Engine"] == ("redis" if echoes else "valkey") and answer["Status"] == "modifying"
    assert refused(sim, EC, "ModifyReplicationGroup", change | {"EngineVersion": "8.1"})[0] == "InvalidReplicationGroupState"
    sim.until(lambda: group(sim, ted)["Status"] == "available", step=30)
    after, members = group(sim, ted), nodes(sim, ted)
    assert after["Engine"] == "valkey" and after["MemberClusters"] == before["MemberClusters"]
    assert after["NodeGroups"][0]["PrimaryEndpoint"] == before["NodeGroups"][0]["PrimaryEndpoint"], "the endpoint keeps its name"
    assert all(node["Engine"] == "valkey" and node["EngineVersion"].startswith("8.0.") for node in members)
    assert {node["CacheParameterGroup"]["CacheParameterGroupName"] for node in members} == {"default.valkey8"}
    for back in ({"Engine": "redis", "EngineVersion": "7.1"}, {"EngineVersion": "7.2"}):
        code, _, _ = refused(sim, EC, "ModifyReplicationGroup", {"ReplicationGroupId": ted.cache, "ApplyImmediately": True} | back)
        assert code in ("InvalidParameterValue", "InvalidParameterCombination"), back


def test_engine_versions_name_their_families(sim: Simulator) -> None:
    shown = sim.call(EC, "DescribeCacheEngineVersions", {"Engine": "valkey"})["CacheEngineVersions"]
    families = {version["EngineVersion"]: version["CacheParameterGroupFamily"] for version in shown}
    assert families["7.2"] == "valkey7" and families["8.0"] == families["8.1"] == "valkey8"
    (default,) = sim.call(EC, "DescribeCacheEngineVersions", {"Engine": "valkey", "DefaultOnly": True})["CacheEngineVersions"]
    assert default in shown
    assert [version["EngineVersion"] for version in sim.call(EC, "DescribeCacheEngineVersions", {"CacheParameterGroupFamily": "valkey7"})["CacheEngineVersions"]] == ["7.2"]
    assert sim.call(EC, "DescribeCacheEngineVersions", {"Engine": "valkey", "EngineVersion": "8.0"})["CacheEngineVersions"]


def test_the_cache_waiters_wait(sim: Simulator) -> None:
    ted = Installation(sim)
    quick = {"Delay": 0, "MaxAttempts": 2000}
    sim.act("cache-status", status="snapshotting", **{"for": "10m"})
    sim.speed(5000)
    sim.client(EC).get_waiter("replication_group_available").wait(ReplicationGroupId=ted.cache, WaiterConfig=quick)
    sim.client(EC).get_waiter("cache_cluster_available").wait(CacheClusterId=nodes(sim, ted)[0]["CacheClusterId"], WaiterConfig=quick)
    sim.speed(0)


def test_what_was_deleted_outside_is_gone(sim: Simulator) -> None:
    ted = Installation(sim)
    known_database, known_cache = ted.database, ted.cache
    sim.act("database-delete")
    sim.act("cache-delete")
    sim.advance(3600)
    assert refused(sim, RDS, "DescribeDBInstances", {"DBInstanceIdentifier": known_database})[0] == "DBInstanceNotFound"
    assert refused(sim, EC, "DescribeReplicationGroups", {"ReplicationGroupId": known_cache})[0] == "ReplicationGroupNotFoundFault"
    assert ted.stack()["StackStatus"].endswith("_COMPLETE"), "the stack does not notice"


# --- Lambda and SQS ---


def worker(sim: Simulator) -> tuple[Installation, dict[str, Any]]:
    """An enabled worker mapping."""
    ted = Installation(sim)
    assert ted.mapping["State"] == "Enabled"
    return ted, ted.mapping


def mapping(sim: Simulator, uuid: str) -> dict[str, Any]:
    """A mapping now."""
    return sim.call(LAMBDA, "GetEventSourceMapping", {"UUID": uuid})


def test_workers_of_every_te_version_have_their_triggers(sim: Simulator) -> None:
    ted = Installation(sim)
    by_function = {found["FunctionArn"].rsplit(":", 1)[-1]: found for found in ted.mappings()}
    for version in ("5_39_12", "5_40_3"):
        for kind in ("worker", "worker_priority", "worker_retry"):
            assert f"turbot_{version}_{kind}" in by_function
    functions = [function["FunctionName"] for page in sim.client(LAMBDA).get_paginator("list_functions").paginate() for function in page["Functions"]]
    assert set(by_function) <= set(functions) and len(functions) > len(by_function) - 1
    one = sim.call(LAMBDA, "ListEventSourceMappings", {"FunctionName": "turbot_5_39_12_worker"})["EventSourceMappings"]
    assert one == [by_function["turbot_5_39_12_worker"]]
    assert sim.call(LAMBDA, "ListEventSourceMappings", {"EventSourceArn": one[0]["EventSourceArn"]})["EventSourceMappings"] == one


def test_a_function_is_named_in_every_form(sim: Simulator) -> None:
    _, one = worker(sim)
    arn = one["FunctionArn"]
    name = arn.rsplit(":", 1)[-1]
    config = sim.call(LAMBDA, "GetFunctionConfiguration", {"FunctionName": name})
    assert config["FunctionArn"] == arn and config["State"] == "Active"
    assert isinstance(config["LastModified"], str) and config["LastModified"].endswith("+0000")
    for form in (arn, f"{ACCOUNT}:function:{name}", f"{name}:$LATEST"):
        assert sim.call(LAMBDA, "GetFunctionConfiguration", {"FunctionName": form})["FunctionName"] == name, form
        assert sim.call(LAMBDA, "ListEventSourceMappings", {"FunctionName": form.removesuffix(":$LATEST")})["EventSourceMappings"] == [one], form
    listed = sim.call(LAMBDA, "ListFunctions")["Functions"]
    assert all("State" not in function and "LastUpdateStatus" not in function for function in listed)


def test_a_trigger_is_disabled_and_enabled_over_time(sim: Simulator) -> None:
    ted, one = worker(sim)
    assert "Enabled" not in one
    for enabled, passing, final in ((False, "Disabling", "Disabled"), (True, "Enabling", "Enabled")):
        before = mapping(sim, one["UUID"])
        sim.advance(60)
        answer = sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": enabled})
        assert answer["State"] == passing
        assert sim.checker.answers[-1].status == 202
        assert refused(sim, LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": enabled})[:2] == ("ResourceInUseException", 400)
        after = sim.until(lambda: (now := mapping(sim, one["UUID"]))["State"] == final and now, step=5)
        assert after["LastModified"] > before["LastModified"] and after["StateTransitionReason"]
        assert sim.call(LAMBDA, "ListEventSourceMappings", {"FunctionName": one["FunctionArn"]})["EventSourceMappings"] == [after]
    others = [found for found in ted.mappings() if found["UUID"] != one["UUID"]]
    assert {found["State"] for found in others} == {"Enabled"}


@pytest.mark.parametrize("transitions", [False, True])
def test_setting_the_state_it_has(sim: Simulator, transitions: bool) -> None:
    sim.options(sameStateTransitions=transitions)
    _, one = worker(sim)
    answer = sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": True})
    assert (answer["State"] == "Enabled") != transitions


def test_another_change_passes_through_updating(sim: Simulator) -> None:
    _, one = worker(sim)
    assert sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "BatchSize": one["BatchSize"] + 1})["State"] == "Updating"
    sim.until(lambda: mapping(sim, one["UUID"])["State"] == "Enabled", step=5)
    assert mapping(sim, one["UUID"])["BatchSize"] == one["BatchSize"] + 1


def test_a_stuck_trigger_stays_where_it_is(sim: Simulator) -> None:
    _, one = worker(sim)
    sim.act("trigger-stuck", function=one["FunctionArn"].rsplit(":", 1)[-1])
    sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": False})
    sim.advance(3600)
    assert mapping(sim, one["UUID"])["State"] == "Disabling"


@pytest.mark.parametrize("moves", [False, True])
def test_tags_come_and_go_and_are_not_in_other_answers(sim: Simulator, moves: bool) -> None:
    sim.options(tagMovesLastModified=moves)
    _, one = worker(sim)
    arn = one["EventSourceMappingArn"]
    sim.advance(60)
    sim.call(LAMBDA, "TagResource", {"Resource": arn, "Tags": {"ted-controller:hold:pp-1": "held rec-1 1 a b", "b": "2"}})
    assert sim.checker.answers[-1].status == 204 and sim.checker.answers[-1].body == b""
    assert sim.call(LAMBDA, "ListTags", {"Resource": arn})["Tags"] == {"ted-controller:hold:pp-1": "held rec-1 1 a b", "b": "2"}
    assert (mapping(sim, one["UUID"])["LastModified"] > one["LastModified"]) == moves
    sim.call(LAMBDA, "UntagResource", {"Resource": arn, "TagKeys": ["b", "never-there"]})
    assert sim.call(LAMBDA, "ListTags", {"Resource": arn})["Tags"].keys() == {"ted-controller:hold:pp-1"}
    assert "Tags" not in mapping(sim, one["UUID"])


@pytest.mark.parametrize("answer", ["not-found", "empty"])
def test_mappings_of_a_function_that_is_not_there(sim: Simulator, answer: str) -> None:
    sim.options(mappingsOfUnknownFunction=answer)
    if answer == "empty":
        assert sim.call(LAMBDA, "ListEventSourceMappings", {"FunctionName": "nothing"})["EventSourceMappings"] == []
    else:
        assert refused(sim, LAMBDA, "ListEventSourceMappings", {"FunctionName": "nothing"})[:2] == ("ResourceNotFoundException", 404)


def test_a_paused_queue_grows_and_a_resumed_one_drains(sim: Simulator) -> None:
    ted, one = worker(sim)

    def waiting() -> int:
        return int(sim.call(SQS, "GetQueueAttributes", {"QueueUrl": ted.queue_url, "AttributeNames": ["ApproximateNumberOfMessages"]})["Attributes"]["ApproximateNumberOfMessages"])

    sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": False})
    sim.advance(1800)
    backlog = waiting()
    assert backlog > 0
    sim.advance(1800)
    assert waiting() > backlog
    sim.call(LAMBDA, "UpdateEventSourceMapping", {"UUID": one["UUID"], "Enabled": True})
    sim.advance(24 * 3600)
    assert waiting() < backlog


def test_queue_attributes_are_text_and_as_asked(sim: Simulator) -> None:
    ted, _ = worker(sim)
    everything = sim.call(SQS, "GetQueueAttributes", {"QueueUrl": ted.queue_url, "AttributeNames": ["All"]})["Attributes"]
    assert everything["QueueArn"] == ted.mapping["EventSourceArn"]
    assert int(everything["MessageRetentionPeriod"]) >= 60 and everything["ApproximateNumberOfMessages"].isdigit()
    two = sim.call(SQS, "GetQueueAttributes", {"QueueUrl": ted.queue_url, "AttributeNames": ["QueueArn", "VisibilityTimeout"]})["Attributes"]
    assert two == {key: everything[key] for key in ("QueueArn", "VisibilityTimeout")}
    assert not sim.call(SQS, "GetQueueAttributes", {"QueueUrl": ted.queue_url}).get("Attributes")
    assert sim.call(SQS, "GetQueueUrl", {"QueueName": ted.queue, "QueueOwnerAWSAccountId": ACCOUNT})["QueueUrl"] == ted.queue_url


# --- STS and IAM ---


def test_a_caller_knows_who_it_is(sim: Simulator) -> None:
    identity = sim.call(STS, "GetCallerIdentity")
    assert identity["Account"] == ACCOUNT and identity["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:user/")
    sim.act("deny", principal="caller", actions=["*"])
    assert sim.call(STS, "GetCallerIdentity") == identity


DENIALS = [("identity", "because no identity-based policy allows the rds:DescribeDBInstances action"), ("explicit", "with an explicit deny in a"), ("scp", "with an explicit deny in a service control policy")]


@pytest.mark.parametrize(("kind", "text"), DENIALS, ids=[row[0] for row in DENIALS])
def test_a_denial_is_told_by_the_call_and_foretold_by_the_simulation(sim: Simulator, kind: str, text: str) -> None:
    sim.act("deny", principal="caller", actions=["rds:DescribeDBInstances"], kind=kind)
    code, status, message = refused(sim, RDS, "DescribeDBInstances", {})
    assert (code, status) == ("AccessDenied", 403)
    me = sim.call(STS, "GetCallerIdentity")["Arn"]
    assert message.startswith(f"User: {me} is not authorized to perform: rds:DescribeDBInstances on resource: ") and text in message
    results = sim.call(IAM, "SimulatePrincipalPolicy", {"PolicySourceArn": me, "ActionNames": ["rds:DescribeDBInstances", "rds:DescribeEvents"]})["EvaluationResults"]
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in results}
    assert decisions["rds:DescribeDBInstances"] in ("implicitDeny", "explicitDeny") and decisions["rds:DescribeEvents"] == "allowed"
    sim.act("allow")
    assert sim.call(RDS, "DescribeDBInstances")["DBInstances"]
