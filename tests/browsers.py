"""A browser without a window, for pages that are opened from a folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

PACKAGES = ROOT / "envs" / "apt-browser.txt"
DESKTOP, PHONE = (1280, 900), (390, 844)


def refuse(reason: str) -> None:
    """Skip, and say why; in CI that is a failure."""
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def need_browser() -> None:
    """Debian's Chromium and its driver, installed where they are missing and that can be done."""
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    lines = PACKAGES.read_text(encoding="utf-8").splitlines()
    names = [name for line in lines if (name := line.split("#")[0].strip())]
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", "install", "--yes",
               "--no-install-recommends", *names]  # fmt: skip
    if os.getuid() or not shutil.which("apt-get"):
        refuse(f"no browser; needs root on Debian, or: {' '.join(command)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "-q", "update"], command):
        done = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and step is command:
            refuse(f"{' '.join(step)} ended with {done.returncode}: {done.stdout}{done.stderr}")


class Page:
    """A page in a browser.

    Parameters
    ----------
    driver : WebDriver
        Selenium's.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path) -> None:
        """Open a file by its own address."""
        self.driver.get(path.resolve().as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """What a reader sees of the first element of a selector."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def press(self, selector: str) -> None:
        """Click the first element of a selector."""
        self.run("document.querySelector(arguments[0]).click()", selector)

    def choose(self, selector: str, value: str) -> None:
        """Choose an entry of a list."""
        self.run(
            "const list = document.querySelector(arguments[0]); list.value = arguments[1];"
            "list.dispatchEvent(new Event('change'))",
            selector, value,
        )  # fmt: skip

    def click_at(self, selector: str, x: float, y: float) -> None:
        """Click with the mouse at a place of an element, counted from its upper left corner."""
        left, top = self.run(
            "const element = document.querySelector(arguments[0]); element.scrollIntoView();"
            "const box = element.getBoundingClientRect(); return [box.left, box.top]",
            selector,
        )
        for kind in ("mousePressed", "mouseReleased"):
            place = {"type": kind, "x": left + x, "y": top + y, "button": "left", "clickCount": 1}
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", place)

    def wait(self, script: str, *arguments: object) -> Any:
        """The first true value of a script; fails if none comes in 20 s."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 20).until(lambda _: self.run(script, *arguments))

    def complaints(self) -> list[str]:
        """What stands in the console since the last look: warnings and errors."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def picture(self, path: Path) -> None:
        """Take a picture of the first screen."""
        self.driver.save_screenshot(str(path))


@contextmanager
def opened(size: tuple[int, int], *, mobile: bool = False) -> Iterator[Page]:
    """A browser with a screen of a size; `mobile`: as that of a phone."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    need_browser()
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--proxy-server=127.0.0.1:9"):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        yield Page(driver)
    finally:
        driver.quit()
