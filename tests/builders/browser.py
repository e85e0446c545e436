"""A headless Chromium that looks at the notebook, and the notebook's server, as `make notebook`
runs it. Both are on this machine, and end when they are not needed."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from builders.postgres import free_port

HOW_TO_GET_CHROMIUM = (
    "this needs Chromium and its driver: install them (Debian: apt-get install chromium "
    "chromium-driver) or put chromium and chromedriver on the PATH"
)
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "reconciliation.py"
FLAGS = ["--host", "127.0.0.1", "--headless", "--no-token", "--no-sandbox"]
# Marimo's own command, in a process whose clock shows always the same: deadlines are days from now.
# Python searches for rubbish as seldom as in the tests.
LAUNCH = """
import gc, sys
from datetime import datetime
gc.set_threshold(100_000)
from wolkvox_billing.values import clock
moment = datetime.fromisoformat(sys.argv.pop(1))
clock.utc_now = lambda: moment
import wolkvox_billing.verbs.notebook
from marimo._cli.cli import main
main()
"""
Seen = TypeVar("Seen")
SCREENS = Path(__file__).parents[2] / "build" / "screens"
DESKTOP, PHONE = (1280, 800), (390, 844)  # what is seen at first
TEMP = tempfile.gettempdir()  # of the machine: a test may have one of its own
_MOVED = (StaleElementReferenceException, ElementClickInterceptedException)
_PATIENCE, _LOOKED = 25, 0.1  # seconds, and between two looks
# Elements by selector and text, those in shadow roots too: marimo's controls are in some.
_FIND = """
const [selector, text] = arguments, matching = [];
const walk = root => {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(selector) && element.textContent.includes(text)) matching.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
  }
};
walk(document);
return matching;
"""


# What can be seen, that in shadow roots after the rest: the driver itself would ask of each element
# whether it is visible, which takes as long as the page took to come.
_TEXT = """
const texts = [document.body ? document.body.innerText : ''];
const walk = root => {
  for (const element of root.querySelectorAll('*'))
    if (element.shadowRoot) {
      for (const child of element.shadowRoot.children)
        if (child.innerText && child.tagName !== 'STYLE') texts.push(child.innerText);
      walk(element.shadowRoot);
    }
};
walk(document);
return texts.join(String.fromCharCode(10));
"""
_CARDS = """
return [...document.querySelectorAll('.card')].map(
  card => `${card.dataset.card} ${card.querySelector('.value').innerText}`);
"""
_ERRORS = ("An internal error occurred", "raised an exception")
_TO_TOP = """
for (const element of [document.documentElement, document.querySelector('#App')])
  if (element) element.scrollTop = 0;
"""
_HEIGHT = """
const app = document.querySelector('#App') || document.body;
return Math.max(document.documentElement.scrollHeight, app.scrollHeight);
"""
_OVERHANG = """
const app = document.querySelector('#App') || document.body;
const widest = Math.max(document.documentElement.scrollWidth, app.scrollWidth);
return widest - window.innerWidth;
"""


# Where charts end, and what is drawn into them.
_EDGES = """
const edges = [];
const walk = root => {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches('canvas, svg')) {
      const {right, bottom} = element.getBoundingClientRect();
      edges.push(`${right} ${bottom} ${element.childElementCount}`);
    }
    if (element.shadowRoot) walk(element.shadowRoot);
  }
};
walk(document);
return edges.join();
"""
_BEYOND = """
return arguments[0].filter(element => {
  const {left, right, width} = element.getBoundingClientRect();
  return width && (left < 0 || right > window.innerWidth);
});
"""


class ChromiumMissing(Exception):
    """The browser or its driver is not on this machine."""


@dataclass
class Browser:
    driver: webdriver.Chrome
    downloads: Path

    def find(self, selector: str, text: str = "") -> list[WebElement]:
        return list(self.driver.execute_script(_FIND, selector, text))

    def find_some(self, selector: str, text: str = "") -> list[WebElement]:
        """Return elements that fit, once there are some."""
        return self._await(lambda: self.find(selector, text), f"{selector} with {text!r}")

    def text(self) -> str:
        """Return what can be seen."""
        return str(self.driver.execute_script(_TEXT))

    def cards(self) -> list[str]:
        """Return each card as `key value`."""
        return list(self.driver.execute_script(_CARDS))

    def until(self, *texts: str, without: str = "\0") -> str:
        """Wait for all of the texts to be seen, and one to be gone; return all that is seen."""

        def page_with_them() -> str:
            page = self.text()
            return page if all(text in page for text in texts) and without not in page else ""

        return self._await(page_with_them, f"{texts} without {without!r}")

    def _await(self, look: Callable[[], Seen], what: str, pause: float = _LOOKED) -> Seen:
        """Return what is seen once there is something; what the page put away or covered meanwhile
        is looked for again."""
        waiting = WebDriverWait(self.driver, _PATIENCE, pause, _MOVED)
        try:
            return waiting.until(lambda _: look())
        except TimeoutException as error:
            raise AssertionError(f"no {what} in:\n{self.text()}") from error

    def await_rest(self) -> None:
        """Wait until nothing moves: texts, charts, edges."""
        before: list[object] = []

        def is_at_rest() -> bool:
            now = [self.text(), self.driver.execute_script(_EDGES)]
            rests = now == before
            before[:] = now
            return rests

        self._await(is_at_rest, "rest", 0.25)

    def open(self, url: str, *texts: str) -> str:
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(url)
        return self.until(*texts)

    def press(self, selector: str, text: str) -> None:
        """Press the first element that fits."""

        def is_pressed() -> bool:
            for element in self.find(selector, text)[:1]:
                centre = "arguments[0].scrollIntoView({block: 'center'})"
                self.driver.execute_script(centre, element)
                element.click()
                return True
            return False

        self._await(is_pressed, f"{selector} with {text!r}")

    def press_and_run(self, selector: str, text: str) -> None:
        """Press it, and wait until all that the server does of it is done and shown, of which
        nothing may be seen: the page may be as it was before."""
        self.await_rest()
        self.driver.get_log("performance")
        self.press(selector, text)

        def has_run() -> bool:
            entries = self.driver.get_log("performance")
            return any("completed-run" in entry["message"] for entry in entries)

        self._await(has_run, f"run of {text!r}")
        self.await_rest()

    def choose(self, option: str) -> None:
        """Choose an option of the select that has it."""

        def is_chosen() -> bool:
            for element in self.find("select", option):
                Select(element).select_by_visible_text(option)
                return True
            return False

        self._await(is_chosen, f"option {option!r}")

    def downloaded(self, name: str) -> Path:
        file = self.downloads / name
        self._await(file.exists, f"download {name}")
        return file

    def resize(self, size: tuple[int, int], *, is_dark: bool = False) -> None:
        """See pages as on a screen of this size, in the light theme or the dark one."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def picture(self, name: str, *, is_whole: bool = False) -> None:
        """Put what is seen, or the whole page, into build/screens: for who looks at them, which is
        where WOLKVOX_TEST_SCREENS is set."""
        if not os.environ.get("WOLKVOX_TEST_SCREENS"):
            return
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.driver.execute_script(_TO_TOP)
        height = int(self.driver.execute_script(_HEIGHT)) if is_whole else 0
        if height:
            width = int(self.driver.execute_script("return window.innerWidth"))
            self.resize((width, height), is_dark=self.is_dark())
        data, before = self._capture(), ""
        while data != before:  # charts are drawn after what stands around them
            before, data = data, self._capture()
        (SCREENS / f"{name}.png").write_bytes(base64.b64decode(data))

    def _capture(self) -> str:
        picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        return str(picture["data"])

    def is_dark(self) -> bool:
        query = "return matchMedia('(prefers-color-scheme: dark)').matches"
        return bool(self.driver.execute_script(query))

    def overhang(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        return int(self.driver.execute_script(_OVERHANG))

    def beyond(self, selector: str) -> list[str]:
        """Return the texts of elements that stand beyond an edge of the screen."""
        elements = self.driver.execute_script(_BEYOND, self.find(selector))
        return [element.text for element in elements if element.is_displayed()]

    def complaints(self) -> list[str]:
        """Return errors of the console since the page was opened, and what marimo shows of a cell
        that failed. Not warnings: on a slow machine
        Chromium has one of a picture that marimo's page loads early."""
        log = self.driver.get_log("browser")
        errors = [entry["message"] for entry in log if entry["level"] == "SEVERE"]
        page = self.text()
        return errors + [text for text in _ERRORS if text in page]

    def hosts(self) -> set[str]:
        """Return whom the page asked since it was opened, whatever the answer."""
        urls = set()
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                urls.add(event["params"]["request"]["url"])
            elif event["method"] == "Network.webSocketCreated":
                urls.add(event["params"]["url"])
        return {urlsplit(url).netloc for url in urls if not url.startswith(("data:", "blob:"))}


@contextmanager
def running_browser(downloads: Path) -> Iterator[Browser]:
    """Run a browser for the block. Raises ChromiumMissing."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        raise ChromiumMissing(HOW_TO_GET_CHROMIUM)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enablePage": False})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    flags = ["headless=new", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
             "disable-background-networking", "disable-component-update", "disable-dev-shm-usage",
             "window-size=1280,1000"]  # fmt: skip
    if os.getuid() == 0:  # Chromium's sandbox refuses root
        flags.append("no-sandbox")
    for flag in flags:
        options.add_argument(f"--{flag}")
    with webdriver.Chrome(options=options, service=Service(driver)) as running:
        yield Browser(running, downloads)


@contextmanager
def running_notebook(folder: Path, environment: Mapping[str, str], now: datetime) -> Iterator[str]:
    """Serve the notebook for a project folder as of a moment, without the settings of this process;
    yield its address.

    Raises RuntimeError with what the server said where it does not start.
    """
    inherited = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "PYTHONPATH")}
    home = {"HOME": str(folder), "TMPDIR": TEMP, "MARIMO_SKIP_UPDATE_CHECK": "1"}
    port = free_port()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            LAUNCH,
            now.isoformat(),
            "run",
            str(NOTEBOOK),
            *FLAGS,
            "--port",
            str(port),
        ],
        cwd=folder,
        env={**inherited, **home, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout
        output = ""
        for line in server.stdout:
            output += line
            if re.search(rf"URL:.*:{port}", line):
                break
        else:
            raise RuntimeError(f"the notebook's server did not start:\n{output}")
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
