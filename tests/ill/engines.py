"""Quick engines that keep the stages' contracts, and misbehave when `asr.initial_prompt` says so."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from protocol.artefacts import describe_film
from protocol.errors import InputError, TransientError
from protocol.schema import to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import HEARD_SO_FAR, AsrRequest, AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxRequest, DemuxResult, MediaFacts
from protocol.stages.mux import MuxRequest, MuxResult
from protocol.stages.separate import SeparateRequest, SeparateResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.stages.vad import VadRequest, VadResult
from protocol.timeline import Segment, Span, Transcript, Word
from workers.engine import Context, ModelKey, Models

FACTS = MediaFacts(
    duration_ms=2_000,
    container="fake",
    has_video=True,
    frames_per_second=24.0,
    audio_tracks=(),
    subtitle_languages=(),
)


_MEGABYTE_OF_LINES = (b"x" * 99 + b"\n") * 10_486


def _write(context: Context, name: str, transcript: Transcript) -> Any:
    context.output(name).write_text(json.dumps(to_plain(transcript)))
    return context.publish(name)


class FakeDemux:
    """Writes the film's bytes as its sound; a film that starts with `bad` cannot be used.

    One that starts with `ms 60000 ` is a minute long, others two seconds.
    """

    stage = "demux"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: DemuxRequest, context: Context) -> DemuxResult:
        data = Path(request.media).read_bytes()
        if data.startswith(b"bad"):
            message = f"{request.media} is not a film."
            raise InputError(message)
        length_ms = int(data.split(maxsplit=2)[1]) if data.startswith(b"ms ") else 2_000
        context.output("audio.wav").write_bytes(data)
        audio = context.publish("audio.wav")
        full_band = None
        if request.full_band:
            context.output("audio_full.flac").write_bytes(data)
            full_band = context.publish("audio_full.flac")
        return DemuxResult(
            audio=audio,
            audio_duration_ms=length_ms,
            audio_track=0,
            clip_start_ms=0,
            facts=FACTS,
            full_band=full_band,
            film=describe_film(Path(request.media)),
        )


class FakeSeparate:
    """Writes down what it was given."""

    stage = "separate"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: SeparateRequest, context: Context) -> SeparateResult:
        context.output("vocals.wav").write_bytes(b"the voices of " + request.audio.path.encode())
        return SeparateResult(
            vocals=context.publish("vocals.wav"), duration_ms=2_000, model=request.model, device="cpu"
        )


class FakeVad:
    """Hears speech everywhere, and writes down in what."""

    stage = "vad"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: VadRequest, context: Context) -> VadResult:
        context.output("speech_segments.json").write_text(json.dumps({"heard": request.audio.path}))
        return VadResult(
            segments=context.publish("speech_segments.json"),
            speech=(Span(start_ms=100, end_ms=900, peak=0.75),),
            speech_ms=800,
            method=request.method,
            device="cpu",
        )


def _hold_the_gil(seconds: int) -> None:
    """Wait in native code without giving the GIL back: `PyDLL` calls keep it."""
    ctypes.PyDLL(None).sleep(seconds)


def _wait_for_release(context: Context, path: Path) -> None:
    """Work until the file `path` is there, reporting progress, as a long recognition would."""
    while not path.exists():
        context.progress(0.5)
        ctypes.CDLL(None).usleep(5_000)


class FakeAsr:
    """Recognises `hello world`; what `initial_prompt` names goes wrong."""

    stage = "asr"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        models.get(ModelKey(kind="fake", model="whisper-base", device="cpu", compute_type="int8"), object)

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        key = ModelKey(kind="fake", model="whisper-base", device="cpu", compute_type="int8")
        context.models.get(key, object)
        order, _, argument = (request.initial_prompt or "").partition(":")
        self._misbehave(order, argument, context)
        context.output("batch.txt").write_text(str(request.batch_size))
        context.publish("batch.txt")
        context.output("asked.json").write_text(json.dumps(to_plain(request)))
        context.publish("asked.json")
        language = argument if order == "language" else request.language or "de"
        transcript = Transcript(
            language=language,
            segments=(Segment(start_ms=100, end_ms=900, text="hello world"),),
            language_probability=0.9,
        )
        segments = _write(context, "segments.json", transcript)
        odd: Any = {"unsendable": object(), "huge": 2**70}.get(order, 1)
        return AsrResult(
            segments=segments,
            language=language,
            language_probability=0.9,
            segment_count=odd,
            speech=(Span(start_ms=100, end_ms=900),),
            device="cpu",
            compute_type="int8",
            model=request.model,
        )

    def _misbehave(  # noqa: C901, PLR0912, PLR0915 (a list of misdeeds)
        self, order: str, argument: str, context: Context
    ) -> None:
        match order:
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "exit":
                os._exit(0)
            case "systemexit":
                sys.exit(3)
            case "memory":
                raise MemoryError
            case "memory-once" if not Path(argument).exists():
                Path(argument).touch()
                raise MemoryError
            case "bug":
                message = "a library's own error"
                raise RuntimeError(message)
            case "transient-once" if not Path(argument).exists():
                Path(argument).touch()
                message = "The device is busy."
                raise TransientError(message)
            case "hold-gil":
                subprocess.Popen(["sleep", "600"])
                Path(argument).write_text(str(os.getpid()))
                _hold_the_gil(600)
            case "loop":
                while True:
                    pass
            case "threads":
                while context.models.threads() != int(argument):
                    context.progress(0.5)
                    ctypes.CDLL(None).usleep(5_000)
            case "kill-once" if not Path(argument).exists():
                Path(argument).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            case "flood":
                for _ in range(int(argument)):
                    os.write(1, _MEGABYTE_OF_LINES)
            case "heard-until":
                with context.output(HEARD_SO_FAR).open("w") as file:
                    file.write('{"start_ms": 100, "end_ms": 900, "text": "hello world"}\n{"start_ms"')
                _wait_for_release(context, Path(argument))
            case "until":
                _wait_for_release(context, Path(argument))
            case "surrogates":
                message = "a library's own error about \udc80"
                raise RuntimeError(message)
            case "verbose":
                raise RuntimeError("x" * (17 << 20))
            case "progress-of-another-type":
                context.progress(Fraction(1, 2))  # type: ignore[arg-type]  # (wrong on purpose)
            case "print":
                os.write(1, b"a line from native code\ntoken=abcdefghijkl\n")
            case _:
                return


class FakeAlign:
    """Gives two words their times."""

    stage = "align"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        language = json.loads(context.input(request.segments).read_text())["language"]
        words = (
            Word(text="hello", start_ms=100, end_ms=400),
            Word(text="world", start_ms=500, end_ms=900),
        )
        transcript = Transcript(
            language=language,
            segments=(Segment(start_ms=100, end_ms=900, text="hello world", words=words),),
        )
        return AlignResult(
            transcript=_write(context, "transcript.json", transcript), word_count=2, timed_by={"fake": 2}
        )


class FakeClean:
    """Takes nothing out, but says that it did where `loop_keep` is 1."""

    stage = "clean"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: CleanRequest, context: Context) -> CleanResult:
        context.output("transcript.json").write_bytes(context.input(request.transcript).read_bytes())
        context.output("cleaning.json").write_text(json.dumps({"speech": to_plain(request.speech)}))
        return CleanResult(
            transcript=context.publish("transcript.json"),
            report=context.publish("cleaning.json"),
            removed={"loops": 2, "outside_speech": 1} if request.loop_keep == 1 else {},
            segment_count=1,
        )


class FakeTranslate:
    """Says that it is a translation; with `target_script` "doubtful" a loud and a doubtful one."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        plain = json.loads(context.input(request.transcript).read_text())
        plain["translated_from"], plain["language"] = plain["language"], request.target_language
        doubtful = request.target_script == "doubtful"
        for segment in plain["segments"] if doubtful else ():
            segment |= {"text": segment["text"].upper() + "!", "marks": ["untranslated"], "engine": "loud"}
        name = f"transcript.{request.target_language}.json"
        context.output(name).write_text(json.dumps(plain))
        return TranslateResult(
            transcript=context.publish(name),
            segment_count=1,
            model=request.model,
            marks={"untranslated": 1} if doubtful else {},
        )


class FakeSubtitle:
    """Writes one cue."""

    stage = "subtitle"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        language = json.loads(context.input(request.transcript).read_text())["language"]
        files = []
        for suffix in request.formats:
            name = f"{request.title}.{language}.{suffix}"
            context.output(name).write_text("1\n00:00:00,100 --> 00:00:00,900\nhello world\n")
            files.append(context.publish(name))
        return SubtitleResult(files=tuple(files), language=language, cue_count=1, first_cues=())


class FakeMux:
    """Puts the tracks' names behind the film's bytes."""

    stage = "mux"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: MuxRequest, context: Context) -> MuxResult:
        languages = tuple(track.language for track in request.tracks)
        name = f"{request.title}_subtitled.mkv"
        context.output(name).write_bytes(Path(request.media).read_bytes() + " ".join(languages).encode())
        return MuxResult(film=context.publish(name), track_languages=languages)
