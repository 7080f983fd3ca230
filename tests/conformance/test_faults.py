"""What goes wrong on the way: each fault, for every operation, in the service's own words; and what boto3's own retries make of it."""

from __future__ import annotations

import time
from typing import Any, Iterator

import botocore.endpoint
import pytest
from botocore.exceptions import ClientError, HTTPClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from calls import Installation, example_calls
from simulator import ACCOUNT, Simulator, model, snake

def protocol(service: str) -> str:
    """The protocol boto3 speaks to a service."""
    return model(service).resolved_protocol


def refused(sim: Simulator, service: str, operation: str, params: dict[str, Any], **client: Any) -> tuple[str, int, str]:
    """Code, HTTP status and message of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        sim.call(service, operation, params, **client)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def throttled(service: str) -> tuple[str, int]:
    """Facts, section 8: throttling has another name in each service. (SQS: 403, says the list of retries that botocore ships.)"""
    return {"servicecatalog": ("ThrottlingException", 400), "lambda": ("TooManyRequestsException", 429), "sqs": ("RequestThrottled", 403)}.get(service, ("Throttling", 400))


def denied(service: str) -> tuple[str, int]:
    """Facts, section 8: Service Catalog answers 400, all others 403 (SQS's JSON protocol: 400)."""
    return ("AccessDenied", 403) if protocol(service) == "query" else ("AccessDeniedException", 403 if service == "lambda" else 400)


def expired(service: str) -> tuple[str, int]:
    """Facts, section 8."""
    return ("ExpiredToken", 403) if protocol(service) == "query" else ("ExpiredTokenException", 403 if service == "lambda" else 400)


def broken(service: str) -> tuple[str, int]:
    """Lambda models its own."""
    return ("ServiceException" if service == "lambda" else "InternalFailure", 500)


def away(_: str) -> tuple[str, int]:
    """The same in all services."""
    return "ServiceUnavailable", 503


REFUSING = [("throttle", throttled), ("access-denied", denied), ("expired-credentials", expired), ("internal-failure", broken), ("service-unavailable", away)]


@pytest.mark.parametrize(("fault", "expected"), REFUSING, ids=[row[0] for row in REFUSING])
def test_every_operation_is_refused_in_its_services_words(sim: Simulator, fault: str, expected: Any) -> None:
    examples = example_calls(sim)
    sim.fault(fault)
    for (service, operation), params in examples.items():
        if (service, operation) == ("sts", "GetCallerIdentity") and fault == "access-denied":
            assert sim.call(service, operation, params)["Account"], "needs no permission, and works under an explicit deny"
            continue
        code, status, message = refused(sim, service, operation, params)
        assert (code, status) == expected(service), f"{service}:{operation}"
        assert message
        if fault == "access-denied":
            assert f"is not authorized to perform: {service}:{operation}" in message, message


def test_a_refused_write_changes_nothing(sim: Simulator) -> None:
    ted = Installation(sim)
    update, before = ted.update(ted.version, "token", MaxConnections="801"), ted.detail
    for fault, _ in REFUSING:
        sim.clear_faults()
        sim.fault(fault)
        refused(sim, "servicecatalog", "UpdateProvisionedProduct", update)
    sim.clear_faults()
    assert ted.detail == before


@pytest.fixture
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """boto3's waits between attempts, which then take no time."""
    slept: list[float] = []
    monkeypatch.setattr(botocore.endpoint, "time", type("Time", (), {"sleep": slept.append, "time": time.time}))
    yield slept


ROUTES = [("servicecatalog", "SearchProvisionedProducts"), ("cloudformation", "DescribeStacks"), ("rds", "DescribeDBInstances"), ("lambda", "ListFunctions"), ("sqs", "GetQueueUrl"), ("sts", "GetCallerIdentity")]


@pytest.mark.parametrize("mode", ["standard", "legacy", "adaptive"])
@pytest.mark.parametrize(("service", "operation"), ROUTES, ids=[row[0] for row in ROUTES])
def test_boto_retries_what_it_takes_for_throttling(sim: Simulator, no_sleep: list[float], service: str, operation: str, mode: str) -> None:
    """Code and status must be on boto3's own list: two refusals, then the answer."""
    params = example_calls(sim)[service, operation]
    before = len(sim.log())
    sim.fault("throttle", service=service, times=2)
    client = sim.client(service, attempts=4, mode=mode)
    answer = getattr(client, snake(operation))(**params)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert [entry["errorCode"] for entry in sim.log()[before:]] == [throttled(service)[0]] * 2 + [None]
    assert len(no_sleep) == 2


@pytest.mark.parametrize("fault", ["internal-failure", "service-unavailable", "drop", "lost-answer"])
@pytest.mark.parametrize(("service", "operation"), ROUTES[:4], ids=[row[0] for row in ROUTES[:4]])
def test_boto_retries_what_it_takes_for_a_passing_trouble(sim: Simulator, no_sleep: list[float], service: str, operation: str, fault: str) -> None:
    params = example_calls(sim)[service, operation]
    before = len(sim.log())
    sim.fault(fault, service=service, nth=1)
    answer = getattr(sim.client(service, attempts=3), snake(operation))(**params)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(sim.log()) - before == 2, "the log has both attempts"


@pytest.mark.parametrize("fault", ["access-denied", "expired-credentials"])
def test_boto_does_not_retry_a_refusal(sim: Simulator, no_sleep: list[float], fault: str) -> None:
    sim.fault(fault, service="cloudformation")
    refused(sim, "cloudformation", "DescribeStacks", {}, attempts=4)
    assert len(sim.log()) == 1 and not no_sleep


CARRIED_OUT = [("drop", False), ("lost-answer", True), ("truncate", True)]


@pytest.mark.parametrize(("fault", "happens"), CARRIED_OUT, ids=[row[0] for row in CARRIED_OUT])
def test_a_write_whose_answer_is_lost_may_have_happened(sim: Simulator, fault: str, happens: bool) -> None:
    ted = Installation(sim)
    update, before = ted.update(ted.version, "token", MaxConnections="801"), ted.detail
    sim.fault(fault, operation="UpdateProvisionedProduct", times=1)
    try:
        # boto3 does not notice that a JSON body is cut off: it hands back an answer without a record.
        assert "RecordDetail" not in sim.call("servicecatalog", "UpdateProvisionedProduct", update, watched=False) and fault == "truncate"
    except HTTPClientError:
        pass
    assert (ted.detail["LastRecordId"] != before["LastRecordId"]) == happens
    # The SDK's own second attempt carries the same token: still one update.
    again = sim.call("servicecatalog", "UpdateProvisionedProduct", update)["RecordDetail"]
    assert ted.detail["LastRecordId"] == again["RecordId"]
    records = sim.call("servicecatalog", "ListRecordHistory", {"AccessLevelFilter": {"Key": "Account", "Value": "self"}, "SearchFilter": {"Key": "provisionedproduct", "Value": ted.id}})["RecordDetails"]
    assert [record["RecordId"] for record in records if record["RecordType"] == "UPDATE_PROVISIONED_PRODUCT"][:2].count(again["RecordId"]) == 1
    assert len([record for record in records if record["Status"] not in ("SUCCEEDED", "FAILED")]) == 1


def test_a_body_that_is_cut_off_is_no_xml(sim: Simulator) -> None:
    sim.fault("truncate", operation="DescribeStacks", times=1)
    with pytest.raises(ResponseParserError):
        sim.call("cloudformation", "DescribeStacks", watched=False)
    assert sim.call("cloudformation", "DescribeStacks")["Stacks"]


def test_botos_own_retry_after_a_lost_answer_starts_one_update(sim: Simulator, no_sleep: list[float]) -> None:
    """boto3 fills the token once for all attempts of a call."""
    ted = Installation(sim)
    update = ted.update(ted.version, "token", MaxConnections="801")
    del update["UpdateToken"]
    before = ted.detail["LastRecordId"]
    sim.fault("lost-answer", operation="UpdateProvisionedProduct", nth=1)
    record = sim.call("servicecatalog", "UpdateProvisionedProduct", update, attempts=3)["RecordDetail"]["RecordId"]
    tokens = [entry["parameters"]["UpdateToken"] for entry in sim.log() if entry["operation"] == "UpdateProvisionedProduct"]
    assert len(tokens) == 2 and len(set(tokens)) == 1
    assert ted.detail["LastRecordId"] == record != before


def test_a_hanging_answer_ends_in_the_clients_own_timeout(sim: Simulator) -> None:
    sim.fault("hang", operation="DescribeStacks", times=1)
    with pytest.raises(ReadTimeoutError):
        sim.call("cloudformation", "DescribeStacks", read_timeout=0.3)
    assert sim.call("cloudformation", "DescribeStacks")["Stacks"], "others are served meanwhile and after"


def test_latency_delays_an_answer_and_nothing_else(sim: Simulator) -> None:
    sim.fault({"latency": "0.3s"}, operation="DescribeStacks", times=1)
    began = time.monotonic()
    assert sim.call("cloudformation", "DescribeStacks")["Stacks"]
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    sim.call("cloudformation", "DescribeStacks")
    assert time.monotonic() - began < 0.3


def test_a_stale_read_shows_what_was(sim: Simulator) -> None:
    ted = Installation(sim)
    record = ted.detail["LastRecordId"]
    sim.fault({"stale": {"lag": "60s"}}, operation="DescribeProvisionedProduct")
    sim.advance(120)
    ted.start()
    assert ted.detail["Status"] == "AVAILABLE" and ted.detail["LastRecordId"] == record
    sim.advance(61)
    assert ted.detail["Status"] == "UNDER_CHANGE" and ted.detail["LastRecordId"] != record


RULES: list[tuple[str, dict[str, Any], list[bool]]] = [
    ("the first two", {"times": 2}, [True, True, False, False]),
    ("only the second", {"nth": 2}, [False, True, False, False]),
    ("every second", {"every": 2}, [False, True, False, True]),
    ("another operation", {"operation": "ListStacks"}, [False, False, False, False]),
    ("a pattern", {"operation": "Describe*"}, [True, True, True, True]),
    ("writes only", {"effect": "write"}, [False, False, False, False]),
    ("another caller", {"caller": "*nobody*"}, [False, False, False, False]),
]


@pytest.mark.parametrize(("why", "rule", "struck"), RULES, ids=[row[0] for row in RULES])
def test_a_rule_strikes_the_calls_it_names(sim: Simulator, why: str, rule: dict[str, Any], struck: list[bool]) -> None:
    sim.fault("throttle", **rule)
    found = []
    for _ in struck:
        try:
            sim.call("cloudformation", "DescribeStacks")
            found.append(False)
        except ClientError:
            found.append(True)
    assert found == struck, why


def test_credentials_expire_and_are_renewed(sim: Simulator) -> None:
    """A session of a role is over after its time, in each service's own words; a new one works."""
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/turbot-operator", "RoleSessionName": "conformance", "DurationSeconds": 900}

    def session() -> dict[str, str]:
        issued = sim.call("sts", "AssumeRole", role)["Credentials"]
        return {"key": issued["AccessKeyId"], "secret": issued["SecretAccessKey"], "token": issued["SessionToken"]}

    first = session()
    examples = {of: params for of, params in example_calls(sim).items() if of[1].startswith(("Describe", "List", "Search", "Get"))}
    assert sim.call("sts", "GetCallerIdentity", **first)["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/turbot-operator/conformance"
    sim.advance(901)
    for (service, operation), params in examples.items():
        assert refused(sim, service, operation, params, **first)[:2] == expired(service), f"{service}:{operation}"
    assert sim.call("sts", "GetCallerIdentity", **session())["Account"] == ACCOUNT


def test_unknown_keys_are_refused_when_the_world_is_strict(sim: Simulator) -> None:
    sim.options(strictCredentials=True)
    # JSON services and Lambda: UnrecognizedClientException; Query services: InvalidClientTokenId (facts, section 8).
    for service, operation in (("servicecatalog", "SearchProvisionedProducts"), ("lambda", "ListFunctions"), ("rds", "DescribeDBInstances")):
        wanted = "InvalidClientTokenId" if protocol(service) == "query" else "UnrecognizedClientException"
        assert refused(sim, service, operation, {}, key="AKIAUNKNOWN")[0] == wanted, service
