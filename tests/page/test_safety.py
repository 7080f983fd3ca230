"""What must never happen in a browser, and what everybody has to be able to read."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Callable

import pytest

from browser import Browser
from conftest import MIGRATE, STAY
from processes import Daemon, Simulator, call, until

HOSTILE = "<img src=x onerror=window.caught=1><script>window.caught=1</script>{{fleet}}\"'><svg/onload=window.caught=1>"


def test_hostile_text_stays_text(daemon: Daemon, desired: Path, browser: Browser) -> None:
    (desired / "<img src=x onerror=window.caught=1>.yaml").write_text("engine: x\nversion: '<script>window.caught=1</script>'\n")
    suspended = STAY + f"  suspend: {{reason: {HOSTILE!r}}}\n".replace("\\'", "''")
    (desired / "einstein.yaml").write_text(suspended)
    assert call("POST", f"{daemon.url}/api/v1/freeze", {"frozen": True, "reason": HOSTILE})[0] == 200
    for path in ("/", "/#/einstein", f"/#/{HOSTILE}"):
        browser.open(daemon.url + path)
        browser.shows("Live", "#live")
        browser.shows("<img src=x onerror=window.caught=1>", "#notices")
        assert browser.js("return window.caught") is None
        assert browser.js("return document.querySelectorAll('script, img:not(.brand img), iframe, object, [onerror], [onload]').length") == 1, "our own script"
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("Suspended", ".verdict")
    browser.complaints()


def test_hostile_names_in_aws_stay_text(simulate: Callable[..., Simulator], run: Callable[..., Daemon], desired: Path, tmp_path: Path, browser: Browser) -> None:
    world = tmp_path / "hostile.yaml"
    world.write_text("summary: hostile\nworld:\n  paths:\n    - name: " + json.dumps(HOSTILE + "\x1b[31mred\u202e") + "\n")
    (desired / "einstein.yaml").write_text(MIGRATE)
    daemon = run(simulate(str(world)))
    browser.open(f"{daemon.url}/#/einstein")
    browser.click('.gates summary')
    browser.shows("by the portfolio \"<img src=x onerror=window.caught=1>", '.gates [data-key="version-offered"]')
    assert browser.js("return window.caught") is None
    assert not {"\x1b", "\u202e"} & set(browser.driver.page_source)


def test_text_cannot_become_markup_even_by_mistake(daemon: Daemon, browser: Browser) -> None:
    browser.open(daemon.url)
    browser.shows("Live", "#live")
    for mistake in ("document.body.innerHTML = '<b>x</b>'", "document.write('x')", "setTimeout('window.caught = 1')"):
        refused = browser.js(f"try {{ {mistake}; return null; }} catch (error) {{ return error.name; }}")
        assert refused == "TypeError", f"{mistake}: {refused}"
    browser.js("const style = document.createElement('style'); style.append('body { display: none }'); document.head.append(style)")
    assert browser.find("body").is_displayed(), "a style that is not ours"
    assert browser.complaints(), "the browser says what it refused"


def test_the_page_loads_nothing_from_elsewhere(daemon: Daemon, browser: Browser) -> None:
    browser.open(f"{daemon.url}/#/einstein")
    browser.shows("Steady", ".verdict")
    assert browser.origins() == {daemon.url}


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another site, whose page does what it likes."""

    page = ""

    def do_GET(self) -> None:  # noqa: N802: the name is the library's
        body = self.page.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_another_sites_page_gets_nothing_and_changes_nothing(daemon: Daemon, browser: Browser) -> None:
    target = daemon.url
    Elsewhere.page = f"""<!doctype html><title>elsewhere</title>
        <iframe src="{target}/" id="frame"></iframe><img src="{target}/page/icon.svg" id="image">
        <form method="post" enctype="text/plain" action="{target}/api/v1/freeze" target="frame"><input name='{{"frozen":true,"x":"' value='"}}'></form>
        <script>
        window.results = {{}};
        const tell = (name) => (answer) => {{ window.results[name] = answer; }};
        const attempt = (name, path, options) =>
            fetch("{target}" + path, options).then((answer) => answer.text()).then(tell(name), (error) => tell(name)("refused"));
        attempt("read", "/api/v1/teds");
        attempt("blind", "/api/v1/freeze", {{method: "POST", mode: "no-cors", body: '{{"frozen":true}}'}});
        attempt("json", "/api/v1/freeze", {{method: "POST", headers: {{"content-type": "application/json"}}, body: '{{"frozen":true}}'}});
        const source = new EventSource("{target}/api/v1/stream");
        source.onmessage = source.onopen = () => tell("stream")("open");
        source.onerror = () => tell("stream")("refused");
        document.getElementById("image").onload = () => tell("image")("loaded");
        document.getElementById("image").onerror = () => tell("image")("refused");
        document.forms[0].submit();
        </script>"""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # By another name than the target's, so that it is another site to the browser as well.
        browser.open(f"http://localhost:{server.server_port}/")
        names = {"read", "blind", "json", "stream", "image"}
        until(lambda: set(browser.js("return Object.keys(window.results)")) == names, "everything was tried")
        assert browser.js("return window.results") == dict.fromkeys(names, "refused")
        assert daemon.get("/api/v1/freeze")["frozen"] is False
        assert browser.complaints(), "the browser says what it refused"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_read_it(dark: bool, daemon: Daemon, desired: Path, browser: Browser) -> None:
    (desired / "einstein.yaml").write_text(MIGRATE)
    (desired / "broken.yaml").write_text("engine: x\n")
    call("POST", f"{daemon.url}/api/v1/freeze", {"frozen": True, "reason": "audit"})
    browser.dark(dark)
    for path, sign in (("/", "table.fleet"), ("/#/einstein", ".gates")):
        browser.open(daemon.url + path)
        browser.shows("Live", "#live")
        browser.shows("broken.yaml", "#notices")
        browser.find(sign)
        browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        barriers = browser.barriers()
        assert not barriers, "\n".join(barriers)
    browser.click("#freeze")
    assert not browser.barriers()
    browser.click("#ask-no")
    browser.complaints()


def test_it_is_used_without_a_mouse(daemon: Daemon, browser: Browser) -> None:
    browser.open(daemon.url)
    browser.shows("Live", "#live")
    browser.js("document.querySelector('table.fleet a').focus()")
    browser.driver.switch_to.active_element.send_keys("\n")
    browser.shows("Side by side")
    assert browser.js("return document.activeElement.id") == "view", "reading goes on where the new content is"
    browser.js("document.querySelector('[data-order=reconcile]').focus()")
    browser.driver.switch_to.active_element.send_keys(" ")
    browser.shows("einstein was looked at.", "#said")
