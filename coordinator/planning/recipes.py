"""Workflows as tables, and how a step's request is made from the job and the results before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from protocol.artefacts import Artefact
from protocol.errors import BugError
from protocol.messages import Submit
from protocol.schema import from_plain, to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.separate import SeparateRequest, SeparateResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.stages.vad import VadRequest, VadResult
from protocol.timeline import Span

__all__ = [
    "RECIPES",
    "SOURCE",
    "Ingredient",
    "Order",
    "Results",
    "build_request",
    "gentler",
]

T = TypeVar("T")

SOURCE = "source"
"""Stands for the language of the film where a step is named after a language."""


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """One stage of a workflow; `per` says whether there is one step, or one for each target language."""

    stage: str
    per: Literal["film", "source", "target"]
    needs: tuple[str, ...] = ()
    """Stages of the same language (or of the film) that must be done."""
    after: tuple[str, ...] = ()
    """Stages all of whose steps must have ended: a failed target does not lose the others."""


_SPEECH = (
    Ingredient(stage="demux", per="film"),
    Ingredient(stage="separate", per="film", needs=("demux",)),
    Ingredient(stage="vad", per="film", needs=("demux", "separate")),
    Ingredient(stage="asr", per="film", needs=("demux", "separate", "vad")),
    Ingredient(stage="align", per="film", needs=("asr",)),
    Ingredient(stage="clean", per="film", needs=("align",)),
)
_SOURCE_TRACK = Ingredient(stage="subtitle", per="source", needs=("clean",))
_TARGET_TRACKS = (
    Ingredient(stage="translate", per="target", needs=("clean",)),
    Ingredient(stage="subtitle", per="target", needs=("clean", "translate")),
)

RECIPES: dict[str, tuple[Ingredient, ...]] = {
    "transcribe": (*_SPEECH, _SOURCE_TRACK),
    "translate": (*_SPEECH, *_TARGET_TRACKS),
    "subtitle": (
        *_SPEECH,
        _SOURCE_TRACK,
        *_TARGET_TRACKS,
        Ingredient(stage="mux", per="film", needs=("clean",), after=("subtitle",)),
    ),
}


class Results:
    """What the finished steps of a job returned, as the stages' result types; `planned` are all its steps."""

    def __init__(self, by_step: Mapping[str, dict[str, Any]], planned: Collection[str] = ()) -> None:
        self._by_step = by_step
        self.planned = planned

    def _of(self, step: str, kind: type[T]) -> T:
        if step not in self._by_step:
            message = f"A step was begun before {step}, which it reads, was done."
            raise BugError(message)
        return from_plain(kind, self._by_step[step])

    @property
    def demux(self) -> DemuxResult:
        """Return the demux step's result."""
        return self._of("demux", DemuxResult)

    @property
    def sound(self) -> Artefact:
        """Return what is listened to: the voices alone where they were separated."""
        if "separate" in self.planned:
            return self._of("separate", SeparateResult).vocals
        return self.demux.audio

    @property
    def heard(self) -> tuple[Span, ...] | None:
        """Return where vad heard speech, None where the recogniser listens for itself."""
        return self._of("vad", VadResult).speech if "vad" in self.planned else None

    @property
    def asr(self) -> AsrResult:
        """Return the asr step's result."""
        return self._of("asr", AsrResult)

    def transcript(self, target: str | None) -> Artefact:
        """Return the translated transcript, or the source's where there is no translation to `target`."""
        if f"translate-{target}" in self._by_step:
            return self._of(f"translate-{target}", TranslateResult).transcript
        # A job of before there was this stage has no such step.
        return self._of("clean", CleanResult).transcript if "clean" in self.planned else self.aligned

    @property
    def aligned(self) -> Artefact:
        """Return the transcript as it was heard, before it was cleaned."""
        return self._of("align", AlignResult).transcript

    @property
    def cleaning(self) -> Artefact | None:
        """Return the report of what was removed; None for a job of before there was one."""
        return self._of("clean", CleanResult).report if "clean" in self.planned else None

    def subtitles(self) -> tuple[SubtitleResult, ...]:
        """Return the results of every subtitle step that is done, the source's first."""
        names = sorted(
            (name for name in self._by_step if name.startswith("subtitle-")),
            key=lambda name: (name != f"subtitle-{SOURCE}", name),
        )
        return tuple(self._of(name, SubtitleResult) for name in names)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a step is to be done with."""

    stage: str
    target: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the planner chose: the model of the route, the device."""


def build_request(order: Order, submit: Submit, title: str, results: Results) -> Any:
    """Return the stage's request: what a person set wins over what was chosen, that over the recipe."""
    fields = _BUILDERS[order.stage](submit, title, order.target, results)
    kind = type(fields)
    parameters = {**order.choices, **submit.parameters.get(order.stage, {})}
    if submit.workflow == "subtitle" and "formats" in parameters:
        # The film's own tracks are made of SRT, whatever else is written.
        parameters["formats"] = list(dict.fromkeys(("srt", *parameters["formats"])))
    return from_plain(kind, {**to_plain(fields), **parameters}) if parameters else fields


def gentler(request: T, failures: int) -> T:
    """Return the request of an attempt after `failures` for want of memory: in pieces of one."""
    if failures and any(parameter.name == "batch_size" for parameter in dataclasses.fields(request)):  # type: ignore[arg-type]
        return dataclasses.replace(request, batch_size=1)  # type: ignore[type-var]
    return request


def _demux(submit: Submit, _title: str, _target: str | None, results: Results) -> DemuxRequest:
    return DemuxRequest(
        media=submit.media,
        audio_track=submit.audio_track,
        start_ms=submit.start_ms,
        end_ms=submit.end_ms,
        full_band="separate" in results.planned,
    )


def _separate(_submit: Submit, _title: str, _target: str | None, results: Results) -> SeparateRequest:
    sound = results.demux.full_band
    if sound is None:
        message = "The film's sound was not taken out in full."
        raise BugError(message)
    return SeparateRequest(audio=sound)


def _vad(_submit: Submit, _title: str, _target: str | None, results: Results) -> VadRequest:
    return VadRequest(audio=results.sound)


def _asr(submit: Submit, _title: str, _target: str | None, results: Results) -> AsrRequest:
    return AsrRequest(audio=results.sound, speech=results.heard, language=submit.source_language)


def _align(_submit: Submit, _title: str, _target: str | None, results: Results) -> AlignRequest:
    asr = results.asr
    return AlignRequest(audio=results.sound, segments=asr.segments, speech=asr.speech, model=asr.model)


def _clean(_submit: Submit, _title: str, _target: str | None, results: Results) -> CleanRequest:
    # Without VAD the recogniser's stretches are where its own words are: they speak for every word.
    return CleanRequest(
        transcript=results.aligned,
        speech=results.asr.speech,
        media_duration_ms=results.demux.audio_duration_ms,
    )


def _translate(_submit: Submit, _title: str, target: str | None, results: Results) -> TranslateRequest:
    asr = results.asr
    return TranslateRequest(
        transcript=results.transcript(None),
        audio=results.sound,
        speech=asr.speech,
        source_language=asr.language,
        target_language=target or "en",
    )


def _subtitle(_submit: Submit, title: str, target: str | None, results: Results) -> SubtitleRequest:
    demux = results.demux
    return SubtitleRequest(
        transcript=results.transcript(target),
        cleaning=results.cleaning,
        title=title,
        media_duration_ms=max(demux.facts.duration_ms, demux.clip_start_ms + demux.audio_duration_ms),
        offset_ms=demux.clip_start_ms,
        frames_per_second=demux.facts.frames_per_second,
        shot_changes_ms=demux.shot_changes_ms,
        formats=("srt", "vtt", "txt", "json"),
    )


def _mux(submit: Submit, title: str, _target: str | None, results: Results) -> MuxRequest:
    tracks = tuple(
        SubtitleTrack(file=file, language=subtitle.language)
        for subtitle in results.subtitles()
        if subtitle.cue_count
        for file in subtitle.files
        if file.path.endswith(".srt")
    )
    return MuxRequest(media=submit.media, tracks=tracks, title=title, year=submit.year)


_Builder = Callable[[Submit, str, str | None, Results], Any]
_BUILDERS: dict[str, _Builder] = {
    "demux": _demux,
    "separate": _separate,
    "vad": _vad,
    "asr": _asr,
    "align": _align,
    "clean": _clean,
    "translate": _translate,
    "subtitle": _subtitle,
    "mux": _mux,
}
