"""Requests made from results."""

from __future__ import annotations

from coordinator.recipes import gentler
from protocol.artefacts import Artefact
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest

SOUND = Artefact(path="01_demux/audio.wav", size=1, sha256="0" * 64)


def test_after_running_out_of_memory_a_request_asks_for_one_piece_at_a_time() -> None:
    request = AsrRequest(audio=SOUND, batch_size=16)
    assert gentler(request, 0) == request
    assert gentler(request, 1).batch_size == 1
    assert gentler(request, 1).audio == SOUND


def test_a_stage_without_batches_is_asked_as_before() -> None:
    request = DemuxRequest(media="/film.mkv")
    assert gentler(request, 2) == request
