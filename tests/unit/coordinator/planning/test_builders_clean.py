"""Where the stage clean stands between what was aligned and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.planning.builders import Inputs, Results, build_request
from protocol.artefacts import Artefact
from protocol.errors import BugError
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages.align import AlignResult
from protocol.stages.asr import AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxResult, MediaFacts
from protocol.timeline import Span

STEPS = ("demux", "asr", "align", "clean", "subtitle-source")
SPEECH = (Span(start_ms=100, end_ms=900),)


def file(path: str) -> Artefact:
    return Artefact(path=path, size=1, sha256="0" * 64)


FACTS = MediaFacts(
    duration_ms=2_000,
    container="mkv",
    has_video=True,
    frames_per_second=24.0,
    audio_tracks=(),
    subtitle_languages=(),
)
DONE: dict[str, Any] = {
    "demux": DemuxResult(
        audio=file("01_demux/audio.wav"), audio_duration_ms=1_900, audio_track=0, clip_start_ms=0, facts=FACTS
    ),
    "asr": AsrResult(
        segments=file("06_asr/segments.json"),
        language="hi",
        language_probability=0.9,
        segment_count=1,
        speech=SPEECH,
        device="cpu",
        compute_type="int8",
        model="whisper-base",
    ),
    "align": AlignResult(transcript=file("07_align/transcript.json"), word_count=2, timed_by={}),
    "clean": CleanResult(
        transcript=file("09_clean/transcript.json"),
        report=file("09_clean/cleaning.json"),
        removed={},
        segment_count=1,
    ),
}


def request(stage: str, planned: tuple[str, ...] = STEPS, *, cleaned: bool = True, **parameters: Any) -> Any:
    """Return the request of a stage for a film that came so far."""
    done = {name: to_plain(result) for name, result in DONE.items() if cleaned or name != "clean"}
    submit = Submit(media="/f.mkv", workflow="transcribe", user="u", out="/o", parameters=parameters)
    inputs = Inputs(submit=submit, title="Film", results=Results(done, planned), target="en")
    return build_request(stage, inputs)


def test_cleaning_reads_what_was_aligned_and_what_vad_heard() -> None:
    found = request("clean")
    assert isinstance(found, CleanRequest)
    assert found.transcript.path == "07_align/transcript.json"
    assert found.speech == SPEECH
    assert found.media_duration_ms == 1_900


def test_a_rule_of_cleaning_is_switched_off_by_its_setting() -> None:
    found = request("clean", clean={"loops": False})
    assert (found.loops, found.credits) == (False, True)


@pytest.mark.parametrize("stage", ["subtitle", "translate"])
def test_what_follows_reads_the_clean_transcript(stage: str) -> None:
    assert request(stage).transcript.path == "09_clean/transcript.json"


def test_the_quality_report_is_told_what_was_removed() -> None:
    assert request("subtitle").cleaning.path == "09_clean/cleaning.json"


def test_a_job_from_before_there_was_cleaning_goes_on_with_what_it_has() -> None:
    old = ("demux", "asr", "align", "subtitle-source")
    found = request("subtitle", old, cleaned=False)
    assert (found.transcript.path, found.cleaning) == ("07_align/transcript.json", None)
    with pytest.raises(BugError):
        request("subtitle", cleaned=False)
