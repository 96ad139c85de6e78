"""The page of the HTTP server in a real browser, over a whole house."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from protocol.messages import Submit
from tests.browser.conftest import SIZE
from tests.browser.http_page import HttpPage
from tests.house import REAL_COMMON_STAGES, SPEECH_STAGES, House, until
from tests.http_house import HttpHouse
from tests.job_folders import make_film

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>.mp4"
MANY = """
const done = arguments[0];
const step = {name: "asr", stage: "asr", environment: "whisperx", state: "done", attempt: 1, fraction: 1};
const job = (_, number) => ({
  job: `job-1-${String(number).padStart(5, "0")}`, state: number % 7 ? "done" : "failed", fraction: 1,
  media: `/films/Film ${number}.mkv`, created_at: "2001-01-01T00:00:00.000Z", steps: [step], left_ms: 0,
});
const asked = window.fetch;
const answer = JSON.stringify({jobs: Array.from({length: 10000}, job)});
window.fetch = () => Promise.resolve(new Response(answer));
import("/assets/live.js").then(async ({live}) => {
  const begun = performance.now();
  await live.more(10000);
  document.body.offsetHeight;
  const loaded = performance.now() - begun;
  window.fetch = asked;
  const text = document.getElementById("films-text");
  const again = performance.now();
  text.value = "Film 99";
  text.dispatchEvent(new Event("input"));
  document.body.offsetHeight;
  done([loaded, performance.now() - again, document.querySelectorAll("#films-rows tr").length]);
});
"""
CUES = (
    "[...document.querySelector('video').textTracks]"
    ".flatMap(track => [...track.cues || []].map(cue => cue.text))"
)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of films that may be named, with one of them."""
    folder = tmp_path_factory.mktemp("media")
    make_film(folder / "Metropolis.mp4", seconds=3)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[HttpHouse]:
    """Return a house for all tests of this module, whose server comes back at the same address."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
    words = {"CPW_HTTP": f"127.0.0.1:{port}", "CPW_MEDIA": str(films)}
    with House(tmp_path_factory.mktemp("page"), REAL_COMMON_STAGES, SPEECH_STAGES, **words) as house:
        house.start()
        yield HttpHouse(house)


@pytest.fixture
def page(server: HttpHouse, browser) -> Iterator[HttpPage]:
    """Return the page; the window is as it was afterwards."""
    yield HttpPage(browser, server)
    browser.open("about:blank")  # else the server waits at its end for the stream to go
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False},
    )


@pytest.fixture
def submitted(server: HttpHouse, films: Path, tmp_path: Path):
    """Return what submits the film; its speech is heard for as long as `gate` is not there."""

    def submit(gate: Path | None = None, **fields) -> str:
        house = server.house
        parameters = {"asr": {"initial_prompt": f"until:{gate}"}} if gate else {}
        wanted = Submit(
            media=str(films / "Metropolis.mp4"), workflow="transcribe", user="tester", out=str(house.out),
            parameters=parameters, reuse=False, **fields,
        )  # fmt: skip
        return house.ask(wanted).job

    return submit


def test_a_film_that_is_dropped_is_sent_and_becomes_subtitles(page, browser, server, films, tmp_path):
    gate = tmp_path / "gate"
    before = page.jobs()
    page.note_bars()
    page.slow_line(150_000)
    page.drop(films / "Metropolis.mp4", HOSTILE)
    browser.wait("!document.getElementById('add').hidden && document.querySelector('form.adding')")
    browser.one("summary").click()
    browser.one("#add-settings").send_keys(f"asr.initial_prompt=until:{gate}")
    browser.one("form.adding button[type=submit]").click()
    browser.wait("location.hash === '#films'")
    job = browser.wait(lambda: [job for job in page.jobs() if job not in before], 30)[0]
    page.slow_line(-1)
    assert len(page.bars("sent")) >= 3
    browser.wait(lambda: any(0 < fraction < 1 for fraction in page.bars("done")))
    gate.touch()
    page.wait_state(job, "done")
    assert page.row(job).find_element(By.CSS_SELECTOR, "a").text == HOSTILE
    page.row(job).find_element(By.CSS_SELECTOR, "a").click()
    assert browser.wait("document.getElementById('job-title')?.textContent") in ("…", HOSTILE)
    browser.wait(f"document.getElementById('job-title').textContent === {HOSTILE!r}")
    assert browser.wait("document.querySelector('#job video') && " + CUES, 20) == ["hello world"]
    browser.wait("document.querySelector('video').readyState >= 1")
    assert browser.all("main img") == []
    assert server.house.job(job).media.endswith(HOSTILE)
    assert page.complaints() == []


def test_what_would_be_done_is_told_before_a_film_that_lies_here_is_added(page, browser, films):
    before = page.jobs()
    page.go("#add")
    browser.wait("document.querySelector('form.adding')")
    browser.one("#add-paths").send_keys(f"{films}/*.mp4")
    browser.one("#add-translate").click()
    Select(browser.one("#add-source")).select_by_visible_text("German")
    browser.one("summary").click()
    browser.one("#add-settings").send_keys("subtitle.max_line_graphemes=30")
    browser.one("form.adding .buttons button[type=button]").click()
    told = browser.wait(lambda: browser.one(".forecast").text)
    assert "translate-en" in told
    assert "whisper-base" in told
    assert page.jobs() == before
    browser.one("form.adding button[type=submit]").click()
    job = browser.wait(lambda: [job for job in page.jobs() if job not in before])[0]
    page.wait_state(job, "done")
    assert page.ask(f"/api/jobs/{job}/files/job.json")["parameters"]["subtitle"]["max_line_graphemes"] == 30
    page.go("#add")
    browser.one("#add-paths").send_keys("/etc/passwd")
    browser.one("form.adding button[type=submit]").click()
    assert "may read" in browser.wait(lambda: browser.one("form.adding .problem").text)
    # Chromium itself notes each answer that is no success.
    assert [text for text in page.complaints() if "403" not in text] == []


def test_files_quality_and_other_formats_are_taken_from_a_job(page, browser, submitted, server):
    job = submitted()
    server.house.ended(job)
    page.go(f"#job={job}")
    browser.wait("document.querySelectorAll('#job a.file').length >= 4")
    for link in browser.run("return [...document.querySelectorAll('#job a.file')].map(link => link.href)"):
        assert server.ask("GET", link.removeprefix(server.address)).status == 200
    assert "rules of netflix" in browser.wait(lambda: browser.one(".report").text)
    browser.wait("document.querySelector('#job form')")
    Select(browser.one("#export-profile")).select_by_visible_text("bbc")
    browser.one("#job form input[value=ttml]").click()
    browser.one("#job form button").click()
    links = browser.wait(lambda: browser.all("#job .links a"), 20)
    assert {link.text.rpartition(".")[2] for link in links} >= {"srt", "ttml"}
    assert server.ask("GET", links[0].get_attribute("href").removeprefix(server.address)).status == 200
    assert "asr begins" in browser.wait(lambda: browser.one(".log").text)
    assert page.complaints() == []


def test_a_job_is_cancelled_looked_at_and_done_again_by_the_keys_alone(page, browser, submitted, tmp_path):
    gate = tmp_path / "gate"
    job = submitted(gate)
    page.wait_state(job, "running")
    page.tab_to(f'[data-key="{job}"] .act button')
    assert browser.run("return document.activeElement.textContent") == "Cancel"
    browser.press(Keys.ENTER)
    page.wait_state(job, "cancelled")
    # The button has gone; what stands in its row next has the focus.
    browser.wait("document.activeElement.closest('tr') && document.activeElement.textContent === 'Resume'")
    page.tab_to(f'[data-key="{job}"] a', back=True)
    browser.press(Keys.ENTER)
    browser.wait("document.activeElement.id === 'job-title'")
    browser.wait("document.querySelector('.retry') && !document.querySelector('.retry').hidden")
    page.tab_to(".retry button")
    browser.press(Keys.ENTER)
    running = "document.querySelector('#job .badge').textContent === 'running'"
    browser.wait(running, 20)
    browser.wait("document.activeElement.closest('#job') !== null")
    gate.touch()
    browser.wait("document.querySelector('#job .badge').textContent === 'done'", 20)
    page.tab_to(".back a", back=True)
    browser.press(Keys.ENTER)
    browser.wait(f"document.activeElement.closest('[data-key=\"{job}\"]') !== null")
    assert page.complaints() == []


def test_the_focus_stays_where_it_is_while_films_come_and_go(page, browser, submitted, server):
    job = submitted(hold=True)
    page.tab_to(f'[data-key="{job}"] .act button')
    for _ in range(2):
        other = submitted()
        page.wait_state(other, "done")
    assert browser.run("return document.activeElement.closest('tr').dataset.key") == job
    assert page.jobs()[0] == other
    server.ask("POST", f"/api/jobs/{job}/cancel", {})


def test_a_reload_loses_nothing(page, browser, submitted, tmp_path):
    gate = tmp_path / "gate"
    job = submitted(gate)
    page.wait_state(job, "running")
    listed = page.jobs()
    browser.driver.refresh()
    page.wait_live()
    browser.wait(lambda: page.jobs() == listed)
    page.go(f"#job={job}")
    browser.driver.refresh()
    browser.wait("document.querySelector('#job .badge')?.textContent === 'running'")
    gate.touch()
    browser.wait("document.querySelector('#job .badge').textContent === 'done'", 20)
    assert page.complaints() == []


def test_a_server_that_is_killed_is_missed_and_the_page_goes_on(page, browser, submitted, server):
    first = submitted()
    page.wait_state(first, "done")
    browser.run("window.same = true")
    os.kill(server.house.supervisor_state()["children"]["http"]["pid"], signal.SIGKILL)
    browser.wait("document.getElementById('line').dataset.state === 'lost'")
    missed = submitted()
    page.wait_live(30)
    page.wait_state(missed, "done")
    assert browser.run("return window.same"), "it is the same page"
    later = submitted()
    page.wait_state(later, "done")
    assert page.complaints() == []


def test_a_film_that_is_on_its_way_when_the_server_dies_is_sent_again(page, browser, server, films):
    before = page.jobs()
    page.slow_line(60_000)
    page.drop(films / "Metropolis.mp4", "Sunrise.mp4")
    browser.wait("document.querySelector('#uploads progress')?.value > 0.1")
    browser.wait("document.querySelector('form.adding')")
    os.kill(server.house.supervisor_state()["children"]["http"]["pid"], signal.SIGKILL)
    browser.wait("document.getElementById('line').dataset.state === 'lost'")
    page.slow_line(-1)
    browser.one("form.adding button[type=submit]").click()
    job = browser.wait(lambda: [job for job in page.jobs() if job not in before], 30)[0]
    page.wait_state(job, "done")
    assert browser.wait("document.getElementById('uploads').hidden")
    until(lambda: not list((server.house.home / "out" / "uploads").glob(".*")), what="nothing half is left")
    assert page.complaints() == []


def test_ten_thousand_films_stay_quick(page, browser, figure):
    loaded_ms, filtered_ms, rows = browser.driver.execute_async_script(MANY)
    figure(f"page: 10,000 films drawn in {loaded_ms:.0f} ms, filtered in {filtered_ms:.0f} ms")
    assert rows == 111, "Film 99, 990 to 999 and 9900 to 9999"
    assert loaded_ms < 10_000
    assert filtered_ms < 3_000


@pytest.mark.parametrize("width", [1400, 400])
def test_every_view_fits_and_can_be_used_by_everybody(page, browser, submitted, server, pictures, width):
    job = submitted()
    until(lambda: server.house.job(job).state == "done", what="the job is done")
    for place in ("films", "add", f"job={job}", "house"):
        page.go(f"#{place}")
        name = place.partition("=")[0]
        browser.wait(f"document.querySelectorAll('#{name} button, #{name} td').length > 2")
        for scheme in ("light", "dark"):
            page.look(width, scheme)
            browser.driver.save_screenshot(str(pictures / f"page-{name}-{width}-{scheme}.png"))
            assert browser.run("return document.documentElement.scrollWidth") <= width
            assert page.findings() == [], (name, scheme)
    assert page.complaints() == []
