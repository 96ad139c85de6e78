"""The page of the HTTP server in the window: what tests do on it and ask of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import axe_core_python
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from clients.api.door.keys import make_once
from tests.browser.window import Window
from tests.http_house import HttpHouse

__all__ = ["HttpPage", "findings"]

_DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), sign => sign.charCodeAt(0));
const transfer = new DataTransfer();
for (const name of arguments[1]) transfer.items.add(new File([bytes], name));
for (const kind of ["dragover", "drop"]) {
  document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}
"""
_NOTE_BARS = """
window.bars = {sent: new Set(), done: new Set()};
const note = (kind, element) => {
  for (const bar of element.querySelectorAll("progress")) bars[kind].add(bar.value);
};
const watch = {subtree: true, childList: true, attributes: true};
const [sent, done] = ["uploads-list", "films-rows"].map(id => document.getElementById(id));
new MutationObserver(() => note("sent", sent)).observe(sent, watch);
new MutationObserver(() => note("done", done)).observe(done, watch);
"""
_AXE = Path(axe_core_python.__file__).parent / "axe.min.js"
_FINDINGS = """
const done = arguments[0];
axe.run({resultTypes: ["violations"]}).then(found => done(found.violations
  .filter(finding => ["serious", "critical"].includes(finding.impact))
  .map(finding => `${finding.id}: ${finding.nodes.map(node => node.html).join(" ")}`)));
"""
_NOBODY = "net::ERR_"


def findings(window: Window) -> list[str]:
    """Return what keeps people from using a page, where axe calls it serious or critical."""
    if not window.run("return typeof axe === 'object'"):
        window.run(_AXE.read_text())
    found: list[str] = window.driver.execute_async_script(_FINDINGS)
    return found


class HttpPage:
    """The page, let in and with its stream open."""

    def __init__(self, window: Window, server: HttpHouse) -> None:
        self.window = window
        self.server = server
        word = make_once(server.house.home / "state")
        window.open(f"{server.address}/?token={word}")
        self.wait_live()

    def wait_live(self, seconds: float = 20) -> None:
        """Wait until changes come to the page."""
        self.window.wait("document.getElementById('line').dataset.state === 'live'", seconds)

    def go(self, place: str) -> None:
        """Show a view by its address."""
        self.window.run("location.hash = arguments[0]", place)

    def drop(self, film: Path, *names: str) -> None:
        """Drop the film on the page, under these names."""
        self.window.run(_DROP, base64.b64encode(film.read_bytes()).decode(), names)

    def note_bars(self) -> None:
        """Begin to note what the bars say."""
        self.window.run(_NOTE_BARS)

    def bars(self, kind: str) -> list[float]:
        """Return what the bars said, `sent` of films on their way or `done` of jobs."""
        return sorted(self.window.run(f"return [...window.bars.{kind}]"))

    def row(self, job: str) -> Any:
        """Return the row of a job."""
        return self.window.wait(lambda: self.window.all(f'#films-rows [data-key="{job}"]'))[0]

    def wait_state(self, job: str, state: str) -> None:
        """Wait until the job's row says so."""
        self.window.wait(lambda: self.row(job).find_element(By.CSS_SELECTOR, ".badge").text == state, 30)

    def jobs(self) -> list[str]:
        """Return the jobs of the list."""
        return self.window.run(
            "return [...document.querySelectorAll('#films-rows tr')].map(row => row.dataset.key)"
        )

    def tab_to(self, selector: str, *, back: bool = False, most: int = 60) -> None:
        """Press the tab key until what is meant has the focus."""
        keys = Keys.SHIFT + Keys.TAB if back else Keys.TAB
        for _ in range(most):
            if self.window.run("return document.activeElement.matches(arguments[0])", selector):
                return
            self.window.press(keys)
        message = f"the tab key does not lead to {selector}"
        raise AssertionError(message)

    def look(self, width: int, scheme: str) -> None:
        """Give the window a width and a person who likes it light or dark."""
        driver = self.window.driver
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def slow_line(self, bytes_a_second: int) -> None:
        """Let the page send no faster than this; -1: as fast as it can."""
        driver = self.window.driver
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
        )

    def findings(self) -> list[str]:
        """Return what keeps people from using the page."""
        return findings(self.window)

    def complaints(self) -> list[str]:
        """Return what the browser complained of, but for a server that was not there."""
        return [text for text in self.window.complaints() if _NOBODY not in text]

    def ask(self, path: str) -> Any:
        """Return a document that the page itself asks for."""
        script = "const done = arguments[1]; fetch(arguments[0]).then(a => a.text()).then(done)"
        return json.loads(self.window.driver.execute_async_script(script, path))
