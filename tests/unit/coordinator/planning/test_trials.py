"""In which language a stretch of a film is recognised or translated again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.planning.trials import language_at
from protocol.artefacts import Artefact, write_json
from protocol.schema import to_plain
from protocol.stages.asr import AsrResult
from protocol.timeline import Segment, Span, Transcript

HEARD = AsrResult(
    segments=Artefact(path="06_asr/segments.json", size=0, sha256=""),
    language="en",
    language_probability=0.9,
    segment_count=3,
    speech=(),
    device="cpu",
    compute_type="int8",
    model="whisper-base",
    languages={"en": 20_000, "de": 10_000},
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    segments = tuple(
        Segment(start_ms=start_ms, end_ms=start_ms + 9_000, text="x", language=language)
        for start_ms, language in ((0, ""), (10_000, "de"), (20_000, ""))
    )
    (tmp_path / "06_asr").mkdir()
    write_json(tmp_path / HEARD.segments.path, to_plain(Transcript(language="en", segments=segments)))
    return tmp_path


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "language"),
    [(1_000, 3_000, "en"), (11_000, 13_000, "de"), (8_000, 13_000, "de"), (18_000, 29_000, "en")],
)
def test_a_stretch_is_tried_again_in_its_own_language(
    directory: Path, start_ms: int, end_ms: int, language: str
) -> None:
    assert language_at(HEARD, directory, Span(start_ms=start_ms, end_ms=end_ms)) == language


def test_where_nobody_can_tell_it_is_in_the_film_s(directory: Path) -> None:
    pause = Span(start_ms=9_000, end_ms=10_000)
    german = Span(start_ms=11_000, end_ms=13_000)
    assert language_at(HEARD, directory, pause) == "en"
    assert language_at(replace(HEARD, languages={}), directory, german) == "en"
    (directory / HEARD.segments.path).write_text("[]")
    assert language_at(HEARD, directory, german) == "en"
    (directory / HEARD.segments.path).unlink()
    assert language_at(HEARD, directory, german) == "en"
