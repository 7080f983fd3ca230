"""A headless Chromium on the page: what it shows, and everything that it complains about."""

from __future__ import annotations

import shutil
from typing import Any

from axe_core_python.base import AXE_SCRIPT
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from processes import LIMIT, until

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1440,1000",
)


def find(*names: str) -> str:
    """The first of some programs that is there."""
    for name in names:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"none of {', '.join(names)} is installed; on Debian: apt-get install chromium chromium-driver")


class Browser:
    """One window."""

    def __init__(self, profile: str) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = find("chromium", "chromium-browser", "google-chrome")
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(find("chromedriver")))
        self.driver.set_page_load_timeout(LIMIT)

    def open(self, url: str) -> None:
        """Loads a page anew, also when only what follows `#` differs."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def js(self, script: str, *arguments: Any) -> Any:
        """Runs a function's body in the page."""
        return self.driver.execute_script(script, *arguments)

    def devtools(self, command: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def find(self, selector: str) -> WebElement:
        """The one element that fits, once it is there and seen."""
        def seen() -> list[WebElement]:
            return [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

        found = until(seen, f"{selector} is shown")
        assert len(found) == 1, f"{len(found)} elements are {selector}"
        return found[0]

    def click(self, selector: str) -> None:
        """Clicks the one element that fits."""
        self.find(selector).click()

    def text(self, selector: str = "body") -> str:
        """What the elements that fit say, as it is shown; nothing when there are none."""
        return self.js("return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText).join('\\n')", selector)

    def shows(self, text: str, selector: str = "body", limit: float = LIMIT) -> None:
        """Waits until something is shown."""
        try:
            until(lambda: text in self.text(selector), text, limit)
        except AssertionError:
            raise AssertionError(f"{text!r} is not shown in {selector}:\n{self.text(selector)}") from None

    def shows_no(self, text: str, selector: str = "body") -> None:
        """Waits until something is shown no more."""
        until(lambda: text not in self.text(selector), f"without {text}")

    def complaints(self) -> list[str]:
        """What the browser complained about since it was last asked: errors, refused content, failed requests."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def origins(self) -> set[str]:
        """Where the page loaded something from."""
        return set(self.js("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"))

    def dark(self, dark: bool) -> None:
        """As somebody who prefers a dark screen, or a light one."""
        value = "dark" if dark else "light"
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def barriers(self) -> list[str]:
        """What axe-core finds that somebody could stumble over."""
        self.js(AXE_SCRIPT)
        found = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        return [
            f"{violation['id']}: {violation['help']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
