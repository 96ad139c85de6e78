"""Requests made from results."""

from __future__ import annotations

import pytest

from coordinator.planning.builders import Inputs, Results, build_request, gentler
from protocol.artefacts import Artefact
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages.align import AlignResult
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest, DemuxResult, MediaFacts

SOUND = Artefact(path="01_demux/audio.wav", size=1, sha256="0" * 64)


def test_after_running_out_of_memory_a_request_asks_for_one_piece_at_a_time() -> None:
    request = AsrRequest(audio=SOUND, batch_size=16)
    assert gentler(request, 0) == request
    assert gentler(request, 1).batch_size == 1
    assert gentler(request, 1).audio == SOUND


def test_a_stage_without_batches_is_asked_as_before() -> None:
    request = DemuxRequest(media="/film.mkv")
    assert gentler(request, 2) == request


FACTS = MediaFacts(
    duration_ms=9_000,
    container="mkv",
    has_video=True,
    frames_per_second=25.0,
    audio_tracks=(),
    subtitle_languages=(),
)


@pytest.mark.parametrize(("workflow", "formats"), [("subtitle", ("srt", "ass")), ("translate", ("ass",))])
def test_the_films_tracks_are_made_of_srt_whatever_else_is_written(
    workflow: str, formats: tuple[str, ...]
) -> None:
    demux = DemuxResult(audio=SOUND, audio_duration_ms=9_000, audio_track=0, clip_start_ms=0, facts=FACTS)
    align = AlignResult(transcript=SOUND, word_count=1, timed_by={})
    results = Results({"demux": to_plain(demux), "align": to_plain(align)})
    submit = Submit(
        media="/f.mkv",
        workflow=workflow,
        user="u",
        out="/o",
        parameters={"subtitle": {"formats": ("ass",)}},
    )
    request = build_request("subtitle", Inputs(submit=submit, title="Film", results=results))
    assert request.formats == formats
    assert request.frames_per_second == 25.0
