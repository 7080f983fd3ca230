"""The simulator as the tests use it: the built binary as a process, its control API, and boto3 clients that are watched by `wire`.

One process serves all tests; each test starts from a fresh world (`reset`) whose clock stands still, so that nothing here waits for real
time: what takes an hour is one call of `advance`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

import boto3
import botocore.session
from botocore.config import Config

import wire

ACCOUNT = "111122223333"
REGION = "us-east-2"
REPOSITORY = Path(__file__).resolve().parents[2]
START_LIMIT = 30.0

# The services that the simulator has, by botocore's names (which here are also those of credential scopes).
SERVICES = ("servicecatalog", "cloudformation", "elasticache", "rds", "lambda", "sqs", "sts", "iam")

_MODELS = botocore.session.get_session()


def model(service: str) -> Any:
    """Botocore's model of a service."""
    return _MODELS.get_service_model(service)


def snake(operation: str) -> str:
    """The method that boto3 has for an operation."""
    return botocore.xform_name(operation)


class ControlError(Exception):
    """The control API refused."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text}")
        self.status, self.text = status, text


class Simulator:
    """A running simulator."""

    def __init__(self, *arguments: str, speed: float = 0.0, keep_log: Callable[[list[dict[str, Any]]], None] | None = None) -> None:
        binary = Path(os.environ.get("TED_CONTROLLER_BIN", "target/debug/ted-controller"))
        binary = binary if binary.is_absolute() else REPOSITORY / binary
        self._stderr = tempfile.TemporaryFile("w+")
        command = [str(binary), "sim", "--listen", "127.0.0.1:0", "--speed", str(speed), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._stderr, text=True)
        self.url = self._address()
        self.checker = wire.Checker(expected_now=self._known_now)
        self._speed = speed
        self._now: datetime | None = None
        self._clients: dict[Any, Any] = {}
        self._keep_log = keep_log
        self._refresh()

    def _address(self) -> str:
        """The address it prints when it listens."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_LIMIT
        seen = ""
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            seen += line
            if found := re.search(r"http://[\w.\[\]:]+:\d+", line):
                return found.group(0)
            if not line and self.process.poll() is not None:
                break
        raise RuntimeError(f"the simulator did not start: {seen}{self.stderr()}")

    def stderr(self) -> str:
        """What it wrote to standard error so far."""
        self._stderr.seek(0)
        return self._stderr.read()

    def stop(self) -> int:
        """Ends it, and answers its exit code."""
        self.collect()
        self.process.terminate()
        return self.process.wait(timeout=10)

    # --- control API ---

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API: what it answers, as JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{path}", data=data, method=method, headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            raise ControlError(error.code, error.read().decode()) from None
        return json.loads(text) if text else None

    def reset(self, scenario: str = "default", speed: float = 0.0) -> None:
        """Begins again with a named scenario. Violations seen so far stay: a test that begins again midway still answers for them."""
        self.collect()
        self.control("POST", "clock", {"speed": speed})
        self.control("POST", "reset", {"scenario": scenario})
        self.checker.answers.clear()
        self._refresh()

    def collect(self) -> None:
        """Hands the call log on before it is lost."""
        if self._keep_log is not None and self.process.poll() is None:
            self._keep_log(self.log())

    def _refresh(self) -> None:
        clock = self.control("GET", "clock")
        self._speed, self._now = float(clock["speed"]), _time(clock["now"])

    def _known_now(self) -> datetime | None:
        return self._now if self._speed == 0 else None

    @property
    def now(self) -> datetime:
        """Virtual time."""
        self._refresh()
        assert self._now is not None
        return self._now

    def advance(self, by: timedelta | float) -> None:
        """Lets virtual time pass at once; seconds, or a timedelta."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        self.control("POST", "clock", {"advance": seconds})
        self._refresh()

    def speed(self, speed: float) -> None:
        """Lets virtual time run by itself."""
        self.control("POST", "clock", {"speed": speed})
        self._refresh()

    def until(self, done: Callable[[], Any], step: float = 15, limit: float = 8 * 3600) -> Any:
        """Lets time pass in steps until `done` answers something true, and answers that."""
        passed = 0.0
        while not (answer := done()):
            assert passed < limit, f"not so after {limit} virtual seconds"
            self.advance(step)
            passed += step
        return answer

    def log(self) -> list[dict[str, Any]]:
        """The calls since the last reset, oldest first."""
        entries: list[dict[str, Any]] = []
        since = 0
        while page := self.control("GET", f"log?since={since}")["entries"]:
            entries += page
            since = page[-1]["sequence"]
        return entries

    def fault(self, fault: Any, **rule: Any) -> Any:
        """Adds a fault rule."""
        return self.control("POST", "faults", rule | {"fault": fault})

    def clear_faults(self) -> None:
        """Removes all fault rules."""
        self.control("DELETE", "faults")

    def act(self, kind: str, /, **action: Any) -> None:
        """Does one action of a scenario now: its kind and its fields, as scenario files have them."""
        bare = kind in ("allow", "clear-faults", "path-move")
        self.control("POST", "actions", kind if bare else {kind: action})

    def options(self, **changes: Any) -> Any:
        """Changes options of the world, by their names in files; answers all of them."""
        return self.control("PATCH", "options", changes) if changes else self.control("GET", "options")

    def operations(self) -> list[dict[str, Any]]:
        """The table of what is simulated, a row an operation."""
        return self.control("GET", "operations")["operations"]

    # --- clients ---

    def client(
        self,
        service: str,
        region: str = REGION,
        key: str = ACCOUNT,
        secret: str = "secret",
        token: str | None = None,
        attempts: int = 1,
        mode: str = "standard",
        validate: bool = True,
        watched: bool = True,
        **config: Any,
    ) -> Any:
        """A boto3 client. `key` names the account; `validate` lets the client refuse bad parameters before they are sent."""
        identity = (service, region, key, secret, token, attempts, mode, validate, watched, *sorted(config.items()))
        if identity not in self._clients:
            session = boto3.session.Session()
            client = session.client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(
                    retries={"total_max_attempts": attempts, "mode": mode},
                    parameter_validation=validate,
                    **({"connect_timeout": 5, "read_timeout": 20} | config),
                ),
            )
            self._clients[identity] = self.checker.attach(client) if watched else client
        return self._clients[identity]

    def call(self, service: str, operation: str, params: dict[str, Any] | None = None, **client: Any) -> Any:
        """One call with boto3, by the operation's own name; the answer without boto3's own additions."""
        answer = getattr(self.client(service, **client), snake(operation))(**(params or {}))
        answer.pop("ResponseMetadata", None)
        return answer


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
