"""The job's WebVTT files as a browser reads them: `<track>` elements, over loopback http."""

from __future__ import annotations

import pytest

from tests.job_folders import make_film, write_job
from tests.ten_scripts import MARKUP, TEN_SCRIPTS, cues_of
from workers.engines.common.preview.page import preview

pytestmark = pytest.mark.browser

READ = """
const done = arguments[arguments.length - 1];
const track = document.createElement("track");
Object.assign(track, {kind: "subtitles", srclang: arguments[1], src: arguments[0], default: true});
track.addEventListener("error", () => done("error"));
track.addEventListener("load", () => done([...track.track.cues].map(cue => [
  Math.round(1000 * cue.startTime), Math.round(1000 * cue.endTime), cue.getCueAsHTML().textContent])));
const video = document.createElement("video");
video.append(track);
document.body.append(video);
track.track.mode = "hidden";
"""


@pytest.mark.parametrize("language", TEN_SCRIPTS)
def test_a_browser_reads_every_cue_and_its_very_text(browser, served, language):
    folder, address = served.folder, served.address
    first = cues_of(language)[0]
    cues = (*cues_of(language), type(first)(start_ms=400_000, end_ms=402_000, lines=MARKUP))
    write_job(folder, folder / "gone.mp4", {language: cues})
    (folder / "blank.html").write_text("<!doctype html><link rel=icon href=data:,><title>blank</title>")
    browser.open(f"{address}/blank.html")
    found = browser.driver.execute_async_script(READ, f"{address}/11_subtitle/Film.{language}.vtt", language)
    assert found == [[cue.start_ms, cue.end_ms, "\n".join(cue.lines)] for cue in cues]
    assert browser.complaints() == []


def test_the_page_works_where_a_server_shows_the_jobs_folder_and_asks_for_nothing_else(browser, served):
    folder, address = served.folder, served.address
    film = make_film(folder / "a film.mp4", seconds=2)
    write_job(folder / "job", film, {"en": cues_of("en")})
    preview(folder / "job", tell=lambda _: None)
    browser.open(f"{address}/job/preview/Film.html")
    browser.wait("document.querySelector('video').readyState >= 1")
    # The browser's own buttons are data: URLs.
    asked = {request for request in browser.requests() if not request.startswith("data:")}
    assert asked == {f"{address}/job/preview/Film.html", f"{address}/a%20film.mp4"}
    assert set(served.asked) == {"/job/preview/Film.html", "/a%20film.mp4"}
    assert browser.complaints() == []
