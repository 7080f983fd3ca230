"""Fixtures: a simulator for each test, and the record of what all tests called, which `test_zz_coverage.py` judges at the end."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest

from simulator import Simulator

# Nothing of the machine's own AWS configuration may reach a client here, and no client may look for credentials elsewhere.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


class Record:
    """What was called in all tests of this run."""

    def __init__(self) -> None:
        # (client, service, operation) -> error codes, None for success.
        self.outcomes: dict[tuple[str, str, str], set[str | None]] = defaultdict(set)

    def take(self, log: list[dict[str, Any]]) -> None:
        """Adds a simulator's call log."""
        for entry in log:
            agent = entry.get("userAgent") or ""
            client = "boto3" if agent.startswith("Boto3/") else "aws-cli" if agent.startswith("aws-cli/") else "other"
            if entry.get("status") is not None:
                self.outcomes[client, entry.get("service") or "", entry["operation"]].add(entry.get("errorCode"))


@pytest.fixture(scope="session")
def record() -> Record:
    """What was called so far."""
    return Record()


@pytest.fixture(scope="session")
def process(record: Record) -> Iterator[Simulator]:
    """The one simulator process. Tests take `sim`."""
    simulator = Simulator(keep_log=record.take)
    yield simulator
    simulator.stop()
    assert "panicked" not in simulator.stderr(), simulator.stderr()


@pytest.fixture
def sim(process: Simulator) -> Iterator[Simulator]:
    """A simulator with a fresh default world whose clock stands still. Every answer is checked against botocore's models."""
    process.checker.violations.clear()
    process.reset()
    yield process
    violations = sorted(set(process.checker.violations))
    process.checker.violations.clear()
    process.collect()
    assert not violations, "answers that botocore's models forbid:\n" + "\n".join(violations)


@contextmanager
def world(record: Record, folder: Path, scenario: str, *arguments: str) -> Iterator[Simulator]:
    """A simulator of its own for a scenario that is written here, judged like the common one."""
    file = folder / "scenario.yaml"
    file.write_text(scenario)
    simulator = Simulator("--scenario", str(file), *arguments, keep_log=record.take)
    try:
        yield simulator
        assert not simulator.checker.violations, "\n".join(sorted(set(simulator.checker.violations)))
    finally:
        simulator.stop()
    assert "panicked" not in simulator.stderr(), simulator.stderr()


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """The coverage test judges all others: it only runs when all modules do, and after them."""
    here = {item.path.name for item in items}
    every = {path.name for path in session.config.rootpath.glob("test_*.py")}
    if here != every:
        skip = pytest.mark.skip(reason="judges the whole suite, and only a part of it runs")
        for item in items:
            if item.path.name == "test_zz_coverage.py":
                item.add_marker(skip)
