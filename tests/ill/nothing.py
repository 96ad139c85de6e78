"""Engines that do nothing and write nothing, to measure what is around them."""

from __future__ import annotations

import hashlib

from protocol.artefacts import Artefact
from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxRequest, DemuxResult, MediaFacts
from protocol.stages.mux import MuxRequest, MuxResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest, TranslateResult
from workers.engine import Context, Models

_FACTS = MediaFacts(
    duration_ms=2_000,
    container="none",
    has_video=False,
    frames_per_second=None,
    audio_tracks=(),
    subtitle_languages=(),
)


class NoClean:
    """Finds everything clean."""

    stage = "clean"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: CleanRequest, context: Context) -> CleanResult:
        """Return a result without a file."""
        return CleanResult(
            transcript=request.transcript, report=request.transcript, removed={}, segment_count=0
        )


class NoTranslate:
    """Answers at once with the transcript that it was given."""

    stage = "translate"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Return a result without a file."""
        return TranslateResult(transcript=request.transcript, segment_count=0, model=request.model)


class NoDemux:
    """Says that any film has a sound of two seconds."""

    stage = "demux"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: DemuxRequest, context: Context) -> DemuxResult:
        """Return a result without a file; its digest is another one for every film."""
        digest = hashlib.sha256(request.media.encode()).hexdigest()
        audio = Artefact(path="nothing", size=0, sha256=digest)
        return DemuxResult(audio=audio, audio_duration_ms=2_000, audio_track=0, clip_start_ms=0, facts=_FACTS)


class NoAsr:
    """Hears German without listening."""

    stage = "asr"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Return a result without a file."""
        return AsrResult(
            segments=request.audio,
            language="de",
            language_probability=1.0,
            segment_count=0,
            speech=(),
            device="cpu",
            compute_type="int8",
            model=request.model,
        )


class NoAlign:
    """Times no word."""

    stage = "align"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: AlignRequest, context: Context) -> AlignResult:
        """Return a result without a file."""
        return AlignResult(transcript=request.segments, word_count=0, timed_by={})


class NoSubtitle:
    """Writes no cue."""

    stage = "subtitle"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: SubtitleRequest, context: Context) -> SubtitleResult:
        """Return a result without a file."""
        return SubtitleResult(files=(), language="de", cue_count=0, first_cues=())


class NoMux:
    """Muxes nothing."""

    stage = "mux"

    def warm(self, models: Models, model: str | None) -> None:
        """Nothing to load."""

    def run(self, request: MuxRequest, context: Context) -> MuxResult:
        """Return a result without a file."""
        return MuxResult(film=Artefact(path="nothing", size=0, sha256=""), track_languages=())
