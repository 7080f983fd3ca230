"""What the browser looks at: the built binary as a simulated AWS, and as the daemon that watches it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 30.0

# What a process starts with: nothing of the machine's own AWS configuration, and nothing of its proxies.
CLEAN = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG", "RUST_BACKTRACE")}


def binary() -> str:
    """The binary under test."""
    path = Path(os.environ.get("TED_CONTROLLER_BIN", "target/debug/ted-controller"))
    return str(path if path.is_absolute() else REPOSITORY / path)


def until(answer: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    """Waits until `answer` says something true, and answers that."""
    deadline = time.monotonic() + limit
    while not (found := answer()):
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.05)
    return found


def call(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """A request; the status and the JSON of its answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


class Process:
    """The binary with some arguments, and the address that it says it listens on."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [binary(), *arguments], stdout=self._output, stderr=subprocess.STDOUT, text=True, env=CLEAN | environment
        )
        self.url: str = until(self._address, f"{arguments[0]} listens")

    def _address(self) -> str | None:
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {self.output()}")
        found = re.search(r"http://[\w.\[\]:]+:\d+", self.output())
        return found.group(0) if found else None

    def output(self) -> str:
        """What it wrote so far."""
        with open(self._output.fileno(), closefd=False, encoding="utf-8") as output:
            output.seek(0)
            return output.read()

    def stop(self) -> None:
        """Ends it, which has to go well."""
        self.process.terminate()
        try:
            self.process.wait(timeout=LIMIT)
        finally:
            self.process.kill()
        assert "panicked" not in self.output(), self.output()


class Simulator(Process):
    """A simulated AWS. Its time stands still unless a speed is given."""

    def __init__(self, scenario: str = "default", speed: float = 0) -> None:
        super().__init__("sim", "--listen", "127.0.0.1:0", "--scenario", scenario, "--speed", str(speed))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of its control API."""
        status, answer = call(method, f"{self.url}/_sim/{path}", body)
        assert status < 300, answer
        return answer

    def speed(self, speed: float) -> None:
        """Lets virtual time run."""
        self.control("POST", "clock", {"speed": speed})

    def act(self, kind: str, **action: Any) -> None:
        """Does one action of a scenario now."""
        self.control("POST", "actions", {kind: action})


class Daemon(Process):
    """The daemon over a folder of documents, and over the simulated AWS."""

    def __init__(self, simulator: Simulator, desired: Path, *arguments: str, listen: str = "127.0.0.1:0") -> None:
        super().__init__(
            "run", "--desired", str(desired), "--listen", listen, "--region", "us-east-2", "--log-format", "json", *arguments,
            AWS_ENDPOINT_URL=simulator.url, AWS_ACCESS_KEY_ID="111122223333", AWS_SECRET_ACCESS_KEY="simulated",
            AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        )

    def get(self, path: str) -> Any:
        """What the API says."""
        return call("GET", self.url + path)[1]

    def ready(self) -> Daemon:
        """Waits until every TED had its first look."""
        until(lambda: call("GET", f"{self.url}/readyz")[0] == 200, "every TED had its first look")
        return self
