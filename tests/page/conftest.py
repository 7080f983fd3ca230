"""Fixtures: a browser for all tests, and for each test its own simulated AWS, daemon and folder of documents."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Callable, Iterator

import pytest

from browser import Browser
from processes import Daemon, Simulator

STAY = """\
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  cache: {engine: redis, version: "7.1"}
"""

MIGRATE = """\
apiVersion: ted-controller.dev/v1alpha1
kind: TurbotEnterpriseDatabase
metadata: {name: einstein}
spec:
  account: "111122223333"
  tedVersion: v1.52.1
  cache: {engine: valkey, version: "8.0"}
  policy: {mode: apply}
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser. Tests take `browser`."""
    with tempfile.TemporaryDirectory(prefix="ted-page-", ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        yield browser
        browser.driver.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser. What it complains about fails the test, unless the test asked what that was."""
    chromium.complaints()
    yield chromium
    complaints = chromium.complaints()
    chromium.driver.get("about:blank")
    chromium.dark(False)
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def desired(tmp_path: Path) -> Path:
    """A folder with one document: einstein as it is."""
    folder = tmp_path / "teds"
    folder.mkdir()
    (folder / "einstein.yaml").write_text(STAY)
    return folder


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Starts simulated AWSes, and ends them."""
    running: list[Simulator] = []

    def start(scenario: str = "default", speed: float = 0) -> Simulator:
        running.append(Simulator(scenario, speed))
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()


@pytest.fixture
def run(desired: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts daemons, and ends those that still run."""
    running: list[Daemon] = []

    def start(simulator: Simulator, *arguments: str, listen: str = "127.0.0.1:0") -> Daemon:
        running.append(Daemon(simulator, desired, *arguments, listen=listen))
        return running[-1].ready()

    yield start
    for daemon in running:
        if daemon.process.poll() is None:
            daemon.stop()


@pytest.fixture
def daemon(simulate: Callable[..., Simulator], run: Callable[..., Daemon]) -> Daemon:
    """A daemon that watches the default installation, which is as its document says."""
    return run(simulate())
