"""A real Chromium, driven through its own driver. It can reach nothing but this machine."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.page import Page
from tests.browser.window import Window
from tests.fonts import dejavu, write_conf
from tests.job_folders import CUES, make_film, write_job

SIZE = (1280, 720)
_WORDS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    # Chromium's own curiosity ends here, and so would a page's.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Return Chromium's driver; where there is no Chromium the tests are skipped, but not in CI."""
    programs = [shutil.which(program) for program in ("chromium", "chromedriver")]
    if not all(programs):
        reason = "chromium or chromedriver is missing: install Debian's chromium and chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    for word in (*_WORDS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Chromium ends at once where it finds no font at all.
    conf = write_conf(tmp_path_factory.mktemp("fonts"), dejavu(), installed=True)
    service = Service(str(programs[1]), env={**os.environ, "FONTCONFIG_FILE": str(conf)})
    started = webdriver.Chrome(options=options, service=service)
    started.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False},
    )
    yield started
    started.quit()


@pytest.fixture
def browser(driver: webdriver.Chrome) -> Window:
    """Return the window, which the tests of a session share."""
    return Window(driver)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ten seconds of film, whose name would mean something in a URL."""
    return make_film(tmp_path_factory.mktemp("films") / "it's 100% #new.mp4")


@pytest.fixture
def opened(browser: Window, film: Path, tmp_path: Path) -> Callable[..., Page]:
    """Return what writes a job folder and opens its page."""

    def page(tracks: Any = None, media: Path = film, **changes: Any) -> Page:
        return Page(browser, write_job(tmp_path / "job", media, tracks or {"en": CUES}, **changes))

    return page


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that screenshots are left in: `CPW_SCREENSHOTS`, else one of pytest's own."""
    named = os.environ.get("CPW_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Served:
    """A server on this machine that shows a folder; `asked` is every path that was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Return a server that shows the test's own folder."""
    found = Served(tmp_path)
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()
