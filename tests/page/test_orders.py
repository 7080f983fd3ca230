"""What the page asks the controller for."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from browser import Browser
from processes import Daemon, Simulator, call, until


def test_starts_are_frozen_with_a_reason_and_allowed_again(daemon: Daemon, browser: Browser) -> None:
    browser.open(daemon.url)
    browser.click("#freeze")
    browser.shows("Freeze all starts?", "#ask")
    browser.click("#ask-no")
    assert daemon.get("/api/v1/freeze")["frozen"] is False, "cancelled"
    browser.click("#freeze")
    browser.find("#ask-input").send_keys("audit week\n")
    browser.shows("Frozen: audit week.", "#notices")
    assert daemon.get("/api/v1/freeze")["reason"] == "audit week"
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("Frozen: audit week.", "#notices")
    browser.shows("Allow starts", "#freeze")
    browser.click("#freeze")
    browser.click("#ask-yes")
    browser.shows_no("Frozen", "#notices")
    assert daemon.get("/api/v1/freeze")["frozen"] is False


def test_a_look_is_asked_for_and_its_end_is_told(daemon: Daemon, browser: Browser) -> None:
    browser.open(f"{daemon.url}/#/einstein")
    before = daemon.get("/api/v1/teds/einstein")["status"]["lastHandledReconcile"]
    browser.click('[data-order="reconcile"]')
    browser.shows("einstein was looked at.", "#said")
    assert daemon.get("/api/v1/teds/einstein")["status"]["lastHandledReconcile"] != before
    browser.shows_no("Asked", ".head")


def test_the_token_is_asked_for_and_kept_in_the_window_only(simulate: Callable[..., Simulator], run: Callable[..., Daemon], tmp_path: Path, browser: Browser) -> None:
    token = "a-token-of-32-characters-or-more"
    (tmp_path / "token").write_text(token + "\n")
    (tmp_path / "controller.yaml").write_text("server: {tokenFile: token}\n")
    daemon = run(simulate(), "--config", str(tmp_path / "controller.yaml"))
    browser.open(f"{daemon.url}/#/einstein")
    browser.click('[data-order="reconcile"]')
    browser.shows("This controller wants a token", "#ask")
    assert browser.find("#ask-input").get_attribute("type") == "password"
    browser.find("#ask-input").send_keys("wrong\n")
    browser.shows("This controller wants a token", "#ask")
    until(lambda: browser.js("return document.getElementById('ask-input').value") == "", "it is asked again")
    browser.find("#ask-input").send_keys(token + "\n")
    browser.shows("einstein was looked at.", "#said")
    browser.click("#freeze")
    browser.find("#ask-input").send_keys("why\n")
    browser.shows("Frozen: why.", "#notices")
    assert token not in browser.driver.page_source
    assert browser.js("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == '[{},{},""]'
    refused = [complaint for complaint in browser.complaints() if "401" not in complaint]
    assert not refused, refused


def test_beyond_loopback_without_a_token_there_is_nothing_to_press(simulate: Callable[..., Simulator], run: Callable[..., Daemon], browser: Browser) -> None:
    daemon = run(simulate(), listen="0.0.0.0:0")
    url = daemon.url.replace("0.0.0.0", "127.0.0.1")
    browser.open(f"{url}/#/einstein")
    browser.shows("Steady", ".verdict")
    buttons = browser.js("return [...document.querySelectorAll('button')].filter((one) => one.checkVisibility()).length")
    assert buttons == 0
    assert call("POST", f"{url}/api/v1/freeze", {"frozen": True})[0] == 403
