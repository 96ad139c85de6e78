"""What the preview page looks like in a real browser, and how quickly it is drawn."""

from __future__ import annotations

import pytest

from protocol.timeline import Cue
from tests.browser.page import Page
from tests.data import data
from tests.job_folders import take_sound, write_job
from tests.ten_scripts import TEN_SCRIPTS
from workers.engines.common.formats.reading.files import read_cues

pytestmark = pytest.mark.browser

PAINTED = """
const canvas = document.getElementById(arguments[0]);
const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const found = new Set();
for (let at = 0; at < pixels.length; at += 4) {
  if (pixels[at + 3] === 255) {
    found.add("#" + [0, 1, 2].map(channel => pixels[at + channel].toString(16).padStart(2, "0")).join(""));
  }
}
return [...found];
"""
COUNT = """
const {data, width, height} = context.getImageData(0, 0, canvas.width, canvas.height);
return [width, height, new Set(new Uint32Array(data.buffer)).size];
"""
COLOURS = {"wave": "#76839a", "speech": "#37b189", "cue": "#3f7fe0", "broken": "#ff7468"}


@pytest.mark.parametrize("canvas", ["strip", "overview"])
def test_loudness_speech_cues_and_marks_are_drawn(opened, browser, canvas):
    opened()
    browser.wait("document.getElementById('strip').width > 300")
    painted = browser.run(PAINTED, canvas)
    assert set(COLOURS.values()) <= set(painted)


def test_without_sound_nothing_is_drawn_for_it_and_the_page_says_so(opened, browser):
    opened(with_audio=False)
    painted = browser.run(PAINTED, "strip")
    assert COLOURS["wave"] not in painted
    assert COLOURS["cue"] in painted
    assert "There is no waveform" in browser.one("#notes").text


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_strip_glides_with_the_film_but_turns_pages_for_who_wants_little_motion(opened, browser, motion):
    feature = {"name": "prefers-reduced-motion", "value": motion}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        opened()
        browser.press("+")
        browser.press("+")
        browser.run("""
            window.places = new Set();
            (function look() { places.add(timeline.from); requestAnimationFrame(look); })();
        """)
        browser.one("#toggle").click()
        browser.wait("player.position > 4000", 20)
        assert browser.run("return timeline.from + timeline.span > player.position")
        places = browser.run("return places.size")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert places <= 3 if motion == "reduce" else places > 10


def test_a_script_from_right_to_left_is_laid_out_so(opened, browser, pictures):
    upper, lower = TEN_SCRIPTS["ur"]
    opened({"ur": (Cue(start_ms=500, end_ms=4_000, lines=(upper, lower)),)})
    directions = "[...document.querySelectorAll('.line')].map(line => getComputedStyle(line).direction)"
    assert browser.run(f"return {directions}") == ["rtl", "rtl"]
    browser.driver.save_screenshot(str(pictures / "urdu.png"))


def test_a_page_of_a_real_film_is_a_picture(browser, tmp_path, pictures, figure):
    cues = read_cues(data("film/film_en.eng.srt"))
    film = data("film/film_en.mp4")
    folder = write_job(tmp_path / "job", film, {"en": cues}, title="film_en", duration_ms=70_472)
    take_sound(film, folder)
    page = Page(browser, folder)
    page.cue(3).click()
    page.settle(3)
    assert page.now_s == pytest.approx(cues[2].start_ms / 1_000, abs=0.1)
    target = pictures / "film_en.png"
    assert browser.driver.save_screenshot(str(target))
    counted = browser.pixels(target.read_bytes(), COUNT)
    assert counted[:2] == [1280, 720]
    assert counted[2] > 2_000
    figure(f"preview: screenshot of film_en.mp4's page, {counted[2]} colours: {target}")


def test_three_hours_and_thousands_of_cues_are_drawn_in_a_frame(browser, tmp_path, film, figure):
    cues = tuple(
        Cue(start_ms=3_600 * at, end_ms=3_600 * at + 2_500, lines=(f"Cue {at + 1}", "and more"))
        for at in range(3_000)
    )
    page = Page(browser, write_job(tmp_path / "job", film, {"en": cues}))
    opened_ms = browser.run("""
        const at = performance.now();
        showTrack(tracks[0]);
        document.body.offsetHeight;
        return performance.now() - at;
    """)
    frame_ms = browser.run("""
        timeline.wave = {values: new Uint8Array(216000).fill(90), starts: 0, step: 50, most: 200};
        timeline.resize();
        const at = performance.now();
        for (let frame = 0; frame < 300; frame += 1) {
          timeline.draw(5000000 + 40 * frame, true);
          list.follow(5000000 + 40 * frame);
        }
        return (performance.now() - at) / 300;
    """)
    figure(
        f"preview: 3,000 cues listed in {opened_ms:.0f} ms, a frame of three hours drawn in {frame_ms:.2f} ms"
    )
    assert len(browser.all(".cue")) == 3_000
    assert opened_ms < 15_000
    assert frame_ms < 16, "a frame of a film at 60 a second"
    assert page.browser.complaints() == []
