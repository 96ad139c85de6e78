"""What is said again and again is written as often, whatever numbers and processor Whisper computes with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.schema import from_plain
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest
from protocol.timeline import Transcript
from tests.data import data
from tests.heard import plain_words, repeat
from tests.lone_worker import LoneWorker

pytestmark = [
    pytest.mark.env("common", "whisperx"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(600),
]

SENTENCE_MS = (10_500, 13_700)
"""`ask what you can do for your country`, in film_en.mp4."""
REFRAIN_MS = (30_700, 33_750), (49_300, 52_700)
"""`he was not an ill disposed young man`, `he might even have been made amiable himself`."""
ENVIRONMENTS = {"int8": {}, "float32": {}, "int8 with AVX2": {"CT2_FORCE_CPU_ISA": "AVX2"}}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def worker(request: pytest.FixtureRequest) -> Iterator[tuple[LoneWorker, str]]:
    """Return a ready worker, and the numbers that it is to compute with."""
    with LoneWorker.of("whisperx", **ENVIRONMENTS[request.param]) as whisperx:
        whisperx.wait_ready()
        yield whisperx, request.param.partition(" ")[0]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sound of film_en.mp4."""
    with LoneWorker.of("common") as common:
        common.wait_ready()
        result = common.do("demux", DemuxRequest(media=str(data("film/film_en.mp4"))))
        kept = tmp_path_factory.mktemp("sound") / "film_en.wav"
        kept.write_bytes((common.folder / result.audio.path).read_bytes())
    return kept


def heard(worker: tuple[LoneWorker, str], sound: Path) -> list[str]:
    """Return the words that asr and align find."""
    whisperx, numbers = worker
    audio = whisperx.take_in(sound, "audio.wav")
    asr = whisperx.do("asr", AsrRequest(audio=audio, language="en", compute_type=numbers))
    request = AlignRequest(audio=audio, segments=asr.segments, speech=asr.speech, compute_type=numbers)
    found = whisperx.do("align", request).transcript
    plain = json.loads((whisperx.folder / found.path).read_bytes())
    return plain_words(from_plain(Transcript, plain))


@pytest.mark.parametrize("pause_ms", [0, 400])
@pytest.mark.parametrize("times", [3, 5])
def test_a_sentence_is_written_as_often_as_it_is_said(
    worker: tuple[LoneWorker, str], sound: Path, tmp_path: Path, times: int, pause_ms: int
) -> None:
    repeated, _ = repeat(sound, tmp_path / "again.wav", SENTENCE_MS, times=times, pause_ms=pause_ms)
    assert heard(worker, repeated).count("country") == times


@pytest.mark.parametrize("pause_ms", [0, 400])
def test_a_refrain_of_two_lines_is_written_four_times(
    worker: tuple[LoneWorker, str], sound: Path, tmp_path: Path, pause_ms: int
) -> None:
    repeated, _ = repeat(sound, tmp_path / "refrain.wav", *REFRAIN_MS, times=4, pause_ms=pause_ms)
    said = heard(worker, repeated)
    assert (said.count("young"), said.count("himself")) == (4, 4)
