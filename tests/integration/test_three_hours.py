"""A film of three hours through the stages subtitle and mux, in a real worker: what memory they take."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pysubs2
import pytest

from protocol.artefacts import describe_file, write_json
from protocol.schema import to_plain
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.subtitle import SubtitleRequest
from protocol.timeline import Segment, Transcript
from tests.conftest import Figure
from tests.lone_worker import LoneWorker
from tests.rss import Watch
from tests.word_streams import hours_of
from workers.engines.common.film.ffmpeg import find_ffmpeg
from workers.engines.common.film.probe import probe

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

HOURS_MS = 3 * 3_600_000
WORDS = 30_000
LIMIT = 500_000_000
FORMATS = ("srt", "vtt", "ass", "ttml", "tsv", "txt", "json")


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a minute with as many packets as a film has (24 frames, 48 kHz), and join it 180 times."""
    minute, film = (tmp_path_factory.mktemp("long") / name for name in ("minute.mp4", "film.mp4"))
    quiet = (find_ffmpeg(), "-nostdin", "-v", "error", "-y")
    picture = ("-f", "lavfi", "-i", "color=black:s=64x36:r=24:d=60")
    sound = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=60")
    subprocess.run([*quiet, *picture, *sound, "-c:v", "mpeg4", "-c:a", "aac", str(minute)], check=True)
    joined = ("-stream_loop", "-1", "-i", str(minute), "-t", str(HOURS_MS // 1_000), "-c", "copy")
    subprocess.run([*quiet, *joined, str(film)], check=True)
    return film


def transcript(language: str) -> Transcript:
    words = [word for line in hours_of(language, 3, WORDS) for word in line]
    spans = [tuple(words[at : at + 20]) for at in range(0, WORDS, 20)]
    segments = (
        Segment(
            start_ms=span[0].start_ms,
            end_ms=span[-1].end_ms,
            text=" ".join(word.text for word in span),
            words=span,
        )
        for span in spans
    )
    return Transcript(language=language, segments=tuple(segments))


def test_a_film_of_three_hours_is_subtitled_and_muxed_within_half_a_gigabyte(
    long_film: Path, tmp_path: Path, figure: Figure
) -> None:
    engines = (
        "subtitle=workers.engines.common.subtitle:CueSubtitle",
        "mux=workers.engines.common.film.mux:FfmpegMux",
    )
    with LoneWorker(*engines) as worker:
        worker.wait_ready()
        tracks = []
        with Watch(worker.process.pid, children=True) as cutting:
            for language in ("en", "hi"):
                write_json(tmp_path / "t.json", to_plain(transcript(language)))
                made = worker.do(
                    "subtitle",
                    SubtitleRequest(
                        transcript=worker.take_in(tmp_path / "t.json", f"in/{language}.json"),
                        title="Film",
                        media_duration_ms=HOURS_MS,
                        formats=FORMATS,
                        karaoke=True,
                    ),
                )
                path = next(file.path for file in made.files if file.path.endswith(".srt"))
                tracks.append(
                    SubtitleTrack(file=describe_file(worker.folder / path, path), language=language)
                )
                assert len(pysubs2.load(str(worker.folder / path))) == made.cue_count > 1_000
        with Watch(worker.process.pid, children=True) as muxing:
            request = MuxRequest(media=str(long_film), tracks=tuple(tracks), title="Film")
            done = worker.do("mux", request, budget_ms=240_000)
        assert done.track_languages == ("en", "hi")
        assert abs(probe(worker.folder / done.film.path).facts.duration_ms - HOURS_MS) < 1_000
    most = [peak / 1e6 for peak in (cutting.highest, muxing.highest, muxing.children, muxing.together)]
    figure(
        f"three hours, {WORDS} words: subtitle in {len(FORMATS)} formats at most {most[0]:.0f} MB; "
        f"mux {most[1]:.0f} MB and its ffmpeg {most[2]:.0f} MB, {most[3]:.0f} MB together at most "
        f"(limit {LIMIT / 1e6:.0f})"
    )
    assert cutting.together < LIMIT
    assert muxing.children
    assert muxing.together < LIMIT
