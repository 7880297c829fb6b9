"""A headless Chromium looking at the archive's page."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

__all__ = ["Keys", "Page", "opened"]

#: Nothing but this host can be found, so that the browser's own curiosity ends here too.
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,1000",
)

#: Seconds that a page may take to show something; it takes a fraction of one.
_PATIENCE = 15.0

#: Nothing is loading, and plots have been painted, which they are with the next frame.
_READY = """
return document.querySelector('h1') !== null
    && !document.querySelector('[aria-busy]')
    && [...document.querySelectorAll('svg.plot')].every((plot) => plot.childElementCount)
"""

#: Listens after the page does: when this has heard of a new address, the page is at work on it.
_LISTEN = """
window.hasMoved = false;
addEventListener('hashchange', () => { window.hasMoved = true }, { once: true })
"""


def _programs() -> tuple[str, str]:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("Chromium and its driver are not installed (chromium, chromium-driver)")
    return browser, driver


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own"""
    browser, driver = _programs()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Page(chrome)
    finally:
        chrome.quit()


class Page:
    """What the tests do with a browser"""

    def __init__(self, chrome: Any) -> None:
        self.chrome = chrome

    def open(self, address: str, fragment: str = "") -> None:
        """Opens an address from anew, and waits for what it shows"""
        self.chrome.get("about:blank")
        self.chrome.get(f"{address}/{fragment}")
        self.ready()

    def js(self, code: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(code, *arguments)

    def wait(self, what: Callable[[], Any], why: str = "") -> Any:
        """What it gives, once that is true"""
        end = time.monotonic() + _PATIENCE
        while not (found := what()):
            assert time.monotonic() < end, why or self.text()
            time.sleep(0.02)
        return found

    def ready(self) -> None:
        self.wait(lambda: self.js(_READY), "the page is not ready")

    def go(self, fragment: str) -> None:
        """Follows an address of the page's own"""
        self.js("location.hash = arguments[0]", fragment)

    def after(self, change: Callable[[], object]) -> None:
        """Does what moves on to another address, and waits for what that shows"""
        self.js(_LISTEN)
        change()
        self.wait(lambda: self.js("return window.hasMoved"), "the address is the same")
        self.ready()

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]

    def texts(self, selector: str) -> list[str]:
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
            selector,
        )

    def text(self) -> str:
        return self.js("return document.body.innerText")

    def press(self, *keys: str) -> None:
        """Keys to whatever has the focus"""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Presses Tab until something is reached"""
        for _ in range(80):
            self.press(Keys.TAB)
            if self.js("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    def drag(self, selector: str, start: int, end: int) -> None:
        """Presses the mouse, moves and lets go; pixels from the left edge"""
        at = self.one(selector)
        middle = at.size["width"] / 2
        (
            ActionChains(self.chrome)
            .move_to_element_with_offset(at, int(start - middle), 0)
            .click_and_hold()
            .move_by_offset(end - start, 0)
            .release()
            .perform()
        )

    def prefer(self, theme: str) -> None:
        """What the system says about dark and light"""
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def save_to(self, folder: Path) -> None:
        """Where downloads go"""
        where = {"behavior": "allow", "downloadPath": str(folder)}
        self.chrome.execute_cdp_cmd("Browser.setDownloadBehavior", where)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def complaints(self) -> list[str]:
        """What the console has, since the last time"""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that were asked for, since the last time"""
        events = (json.loads(entry["message"]) for entry in self.chrome.get_log("performance"))
        return [
            event["message"]["params"]["request"]["url"]
            for event in events
            if event["message"]["method"] == "Network.requestWillBeSent"
        ]
