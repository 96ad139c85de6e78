"""Little films that ffmpeg makes, and the engines of `common` run on them in a scratch folder."""

from __future__ import annotations

import array
import wave
from pathlib import Path

import av
import pytest

from protocol.artefacts import describe_file
from protocol.errors import CancelledError
from protocol.stages.demux import DemuxRequest
from protocol.stages.mux import MuxRequest, SubtitleTrack
from workers.engines.common.film.demux import FfmpegDemux
from workers.engines.common.film.mux import FfmpegMux

FILMS = Path(__file__).resolve().parents[2] / "shared" / "data" / "film"
SRT = (
    "1\n00:00:00,500 --> 00:00:01,500\nनमस्ते & <hello>\nline two\n\n2\n00:00:02,000 --> 00:00:02,900\nend\n\n"
)
PICTURE = ("-f", "lavfi", "-i", "testsrc=d=3:s=64x64:r=24")
BEEP = ("-f", "lavfi", "-i", "sine=d=3:f=440")


class NoModels:
    """A store without any model."""

    def has(self, model):
        return False


class Scratch:
    debug = False

    def __init__(self, root, cancel_after=None, models=None):
        self.root = root
        self.models = models or NoModels()
        self.seen = []
        self.cancel_after = cancel_after

    def input(self, artefact):
        return self.root / artefact.path

    def output(self, name):
        return self.root / name

    def publish(self, name):
        return describe_file(self.root / name, name)

    def progress(self, fraction, note=""):
        assert 0 <= fraction <= 1
        self.seen.append(fraction)
        if self.cancel_after is not None and len(self.seen) > self.cancel_after:
            raise CancelledError("The job was cancelled.")


def real(name: str) -> Path:
    path = FILMS / name
    if not path.is_file():
        pytest.skip(f"{path} is not beside the project")
    return path


def demux(scratch, media, **options):
    return FfmpegDemux().run(DemuxRequest(media=str(media), **options), scratch)


def samples(path: Path) -> array.array[int]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return array.array("h", file.readframes(file.getnframes()))


def first_sound_ms(path: Path) -> float:
    heard = samples(path)
    return next(place for place, sample in enumerate(heard) if abs(sample) > 500) / 16


def loud_at(path: Path, at_ms: int) -> bool:
    heard = samples(path)[at_ms * 16 : at_ms * 16 + 160]
    return max(map(abs, heard), default=0) > 500


def track(scratch, language: str, text: str = SRT) -> SubtitleTrack:
    name = f"{language}.srt"
    (scratch.root / name).write_text(text, encoding="utf-8")
    return SubtitleTrack(file=describe_file(scratch.root / name, name), language=language)


def mux(scratch, media, *languages, title="Film", **options):
    tracks = tuple(track(scratch, language) for language in languages)
    return FfmpegMux().run(MuxRequest(media=str(media), tracks=tracks, title=title, **options), scratch)


def streams(path: Path) -> list[tuple[str, str, str]]:
    with av.open(str(path)) as container:
        return [
            (
                stream.type,
                stream.codec_context.codec.canonical_name if stream.codec_context else "",
                stream.language,
            )
            for stream in container.streams
        ]


def cue_times(path: Path, index: int) -> list[float]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(index) if packet.size > 2]
        return [round(float(packet.pts * packet.time_base), 2) for packet in packets]
