"""A job's page in the window: what tests click on it and ask of it."""

from __future__ import annotations

from pathlib import Path

from workers.engines.common.preview.page import preview

ACTIVE = (
    "[...document.querySelector('video').textTracks].filter(track => track.mode === 'showing')"
    ".flatMap(track => [...track.activeCues || []].map(cue => cue.getCueAsHTML().textContent))"
)
NOW_S = "document.querySelector('video').currentTime"


class Page:
    """A job's page, opened and ready to play."""

    def __init__(self, browser, folder: Path) -> None:
        self.browser = browser
        self.path = Path(preview(folder, tell=lambda _: None).page)
        self.show(self.path.as_uri())

    def show(self, address: str) -> None:
        self.browser.open(address)
        self.browser.wait("document.readyState === 'complete' && list.track !== undefined")
        if self.browser.run("return data.media !== null"):
            self.browser.wait("document.querySelector('video').readyState >= 2")

    @property
    def now_s(self) -> float:
        return self.browser.run(f"return {NOW_S}")

    def cue(self, number: int):
        return self.browser.all(".cue")[number - 1]

    def current(self) -> list[str]:
        return [cue.text.split("\n")[0].split()[0] for cue in self.browser.all(".cue[aria-current=true]")]

    def settle(self, place: int) -> None:
        """Wait until the film stands where a cue was asked for, and the list says so."""
        self.browser.wait(f"!document.querySelector('video').seeking && list.current === {place - 1}")
