"""The command itself: bad scenario files, taken ports, what it prints, and that one seed is one run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from calls import Installation, example_calls
from conftest import Record, world
from simulator import REPOSITORY, ControlError, Simulator

LIMIT = 30.0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`ted-controller sim` with arguments that make it end by itself."""
    binary = Path(os.environ.get("TED_CONTROLLER_BIN", "target/debug/ted-controller"))
    binary = binary if binary.is_absolute() else REPOSITORY / binary
    return subprocess.run([str(binary), "sim", "--listen", "127.0.0.1:0", *arguments], capture_output=True, text=True, timeout=LIMIT, check=False)


BAD_FILES = [
    ("an unknown key", "world:\n  teds:\n    - hive: newton\n      verzion: v1.44.0\n", 4, "version"),
    ("an unknown option", "options:\n  updateUnderChance: x\n", 2, "updateUnderChange"),
    ("a value that no option has", "options:\n  cacheUpgrade: sideways\n", 2, "in-place"),
    ("an unknown action", "actions:\n  - at: 5s\n    do:\n      database-statuz: {status: stopped}\n", 4, "database-status"),
    ("an action without a time", "actions:\n  - do: allow\n", 2, "at"),
    ("an unknown fault", "faults:\n  - fault: throttel\n", 2, "throttle"),
    ("a fault of an unknown operation", "faults:\n  - operation: DescribeStackz\n    fault: throttle\n", 2, "DescribeStacks"),
    ("no duration", "options:\n  searchLag: soon\n", 2, "duration"),
    ("no YAML", "world: [unclosed\n", 1, ""),
]


@pytest.mark.parametrize(("why", "text", "line", "said"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_bad_scenario_gets_file_line_and_reason(tmp_path: Path, why: str, text: str, line: int, said: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    done = run("--scenario", str(file))
    assert done.returncode == 1 and done.stdout == "", why
    assert done.stderr.startswith("error: ") and "panicked" not in done.stderr
    # YAML's own errors may be seen a line later than they were made.
    places = [f"{file}:{at}:" for at in (line, line + 1)]
    assert any(place in done.stderr for place in places), done.stderr
    assert said in done.stderr, done.stderr


BAD_ARGUMENTS = [
    ("an unknown scenario", ["--scenario", "defualt"], 1, "default"),
    ("a file that is not there", ["--scenario", "no/such.yaml"], 1, "no/such.yaml"),
    ("a negative speed", ["--speed=-1"], 64, "speed"),
    ("an address that is none", ["--listen", "here"], 64, "listen"),
    ("beyond loopback", ["--listen", "0.0.0.0:0"], 1, "--listen-beyond-loopback"),
]


@pytest.mark.parametrize(("why", "arguments", "code", "said"), BAD_ARGUMENTS, ids=[row[0] for row in BAD_ARGUMENTS])
def test_bad_arguments_are_refused_with_a_hint(why: str, arguments: list[str], code: int, said: str) -> None:
    done = run(*arguments) if "--listen" not in arguments else subprocess.run([*binary_command(), *arguments], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == code and said in done.stderr, (why, done.stderr)


def binary_command() -> list[str]:
    """The command without a place to listen."""
    binary = Path(os.environ.get("TED_CONTROLLER_BIN", "target/debug/ted-controller"))
    return [str(binary if binary.is_absolute() else REPOSITORY / binary), "sim"]


def test_a_taken_port_is_said_to_be_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*binary_command(), "--listen", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr and "hint: " in done.stderr


def test_every_named_scenario_starts() -> None:
    listed = run("--list")
    assert listed.returncode == 0
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert names[0] == "default" and all(len(line.split(maxsplit=1)) == 2 for line in listed.stdout.splitlines()), "each with a summary"
    simulator = Simulator()
    try:
        for name in names:
            simulator.reset(name)
            assert simulator.call("servicecatalog", "SearchProvisionedProducts")["ProvisionedProducts"], name
        with pytest.raises(ControlError, match="no-such"):
            simulator.reset("no-such")
    finally:
        simulator.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(how: signal.Signals) -> None:
    simulator = Simulator()
    simulator.call("sts", "GetCallerIdentity")
    simulator.process.send_signal(how)
    assert simulator.process.wait(LIMIT) == 0
    assert "panicked" not in simulator.stderr()


def story(sim: Simulator) -> list[Any]:
    """A run with everything in it: reads of all kinds, an update, time; the raw bytes of all answers."""
    for (service, operation), params in example_calls(sim).items():
        if operation.startswith(("Describe", "List", "Get", "Search")) and operation != "DescribeStackDriftDetectionStatus":
            sim.call(service, operation, params)
    ted = Installation(sim)
    ted.finish(ted.start("v1.52.1")["RecordId"], step=60)
    sim.call("cloudformation", "DescribeStackEvents", {"StackName": ted.root})
    return [(answer.operation, answer.status, answer.headers, answer.body) for answer in sim.checker.answers]


def test_one_seed_is_one_run(tmp_path: Path, record: Record) -> None:
    """Byte for byte: headers, request ids and all. (A server's address is in queue URLs, so they are compared without it.)"""
    runs = []
    for seed in ("newton", "newton", "curie"):
        with world(record, tmp_path, "summary: a run\nworld: {start: 2026-08-01T10:00:00Z}\n", "--seed", seed) as sim:
            address = sim.url.removeprefix("http://").encode()
            runs.append([(*head, {k: v for k, v in headers.items() if k != "content-length"}, body.replace(address, b"ADDRESS")) for *head, headers, body in story(sim)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
