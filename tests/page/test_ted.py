"""One TED: the answer to "why is nothing happening?", and a migration as somebody follows it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Callable

from conftest import MIGRATE, STAY
from browser import Browser
from processes import Daemon, Simulator, until


def cells(browser: Browser, row: str) -> list[str]:
    """What the four and the findings say of one thing."""
    return browser.js(
        "return [...document.querySelectorAll(`.foursides [data-key=\"${arguments[0]}\"] > td`)].map((one) => one.innerText)", row
    )


def commit(folder: Path, subject: str) -> None:
    """Makes a checkout of the folder, with everything in it committed."""
    git = ["git", "-C", str(folder), "-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", subject]):
        subprocess.run([*git, *arguments], check=True)


def test_everything_that_is_known_of_a_blocked_ted(daemon: Daemon, desired: Path, browser: Browser) -> None:
    (desired / "einstein.yaml").write_text(MIGRATE)
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("Blocked", ".verdict")
    assert browser.driver.title.endswith("einstein ted-controller")

    assert cells(browser, "cache engine") == ["valkey", "–", "–", "redis", "drift/cache-engine"]
    assert cells(browser, "TED version") == ["v1.52.1", "v1.44.0", "v1.44.0", "–", "drift/ted-version"]
    for condition in ("Ready", "Reconciling", "Stalled", "Drifted", "OutOfSync", "EventsPaused"):
        assert condition in browser.text(".conditions")
    finding = '.findings [data-key^="drift/cache-engine"]'
    for part in ("Warning", "Should be\nvalkey", "Is\nredis", "Read from", "What to do"):
        assert part in browser.text(finding), f"{part} is not in {browser.text(finding)}"
    gate = browser.text('.gates [data-key="one-way"]')
    assert "Needs a person" in gate and "approve: [redis-to-valkey]" in gate, gate
    steps = browser.js("return [...document.querySelectorAll('.plan .step')].map((one) => one.textContent)")
    assert steps == ["Hold", "Disable", "Update", "Release", "Enable"]
    assert "ElastiCacheEngine" in browser.text(".parameters"), browser.text(".plan")
    browser.shows("drift/cache-engine", ".events")
    browser.click(".document summary")
    browser.shows('"tedVersion": "v1.52.1"', ".document")


def test_what_the_reader_opened_and_focused_stays_when_something_changes(daemon: Daemon, desired: Path, browser: Browser) -> None:
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("Steady", ".verdict")
    browser.click(".document summary")
    (desired / "einstein.yaml").write_text(MIGRATE)
    browser.shows("Blocked", ".verdict")
    assert browser.js("return document.querySelector('.document details').open") is True
    assert browser.js("return document.activeElement.tagName") == "SUMMARY"


def test_a_ted_that_is_not_there_is_said(daemon: Daemon, browser: Browser) -> None:
    browser.open(f"{daemon.url}/#/%3Cb%3Enobody")
    browser.shows("There is no TED “<b>nobody”")
    browser.click(".back a")
    browser.shows("einstein", "table.fleet")
    assert "404" in " ".join(browser.complaints()), "its events were asked for in vain"


def test_a_ted_that_cannot_be_read_says_why_and_recovers(simulate: Callable[..., Simulator], run: Callable[..., Daemon], desired: Path, browser: Browser) -> None:
    (desired / "einstein.yaml").write_text(STAY + "  roleArn: arn:aws:iam::111122223333:role/somebody\n")
    simulator = simulate()
    daemon = run(simulator)
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("is not on the controller's list of allowed roles", ".verdict")
    browser.shows("Every look has come to nothing for", ".verdict")
    browser.shows("Nobody has looked yet.", ".findings")
    (desired / "einstein.yaml").write_text(STAY)
    browser.shows("Steady", ".verdict")
    browser.shows_no("Every look has come to nothing")
    simulator.control("POST", "faults", {"service": "servicecatalog", "fault": "access-denied"})
    browser.click('[data-order="reconcile"]')
    browser.shows("Unknown: Unreadable", ".verdict")
    browser.shows("AccessDenied", ".verdict")
    browser.shows("unreadable", ".foursides")


def test_a_migration_is_followed_to_its_end(simulate: Callable[..., Simulator], run: Callable[..., Daemon], desired: Path, tmp_path: Path, browser: Browser) -> None:
    simulator = simulate()
    (desired / "einstein.yaml").write_text(MIGRATE.replace("mode: apply", "mode: apply, approve: [redis-to-valkey], interval: 10s"))
    commit(desired, "Move einstein to Valkey <b>now</b>")
    daemon = run(simulator, "--state-dir", str(tmp_path / "state"))
    browser.open(f"{daemon.url}/#/einstein")
    browser.js("window.stayed = true")
    simulator.speed(60)
    browser.shows("Events are paused", "#view", limit=120)
    browser.shows("Triggers off", ".eventspaused")
    browser.shows("The update under way", "#view", limit=120)
    done = "return Number(document.querySelector('.progress progress')?.value ?? -1)"
    until(lambda: browser.js(done) > 0, "a stack is through", limit=180)
    simulator.speed(300)
    browser.shows("Steady", ".verdict", limit=300)
    browser.shows("valkey 8.0", ".verdict")
    browser.shows_no("Events are paused")
    assert cells(browser, "cache engine")[3:] == ["valkey", "–"]
    browser.shows("Succeeded", ".history")
    browser.shows("Move einstein to Valkey <b>now</b> (Ada Lovelace)", ".history")
    assert browser.js("return window.stayed") is True
