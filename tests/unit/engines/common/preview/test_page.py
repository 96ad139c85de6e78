from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from protocol.errors import InputError
from protocol.subtitles.preview import PreviewMedia, PreviewTrack
from protocol.subtitles.rules import QUALITY_RULES
from protocol.timeline import Cue
from tests.job_folders import CUES, write_job
from workers.engines.common.job_folder import read_job
from workers.engines.common.preview.data import page_data
from workers.engines.common.preview.film import relative_url
from workers.engines.common.preview.page import main, preview, render

HOSTILE = "</script><script>alert(1)</script>"
TRACKS = {"en": CUES, "pt": (Cue(start_ms=500, end_ms=1_500, lines=("O primeiro.",)),)}


@pytest.fixture
def write(tmp_path):
    def job(tracks=TRACKS, **changes) -> Path:
        return write_job(tmp_path / "job", tmp_path / "gone.mp4", tracks, **changes)

    return job


def silent(line: str) -> None:
    pytest.fail(f"nothing was to be told, but: {line}")


def page_of(folder: Path, **changes) -> str:
    return Path(preview(folder, tell=silent, **changes).page).read_text(encoding="utf-8")


def data_of(page: str):
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def test_the_page_lies_in_the_jobs_folder_and_tells_what_it_shows(write):
    folder = write(title="A film")
    result = preview(folder, tell=silent)
    assert result.page == str(folder / "preview" / "A film.html")
    assert result.media == PreviewMedia(file=str(folder / "01_demux" / "audio.wav"), kind="sound")
    assert result.tracks == (
        PreviewTrack(language="en", cue_count=4, mark_count=5),
        PreviewTrack(language="pt", cue_count=1, mark_count=0),
    )
    assert result.has_waveform
    assert result.notes == (f"There is only sound to play: {folder.parent}/gone.mp4 is gone.",)


def test_cues_come_with_their_times_speed_and_text_as_it_is_spoken(write):
    track = page_data(read_job(write()))["tracks"][0]
    assert track["cues"][0] == [500, 1_500, 27.0, ["The first cue,", "of two lines"]]
    assert track["cues"][2] == [3_000, 5_000, 9.0, ["Tom & <b>Jerry</b>"]]
    assert (track["name"], track["engine"], track["model"], track["profile"], track["checked"]) == (
        "English", "whisperx", "whisper-base", "netflix", True,
    )  # fmt: skip


def test_a_translation_says_what_it_was_made_from_and_comes_after_what_was_spoken(write):
    tracks = page_data(read_job(write({"pt": TRACKS["pt"], "en": CUES})))["tracks"]
    assert [track["language"] for track in tracks] == ["pt", "en"]
    assert [track["translated_from"] for track in tracks] == ["", "Portuguese"]


def test_each_mark_has_its_cue_rule_numbers_kind_and_reason(write):
    folder = write()
    report = folder / "11_subtitle" / "Film.en.qc.json"
    plain = json.loads(report.read_text())
    rules = {rule["rule"]: rule for rule in plain["rules"]}
    rules["min_duration"]["cues"][0]["reason"] = "nothing could be done"
    rules["line_length"]["informs_only"] = True
    report.write_text(json.dumps(plain))
    marks = page_data(read_job(folder))["tracks"][0]["marks"]
    assert [mark for mark in marks if mark[0] == 1] == [
        [1, "line_length", 43, 42, "taste", ""],
        [1, "reading_speed", 107.5, 20.0, "broken", ""],
        [1, "min_duration", 400, 833, "unavoidable", "nothing could be done"],
    ]


def test_every_rule_has_words(write):
    rules = page_data(read_job(write()))["rules"]
    assert list(rules) == list(QUALITY_RULES)
    assert all(rule["words"] for rule in rules.values())


def test_marks_of_cues_that_were_changed_since_are_left_out_and_that_is_said(write):
    folder = write()
    for name in ("Film.en.vtt", "Film.en.srt"):
        path = folder / "11_subtitle" / name
        path.write_text(
            path.read_text().replace("00:00:02.4", "00:00:02.9").replace("00:00:02,4", "00:00:02,9")
        )
    data = page_data(read_job(folder))
    assert {mark[0] for mark in data["tracks"][0]["marks"]} == {0}
    assert any("fit no cue: the file was changed since" in note for note in data["notes"])


def test_a_file_that_was_worked_on_later_is_the_one_that_is_shown(write):
    folder = write()
    srt, vtt = (folder / "11_subtitle" / f"Film.en.{suffix}" for suffix in ("srt", "vtt"))
    srt.write_text(srt.read_text().replace("The last one.", "The very last."))
    os.utime(vtt, (1_000_000_000, 1_000_000_000))
    track = page_data(read_job(folder))["tracks"][0]
    assert (track["file"], track["cues"][3][3]) == ("Film.en.srt", ["The very last."])


def test_what_was_heard_of_a_clip_is_put_on_the_films_clock(write):
    data = page_data(read_job(write(clip_start_ms=3_000)))
    assert data["speech"][0] == [3_500, 4_400]
    assert (data["wave"]["starts_ms"], data["wave"]["step_ms"]) == (3_000, 50)
    values = base64.b64decode(data["wave"]["values"])
    assert values == bytes(([0] * 20 + [62] * 20) * 5)
    # The files of subtitles are on it already.
    assert data["tracks"][0]["cues"][0][0] == 500


def test_sound_alone_starts_where_the_clip_does(write):
    assert data_of(page_of(write(clip_start_ms=3_000)))["media"] == {
        "url": "../01_demux/audio.wav", "file": "audio.wav", "kind": "sound", "starts_ms": 3_000,
        "has_picture": False,
    }  # fmt: skip


def test_without_film_and_sound_the_page_has_its_cues_and_says_what_is_missing(write):
    folder = write(with_audio=False)
    data = data_of(page_of(folder))
    assert (data["media"], data["wave"], len(data["tracks"][0]["cues"])) == (None, None, 4)
    assert [note.split(":")[0] for note in data["notes"]] == [
        "There is no waveform",
        "There is nothing to play",
    ]


def test_a_subtitle_file_that_was_spoilt_costs_its_track_and_no_more(write):
    folder = write()
    for suffix in ("srt", "vtt"):
        (folder / "11_subtitle" / f"Film.pt.{suffix}").write_bytes(b"Once upon a time")
    (folder / "11_subtitle" / "Film.en.qc.json").write_text("{")
    data = page_data(read_job(folder))
    assert [(track["language"], track["checked"]) for track in data["tracks"]] == [("en", False)]
    assert data["notes"] == [
        "Film.en.qc.json cannot be read.",
        f"{folder}/11_subtitle/Film.pt.vtt is not a subtitle file.",
    ]


@pytest.mark.parametrize(
    "report", [{"rules": [{"rule": "gap", "cues": [{"cue": 1}]}]}, {"rules": "none"}, [], {"sentence": {}}]
)
def test_a_quality_report_of_another_form_costs_its_marks_and_no_more(write, report):
    folder = write()
    (folder / "11_subtitle" / "Film.en.qc.json").write_text(json.dumps(report))
    data = page_data(read_job(folder))
    assert [(track["checked"], track["marks"]) for track in data["tracks"]] == [(False, []), (True, [])]
    assert data["notes"] == ["Film.en.qc.json cannot be read."]


def test_a_mark_of_no_cue_is_none_of_the_last(write):
    folder = write()
    report = folder / "11_subtitle" / "Film.en.qc.json"
    plain = json.loads(report.read_text())
    row = {"cue": 0, "start_ms": CUES[-1].start_ms, "end_ms": CUES[-1].end_ms, "value": 1, "limit": 2}
    plain["rules"] = [{"rule": "gap", "cues": [row]}]
    report.write_text(json.dumps(plain))
    assert page_data(read_job(folder))["tracks"][0]["marks"] == []


def test_nothing_in_the_data_can_end_the_script_that_carries_it(write):
    text = '<!--<script> ]]> & \u2028 \u2029 \x00 "quoted" \\u003c'
    data = data_of(page_of(write({"en": (Cue(start_ms=0, end_ms=900, lines=(HOSTILE,)),)}, title=HOSTILE)))
    assert (data["title"], data["tracks"][0]["cues"][0][3]) == (HOSTILE, [HOSTILE])
    data["tracks"][0]["cues"][0][3].append(text)
    page = render(data)
    assert page.count("<script") == page.count("</script") == 2
    assert "alert(1)</script" not in page
    assert "<title>&lt;/script&gt;" in page
    assert data_of(page) == data
    (block,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert not set(block) & set("<>&\u2028\u2029")


def test_the_policy_names_the_very_style_and_script_and_no_place_in_a_network(write):
    page = page_of(write())
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not re.search(r"\b(?:https?|wss?|ftp):|//\w+\.", page)
    assert "innerHTML" not in page


def test_the_same_job_gives_the_same_page(write):
    folder = write()
    assert page_of(folder) == page_of(folder)
    data = data_of(page_of(folder))
    assert render(data) == page_of(folder)


@pytest.mark.parametrize(
    "name", ["a:b.mp4", "100%25.mp4", 'it\'s "new"?.mp4', "#1 फ़िल्म.mp4", "two\nlines.mp4"]
)
def test_a_films_url_is_relative_and_carries_any_name(tmp_path, name):
    url = relative_url(tmp_path / "films" / name, tmp_path / "job" / "preview" / "page.html")
    assert url.startswith("../../films/")
    assert unquote(url) == f"../../films/{name}"
    assert not set(url) & set(":%?#'\"\n ") - {"%"}
    beside = relative_url(tmp_path / name, tmp_path / "page.html")
    assert ":" not in beside


def test_a_url_leads_through_links_to_where_the_film_is(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    assert relative_url(tmp_path / "film.mp4", tmp_path / "link" / "page.html") == "../../film.mp4"


def test_a_page_can_lie_elsewhere_and_a_place_that_cannot_be_is_refused(write, tmp_path):
    folder = write()
    page = preview(folder, out=tmp_path / "new" / "look.html", tell=silent).page
    assert page == str(tmp_path / "new" / "look.html")
    assert data_of(Path(page).read_text())["media"]["url"] == "../job/01_demux/audio.wav"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        preview(folder, out=tmp_path / "file" / "look.html", tell=silent)


def test_the_command_answers_with_one_document_of_ascii(write, capsys):
    folder = write(title="फ़िल्म")
    assert main(["--json", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert (err, out.isascii(), out.count("\n")) == ("", True, 1)
    assert json.loads(out)["title"] == "फ़िल्म"
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.startswith(str(folder / "preview"))


def test_a_folder_that_is_no_jobs_is_refused_in_a_document(tmp_path, capsys):
    assert main(["--json", str(tmp_path)]) == 2
    assert "job.json cannot be read" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().out.endswith("cannot be read.\n")
