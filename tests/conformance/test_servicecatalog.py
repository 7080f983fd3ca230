"""Service Catalog as an end user sees it: finding, describing, updating, and what a record tells afterwards."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from calls import TED_PRODUCT, Installation
from simulator import ACCOUNT, REGION, Simulator
from test_faults import refused
from test_paging import everything

SC = "servicecatalog"
ACCOUNT_LEVEL = {"AccessLevelFilter": {"Key": "Account", "Value": "self"}}


def search(sim: Simulator, *query: str, **more: Any) -> list[dict[str, Any]]:
    """What a search finds."""
    filters = {"Filters": {"SearchQuery": list(query)}} if query else {}
    return sim.call(SC, "SearchProvisionedProducts", filters | more)["ProvisionedProducts"]


def test_the_product_is_found_and_described_alike(sim: Simulator) -> None:
    ted = Installation(sim)
    found, detail = ted.provisioned, ted.detail
    shared = found.keys() & detail.keys()
    assert {key: found[key] for key in shared} == {key: detail[key] for key in shared}
    assert {"Tags", "PhysicalId", "ProductName", "ProvisioningArtifactName", "UserArn", "UserArnSession"} <= found.keys(), "the search shows what only it shows"
    assert "LaunchRoleArn" in detail and "LaunchRoleArn" not in found
    assert found["Type"] == "CFN_STACK" and found["ProductName"] == TED_PRODUCT
    assert found["Arn"] == f"arn:aws:servicecatalog:{REGION}:{ACCOUNT}:stack/{ted.name}/{ted.id}"
    assert found["PhysicalId"].startswith(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/SC-{ACCOUNT}-{ted.id}/")
    assert sim.call(SC, "DescribeProvisionedProduct", {"Id": ted.id}) == sim.call(SC, "DescribeProvisionedProduct", {"Name": ted.name})


SEARCHES = ["arn", "createdTime", "id", "lastRecordId", "idempotencyToken", "name", "physicalId", "productId", "provisioningArtifactId", "type", "status", "userArn", "userArnSession", "lastProvisioningRecordId", "lastSuccessfulProvisioningRecordId", "productName", "provisioningArtifactName"]


@pytest.mark.parametrize("field", SEARCHES)
def test_every_searchable_field_finds_the_product_and_not_with_another_value(sim: Simulator, field: str) -> None:
    ted = Installation(sim)
    ted.start(token="a-token")
    shown = Installation(sim).provisioned[field[0].upper() + field[1:]]
    value = shown.isoformat(timespec="milliseconds").replace("+00:00", "Z") if hasattr(shown, "isoformat") else shown
    assert ted.id in [product["Id"] for product in search(sim, f"{field}:{value}")]
    assert search(sim, f"{field}:zzz-nothing") == []


def test_several_search_strings_must_all_fit(sim: Simulator) -> None:
    ted = Installation(sim)
    assert search(sim, f"name:{ted.name}", "status:AVAILABLE")
    assert not search(sim, f"name:{ted.name}", "status:TAINTED")


def test_the_access_level_decides_what_is_seen(sim: Simulator) -> None:
    """With `User` a product that somebody else launched is invisible; `Account` is the search's default, `User` the scan's."""
    ted = Installation(sim)
    seen = lambda **level: ted.id in [product["Id"] for product in search(sim, **level)]  # noqa: E731
    assert seen(**ACCOUNT_LEVEL) and seen() and not seen(AccessLevelFilter={"Key": "User", "Value": "self"})
    history = lambda **level: ted.id in [record["ProvisionedProductId"] for record in sim.call(SC, "ListRecordHistory", level)["RecordDetails"]]  # noqa: E731
    assert history(**ACCOUNT_LEVEL) and not history() and not history(AccessLevelFilter={"Key": "User", "Value": "self"})


def test_versions_are_listed_in_no_order_and_the_inactive_one_is_hidden_from_end_users(sim: Simulator) -> None:
    ted = Installation(sim)
    listed = sim.call(SC, "ListProvisioningArtifacts", {"ProductId": ted.product})["ProvisioningArtifactDetails"]
    names = [artifact["Name"] for artifact in listed]
    assert len(names) >= 8 and {"v1.36.0", "v1.44.0", "v1.50.0", "v1.52.1"} <= set(names)
    key = lambda name: [int(part) for part in re.findall(r"\d+", name)]  # noqa: E731
    assert names != sorted(names, key=key) and names != sorted(names, key=key, reverse=True)
    inactive = {artifact["Name"] for artifact in listed if not artifact["Active"]}
    deprecated = {artifact["Name"] for artifact in listed if artifact["Guidance"] == "DEPRECATED"}
    assert inactive and deprecated
    assert all(key(name) > key("v1.52.1") for name in inactive), "what is inactive is newer: it must not be offered"
    end_user = sim.call(SC, "DescribeProduct", {"Id": ted.product})
    assert {artifact["Name"] for artifact in end_user["ProvisioningArtifacts"]} == set(names) - inactive
    admin = sim.call(SC, "DescribeProductAsAdmin", {"Id": ted.product})
    assert {artifact["Name"] for artifact in admin["ProvisioningArtifactSummaries"]} == set(names)


def test_products_are_found_by_name_and_by_id_alike(sim: Simulator) -> None:
    ted = Installation(sim)
    assert sim.call(SC, "DescribeProduct", {"Id": ted.product}) == sim.call(SC, "DescribeProduct", {"Name": TED_PRODUCT})
    views = sim.call(SC, "SearchProducts", {"Filters": {"FullTextSearch": [TED_PRODUCT]}})["ProductViewSummaries"]
    assert ted.product in [view["ProductId"] for view in views]
    assert sim.call(SC, "SearchProducts", {"Filters": {"FullTextSearch": ["zzz-nothing"]}})["ProductViewSummaries"] == []


def test_the_parameters_of_a_version_are_the_same_by_both_calls(sim: Simulator) -> None:
    ted = Installation(sim)
    for version in ("v1.36.0", "v1.44.0", "v1.52.1"):
        by_artifact = sim.call(SC, "DescribeProvisioningArtifact", {"ProductId": ted.product, "ProvisioningArtifactId": ted.versions[version], "IncludeProvisioningArtifactParameters": True})
        assert by_artifact["ProvisioningArtifactParameters"] == ted.parameters_of(version)
        assert by_artifact["Status"] == "AVAILABLE"


def test_parameters_carry_what_a_template_says_about_them(sim: Simulator) -> None:
    ted = Installation(sim)
    old, new = ({parameter["ParameterKey"]: parameter for parameter in ted.parameters_of(version)} for version in ("v1.44.0", "v1.52.1"))
    assert len(new) >= 60
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()
    assert any("valkey" in json.dumps(new[key]).lower() for key in added) and any("pgbouncer" in key.lower() for key in added)
    assert len(removed) == 1
    assert any(parameter["IsNoEcho"] for parameter in new.values())
    assert any(parameter["ParameterType"].startswith("AWS::SSM::Parameter::Value") for parameter in new.values())
    constraints = [parameter["ParameterConstraints"] for parameter in new.values()]
    assert all("AllowedValues" in constraint for constraint in constraints), "an empty list when there are none"
    for limit in ("AllowedPattern", "MinValue", "MaxValue", "MinLength", "MaxLength"):
        assert any(isinstance(constraint.get(limit), str) for constraint in constraints), f"{limit} is text"
    assert any("DefaultValue" not in parameter for parameter in new.values()) and any(parameter.get("DefaultValue") == "" for parameter in new.values())


def test_usage_instructions_carry_the_templates_metadata(sim: Simulator) -> None:
    """Labels of a version are known before it is deployed."""
    ted = Installation(sim)
    answer = sim.call(SC, "DescribeProvisioningParameters", {"ProductId": ted.product, "ProvisioningArtifactId": ted.versions["v1.52.1"], "PathId": ted.path})
    usage = {instruction["Type"]: instruction["Value"] for instruction in answer["UsageInstructions"]}
    interface = json.loads(usage["metadata"])["AWS::CloudFormation::Interface"]
    keys = {parameter["ParameterKey"] for parameter in answer["ProvisioningArtifactParameters"]}
    assert set(interface["ParameterLabels"]) <= keys
    assert any(group["Label"]["default"] == "Cache" for group in interface["ParameterGroups"])
    assert usage["version"] == "2010-09-09" and json.loads(usage["rules"]) is not None
    assert usage["launchAsRole"].startswith("arn:aws:iam::")
    by_name = dict(answer)
    assert by_name["ConstraintSummaries"] and "LAUNCH" in [constraint["Type"] for constraint in answer["ConstraintSummaries"]]


def test_a_version_may_be_described_without_a_path_and_by_names(sim: Simulator) -> None:
    ted = Installation(sim)
    by_id = sim.call(SC, "DescribeProvisioningArtifact", {"ProductId": ted.product, "ProvisioningArtifactId": ted.versions["v1.50.0"], "Verbose": True})
    by_name = sim.call(SC, "DescribeProvisioningArtifact", {"ProductName": TED_PRODUCT, "ProvisioningArtifactName": "v1.50.0", "Verbose": True})
    assert by_id == by_name and by_id["Info"]
    (path,) = sim.call(SC, "ListLaunchPaths", {"ProductId": ted.product})["LaunchPathSummaries"]
    named = sim.call(SC, "DescribeProvisioningParameters", {"ProductName": TED_PRODUCT, "ProvisioningArtifactName": "v1.50.0", "PathName": path["Name"]})
    assert named["ProvisioningArtifactParameters"] == ted.parameters_of("v1.50.0")


def test_a_small_update_runs_its_course(sim: Simulator) -> None:
    ted = Installation(sim)
    before = ted.detail
    record = ted.start(MaxConnections="801")
    assert record["Status"] in ("CREATED", "IN_PROGRESS") and record["RecordType"] == "UPDATE_PROVISIONED_PRODUCT"
    seen = [record["Status"]]
    during = ted.detail
    assert during["Status"] == "UNDER_CHANGE" and during["LastRecordId"] == record["RecordId"]
    assert during["LastSuccessfulProvisioningRecordId"] == before["LastSuccessfulProvisioningRecordId"]

    def final() -> bool:
        now = ted.record(record["RecordId"])
        assert now["UpdatedTime"] >= record["UpdatedTime"] and now["CreatedTime"] == record["CreatedTime"]
        if now["Status"] != seen[-1]:
            seen.append(now["Status"])
        if now["Status"] not in ("SUCCEEDED", "FAILED"):
            assert ted.detail["Status"] == "UNDER_CHANGE"
        return now["Status"] == "SUCCEEDED"

    sim.until(final, step=5)
    assert seen in (["CREATED", "IN_PROGRESS", "SUCCEEDED"], ["IN_PROGRESS", "SUCCEEDED"])
    after = ted.detail
    assert after["Status"] == "AVAILABLE" and "StatusMessage" not in after
    assert after["LastRecordId"] == after["LastProvisioningRecordId"] == after["LastSuccessfulProvisioningRecordId"] == record["RecordId"]
    assert ted.values()["MaxConnections"] == "801" and ted.stack()["StackStatus"] == "UPDATE_COMPLETE"
    outputs, _ = everything(sim, SC, "DescribeRecord", {"Id": record["RecordId"]})
    assert outputs[0]["OutputKey"] == "CloudformationStackARN" and outputs[0]["OutputValue"] == ted.provisioned["PhysicalId"]
    stack = {output["OutputKey"]: output["OutputValue"] for output in ted.stack()["Outputs"]}
    assert {output["OutputKey"]: output["OutputValue"] for output in outputs[1:]} == stack
    read, _ = everything(sim, SC, "GetProvisionedProductOutputs", {"ProvisionedProductId": ted.id})
    assert {output["OutputKey"] for output in read} == {output["OutputKey"] for output in outputs}


def test_outputs_may_be_asked_for_by_key(sim: Simulator) -> None:
    ted = Installation(sim)
    (output,) = sim.call(SC, "GetProvisionedProductOutputs", {"ProvisionedProductName": ted.name, "OutputKeys": ["ReleaseVersion"]})["Outputs"]
    assert output["OutputValue"] == "1.44.0"


def test_history_is_newest_first_and_filters(sim: Simulator) -> None:
    ted = Installation(sim)
    ids = []
    for number in range(2):
        record = ted.start(token=f"token-{number}", MaxConnections=str(801 + number))["RecordId"]
        assert ted.finish(record)["Status"] == "SUCCEEDED"
        ids.append(record)
    by_product = lambda key, value: [record["RecordId"] for record in sim.call(SC, "ListRecordHistory", ACCOUNT_LEVEL | {"SearchFilter": {"Key": key, "Value": value}})["RecordDetails"]]  # noqa: E731
    assert by_product("provisionedproduct", ted.id)[:2] == ids[::-1]
    assert by_product("product", ted.product)[:2] == ids[::-1]
    assert by_product("provisionedproduct", "pp-nothing") == []
    tags = {tag["Key"]: tag["Value"] for tag in ted.record(ids[0])["RecordTags"]}
    assert {"aws:servicecatalog:productArn", "aws:servicecatalog:portfolioArn", "aws:servicecatalog:provisioningPrincipalArn"} <= tags.keys()


# --- tokens ---


def test_the_same_token_is_the_same_update(sim: Simulator) -> None:
    ted = Installation(sim)
    update = ted.update(ted.version, "token-1", MaxConnections="801")
    first = sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"]
    assert sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"] == first
    ted.finish(first)
    assert sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"] == first, "also when it is done"
    assert ted.detail["LastRecordId"] == first


@pytest.mark.parametrize("conflict", ["same-record", "refused", "new-record"])
def test_a_token_with_another_request_gets_what_the_world_says(sim: Simulator, conflict: str) -> None:
    sim.options(tokenWithOtherRequest=conflict)
    ted = Installation(sim)
    first = ted.start(token="token-1", MaxConnections="801")["RecordId"]
    ted.finish(first)
    other = ted.update(ted.version, "token-1", MaxConnections="802")
    if conflict == "refused":
        assert refused(sim, SC, "UpdateProvisionedProduct", other)[0] in ("InvalidParametersException", "DuplicateResourceException")
        return
    second = sim.call(SC, "UpdateProvisionedProduct", other)["RecordDetail"]["RecordId"]
    assert (second == first) == (conflict == "same-record")


def test_a_token_is_forgotten_after_its_lifetime(sim: Simulator) -> None:
    sim.options(tokenLifetime="1h")
    ted = Installation(sim)
    first = ted.start(token="token-1", MaxConnections="801")["RecordId"]
    ted.finish(first)
    sim.advance(3700)
    assert ted.start(token="token-1", MaxConnections="802")["RecordId"] != first


# --- what an update refuses ---


@pytest.mark.parametrize("code", ["InvalidStateException", "InvalidParametersException", "ValidationException", "ResourceInUseException"])
def test_an_update_under_change_is_refused(sim: Simulator, code: str) -> None:
    """AWS documents no error for it; each plausible one can be had, all of them HTTP 400."""
    sim.options(updateUnderChange=code)
    ted = Installation(sim)
    running = ted.start()["RecordId"]
    found, status, _ = refused(sim, SC, "UpdateProvisionedProduct", ted.update(ted.version, "token-2", MaxConnections="802"))
    assert (found, status) == (code, 400)
    assert ted.detail["LastRecordId"] == running, "a refused update leaves no record"
    assert ted.finish(running)["Status"] == "SUCCEEDED"


PARAMETER_TROUBLE = [
    ("a value with UsePreviousValue", lambda given: given | {"MaxConnections": {"Value": "801", "UsePreviousValue": True}}, "Cannot specify usePreviousValue as true and non empty value for a parameter"),
    ("a key the template lacks", lambda given: given | {"Nonsense": {"Value": "x"}}, "Parameters: [Nonsense] do not exist in the template"),
    ("a value that is not allowed", lambda given: given | {"MaxConnections": {"Value": "many"}}, "MaxConnections"),
    ("a key without default left out", lambda given: {key: value for key, value in given.items() if key != "HiveName"}, "Parameters: [HiveName] must have values"),
]


@pytest.mark.parametrize("when", ["record", "call"])
@pytest.mark.parametrize(("why", "change", "text"), PARAMETER_TROUBLE, ids=[row[0] for row in PARAMETER_TROUBLE])
def test_bad_parameters_are_refused_by_the_call_or_minutes_later(sim: Simulator, when: str, why: str, change: Any, text: str) -> None:
    sim.options(parameterRefusal=when)
    ted = Installation(sim)
    before, update = ted.detail, ted.update(ted.version, "token-1", MaxConnections="801")
    given = {parameter["Key"]: {name: value for name, value in parameter.items() if name != "Key"} for parameter in update["ProvisioningParameters"]}
    update["ProvisioningParameters"] = [{"Key": key} | value for key, value in change(given).items()]
    if when == "call":
        code, _, message = refused(sim, SC, "UpdateProvisionedProduct", update)
        assert code in ("ValidationException", "InvalidParametersException") and text in message, why
        assert ted.detail == before
        return
    record = ted.finish(sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"])
    assert record["Status"] == "FAILED" and text in record["RecordErrors"][0]["Description"], why
    assert ted.detail["Status"] == "TAINTED" and text in ted.detail["StatusMessage"]
    assert ted.stack()["StackStatus"] == "UPDATE_COMPLETE" and "LastUpdatedTime" in ted.stack(), "the stack never moved"


def test_a_previous_value_of_a_new_parameter_is_refused(sim: Simulator) -> None:
    ted = Installation(sim)
    running = ted.values()
    new = next(parameter["ParameterKey"] for parameter in ted.parameters_of("v1.52.1") if parameter["ParameterKey"] not in running)
    update = ted.update("v1.52.1", "token-1", MaxConnections="801")
    update["ProvisioningParameters"].append({"Key": new, "UsePreviousValue": True})
    record = ted.finish(sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"])
    assert "Cannot specify usePreviousValue as true for a parameter key not in the previous template" in record["RecordErrors"][0]["Description"]


NO_OP = [("record-fails", "TAINTED", "TAINTED"), ("record-fails", "AVAILABLE", "AVAILABLE"), ("refused", "TAINTED", "AVAILABLE"), ("succeeds", "TAINTED", "AVAILABLE")]


@pytest.mark.parametrize(("ends", "after", "status"), NO_OP, ids=[f"{row[0]}, {row[1]}" for row in NO_OP])
def test_an_update_that_changes_nothing(sim: Simulator, ends: str, after: str, status: str) -> None:
    sim.options(noOpUpdate=ends, statusAfterRefusal=after)
    ted = Installation(sim)
    update = ted.update(ted.version, "token-1", MaxConnections=ted.values()["MaxConnections"])
    if ends == "refused":
        assert "No updates are to be performed" in refused(sim, SC, "UpdateProvisionedProduct", update)[2]
    else:
        record = ted.finish(sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"])
        assert record["Status"] == ("SUCCEEDED" if ends == "succeeds" else "FAILED")
        if ends == "record-fails":
            assert "No updates are to be performed" in record["RecordErrors"][0]["Description"]
    assert ted.detail["Status"] == status


def test_an_omitted_parameter_falls_back_to_the_templates_default(sim: Simulator) -> None:
    """Trap 3 of the facts: it does not keep its value."""
    ted = Installation(sim)
    assert ted.finish(ted.start(token="token-1", MaxConnections="801")["RecordId"])["Status"] == "SUCCEEDED"
    default = next(parameter["DefaultValue"] for parameter in ted.parameters_of(ted.version) if parameter["ParameterKey"] == "MaxConnections")
    update = ted.update(ted.version, "token-2", MaxConnections="x")
    update["ProvisioningParameters"] = [parameter for parameter in update["ProvisioningParameters"] if parameter["Key"] != "MaxConnections"]
    ted.finish(sim.call(SC, "UpdateProvisionedProduct", update)["RecordDetail"]["RecordId"])
    assert ted.values()["MaxConnections"] == default != "801"


# --- failures ---


def test_a_failed_update_taints_the_product_and_names_the_version_asked_for(sim: Simulator) -> None:
    """Trap 6 of the facts: the artifact id is the failed target while the stack runs the old version."""
    ted = Installation(sim)
    before = ted.detail
    record = ted.fail("v1.52.1", MaxConnections="801")
    assert record["Status"] == "FAILED" and record["RecordErrors"]
    after = ted.detail
    assert after["Status"] == "TAINTED" and after["StatusMessage"]
    assert after["ProvisioningArtifactId"] == ted.versions["v1.52.1"] != before["ProvisioningArtifactId"]
    assert after["LastSuccessfulProvisioningRecordId"] == before["LastSuccessfulProvisioningRecordId"]
    assert after["LastProvisioningRecordId"] == record["RecordId"]
    assert ted.version == "v1.44.0" and ted.stack()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert ted.values()["MaxConnections"] != "801"
    again = ted.finish(ted.start("v1.52.1", token="token-2")["RecordId"])
    assert again["Status"] == "SUCCEEDED" and ted.detail["Status"] == "AVAILABLE", "a tainted product is updatable"


def test_while_it_rolls_back_the_record_says_so(sim: Simulator) -> None:
    ted = Installation(sim)
    sim.act("database-status", status="backing-up")
    record = ted.start(BackupRetentionPeriod="9")["RecordId"]
    sim.until(lambda: ted.record(record)["Status"] == "IN_PROGRESS_IN_ERROR", step=2)
    assert ted.detail["Status"] == "UNDER_CHANGE"
    assert ted.stack()["StackStatus"].startswith("UPDATE_ROLLBACK")


def test_a_stale_path_stops_an_update_before_anything_changes(sim: Simulator) -> None:
    ted = Installation(sim)
    update, before = ted.update(ted.version, "token-1", MaxConnections="801"), ted.detail
    sim.act("path-move")
    refused(sim, SC, "UpdateProvisionedProduct", update)
    assert ted.detail == before
    (path,) = sim.call(SC, "ListLaunchPaths", {"ProductId": ted.product})["LaunchPathSummaries"]
    assert path["Id"] != update["PathId"]
    assert sim.call(SC, "UpdateProvisionedProduct", update | {"PathId": path["Id"]})["RecordDetail"]["PathId"] == path["Id"]


def test_an_update_takes_names_for_ids(sim: Simulator) -> None:
    ted = Installation(sim)
    (path,) = sim.call(SC, "ListLaunchPaths", {"ProductId": ted.product})["LaunchPathSummaries"]
    update = ted.update("v1.50.0", "token-1", MaxConnections="801")
    names = {"ProvisionedProductName": ted.name, "ProductName": TED_PRODUCT, "ProvisioningArtifactName": "v1.50.0", "PathName": path["Name"]}
    given = names | {"ProvisioningParameters": update["ProvisioningParameters"], "UpdateToken": "token-1"}
    record = sim.call(SC, "UpdateProvisionedProduct", given)["RecordDetail"]
    assert (record["ProvisionedProductId"], record["ProvisioningArtifactId"], record["PathId"]) == (ted.id, ted.versions["v1.50.0"], path["Id"])
    ted.finish(record["RecordId"])
    assert ted.version == "v1.50.0"


def test_direct_changes_are_not_noticed(sim: Simulator) -> None:
    """Trap 17 of the facts: CloudFormation moves, Service Catalog's view stays."""
    ted = Installation(sim)
    before = ted.detail
    sim.act("stack-update", parameters={"MaxConnections": "803"})
    sim.until(lambda: ted.stack()["StackStatus"] == "UPDATE_COMPLETE" and ted.values()["MaxConnections"] == "803")
    assert ted.detail == before


def test_the_search_may_lag_behind(sim: Simulator) -> None:
    sim.options(searchLag="60s")
    ted = Installation(sim)
    sim.advance(120)
    ted.start()
    shown = lambda: search(sim, f"name:{ted.name}")[0]["Status"]  # noqa: E731
    assert ted.detail["Status"] == "UNDER_CHANGE" and shown() == "AVAILABLE"
    sim.advance(61)
    assert shown() == "UNDER_CHANGE"


def test_accounts_and_regions_are_worlds_of_their_own(sim: Simulator) -> None:
    assert search(sim)
    for scope in ({"region": "eu-west-1"}, {"key": "999988887777"}):
        assert sim.call(SC, "SearchProvisionedProducts", **scope)["ProvisionedProducts"] == []
        assert sim.call("cloudformation", "DescribeStacks", **scope)["Stacks"] == []
        assert sim.call("rds", "DescribeDBInstances", **scope)["DBInstances"] == []
        assert sim.call("lambda", "ListFunctions", **scope)["Functions"] == []
    assert sim.call("sts", "GetCallerIdentity", key="999988887777")["Account"] == "999988887777"
