"""Checks every answer of the simulator against botocore's service models, as bytes, before any client has read them.

botocore's own parsers are forgiving: they skip members they do not know, accept text where a number should be and never miss a
required member. Here each of these is a violation. The checker hooks into every client the suite makes (see `attach`), collects what
it finds in `Checker.violations`, and the `sim` fixtures fail the test that made the call.

It decides nothing about behaviour: whether an answer is the *right* one is for the tests.
"""

from __future__ import annotations

import email.utils
import json
import re
import threading
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable

# Codes that AWS answers without listing them in the operation's model, with their HTTP status. By protocol, since the same trouble has
# another name in each: (AWS docs, "Common errors" of each service; facts on error shapes).
COMMON_ERRORS: dict[str, dict[str, int]] = {
    "json": {
        "AccessDeniedException": 400,
        "ExpiredTokenException": 400,
        "IncompleteSignatureException": 400,
        "InternalFailure": 500,
        "InvalidSignatureException": 400,
        "MissingAuthenticationTokenException": 400,
        # SQS kept the codes of its Query days.
        "MissingParameter": 400,
        "SerializationException": 400,
        "ServiceUnavailable": 503,
        "ServiceUnavailableException": 503,
        "ThrottlingException": 400,
        "UnknownOperationException": 400,
        "UnrecognizedClientException": 400,
        "ValidationException": 400,
    },
    "query": {
        "AccessDenied": 403,
        "ExpiredToken": 403,
        "IncompleteSignature": 403,
        "InternalFailure": 500,
        "InvalidAction": 400,
        "InvalidClientTokenId": 403,
        "MissingAction": 400,
        "MissingAuthenticationToken": 403,
        "MissingParameter": 400,
        "ServiceUnavailable": 503,
        "SignatureDoesNotMatch": 403,
        "Throttling": 400,
        "ValidationError": 400,
        # RDS and ElastiCache refuse broken input by these, whether the operation's model lists them or not.
        "InvalidParameterValue": 400,
        "InvalidParameterCombination": 400,
    },
    "rest-json": {
        "AccessDeniedException": 403,
        "ExpiredTokenException": 403,
        "IncompleteSignatureException": 403,
        "InternalFailure": 500,
        "InvalidRequestContentException": 400,
        "InvalidSignatureException": 403,
        "MissingAuthenticationTokenException": 403,
        "SerializationException": 400,
        "ServiceUnavailable": 503,
        "ServiceUnavailableException": 503,
        "UnknownOperationException": 404,
        "UnrecognizedClientException": 403,
        "ValidationException": 400,
    },
}

# Errors that a service's model has, but not in the list of the operation that gives them: (service, operation) -> codes, with the reason.
OTHER_OPERATIONS_ERRORS: dict[tuple[str, str], dict[str, str]] = {
    ("servicecatalog", "UpdateProvisionedProduct"): {
        "InvalidStateException": "an option of the world: AWS documents no error for an update under change",
        "ResourceInUseException": "the same option",
        "DuplicateResourceException": "an option of the world: a remembered token with another request",
    },
}

# HTTP statuses that differ from 400 and that the model does not say: botocore's `_retry.json` has this one.
UNSAID_STATUS = {("sqs", "RequestThrottled"): 403}

CONTENT_TYPES = {"json": "application/x-amz-json-{version}", "query": "text/xml", "rest-json": "application/json"}

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INTEGER = re.compile(r"-?\d+")


@dataclass
class Answer:
    """One raw answer, kept for the test that wants to look at the bytes."""

    service: str
    operation: str
    status: int
    headers: dict[str, str]
    body: bytes
    error: str | None


@dataclass
class Checker:
    """Collects violations of the service models over all answers of one simulator."""

    # The virtual time that the Date header must show; None when the clock runs.
    expected_now: Callable[[], datetime | None] = lambda: None
    violations: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    _sent: threading.local = field(default_factory=threading.local)

    def attach(self, client: Any) -> Any:
        """Watches all calls of a boto3 client."""
        events = client.meta.events
        events.register("before-parameter-build", self._remember)
        events.register("before-parse", self._received)
        return client

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self._sent.params = params

    def _received(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        status, body = response_dict["status_code"], response_dict["body"]
        headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        found, code = check_answer(operation_model, status, headers, body, self.expected_now())
        if status < 300:
            found += [f"accepted, though {problem}" for problem in check_input(operation_model, getattr(self._sent, "params", {}))]
        service = operation_model.service_model.service_name
        self.violations += [f"{service}:{operation_model.name}: {problem}" for problem in found]
        self.answers.append(Answer(service, operation_model.name, status, headers, body, code))


def check_answer(operation: Any, status: int, headers: dict[str, str], body: bytes, now: datetime | None = None) -> tuple[list[str], str | None]:
    """What is wrong with an answer to `operation`, and the error code it carries."""
    protocol = operation.service_model.resolved_protocol
    found = _check_headers(operation, protocol, status, headers, now)
    if status >= 300:
        problems, code = _ERRORS[protocol](operation, status, headers, body)
        return found + problems, code
    return found + _SUCCESSES[protocol](operation, headers, body), None


def _check_headers(operation: Any, protocol: str, status: int, headers: dict[str, str], now: datetime | None) -> list[str]:
    found = []
    if not headers.get("x-amzn-requestid"):
        found.append("no x-amzn-requestid header")
    elif not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-requestid"]):
        found.append(f"x-amzn-requestid `{headers['x-amzn-requestid']}` is no UUID")
    date = headers.get("date", "")
    if not re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", date):
        found.append(f"Date header `{date}` is not an HTTP date")
    elif now is not None and email.utils.parsedate_to_datetime(date) != now.replace(microsecond=0):
        found.append(f"Date header `{date}` is not the virtual time {now.isoformat()}")
    if status != 204:
        wanted = CONTENT_TYPES[protocol].format(version=operation.service_model.metadata.get("jsonVersion", ""))
        if headers.get("content-type") != wanted:
            found.append(f"content type `{headers.get('content-type')}` instead of `{wanted}`")
    return found


# --- JSON -----------------------------------------------------------------------------------------------------------------------------


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a member twice among {keys}")
    return dict(pairs)


def _read_json(body: bytes) -> Any:
    return json.loads(body, object_pairs_hook=_no_duplicates)


def _json_success(operation: Any, headers: dict[str, str], body: bytes) -> list[str]:
    shape = operation.output_shape
    expected = operation.http.get("responseCode", 200)
    if shape is None or not shape.members:
        return [] if body in (b"", b"{}") else [f"a body, though {operation.name} (HTTP {expected}) has no output: {body[:80]!r}"]
    try:
        value = _read_json(body)
    except ValueError as error:
        return [f"the body is not JSON: {error}"]
    return list(_json_value(shape, value, "", body=True))


def _json_value(shape: Any, value: Any, path: str, body: bool = False) -> Any:
    kind = shape.type_name
    at = path or "the body"
    if kind == "structure":
        if not isinstance(value, dict):
            yield f"{at} is {value!r}, not a structure"
            return
        members = {
            member.serialization.get("name", name): (name, member)
            for name, member in shape.members.items()
            if member.serialization.get("location") not in ("header", "headers", "statusCode")
        }
        for name in value.keys() - members.keys():
            yield f"{path}.{name} is not a member of {shape.name}"
        for name in shape.required_members:
            if name not in value:
                yield f"{path}.{name} is required in {shape.name} and missing"
        for wire_name, (_, member) in members.items():
            if wire_name in value:
                yield from _json_value(member, value[wire_name], f"{path}.{wire_name}")
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{at} is {value!r}, not a list"
            return
        for index, item in enumerate(value):
            yield from _json_value(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{at} is {value!r}, not a map"
            return
        for key, item in value.items():
            yield from _text(shape.key, key, f"{path} key `{key}`")
            yield from _json_value(shape.value, item, f"{path}.{key}")
    elif kind in ("string", "character"):
        if not isinstance(value, str):
            yield f"{at} is {value!r}, not text"
        else:
            yield from _text(shape, value, path)
    elif kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{at} is {value!r}, not a whole number"
        else:
            yield from _range(shape, value, path)
    elif kind in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{at} is {value!r}, not a number"
    elif kind == "boolean":
        if not isinstance(value, bool):
            yield f"{at} is {value!r}, not a boolean"
    elif kind == "timestamp":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1e9 < value < 4e9:
            yield f"{at} is {value!r}, not seconds since the epoch"
    else:
        yield f"{at}: the checker does not know {kind}"


def _json_error(operation: Any, status: int, headers: dict[str, str], body: bytes) -> tuple[list[str], str | None]:
    try:
        value = _read_json(body)
    except ValueError as error:
        return [f"the error's body is not JSON: {error}"], None
    if not isinstance(value, dict) or not isinstance(value.get("__type"), str):
        return [f"the error has no __type: {body[:80]!r}"], None
    code = value.pop("__type").rsplit("#", 1)[-1]
    found = _known_error(operation, "json", code, status)
    found += _error_members(operation, code, value)
    if operation.service_model.service_name == "sqs" and not re.fullmatch(r"[\w.]+;(Sender|Receiver)", headers.get("x-amzn-query-error", "")):
        found.append("no x-amzn-query-error header, which SQS sends with every error")
    return found, code


def _rest_error(operation: Any, status: int, headers: dict[str, str], body: bytes) -> tuple[list[str], str | None]:
    code = headers.get("x-amzn-errortype", "").split(":")[0]
    if not code:
        return ["no x-amzn-errortype header"], None
    try:
        value = _read_json(body)
    except ValueError as error:
        return [f"the error's body is not JSON: {error}"], code
    return _known_error(operation, "rest-json", code, status) + _error_members(operation, code, value), code


def _error_members(operation: Any, code: str, value: dict[str, Any]) -> list[str]:
    """The body of a JSON error beside its type: the members of the error's shape, at least a message."""
    message = value.get("Message", value.get("message"))
    found = [] if isinstance(message, str) and message else ["the error has no message"]
    shape = operation.service_model.shape_for_error_code(code)
    known = {name.lower() for name in shape.members} if shape is not None else {"type"}
    found += [f"the error has the member {name}, which {code} does not" for name in value if name.lower() not in known | {"message"}]
    return found


def _known_error(operation: Any, protocol: str, code: str, status: int) -> list[str]:
    service = operation.service_model.service_name
    for shape in operation.error_shapes:
        if shape.error_code == code:
            wanted = shape.metadata.get("error", {}).get("httpStatusCode") or UNSAID_STATUS.get((service, code), 400)
            return [] if status == wanted else [f"{code} came with HTTP {status} instead of {wanted}"]
    if code in OTHER_OPERATIONS_ERRORS.get((service, operation.name), {}):
        return [] if status == 400 else [f"{code} came with HTTP {status} instead of 400"]
    wanted = COMMON_ERRORS[protocol].get(code)
    if wanted is None:
        return [f"the error code {code} is neither modelled for the operation nor common to all services"]
    return [] if status == wanted else [f"{code} came with HTTP {status} instead of {wanted}"]


# --- XML ------------------------------------------------------------------------------------------------------------------------------


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace.lstrip("{"), name


def _root(operation: Any, body: bytes) -> tuple[ElementTree.Element | None, list[str]]:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return None, [f"the body is not XML: {error}"]
    wanted = operation.service_model.metadata["xmlNamespace"]
    found = [f"<{_split(element.tag)[1]}> is in the namespace `{_split(element.tag)[0]}` instead of `{wanted}`" for element in root.iter() if _split(element.tag)[0] != wanted]
    return root, found[:1]


def _xml_success(operation: Any, headers: dict[str, str], body: bytes) -> list[str]:
    root, found = _root(operation, body)
    if root is None:
        return found
    name = _split(root.tag)[1]
    if name != f"{operation.name}Response":
        found.append(f"the root element is <{name}>")
    wrapper = operation.output_shape.serialization.get("resultWrapper") if operation.output_shape is not None else None
    children = [_split(child.tag)[1] for child in root]
    if children != [part for part in (wrapper, "ResponseMetadata") if part]:
        return [*found, f"the root element holds {children} instead of {wrapper} and ResponseMetadata"]
    request_id = root[-1].findtext(f"{{{operation.service_model.metadata['xmlNamespace']}}}RequestId")
    if request_id != headers.get("x-amzn-requestid"):
        found.append(f"RequestId {request_id} is not that of the header, {headers.get('x-amzn-requestid')}")
    if wrapper:
        found += _xml_value(operation.output_shape, root[0], "")
    return found


def _xml_value(shape: Any, element: ElementTree.Element, path: str) -> Any:
    kind = shape.type_name
    text = element.text or ""
    children = [(_split(child.tag)[1], child) for child in element]
    if kind in ("structure", "list", "map"):
        if text.strip():
            yield f"{path} holds the text `{text.strip()}` instead of elements"
    elif children:
        yield f"{path} holds elements {[name for name, _ in children]} instead of text"
        return
    if kind == "structure":
        yield from _xml_structure(shape, children, path)
    elif kind == "list":
        wanted = shape.member.serialization.get("name", "member")
        for index, (name, child) in enumerate(children):
            if name != wanted:
                yield f"{path}: an item is called <{name}> instead of <{wanted}>"
            yield from _xml_value(shape.member, child, f"{path}[{index}]")
    elif kind == "map":
        for name, entry in children:
            parts = {_split(part.tag)[1]: part for part in entry}
            if name != "entry" or set(parts) != {shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")}:
                yield f"{path}: a map's entry is <{name}> with {sorted(parts)}"
    elif kind in ("string", "character"):
        yield from _text(shape, text, path)
    elif kind in ("integer", "long"):
        if not INTEGER.fullmatch(text):
            yield f"{path} is `{text}`, not a whole number"
        else:
            yield from _range(shape, int(text), path)
    elif kind in ("float", "double"):
        try:
            float(text)
        except ValueError:
            yield f"{path} is `{text}`, not a number"
    elif kind == "boolean":
        if text not in ("true", "false"):
            yield f"{path} is `{text}`, not a boolean"
    elif kind == "timestamp":
        if not ISO.fullmatch(text):
            yield f"{path} is `{text}`, not ISO 8601 with milliseconds and Z"
    else:
        yield f"{path}: the checker does not know {kind}"


def _xml_structure(shape: Any, children: list[tuple[str, ElementTree.Element]], path: str) -> Any:
    members: dict[str, tuple[str, Any, bool]] = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        if flattened:
            wire_name = member.member.serialization.get("name", wire_name)
        members[wire_name] = (name, member, bool(flattened))
    seen: set[str] = set()
    for wire_name, child in children:
        if wire_name not in members:
            yield f"{path}.{wire_name} is not a member of {shape.name}"
            continue
        name, member, flattened = members[wire_name]
        if wire_name in seen and not flattened:
            yield f"{path}.{wire_name} stands there twice"
        seen.add(wire_name)
        yield from _xml_value(member.member if flattened else member, child, f"{path}.{wire_name}")
    for wire_name, (name, _, _) in members.items():
        if name in shape.required_members and wire_name not in seen:
            yield f"{path}.{wire_name} is required in {shape.name} and missing"


def _xml_error(operation: Any, status: int, headers: dict[str, str], body: bytes) -> tuple[list[str], str | None]:
    root, found = _root(operation, body)
    if root is None:
        return found, None
    namespace = f"{{{operation.service_model.metadata['xmlNamespace']}}}"
    if _split(root.tag)[1] != "ErrorResponse" or [_split(child.tag)[1] for child in root] != ["Error", "RequestId"]:
        return [*found, f"an error is <{_split(root.tag)[1]}> with {[_split(child.tag)[1] for child in root]}"], None
    if root[1].text != headers.get("x-amzn-requestid"):
        found.append("the error's RequestId is not that of the header")
    parts = {_split(child.tag)[1]: child.text or "" for child in root[0]}
    if parts.keys() - {"Detail"} != {"Type", "Code", "Message"}:
        found.append(f"<Error> holds {sorted(parts)}")
    if parts.get("Type") != ("Sender" if status < 500 else "Receiver"):
        found.append(f"the error's type is `{parts.get('Type')}` at HTTP {status}")
    if not parts.get("Message"):
        found.append("the error has no message")
    code = root[0].findtext(f"{namespace}Code")
    return found + _known_error(operation, "query", code or "", status), code


# --- values ---------------------------------------------------------------------------------------------------------------------------

# Patterns that botocore ships and that AWS's own answers break, so that they bind requests at most: shape -> why.
LOOSE_OUTPUT_PATTERNS: dict[str, str] = {}

# Values that AWS sends though the model's enumeration lacks them: shape -> values. (A stack's own events carry the stack's status, and the
# model lists only resources' statuses; both values are in every recorded update of a stack.)
OPEN_ENUMS: dict[str, set[str]] = {
    "ResourceStatus": {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"},
}


def _text(shape: Any, value: str, path: str) -> Any:
    enum = shape.metadata.get("enum")
    if enum and value not in enum and value not in OPEN_ENUMS.get(shape.name, ()):
        yield f"{path} is `{value}`, not one of {enum}"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        yield f"{path} `{value}` is shorter than {low}"
    if high is not None and len(value) > high:
        yield f"{path} `{value[:40]}…` is longer than {high}"
    pattern = compile_pattern(shape.metadata.get("pattern"))
    if pattern is not None and shape.name not in LOOSE_OUTPUT_PATTERNS and not pattern.fullmatch(value):
        yield f"{path} `{value}` does not match {pattern.pattern}"


def _range(shape: Any, value: float, path: str) -> Any:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield f"{path} is {value}, below {low}"
    if high is not None and value > high:
        yield f"{path} is {value}, above {high}"


def compile_pattern(pattern: str | None) -> re.Pattern[str] | None:
    """The pattern of a model; None for what Python's engine does not know (models are written for Java's)."""
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def check_input(operation: Any, params: dict[str, Any]) -> list[str]:
    """What the service model forbids in parameters that were accepted: enumerations, limits, patterns, required and unknown members."""
    return list(_input_value(operation.input_shape, params, "")) if operation.input_shape is not None else []


def _input_value(shape: Any, value: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name in value.keys() - shape.members.keys():
            yield f"{path}.{name} is not a member of {shape.name}"
        for name in shape.required_members:
            if name not in value:
                yield f"{path}.{name} is required and missing"
        for name, member in shape.members.items():
            if name in value:
                yield from _input_value(member, value[name], f"{path}.{name}")
    elif kind == "list" and isinstance(value, (list, tuple)):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if (low is not None and len(value) < low) or (high is not None and len(value) > high):
            yield f"{path} has {len(value)} items"
        for index, item in enumerate(value):
            yield from _input_value(shape.member, item, f"{path}[{index}]")
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from _text(shape.key, key, f"{path} key")
            yield from _input_value(shape.value, item, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from _text(shape, value, path)
    elif kind in ("integer", "long") and isinstance(value, int) and not isinstance(value, bool):
        yield from _range(shape, value, path)
    elif kind == "boolean" and isinstance(value, bool):
        return
    elif kind == "timestamp" and isinstance(value, (datetime, int, float, str)):
        return
    elif kind in ("float", "double") and isinstance(value, (int, float)):
        return
    else:
        yield f"{path} is {value!r}, not {kind}"


_SUCCESSES = {"json": _json_success, "rest-json": _json_success, "query": _xml_success}
_ERRORS = {"json": _json_error, "rest-json": _rest_error, "query": _xml_error}


def http_date(value: str) -> datetime:
    """The time in a Date header."""
    return email.utils.parsedate_to_datetime(value).astimezone(timezone.utc)
