"""All TEDs: what the table says, that it follows what happens, and that it says when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from browser import Browser
from conftest import MIGRATE, STAY
from processes import Daemon, Simulator, until

ROW = '[data-key="einstein"]'


def test_the_table_says_how_each_ted_stands(daemon: Daemon, browser: Browser) -> None:
    browser.open(daemon.url)
    browser.shows("Live", "#live")
    row = browser.text(ROW)
    for part in ("einstein", "111122223333 · us-east-2", "1.44.0", "redis 7.1.0", "AVAILABLE", "UPDATE_COMPLETE", "available", "Steady", "Ready", "ago"):
        assert part in row.replace("\n", " ") or part in row, f"{part} is not in {row}"
    titles = browser.js("return [...document.querySelectorAll('table.fleet th[scope=col]')].map((one) => one.textContent)")
    assert titles == ["TED", "Version", "Cache", "Product", "Stack", "Database", "Cache status", "Phase", "Condition", "Last look"]
    assert browser.driver.title == "ted-controller"


def test_the_first_painting_is_the_servers_and_needs_no_script(daemon: Daemon, browser: Browser) -> None:
    browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(daemon.url)
        shown = browser.find("body").text
        for part in ("einstein", "redis 7.1.0", "Ready", "needs JavaScript"):
            assert part in shown, f"{part} is not in {shown}"
    finally:
        browser.devtools("Emulation.setScriptExecutionDisabled", value=False)
    # With scripts it is taken over column by column, word by word.
    before = [line for line in shown.splitlines() if "JavaScript" not in line and not line.endswith("ago")]
    browser.open(daemon.url)
    browser.shows("Live", "#live")
    after = browser.find("body").text.splitlines()
    assert [line for line in before if line not in after] == []


def test_a_document_that_changes_shows_without_loading_anew(daemon: Daemon, desired: Path, browser: Browser) -> None:
    browser.open(daemon.url)
    browser.shows("Steady", ROW)
    browser.js("window.stayed = true")
    (desired / "einstein.yaml").write_text(MIGRATE)
    browser.shows("Not ready: Drifted", ROW)
    browser.shows("Blocked", ROW)
    newton = STAY.replace("einstein", "newton").replace("spec:\n", "spec:\n  provisionedProduct: ted-newton\n")
    (desired / "newton.yaml").write_text(newton)
    browser.shows("newton", "table.fleet")
    (desired / "newton.yaml").unlink()
    browser.shows_no("newton", "table.fleet")
    assert browser.js("return window.stayed") is True


def test_the_fleet_is_narrowed_down(simulate: Callable[..., Simulator], run: Callable[..., Daemon], desired: Path, browser: Browser) -> None:
    for number in range(9):
        (desired / f"ted-{number}.yaml").write_text(STAY.replace("einstein", f"nobody-{number}"))
    daemon = run(simulate())
    browser.open(daemon.url)
    browser.shows("All 10")
    rows = "return [...document.querySelectorAll('table.fleet tbody th a')].map((one) => one.textContent)"
    browser.find("#search").send_keys("einst")
    until(lambda: browser.js(rows) == ["einstein"], "only einstein is left")
    browser.find("#search").clear()
    browser.find("#search").send_keys("no-such-thing")
    browser.shows("None of 10 TEDs is like that.")
    browser.find("#search").clear()
    browser.find("#search").send_keys(" ")
    browser.click('[data-filter="bad"]')
    until(lambda: "einstein" not in browser.js(rows) and len(browser.js(rows)) == 9, "einstein is ready")
    assert browser.find('[data-filter="bad"]').get_attribute("aria-pressed") == "true"


def test_a_lost_connection_is_said_and_comes_back(simulate: Callable[..., Simulator], run: Callable[..., Daemon], browser: Browser) -> None:
    simulator = simulate()
    daemon = run(simulator)
    browser.open(daemon.url)
    browser.shows("Live", "#live")
    address = daemon.url.removeprefix("http://")
    daemon.stop()
    browser.shows("The connection is lost.", "#notices")
    browser.shows("Connecting …", "#live")
    assert "einstein" in browser.text(ROW), "what was known stays"
    run(simulator, listen=address)
    browser.shows("Live", "#live")
    browser.shows_no("The connection is lost.", "#notices")
    # A browser tells of each attempt in vain.
    assert all("ERR_" in complaint for complaint in browser.complaints())


def test_files_that_are_not_in_force_are_told_with_place_and_remedy(daemon: Daemon, desired: Path, browser: Browser) -> None:
    browser.open(daemon.url)
    (desired / "einstein.yaml").write_text(STAY.replace("redis", "reddis"))
    browser.shows("the last good state stays in force: einstein", "#notices")
    browser.click("#notices summary")
    browser.shows("einstein.yaml:6:19", "#notices")
    browser.shows("What to do:", "#notices")
    (desired / "einstein.yaml").write_text(STAY)
    browser.shows_no("einstein.yaml", "#notices")
