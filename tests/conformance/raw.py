"""Requests below boto3: signed or not, well formed or not, byte for byte as a test wants them."""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import wire
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from simulator import ACCOUNT, REGION, Simulator, model

# How a request to each service starts.
TARGETS = {"servicecatalog": "AWS242ServiceCatalogService", "sqs": "AmazonSQS"}
LIMIT = 10.0


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self, service: str, operation: str) -> str | None:
        """The error code, after the checker has found nothing wrong with the answer in the service's protocol."""
        found, code = wire.check_answer(model(service).operation_model(operation), self.status, self.headers, self.body)
        assert not found, found
        return code


def sign(sim: Simulator, service: str, method: str, path: str, headers: dict[str, str], body: bytes, key: str = ACCOUNT, region: str | None = None) -> dict[str, str]:
    """The headers of a request with those of Signature Version 4. IAM is global: it wants us-east-1."""
    region = region or ("us-east-1" if service == "iam" else REGION)
    request = AWSRequest(method=method, url=sim.url + path, data=body, headers=headers)
    SigV4Auth(Credentials(key, "secret"), service, region).add_auth(request)
    return dict(request.headers)


def send(sim: Simulator, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
    """Sends exactly this."""
    address = urllib.parse.urlsplit(sim.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=LIMIT)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def form(service: str, operation: str, **parameters: str) -> bytes:
    """The body of a Query request."""
    return urllib.parse.urlencode({"Action": operation, "Version": model(service).api_version, **parameters}).encode()


def request(service: str, operation: str) -> tuple[str, str, dict[str, str], bytes]:
    """Method, path, headers and body of a call without parameters, unsigned."""
    protocol = model(service).resolved_protocol
    if protocol == "json":
        version = model(service).metadata["jsonVersion"]
        return "POST", "/", {"content-type": f"application/x-amz-json-{version}", "x-amz-target": f"{TARGETS[service]}.{operation}"}, b"{}"
    if protocol == "query":
        return "POST", "/", {"content-type": "application/x-www-form-urlencoded"}, form(service, operation)
    http_of: dict[str, Any] = model(service).operation_model(operation).http
    return http_of["method"], http_of["requestUri"], {}, b""


def stamp() -> str:
    """Today, as a credential scope has it."""
    return datetime.now(timezone.utc).strftime("%Y%m%d")
