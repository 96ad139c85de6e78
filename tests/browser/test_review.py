"""Subtitles put right in a real browser: by key and by mouse, saved, and kept when the film is done again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from clients.api.door.keys import make_once
from protocol.messages import JobReport
from protocol.subtitles.corrections import CORRECTIONS
from tests.browser.http_page import findings
from tests.browser.window import Window
from tests.house import REAL_COMMON_STAGES, SPEECH_STAGES, House
from tests.http_house import HttpHouse
from tests.ill.talkative import SCENE
from tests.job_folders import make_film
from workers.engines.common.film import ffmpeg as program

pytestmark = [pytest.mark.integration, pytest.mark.browser]

# Nothing is cleaned away: the recogniser that is made up knows of no scene.
COMMON = REAL_COMMON_STAGES | {"clean": "tests.ill.voices:SpokenClean"}
SPEECH = SPEECH_STAGES | {
    "align": "tests.ill.talkative:TalkativeAlign",
    "diarize": "tests.ill.voices:PlayedDiarize",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    """Return a house that cuts, writes and muxes in earnest; the scene that is heard is made up."""
    path = tmp_path_factory.mktemp("review")
    with House(path, common=COMMON, speech=SPEECH, CPW_HTTP="127.0.0.1:0") as house:
        house.start()
        yield HttpHouse(house)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a film that is long enough for the scene."""
    return make_film(tmp_path_factory.mktemp("scene") / "Scene.mp4", seconds=16).read_bytes()


class Review:
    """The page of one job."""

    def __init__(self, window: Window, server: HttpHouse, job: JobReport) -> None:
        self.window, self.server, self.job = window, server, job
        window.open(f"{server.address}/?token={make_once(server.house.home / 'state')}")
        self.load()

    def load(self) -> None:
        self.window.open(f"{self.server.address}/review/{self.job.job}")
        self.window.wait("document.querySelectorAll('#rows li').length > 0")

    @property
    def texts(self) -> list[str]:
        found: list[str] = self.window.run(
            "return [...document.querySelectorAll('#rows textarea')].map(one => one.value)"
        )
        return found

    @property
    def times(self) -> list[tuple[str, str]]:
        rows = self.window.run(
            "return [...document.querySelectorAll('#rows .times')]"
            ".map(one => [one.children[2].textContent, one.children[3].textContent])"
        )
        return [(start, end) for start, end in rows]

    def area(self, place: int) -> Any:
        return self.window.all("#rows textarea")[place]

    def keys(self, *held: str, press: str) -> None:
        chain = ActionChains(self.window.driver)
        for key in held:
            chain.key_down(key)
        chain.send_keys(press)
        for key in held:
            chain.key_up(key)
        chain.perform()

    def write(self, place: int, text: str) -> None:
        area = self.area(place)
        area.click()
        self.keys(Keys.CONTROL, press="a")
        area.send_keys(text)

    def save(self) -> None:
        self.keys(Keys.CONTROL, press="s")
        self.window.wait("document.getElementById('state').textContent.startsWith('Saved. ')", 30)
        self.window.wait("document.getElementById('state').textContent.endsWith('every file.')", 30)

    def files(self) -> dict[str, Path]:
        report = self.server.house.ended(self.job.job)
        return {Path(path).suffix: Path(path) for path in reversed(report.outputs)}


@pytest.fixture
def page(browser: Window, server: HttpHouse, scene: bytes) -> Review:
    """Return the review of a job that is done."""
    report = server.house.ended(server.house.submit(scene))
    assert report.state == "done", report.error
    return Review(browser, server, report)


def text_in(path: Path) -> str:
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-i", f"file:{path}"]
    command += ["-map", "0:s:0", "-f", "srt", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_line_changed_split_joined_and_shifted_by_keys_stands_in_the_files(page: Review) -> None:
    assert [" ".join(text.split()) for text in page.texts] == list(SCENE)
    page.write(0, "How many men were there, Kaalia?")
    page.area(2).click()
    page.keys(Keys.CONTROL, press=Keys.HOME)
    for _ in "And you were three,":
        page.keys(press=Keys.ARROW_RIGHT)
    page.keys(Keys.CONTROL, press=Keys.ENTER)
    assert page.texts[2:4] == ["And you were three,", "and came back empty."]
    page.keys(Keys.CONTROL, press="z")
    assert len(page.texts) == 4
    page.keys(Keys.CONTROL, press="y")
    page.area(0).click()
    before = page.times[0]
    page.keys(Keys.ALT, press=Keys.ARROW_LEFT)
    assert page.times[0] < before
    page.area(1).click()
    page.keys(Keys.CONTROL, press="j")
    assert page.texts[1] == "There were two men, my lord.\nAnd you were three,"
    page.save()
    written = page.files()[".srt"].read_text()
    for text in ("How many men were there, Kaalia?", "There were two men, my lord.\nAnd you were three,"):
        assert text in written
        assert text in text_in(page.files()[".mp4"])
    assert page.texts[0] == "How many men were there, Kaalia?"
    assert page.window.complaints() == []


def test_what_breaks_a_rule_is_told_while_one_types_and_doubtful_lines_are_found(page: Review) -> None:
    page.write(0, "A line so very long that nobody could ever read it in the time that it is shown here.")
    told = page.window.run("return document.querySelector('#rows li .marks').textContent")
    assert "a second, at most" in told
    assert "line of" in told
    page.keys(press=Keys.F8)
    assert page.window.run("return document.activeElement.value").startswith("And you were three,")
    marks = page.window.run("return document.querySelector('#rows [data-current=true] .marks').textContent")
    assert marks == "doubtful: three,"


def test_a_bar_is_drawn_by_its_end_and_the_times_follow(page: Review) -> None:
    page.area(0).click()
    # The bars move with the film until it is where the cue begins.
    page.window.wait(
        "document.getElementById('film').readyState >= 2 && !document.getElementById('film').seeking"
    )
    edge = page.window.one(".cue-bar[data-current=true] .edge[data-edge=end]")
    before = page.times[0]
    ActionChains(page.window.driver).drag_and_drop_by_offset(edge, 30, 0).perform()
    assert page.times[0][0] == before[0]
    assert page.times[0][1] > before[1]
    page.keys(Keys.CONTROL, press="z")
    assert page.times[0] == before


def test_find_and_replace_is_one_change_and_a_draft_outlives_a_reload(page: Review) -> None:
    page.keys(Keys.CONTROL, press="f")
    page.window.one("#find-text").send_keys("men")
    page.window.one("#find-put").send_keys("riders")
    page.window.one("#find-all").click()
    assert [text.count("riders") for text in page.texts] == [1, 1, 0, 0]
    page.load()
    assert sum("riders" in text for text in page.texts) == 2
    state = page.window.one("#state").text
    assert "not saved" in state
    page.area(0).click()
    page.keys(Keys.CONTROL, press="z")
    assert not any("riders" in text for text in page.texts)


def test_a_line_that_is_added_to_a_draft_is_a_line_of_its_own(page: Review) -> None:
    for text in ("Mine.", "Yours."):
        page.area(-1).click()
        page.keys(Keys.CONTROL, press="i")
        page.write(-1, text)
        page.load()
    assert page.texts[-3:] == [page.texts[3], "Mine.", "Yours."]


def test_a_draft_of_subtitles_that_are_others_now_is_not_laid_over_them(page: Review) -> None:
    page.write(0, "Mine.")
    # As where the film was heard again by another model.
    page.window.run(
        "const key = Object.keys(sessionStorage).find(key => key.includes(arguments[0]));"
        "const draft = JSON.parse(sessionStorage.getItem(key)); draft.loaded[0].text += ' So many?';"
        "sessionStorage.setItem(key, JSON.stringify(draft));",
        page.job.job,
    )
    page.load()
    assert "Mine." not in page.texts
    assert "does not fit" in page.window.one("#state").text


def test_a_stretch_is_heard_again_while_one_waits(page: Review) -> None:
    page.write(1, "wrong")
    page.keys(Keys.ALT, press="h")
    page.window.wait("!document.querySelectorAll('#rows textarea')[1].value.includes('wrong')", 20)
    assert "two men" in page.texts[1]


def test_of_two_people_the_second_is_told_and_keeps_what_he_wrote(page: Review) -> None:
    page.write(0, "Mine.")
    path = Path(page.job.directory) / CORRECTIONS
    path.write_text(json.dumps({"version": 1, "changes": []}))
    page.keys(Keys.CONTROL, press="s")
    page.window.wait("!document.getElementById('trouble').hidden")
    assert "Somebody else has saved" in page.window.one("#trouble").text
    assert page.texts[0] == "Mine."


@pytest.mark.parametrize("width", [1400, 400])
def test_it_fits_a_wide_screen_and_a_phone(page: Review, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page.load()
        assert page.window.run("return document.documentElement.scrollWidth") <= width
        assert findings(page.window) == []
    finally:
        metrics |= {"width": 1280, "height": 720}
        page.window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def test_a_voice_is_heard_and_named_on_the_page(browser: Window, server: HttpHouse, scene: bytes) -> None:
    report = server.house.ended(server.house.submit(scene, with_stages=("diarize",)))
    assert report.state == "done", report.error
    page = Review(browser, server, report)
    page.window.wait("document.querySelectorAll('#voices-list li').length === 2")
    (heard,) = server.ask("GET", f"/api/jobs/{report.job}/speakers").json["voices"][1]["first_lines"][:1]
    assert heard["start_ms"] > 2_000
    says = page.window.run("return document.querySelectorAll('#voices-list .says')[1].textContent")
    assert heard["text"] in says
    page.window.all("#voices-list button")[1].click()
    at = f"document.getElementById('film').currentTime * 1000 >= {heard['start_ms'] - 50}"
    page.window.wait(at)
    assert page.window.one("#voices-save").get_attribute("disabled")
    page.window.all("#voices-list input")[0].send_keys("<b>Gabbar</b>", Keys.ENTER)
    page.window.wait(
        "document.getElementById('state').textContent === 'Saved. The names are in every file.'", 30
    )
    named = server.ask("GET", f"/api/jobs/{report.job}/speakers").json["voices"]
    assert [(voice["name"], voice["by"]) for voice in named] == [("<b>Gabbar</b>", "person"), ("", "")]
    assert page.window.all("#voices-list input")[0].get_attribute("value") == "<b>Gabbar</b>"
    assert findings(page.window) == []
    assert page.window.complaints() == []


def test_a_job_that_told_no_voices_apart_shows_none(page: Review) -> None:
    assert page.window.run("return document.getElementById('voices').hidden")
