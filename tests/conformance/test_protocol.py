"""Requests that no SDK sends: unsigned, broken, for somebody else, unknown. Each gets AWS's own error, none a hang or a dead connection."""

from __future__ import annotations

import json
import socket
import threading
import urllib.parse
from datetime import timezone

import pytest

import raw
import wire
from simulator import SERVICES, Simulator

# A read without parameters in each service.
SIMPLE = {
    "servicecatalog": "SearchProvisionedProducts",
    "cloudformation": "DescribeStacks",
    "elasticache": "DescribeReplicationGroups",
    "rds": "DescribeDBInstances",
    "lambda": "ListFunctions",
    "sqs": "GetQueueUrl",
    "sts": "GetCallerIdentity",
    "iam": "SimulatePrincipalPolicy",
}


def code_for(service: str, json_code: str, query_code: str) -> str:
    """The name that one error has in the service's protocol."""
    return query_code if raw.model(service).resolved_protocol == "query" else json_code


@pytest.mark.parametrize("service", SERVICES)
def test_a_signed_request_arrives(sim: Simulator, service: str) -> None:
    """The counterpart of all refusals below: with a right signature the same bytes are served."""
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    reply = raw.send(sim, method, path, raw.sign(sim, service, method, path, headers, body), body)
    if service in ("sqs", "iam"):  # The call needs a parameter; that it is missed shows that the request was read.
        assert reply.error(service, operation) is not None
    else:
        assert (reply.status, reply.error(service, operation)) == (200, None)


@pytest.mark.parametrize("service", SERVICES)
def test_an_unsigned_request_is_refused(sim: Simulator, service: str) -> None:
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    reply = raw.send(sim, method, path, headers, body)
    assert reply.error(service, operation) == code_for(service, "MissingAuthenticationTokenException", "MissingAuthenticationToken")


@pytest.mark.parametrize("service", SERVICES)
def test_a_signature_for_another_service_is_refused_by_the_one_that_is_asked(sim: Simulator, service: str) -> None:
    """Target header, path or form say one service and the credential scope another."""
    other = "rds" if service != "rds" else "cloudformation"
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    reply = raw.send(sim, method, path, raw.sign(sim, other, method, path, headers, body), body)
    assert reply.error(service, operation) == code_for(service, "InvalidSignatureException", "SignatureDoesNotMatch")
    assert b"Credential should be scoped to correct service" in reply.body


@pytest.mark.parametrize(("service", "region"), [("rds", "nowhere"), ("servicecatalog", "us-east-2-extra/x")])
def test_a_signature_for_another_region_is_refused(sim: Simulator, service: str, region: str) -> None:
    """The region must be one that can be. (IAM is global, but a client with an endpoint of its own signs for the region it is set to.)"""
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    code = raw.send(sim, method, path, raw.sign(sim, service, method, path, headers, body, region=region), body).error(service, operation)
    assert code in ("SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException")


BROKEN_SIGNATURES = [
    ("another scheme", "Basic dXNlcjpwYXNz"),
    ("no signature", "AWS4-HMAC-SHA256 Credential=111122223333/{day}/us-east-2/{service}/aws4_request, SignedHeaders=host"),
    ("no credential", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature={hex}"),
    ("a scope of three parts", "AWS4-HMAC-SHA256 Credential=111122223333/{day}/{service}, SignedHeaders=host, Signature={hex}"),
    ("a signature that is no hexadecimal", "AWS4-HMAC-SHA256 Credential=111122223333/{day}/us-east-2/{service}/aws4_request, SignedHeaders=host, Signature=zz"),
    ("host not signed", "AWS4-HMAC-SHA256 Credential=111122223333/{day}/us-east-2/{service}/aws4_request, SignedHeaders=x-amz-date, Signature={hex}"),
    ("garbage", "AWS4-HMAC-SHA256 ,,,=,=="),
    ("empty", ""),
]


@pytest.mark.parametrize("service", ["servicecatalog", "cloudformation", "lambda"])
@pytest.mark.parametrize(("why", "authorization"), BROKEN_SIGNATURES, ids=[row[0] for row in BROKEN_SIGNATURES])
def test_a_broken_signature_is_refused(sim: Simulator, service: str, why: str, authorization: str) -> None:
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    text = authorization.format(day=raw.stamp(), service=service, hex="0" * 64)
    reply = raw.send(sim, method, path, headers | {"authorization": text, "x-amz-date": f"{raw.stamp()}T000000Z"}, body)
    # Without a readable scope the service may be unknown; then the refusal has the form of a Query error. It is a refusal all the same.
    assert reply.status in (400, 403), (why, reply)
    said = reply.body + reply.headers.get("x-amzn-errortype", "").encode()
    assert b"IncompleteSignature" in said or b"MissingAuthenticationToken" in said, (why, reply)


def test_the_date_of_the_scope_is_that_of_the_request(sim: Simulator) -> None:
    method, path, headers, body = raw.request("cloudformation", "DescribeStacks")
    signed = raw.sign(sim, "cloudformation", method, path, headers, body)
    signed = {name: value.replace(raw.stamp(), "20200101") if name.lower() == "authorization" else value for name, value in signed.items()}
    assert raw.send(sim, method, path, signed, body).error("cloudformation", "DescribeStacks") == "SignatureDoesNotMatch"


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_operation_is_refused_as_each_protocol_does(sim: Simulator, service: str) -> None:
    operation = SIMPLE[service]
    method, path, headers, body = raw.request(service, operation)
    if service == "lambda":
        path = "/2015-03-31/nothing"
    headers = {name: value.replace(operation, "TerminateEverything") for name, value in headers.items()}
    body = body.replace(operation.encode(), b"TerminateEverything")
    reply = raw.send(sim, method, path, raw.sign(sim, service, method, path, headers, body), body)
    assert reply.error(service, operation) == code_for(service, "UnknownOperationException", "InvalidAction")


REAL_BUT_ABSENT = [
    ("servicecatalog", "TerminateProvisionedProduct"),
    ("cloudformation", "DeleteStack"),
    ("rds", "DeleteDBInstance"),
    ("elasticache", "DeleteReplicationGroup"),
]


@pytest.mark.parametrize(("service", "operation"), REAL_BUT_ABSENT, ids=[row[1] for row in REAL_BUT_ABSENT])
def test_an_operation_that_is_not_simulated_is_unknown(sim: Simulator, service: str, operation: str) -> None:
    method, path, headers, body = raw.request(service, operation)
    reply = raw.send(sim, method, path, raw.sign(sim, service, method, path, headers, body), body)
    assert reply.error(service, operation) == code_for(service, "UnknownOperationException", "InvalidAction")


MALFORMED = [
    ("servicecatalog", "cut off", b'{"Id": "pp-', "SerializationException"),
    ("servicecatalog", "not JSON", b"<Id/>", "SerializationException"),
    ("servicecatalog", "a list", b"[]", "SerializationException"),
    ("servicecatalog", "text", b'"x"', "SerializationException"),
    ("servicecatalog", "not UTF-8", b'{"Id": "\xff\xfe"}', "SerializationException"),
    ("servicecatalog", "nested a thousand deep", b'{"a":' * 1000 + b"1" + b"}" * 1000, "SerializationException"),
    ("sqs", "cut off", b'{"QueueName": ', "SerializationException"),
]


@pytest.mark.parametrize(("service", "why", "body", "code"), MALFORMED, ids=[f"{row[0]}: {row[1]}" for row in MALFORMED])
def test_a_malformed_body_is_refused(sim: Simulator, service: str, why: str, body: bytes, code: str) -> None:
    method, path, headers, _ = raw.request(service, SIMPLE[service])
    reply = raw.send(sim, method, path, raw.sign(sim, service, method, path, headers, body), body)
    assert reply.error(service, SIMPLE[service]) == code, why


WRONG_TYPES = [
    ("a number for text", "DescribeProvisionedProduct", {"Id": 5}),
    ("a list for text", "DescribeProvisionedProduct", {"Id": ["pp-a"]}),
    ("text for a structure", "SearchProvisionedProducts", {"AccessLevelFilter": "Account"}),
    ("a structure for a list", "GetProvisionedProductOutputs", {"ProvisionedProductId": "pp-a", "OutputKeys": {}}),
    ("a fraction for a whole number", "SearchProvisionedProducts", {"PageSize": 1.5}),
    ("text for a boolean", "DescribeProvisioningArtifact", {"Verbose": "perhaps"}),
]


@pytest.mark.parametrize(("why", "operation", "body"), WRONG_TYPES, ids=[row[0] for row in WRONG_TYPES])
def test_a_member_of_another_type_is_refused(sim: Simulator, why: str, operation: str, body: dict[str, object]) -> None:
    """Which code AWS gives differs by service; that it is a client's error and nothing breaks does not."""
    method, path, headers, _ = raw.request("servicecatalog", operation)
    sent = json.dumps(body).encode()
    reply = raw.send(sim, method, path, raw.sign(sim, "servicecatalog", method, path, headers, sent), sent)
    assert reply.error("servicecatalog", operation) in ("SerializationException", "ValidationException", "InvalidParametersException"), why


def test_a_form_without_an_action_is_refused(sim: Simulator) -> None:
    body = b"Version=2010-05-15"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = raw.send(sim, "POST", "/", raw.sign(sim, "cloudformation", "POST", "/", headers, body), body)
    assert reply.error("cloudformation", "DescribeStacks") in ("MissingAction", "InvalidAction")


def test_a_form_of_another_api_version_is_refused(sim: Simulator) -> None:
    body = b"Action=DescribeStacks&Version=1999-01-01"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = raw.send(sim, "POST", "/", raw.sign(sim, "cloudformation", "POST", "/", headers, body), body)
    assert reply.error("cloudformation", "DescribeStacks") == "InvalidAction"


def test_a_form_may_name_its_charset(sim: Simulator) -> None:
    """boto adds it, the Rust SDK does not."""
    body = raw.form("cloudformation", "DescribeStacks")
    for content_type in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8"):
        headers = {"content-type": content_type}
        reply = raw.send(sim, "POST", "/", raw.sign(sim, "cloudformation", "POST", "/", headers, body), body)
        assert reply.error("cloudformation", "DescribeStacks") is None, content_type


def test_cbor_is_refused_with_words(sim: Simulator) -> None:
    """A later SDK may speak it; until then it must not look like an unknown failure."""
    path = "/service/AWS242ServiceCatalogService/operation/DescribeProvisionedProduct"
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "accept": "application/cbor"}
    reply = raw.send(sim, "POST", path, raw.sign(sim, "servicecatalog", "POST", path, headers, b"\xa0"), b"\xa0")
    assert reply.status in (404, 415) and b"cbor" in reply.body.lower()


def test_a_service_that_is_not_simulated_is_refused(sim: Simulator) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"}
    reply = raw.send(sim, "POST", "/", raw.sign(sim, "dynamodb", "POST", "/", headers, b"{}"), b"{}")
    assert 400 <= reply.status < 500 and b"dynamodb" in reply.body


def test_a_body_beyond_the_limit_is_refused_and_the_server_lives(sim: Simulator) -> None:
    method, path, headers, _ = raw.request("servicecatalog", "DescribeRecord")
    body = b'{"Id": "' + b"x" * (2 << 20) + b'"}'
    signed = raw.sign(sim, "servicecatalog", method, path, headers, body)
    try:
        assert raw.send(sim, method, path, signed, body).status in (400, 413)
    except (BrokenPipeError, ConnectionResetError):
        pass  # It closed while the client was still sending: a refusal as well.
    assert sim.call("sts", "GetCallerIdentity")["Account"]


GARBAGE = [
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("a bad request line", b"POST\r\n\r\n"),
    ("a bad header", b"POST / HTTP/1.1\r\nhost: x\r\nno colon here\r\n\r\n"),
    ("two lengths", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
    ("a length that is no number", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n"),
]


@pytest.mark.parametrize(("why", "sent"), GARBAGE, ids=[row[0] for row in GARBAGE])
def test_garbage_ends_its_own_connection_only(sim: Simulator, why: str, sent: bytes) -> None:
    address = urllib.parse.urlsplit(sim.url)
    with socket.create_connection((address.hostname, address.port), timeout=raw.LIMIT) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    assert received == b"" or received.startswith(b"HTTP/1.1 4"), (why, received)
    assert sim.call("sts", "GetCallerIdentity")["Account"], why


def test_an_idle_connection_does_not_keep_others_waiting(sim: Simulator) -> None:
    """Each SDK client keeps its own connection alive; a server for one at a time would block the next for a minute and more."""
    address = urllib.parse.urlsplit(sim.url)
    idle = [socket.create_connection((address.hostname, address.port), timeout=raw.LIMIT) for _ in range(20)]
    try:
        answers: list[str] = []
        threads = [threading.Thread(target=lambda: answers.append(sim.call("sts", "GetCallerIdentity", watched=False)["Account"])) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(raw.LIMIT)
        assert len(answers) == 4
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("service", SERVICES)
def test_the_date_header_is_virtual_time(sim: Simulator, service: str) -> None:
    """In every service, before and after a jump, for good answers and refusals alike (the checker compares it in all other tests too)."""
    method, path, headers, body = raw.request(service, SIMPLE[service])
    for _ in range(2):
        for sent in (raw.sign(sim, service, method, path, headers, body), headers):
            reply = raw.send(sim, method, path, sent, body)
            assert wire.http_date(reply.headers["date"]) == sim.now.replace(microsecond=0).astimezone(timezone.utc)
        sim.advance(3600 * 24 * 40)


def test_every_request_id_is_new(sim: Simulator) -> None:
    for _ in range(20):
        sim.call("sts", "GetCallerIdentity")
    ids = [answer.headers["x-amzn-requestid"] for answer in sim.checker.answers]
    assert len(set(ids)) == len(ids)
