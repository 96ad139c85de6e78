"""A browser's window as tests use it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

__all__ = ["Window"]

_DRAWN = """
const [source, done] = arguments;
const picture = new Image();
picture.onload = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  done((() => { SCRIPT })());
};
picture.src = "data:image/png;base64," + source;
"""


class Window:
    """One window; what it asked for and what it complained of since it was last asked."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        # The page before complains of what it still waits for until it has gone.
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(address)

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def wait(self, ready: str | Callable[[], Any], seconds: float = 10) -> Any:
        """Wait until a script's expression, or a function, is true; return its value."""
        ask = (lambda: self.run(f"return {ready}")) if isinstance(ready, str) else ready
        return WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(lambda _: ask(), str(ready))

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def pixels(self, picture: bytes, script: str) -> Any:
        """Return what `script` makes of a PNG: `canvas` has it drawn, `context` is its context."""
        return self.driver.execute_async_script(
            _DRAWN.replace("SCRIPT", script), base64.b64encode(picture).decode()
        )

    def press(self, key: str) -> None:
        self.driver.switch_to.active_element.send_keys(key)

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
