"""What comes out of whisperx does not depend on the cores of a call, and comes out again the next time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.artefacts import Artefact
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest
from protocol.stages.demux import DemuxRequest
from protocol.stages.translate import TranslateRequest
from tests.data import data
from tests.lone_worker import LoneWorker

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(600)]

FILMS = ("film_en", "film_hi")


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the sound of each film, as the stage demux writes it."""
    folder = tmp_path_factory.mktemp("sounds")
    with LoneWorker.of("common") as common:
        common.wait_ready()
        for film in FILMS:
            result = common.do("demux", DemuxRequest(media=str(data(f"film/{film}.mp4"))))
            (folder / film).write_bytes((common.folder / result.audio.path).read_bytes())
    return {film: folder / film for film in FILMS}


def workers() -> Iterator[LoneWorker]:
    for threads in ("1", "2"):
        with LoneWorker.of("whisperx", options=("--threads", threads)) as worker:
            worker.wait_ready()
            yield worker


def made_of(worker: LoneWorker, sound: Path, source: str) -> tuple[bytes, ...]:
    """Return the files that recognition, alignment and, not of English, translation write."""
    audio = worker.take_in(sound, "audio.wav")

    def read(artefact: Artefact) -> bytes:
        return (worker.folder / artefact.path).read_bytes()

    heard = worker.do("asr", AsrRequest(audio=audio, language=source))
    aligned = worker.do("align", AlignRequest(audio=audio, segments=heard.segments, speech=heard.speech))
    if source == "en":
        return read(heard.segments), read(aligned.transcript)
    request = TranslateRequest(
        transcript=aligned.transcript,
        audio=audio,
        speech=heard.speech,
        source_language=source,
        target_language="en",
    )
    english = worker.do("translate", request)
    return read(heard.segments), read(aligned.transcript), read(english.transcript)


@pytest.mark.parametrize(
    ("film", "source"), [("film_en", "en"), pytest.param("film_hi", "hi", marks=pytest.mark.long)]
)
def test_files_are_byte_equal_with_one_lane_and_with_two_and_the_second_time(
    sounds: dict[str, Path], film: str, source: str
) -> None:
    made = [made_of(worker, sounds[film], source) for worker in workers() for _ in range(2)]
    assert made[0][0]
    assert made == [made[0]] * 4
