"""A job folder is an interface: it may be old, of a later version, spoilt, or a stranger's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import InputError
from protocol.schema import to_plain
from protocol.subtitles.export import ExportRequest
from protocol.timeline import Cue, Segment, Speaker, Word
from tests.job_folders import CUES, JOB, write_job
from workers.engines.common.export import export
from workers.engines.common.export import main as export_main
from workers.engines.common.job_folder import read_job
from workers.engines.common.preview.page import preview


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_job(tmp_path / "job", tmp_path / "gone.mp4", {"en": CUES, "pt": CUES})


def change(path: Path, change_it: Callable[[Any], Any]) -> None:
    plain = json.loads(path.read_text())
    change_it(plain)
    path.write_text(json.dumps(plain))


def test_a_job_is_read_with_its_languages_and_files(folder):
    job = read_job(folder)
    assert (job.job, job.title, job.source_language) == (JOB, "Film", "en")
    assert {language: path.name for language, path in job.transcripts.items()} == {
        "en": "transcript.json",
        "pt": "transcript.pt.json",
    }
    assert sorted(job.subtitles["pt"]) == ["qc.json", "srt", "vtt"]
    assert len(job.speech) == len(CUES)


def test_a_language_that_is_a_way_out_of_the_folder_is_refused(folder):
    way = "x/../../../stolen"
    change(folder / "09_clean" / "transcript.json", lambda document: document.update(language=way))
    (folder / "export" / "Film.x").mkdir(parents=True)
    with pytest.raises(InputError, match="names no language"):
        [*export(read_job(folder), ExportRequest())]


def test_a_file_that_is_named_outside_the_folder_is_refused(folder):
    for way in ("../secret.json", "/etc/passwd"):
        change(
            folder / "manifest.json",
            lambda document, way=way: document["stages"].append(
                {"stage": "vad", "artefacts": [{"path": way}]}
            ),
        )
        with pytest.raises(InputError, match="leads out of the job folder"):
            read_job(folder)


def test_nothing_is_written_through_a_link_that_came_with_the_folder(folder, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "Film.html").write_text("mine")
    (mine / "Film.en.srt").write_text("mine")
    for name in ("export", "preview"):
        (folder / name).symlink_to(mine)
    with pytest.raises(InputError, match="preview is a link"):
        preview(folder, tell=lambda _: None)
    assert export_main([str(folder), "{}"]) == 2
    assert "export is a link" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert {path.read_text() for path in mine.iterdir()} == {"mine"}


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("job.json", lambda document: document.pop("title")),
        ("job.json", lambda document: document.update(input_media="film.mp4")),
        ("job.json", lambda document: document.update(parameters={"subtitle": {"max_lines": "two"}})),
        ("manifest.json", lambda document: document["stages"].append({"artefacts": []})),
        ("manifest.json", lambda document: document["stages"].append({"stage": "vad", "artefacts": ["x"]})),
        ("manifest.json", lambda document: document["film"].update(clip_start_ms=None)),
        ("05_vad/speech_segments.json", lambda document: document.update(speech=[{"start_ms": 1}])),
    ],
)
def test_a_document_of_another_form_is_named_with_what_is_wrong_in_it(folder, name, spoil):
    change(folder / name, spoil)
    with pytest.raises(InputError, match=rf"{name} is not as cpw writes it: \w+"):
        read_job(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '"\ud800'.encode("utf-8", "surrogatepass")])
def test_a_document_that_is_none_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_job(folder)


@pytest.mark.parametrize("name", ["job.json", "manifest.json"])
def test_a_document_of_a_later_version_is_refused(folder, name):
    change(folder / name, lambda document: document.update(version=2))
    with pytest.raises(InputError, match="is of version 2"):
        read_job(folder)


def test_a_clip_of_before_manifests_told_of_the_film_keeps_its_start(folder):
    change(folder / "manifest.json", lambda document: document.pop("film"))
    change(folder / "job.json", lambda document: document.update(start_ms=3_000))
    assert read_job(folder).clip_start_ms == 3_000


def test_a_job_is_exported_in_another_script_of_a_language_that_it_has(tmp_path):
    cues = (Cue(start_ms=1_000, end_ms=3_000, lines=("नमस्ते दुनिया",)),)
    job = read_job(write_job(tmp_path / "job", tmp_path / "gone.mp4", {"hi": cues, "hi-Latn": cues}))
    assert job.languages == ("hi", "hi-Latn")
    assert (job.has("hi-Arab"), job.has("en"), job.has("en-Latn")) == (True, False, False)
    (srt, report) = export(job, ExportRequest(formats=("srt",), languages=("hi-Arab",)))
    assert (srt.name, srt.language, report.name) == ("Film.hi-Arab.srt", "hi-Arab", "Film.hi-Arab.qc.json")
    made = export(job, ExportRequest(formats=("srt",), pairs=(("hi", "hi-Latn"),)))
    assert next(iter(made)).name == "Film.hi+hi-Latn.srt"


def test_a_file_in_two_languages_has_the_names_of_those_who_speak(folder):
    word = Word(text="Hello.", start_ms=1_000, end_ms=2_000, speaker="1")
    segment = Segment(start_ms=1_000, end_ms=2_000, text=word.text, words=(word,))
    said = {"segments": to_plain((segment,)), "speakers": to_plain((Speaker(id="1", speech_ms=9_000),))}
    for path in ("09_clean/transcript.json", "10_translate/transcript.pt.json"):
        change(folder / path, lambda document: document.update(said))
    request = ExportRequest(formats=("vtt", "ass"), pairs=(("en", "pt"),), speaker_names={"1": "Gabbar"})
    vtt, ass, _ = export(read_job(folder), request)
    assert b"<v Gabbar>Hello.\nHello.\n" in vtt.data
    assert b",Default,Gabbar,0,0,0,,Hello." in ass.data
