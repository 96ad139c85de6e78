"""A line put right over HTTP: the files hold it, the old ones stay, and a retry keeps it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.messages import JobReport, Submit
from protocol.subtitles.corrections import CORRECTIONS
from tests.house import REAL_COMMON_STAGES, House, until
from tests.http_house import HttpHouse
from tests.job_folders import make_film
from workers.engines.common.film import ffmpeg as program

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    """Return a house that cuts, writes and muxes in earnest; what is heard is made up."""
    path = tmp_path_factory.mktemp("corrections")
    with House(path, common=REAL_COMMON_STAGES, CPW_HTTP="127.0.0.1:0") as house:
        house.start()
        yield HttpHouse(house)


@pytest.fixture
def job(server: HttpHouse, tmp_path: Path) -> JobReport:
    """Return a job that is done: a film of a second in which somebody says `hello world`."""
    film = make_film(tmp_path / "Film.mkv", seconds=2)
    report = server.house.ended(server.house.submit(film.read_bytes(), target_languages=("en",)))
    assert report.state == "done", report.error
    return report


def review(server: HttpHouse, job: JobReport) -> dict[str, Any]:
    answer = server.ask("GET", f"/api/jobs/{job.job}/review")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def cue_of(review: dict[str, Any]) -> dict[str, Any]:
    start_ms, end_ms, _, lines = review["page"]["tracks"][0]["cues"][0]
    return {"start_ms": start_ms, "end_ms": end_ms, "text": "\n".join(lines)}


def save(server: HttpHouse, job: JobReport, base: str, *changes: tuple[list[Any], list[Any]]) -> Any:
    made = [{"old": old, "new": new} for old, new in changes]
    body = {"language": "de", "base": base, "changes": made}
    return server.ask("POST", f"/api/jobs/{job.job}/corrections", body)


def text_in(path: Path) -> str:
    """Return the subtitles of a film's first track, or of a file, as SubRip."""
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-i", f"file:{path}"]
    command += ["-map", "0:s:0", "-f", "srt", "-"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def outputs(report: JobReport) -> dict[str, Path]:
    """Return the files of the spoken language, which come first, by their endings."""
    return {Path(path).suffix: Path(path) for path in reversed(report.outputs)}


def test_a_corrected_line_stands_in_every_file_and_in_the_film(server: HttpHouse, job: JobReport) -> None:
    before = review(server, job)
    old = cue_of(before)
    assert old["text"] == "hello world"
    answer = save(server, job, before["base"], ([old], [old | {"text": "Hello,\nworld!"}]))
    assert (answer.status, answer.json["count"]) == (200, 1)
    assert "mux" in answer.json["steps"]
    after = outputs(server.house.ended(job.job))
    assert "Hello,\nworld!" in after[".srt"].read_text()
    assert "Hello,\nworld!" in after[".vtt"].read_text()
    assert "Hello,\nworld!" in text_in(after[".mkv"])
    found = review(server, job)
    assert cue_of(found) == old | {"text": "Hello,\nworld!"}
    assert found["base"] == answer.json["base"]
    assert (
        "Hello,\nworld!" in server.ask("GET", f"/api/jobs/{job.job}/tracks/de.vtt?profile=bbc").body.decode()
    )


def test_the_files_of_before_are_kept(server: HttpHouse, job: JobReport) -> None:
    old = cue_of(review(server, job))
    first = save(server, job, "", ([old], [old | {"text": "One"}]))
    server.house.ended(job.job)
    save(server, job, first.json["base"], ([old | {"text": "One"}], [old | {"text": "Two"}]))
    report = server.house.ended(job.job)
    earlier = Path(report.directory) / "earlier"
    name = outputs(report)[".srt"].name
    assert "hello world" in (earlier / "1" / name).read_text()
    assert "One" in (earlier / "2" / name).read_text()
    assert "hello world" in text_in(earlier / "1" / outputs(report)[".mkv"].name)
    assert "Two" in outputs(report)[".srt"].read_text()


def test_split_shifted_added_and_removed_cues_stand_in_the_files(server: HttpHouse, job: JobReport) -> None:
    old = cue_of(review(server, job))
    halves = [
        {"start_ms": 200, "end_ms": 700, "text": "hello"},
        {"start_ms": 800, "end_ms": 1_300, "text": "world"},
    ]
    answer = save(server, job, "", ([old], halves), ([], [{"start_ms": 1_400, "end_ms": 1_900, "text": "!"}]))
    server.house.ended(job.job)
    shown = [(row[0], row[1], row[3]) for row in review(server, job)["page"]["tracks"][0]["cues"]]
    assert shown == [(200, 700, ["hello"]), (800, 1_300, ["world"]), (1_400, 1_900, ["!"])]
    save(server, job, answer.json["base"], ([halves[1]], []))
    report = server.house.ended(job.job)
    assert "world" not in outputs(report)[".srt"].read_text()


def test_a_retry_keeps_a_correction_that_fits_and_lists_one_that_does_not(
    server: HttpHouse, job: JobReport
) -> None:
    old = cue_of(review(server, job))
    other = {"start_ms": 900, "end_ms": 1_500, "text": "What nobody says any more."}
    save(server, job, "", ([old], [old | {"text": "Hello!"}]), ([other], [other | {"text": "x"}]))
    server.house.ended(job.job)
    server.ask("POST", f"/api/jobs/{job.job}/retry", {"stage": "asr"})
    report = server.house.ended(job.job)
    files = outputs(report)
    assert "Hello!" in files[".srt"].read_text()
    told = next(note for note in report.notes if "corrections" in note)
    assert told == (
        "subtitle-source: 1 of 2 corrections fit no more, the first at 'What nobody says any more.'."
    )
    quality = json.loads(next(Path(report.directory).glob("11_subtitle/*.de.qc.json")).read_text())
    assert quality["corrected"] == 1
    assert [change["old"] for change in quality["unfit"]] == [[other]]


def test_of_two_people_the_second_is_told_and_nothing_is_lost(server: HttpHouse, job: JobReport) -> None:
    old = cue_of(review(server, job))
    first = save(server, job, "", ([old], [old | {"text": "First"}]))
    server.house.ended(job.job)
    second = save(server, job, "", ([old], [old | {"text": "Second"}]))
    assert (second.status, second.code) == (409, "corrections_changed")
    assert second.headers["x-should-retry"] == "false"
    kept = json.loads((Path(job.directory) / CORRECTIONS).read_text())
    assert [change["new"][0]["text"] for change in kept["changes"]] == ["First"]
    assert review(server, job)["base"] == first.json["base"]
    # The same save sent again, as where its answer was lost, is no other person's.
    again_sent = save(server, job, "", ([old], [old | {"text": "First"}]))
    assert (again_sent.status, again_sent.json["count"]) == (200, 1)
    assert again_sent.json["base"] == first.json["base"]


def test_impossible_times_are_refused_and_nothing_is_written(server: HttpHouse, job: JobReport) -> None:
    for times in ((-1, 5), (5, 5), (9, 5), (0, 2**62)):
        wrong = {"start_ms": times[0], "end_ms": times[1], "text": "x"}
        assert save(server, job, "", ([], [wrong])).status == 400
    assert not (Path(job.directory) / CORRECTIONS).exists()


def again(server: HttpHouse, job: JobReport, **wanted: Any) -> Any:
    return server.ask("POST", f"/api/jobs/{job.job}/again", {"start_ms": 0, "end_ms": 1_500} | wanted)


def test_a_stretch_is_recognised_again_beside_the_job(server: HttpHouse, job: JobReport) -> None:
    answer = again(server, job)
    assert answer.status == 200, answer.body
    assert [segment["text"] for segment in answer.json["segments"]] == ["hello world"]
    assert answer.json["segments"][0]["words"]
    asked = json.loads(next(Path(job.directory).glob("trials/1/06_asr/asked.json")).read_text())
    assert [(span["start_ms"], span["end_ms"]) for span in asked["speech"]] == [(0, 1_500)]
    assert asked["language"] == "de"
    assert server.house.job(job.job) == job, "the job itself is as it was"
    listed = server.ask("GET", "/api/jobs?limit=1000").json["jobs"]
    assert all("trial" not in report["job"] for report in listed)


def test_a_line_is_translated_again_beside_the_job(server: HttpHouse, job: JobReport) -> None:
    answer = again(server, job, text="Guten  Tag, Welt!", target_language="english")
    assert answer.status == 200, answer.body
    assert [segment["text"] for segment in answer.json["segments"]] == ["Guten Tag, Welt!"]
    assert (answer.json["translated_from"], answer.json["language"]) == ("de", "en")


def test_a_job_whose_folder_is_gone_is_tried_by_nobody(server: HttpHouse, job: JobReport) -> None:
    shutil.rmtree(job.directory)
    for refused in (again(server, job), again(server, job, text="x", target_language="en")):
        assert (refused.status, f"cpw retry {job.job}" in refused.json["error"]["remedy"]) == (422, True)
    assert not Path(job.directory).exists()


def test_what_cannot_be_tried_again_is_refused_with_a_sentence(server: HttpHouse, job: JobReport) -> None:
    assert again(server, job, text="x", target_language="fr").status == 400
    assert again(server, job, start_ms=9_000_000, end_ms=9_001_000).status == 400
    assert again(server, job, settings={"no_such_field": 1}).status == 400
    failed = again(server, job, settings={"initial_prompt": "bug"})
    assert failed.status == 500
    assert "a library's own error" in failed.json["error"]["message"]
    assert list((Path(job.directory) / "trials").glob("*/01_demux/audio.wav"))


def test_a_new_job_of_the_film_takes_over_what_was_corrected(server: HttpHouse, job: JobReport) -> None:
    old = cue_of(review(server, job))
    save(server, job, "", ([old], [old | {"text": "Hello again!"}]))
    server.house.ended(job.job)
    answer = server.house.ask(
        Submit(media=job.media, workflow="transcribe", user="tester", out=str(server.house.out))
    )
    report = server.house.ended(answer.job)
    assert "Hello again!" in outputs(report)[".srt"].read_text()
    assert f"What was corrected in {job.job} is applied where it fits." in report.notes


def test_a_subtitle_file_is_checked_over_http(server: HttpHouse) -> None:
    text = "1\n00:00:01,000 --> 00:00:01,100\nA line that nobody can read in a tenth of a second.\n"
    answer = server.ask("POST", "/api/qc/Film.en.srt?profile=bbc", text.encode())
    assert answer.status == 200, answer.body
    assert (answer.json["file"], answer.json["language"], answer.json["profile"]) == (
        "Film.en.srt",
        "en",
        "bbc",
    )
    assert "reading_speed" in {rule["rule"] for rule in answer.json["rules"] if rule["count"]}
    assert server.ask("POST", "/api/qc/..%2f..%2fFilm.srt?profile=none", b"x").status in (400, 404, 422)


def test_a_trial_for_which_nobody_waits_any_more_is_cancelled(
    server: HttpHouse, job: JobReport, tmp_path: Path
) -> None:
    body = {"start_ms": 0, "end_ms": 900, "settings": {"initial_prompt": f"until:{tmp_path / 'never'}"}}
    connection = server.connection()
    headers = server.bearer | {"Content-Type": "application/json"}
    connection.request("POST", f"/api/jobs/{job.job}/again", json.dumps(body), headers)
    trial = f"{job.job}-trial-1"

    def state() -> str:
        found = server.ask("GET", f"/api/jobs/{trial}")
        return str(found.json["jobs"][0]["state"]) if found.status == 200 else ""

    until(lambda: state() == "running", what="it is begun")
    connection.close()
    until(lambda: state() == "cancelled", what="it is cancelled")


def test_a_film_that_no_browser_plays_is_heard_at_once_and_seen_when_it_is_copied(
    server: HttpHouse, tmp_path: Path
) -> None:
    film = make_film(tmp_path / "Old.avi", "-c:v", "mpeg4", "-c:a", "libmp3lame", seconds=2)
    job = server.house.ended(server.house.submit(film.read_bytes()))
    found = review(server, job)
    assert (Path(found["playable"]).name, found["can_copy"]) == ("audio.wav", True)
    sound = server.ask("GET", f"/api/jobs/{job.job}/review/media", headers={"Range": "bytes=0-3"})
    assert (sound.status, sound.body) == (206, b"RIFF")
    copied = server.ask("POST", f"/api/jobs/{job.job}/review/copy", {})
    assert copied.status == 200, copied.body
    assert (Path(copied.json["playable"]).suffix, copied.json["can_copy"]) == (".mp4", False)
    seen = server.ask("GET", f"/api/jobs/{job.job}/review/media", headers={"Range": "bytes=4-7"})
    assert (seen.status, seen.body) == (206, b"ftyp")
