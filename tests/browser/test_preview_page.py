"""The preview page in a real browser: what a person clicks, and where the film is then."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from protocol.timeline import Cue
from tests.browser.page import ACTIVE, NOW_S, Page
from tests.job_folders import CUES, make_film, write_job
from workers.engines.common.preview.page import preview

pytestmark = pytest.mark.browser

MIDDLE = "return context.getImageData(canvas.width / 2, canvas.height / 3, 1, 1).data[0]"
HOSTILE = "</script><script>alert(1)</script>"
PORTUGUESE = (Cue(start_ms=500, end_ms=1_500, lines=("O primeiro,", "de duas linhas")),)


@pytest.mark.parametrize("number", [4, 2, 1])
def test_a_click_on_a_cue_finds_the_film_at_its_start(opened, browser, figure, number):
    page = opened()
    page.cue(number).click()
    page.settle(number)
    cue = CUES[number - 1]
    assert page.now_s == pytest.approx(cue.start_ms / 1_000, abs=0.1)
    assert page.now_s * 1_000 >= cue.start_ms
    assert browser.wait(ACTIVE) == ["\n".join(cue.lines)]
    assert page.current() == [str(number)]
    figure(
        f"preview: clicked cue {number}, film at {page.now_s:.3f} s, "
        f"cue starts at {cue.start_ms / 1_000:.3f} s"
    )


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("flash.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv420p"), "film"),
        ("flash.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"), "film"),
        ("kept.mkv", ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "500"), "copy"),
        ("small.mkv", ("-c:v", "mpeg4", "-g", "500"), "copy"),
    ],
)
def test_the_picture_at_a_cue_is_the_films_at_that_time(browser, tmp_path, name, options, kind):
    """A film that is black for three seconds and white from then on, as it is and as its copies are."""
    flash = "drawbox=t=fill:c=black,drawbox=t=fill:c=white:enable='gte(t,2.999)'"
    film = make_film(tmp_path / name, "-vf", flash, *options, seconds=5)
    cues = [Cue(start_ms=at, end_ms=at + 50, lines=(".",)) for at in (2_900, 2_950, 3_000, 3_050)]
    page = Page(browser, write_job(tmp_path / "job", film, {"en": cues}))
    assert browser.run("return data.media.kind") == kind
    seen = []
    for number in range(1, 5):
        page.cue(number).click()
        page.settle(number)
        picture = browser.one("video").screenshot_as_png
        seen.append(browser.pixels(picture, MIDDLE))
    assert [level > 128 for level in seen] == [False, False, True, True]


def test_the_list_follows_the_film_and_no_cue_is_current_between_two(opened, browser):
    cues = tuple(Cue(start_ms=at, end_ms=at + 900, lines=("x",)) for at in (500, 2_000, 3_500))
    opened({"en": cues})
    browser.run("""
        window.seen = [];
        const look = () => {
          const current = document.querySelector('[aria-current=true]');
          seen.push([current ? Number(current.dataset.place) + 1 : 0, player.position]);
        };
        new MutationObserver(look).observe(
          document.getElementById('list'), {subtree: true, attributeFilter: ['aria-current']});
    """)
    browser.one("#toggle").click()
    browser.wait("list.current === 2", 20)
    browser.press(Keys.SPACE)
    # Focus is on the button that was clicked, and the space key is its own: it pauses.
    browser.wait("document.querySelector('video').paused")
    seen = browser.run("return seen")
    assert [place for place, _ in seen] == [1, 0, 2, 0, 3]
    for (place, position), cue in zip([sighting for sighting in seen if sighting[0]], cues, strict=True):
        assert cue.start_ms <= position < cue.end_ms, place


def test_keys_play_go_from_cue_to_cue_and_zoom(opened, browser):
    page = opened()
    page.cue(2).click()
    page.settle(2)
    for key, number in (
        (Keys.ARROW_RIGHT, 3),
        (Keys.ARROW_DOWN, 4),
        (Keys.ARROW_LEFT, 3),
        (Keys.ARROW_UP, 2),
    ):
        browser.press(key)
        page.settle(number)
    assert browser.run("return Number(document.activeElement.dataset.place)") == 1
    browser.press(Keys.SPACE)
    browser.wait("!document.querySelector('video').paused && list.current === 2")
    browser.press(Keys.SPACE)
    browser.wait("document.querySelector('video').paused")
    span = browser.run("return timeline.span")
    browser.press("+")
    assert browser.run("return timeline.span") < span
    browser.press("-")
    assert browser.run("return timeline.span") == span


def test_the_list_is_left_alone_while_a_person_scrolls_it(opened, browser):
    cues = tuple(Cue(start_ms=100 * at, end_ms=100 * at + 90, lines=("x",)) for at in range(90))
    page = opened({"en": cues})
    page.cue(1).click()
    page.settle(1)
    box = browser.one("#list")
    ActionChains(browser.driver).scroll_from_origin(ScrollOrigin.from_element(box), 0, 400).perform()
    browser.wait("document.getElementById('list').scrollTop > 300")
    there = browser.run("return document.getElementById('list').scrollTop")
    browser.run("player.seek(8501); wake()")
    browser.wait("list.current === 85")
    assert browser.run("return document.getElementById('list').scrollTop") == there
    # Once nobody has scrolled for a while, the next cue brings it back.
    browser.run("list.heldUntil = 0; player.seek(8601); wake()")
    browser.wait(f"document.getElementById('list').scrollTop > {there} + 400")


def test_languages_are_chosen_in_the_page_one_or_two_at_once_or_none(opened, browser):
    page = opened({"en": CUES, "pt": PORTUGUESE})
    page.cue(1).click()
    page.settle(1)
    assert [option.text for option in Select(browser.one("#first")).options] == [
        "English",
        "Portuguese",
        "off",
    ]
    english, portuguese = "\n".join(CUES[0].lines), "\n".join(PORTUGUESE[0].lines)
    Select(browser.one("#second")).select_by_visible_text("Portuguese")
    assert sorted(browser.wait(f"{ACTIVE}.length === 2 && {ACTIVE}")) == sorted([english, portuguese])
    Select(browser.one("#first")).select_by_visible_text("Portuguese")
    assert browser.wait(f"{ACTIVE}.length === 1 && {ACTIVE}") == [portuguese]
    assert (len(browser.all(".cue")), browser.one("#count").text) == (1, "Portuguese: 1 cue")
    assert browser.one("#list").get_attribute("lang") == "pt"
    assert "translated from English, by whisperx with whisper-base" in browser.one("#made").text
    Select(browser.one("#second")).select_by_visible_text("none")
    Select(browser.one("#first")).select_by_visible_text("off")
    browser.wait(f"{ACTIVE}.length === 0")
    assert len(browser.all(".cue")) == 1


def test_marks_say_what_is_wrong_and_can_be_listed_alone(opened, browser):
    page = opened()
    assert [number.text for number in browser.all(".cue:has(.mark) .number")] == ["1", "2"]
    told = [element.text for element in page.cue(2).find_elements("css selector", ".mark")]
    assert told == [
        "▲ Line too long: 43 characters (limit 42)",
        "▲ Too fast to read: 107.5 characters/s (limit 20)",
        "▲ Too short: 400 ms (limit 833)",
    ]
    assert "Quality: 1 cue with a line too long, 2 cues too fast to read" in browser.one("#quality").text
    browser.one("#only").click()
    assert [number.text for number in browser.all(".cue .number") if number.is_displayed()] == ["1", "2"]
    browser.run("document.getElementById('only').blur(); player.seek(0)")
    browser.press(Keys.ARROW_RIGHT)
    page.settle(1)
    browser.press(Keys.ARROW_RIGHT)
    page.settle(2)
    browser.press(Keys.ARROW_RIGHT)
    page.settle(2)


def test_a_click_on_the_overview_goes_there(opened, browser):
    page = opened()
    # From the middle of it a tenth to the right: six tenths of ten seconds.
    overview = browser.one("#overview")
    wide = overview.size["width"]
    ActionChains(browser.driver).move_to_element_with_offset(overview, wide // 10, 0).click().perform()
    browser.wait(f"!document.querySelector('video').seeking && {NOW_S} > 5")
    assert page.now_s == pytest.approx(6, abs=0.1)
    strip = browser.one("#strip")
    wanted = browser.run("return (timeline.from + timeline.span / 2) / 1000")
    ActionChains(browser.driver).move_to_element(strip).click().perform()
    browser.wait(f"!document.querySelector('video').seeking && Math.abs({NOW_S} - {wanted}) < 0.1")


def test_nothing_goes_to_a_network_and_nothing_is_complained_of(opened, browser):
    page = opened()
    page.cue(3).click()
    page.settle(3)
    requests = browser.requests()
    assert any(request.endswith(".mp4") for request in requests)
    assert {request.split(":")[0] for request in requests} <= {"file", "data"}
    assert browser.complaints() == []


def test_the_policy_keeps_even_a_script_of_the_page_from_the_network(opened, browser, served):
    opened()
    tried = browser.driver.execute_async_script(
        """
        const [address, done] = arguments;
        const image = new Image();
        const seen = new Promise(resolve => {
          image.onload = () => resolve(true);
          image.onerror = () => resolve(false);
        });
        image.src = address + "/picture.png";
        Promise.all([fetch(address).then(() => true, () => false), seen]).then(done);
        """,
        served.address,
    )
    browser.run("""
        const script = document.createElement('script');
        script.textContent = 'window.wasRun = true';
        document.body.append(script);
    """)
    assert (tried, browser.run("return window.wasRun"), served.asked) == ([False, False], None, [])
    told = " ".join(browser.complaints())
    assert f"{served.address}/picture.png" in told
    assert told.count("Content Security Policy") >= 3


def test_hostile_titles_and_cues_are_text(opened, browser):
    lines = (HOSTILE, "Tom & <b>Jerry</b> <img src=x onerror=alert(1)>")
    page = opened({"en": (Cue(start_ms=500, end_ms=3_000, lines=lines),)}, title=HOSTILE)
    page.cue(1).click()
    page.settle(1)
    assert browser.driver.title == HOSTILE
    assert browser.one("#title").text == HOSTILE
    assert [line.text for line in browser.all(".line")] == list(lines)
    assert browser.wait(ACTIVE) == ["\n".join(lines)]
    assert len(browser.all("script")) == 2
    assert browser.all("#list b, #list img") == []
    assert browser.complaints() == []


def test_sound_alone_plays_on_the_films_clock(opened, browser, tmp_path):
    page = opened(media=tmp_path / "gone.mp4", clip_start_ms=2_000)
    page.cue(3).click()
    page.settle(3)
    assert page.now_s == pytest.approx(1.0, abs=0.1)
    assert browser.one("#clock").text == "00:00:03.001"
    assert browser.wait(ACTIVE) == ["Tom & <b>Jerry</b>"]


def test_without_anything_to_play_cues_can_still_be_gone_through(opened, browser, tmp_path):
    page = opened(media=tmp_path / "gone.mp4", with_audio=False)
    page.cue(4).click()
    browser.wait("list.current === 3")
    assert browser.one("#clock").text == "00:00:06.251"
    assert browser.complaints() == []


def test_a_film_that_was_moved_since_is_said_to_be_missing(browser, tmp_path):
    film = make_film(tmp_path / "here.mp4", seconds=1)
    folder = write_job(tmp_path / "job", film, {"en": CUES})
    page = preview(folder, tell=lambda _: None).page
    film.rename(tmp_path / "there.mp4")
    browser.open(Path(page).as_uri())
    assert "here.mp4 cannot be played here" in browser.wait("!problem.hidden && problem.textContent")
