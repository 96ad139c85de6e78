"""Workflows as tables, and how a step's request is made from the job and the results before it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from protocol.artefacts import Artefact
from protocol.errors import BugError
from protocol.messages import Submit
from protocol.schema import from_plain, to_plain
from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest, TranslateResult

__all__ = ["RECIPES", "SOURCE", "Ingredient", "Results", "build_request", "gentler"]

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
    Ingredient(stage="asr", per="film", needs=("demux",)),
    Ingredient(stage="align", per="film", needs=("asr",)),
)
_SOURCE_TRACK = Ingredient(stage="subtitle", per="source", needs=("align",))
_TARGET_TRACKS = (
    Ingredient(stage="translate", per="target", needs=("align",)),
    Ingredient(stage="subtitle", per="target", needs=("align", "translate")),
)

RECIPES: dict[str, tuple[Ingredient, ...]] = {
    "transcribe": (*_SPEECH, _SOURCE_TRACK),
    "translate": (*_SPEECH, *_TARGET_TRACKS),
    "subtitle": (
        *_SPEECH,
        _SOURCE_TRACK,
        *_TARGET_TRACKS,
        Ingredient(stage="mux", per="film", needs=("align",), after=("subtitle",)),
    ),
}


class Results:
    """What the finished steps of a job returned, as the stages' result types."""

    def __init__(self, by_step: Mapping[str, dict[str, Any]]) -> None:
        self._by_step = by_step

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
    def asr(self) -> AsrResult:
        """Return the asr step's result."""
        return self._of("asr", AsrResult)

    def transcript(self, target: str | None) -> Artefact:
        """Return the translated transcript, or the source's where there is no translation to `target`."""
        if f"translate-{target}" in self._by_step:
            return self._of(f"translate-{target}", TranslateResult).transcript
        return self._of("align", AlignResult).transcript

    def subtitles(self) -> tuple[SubtitleResult, ...]:
        """Return the results of every subtitle step that is done, the source's first."""
        names = sorted(
            (name for name in self._by_step if name.startswith("subtitle-")),
            key=lambda name: (name != f"subtitle-{SOURCE}", name),
        )
        return tuple(self._of(name, SubtitleResult) for name in names)


def build_request(stage: str, submit: Submit, title: str, target: str | None, results: Results) -> Any:
    """Return the stage's request; the person's parameters win over what the recipe sets."""
    fields = _BUILDERS[stage](submit, title, target, results)
    kind = type(fields)
    parameters = submit.parameters.get(stage, {})
    return from_plain(kind, {**to_plain(fields), **parameters}) if parameters else fields


def gentler(request: T, failures: int) -> T:
    """Return the request of an attempt after `failures` for want of memory: in pieces of one."""
    if failures and any(each.name == "batch_size" for each in dataclasses.fields(request)):  # type: ignore[arg-type]
        return dataclasses.replace(request, batch_size=1)  # type: ignore[type-var]
    return request


def _demux(submit: Submit, _title: str, _target: str | None, _results: Results) -> DemuxRequest:
    return DemuxRequest(
        media=submit.media,
        audio_track=submit.audio_track,
        start_ms=submit.start_ms,
        end_ms=submit.end_ms,
    )


def _asr(submit: Submit, _title: str, _target: str | None, results: Results) -> AsrRequest:
    return AsrRequest(audio=results.demux.audio, language=submit.source_language)


def _align(_submit: Submit, _title: str, _target: str | None, results: Results) -> AlignRequest:
    asr = results.asr
    return AlignRequest(audio=results.demux.audio, segments=asr.segments, speech=asr.speech, model=asr.model)


def _translate(_submit: Submit, _title: str, target: str | None, results: Results) -> TranslateRequest:
    asr = results.asr
    return TranslateRequest(
        transcript=results.transcript(None),
        audio=results.demux.audio,
        speech=asr.speech,
        source_language=asr.language,
        target_language=target or "en",
        model=asr.model,
    )


def _subtitle(_submit: Submit, title: str, target: str | None, results: Results) -> SubtitleRequest:
    demux = results.demux
    return SubtitleRequest(
        transcript=results.transcript(target),
        title=title,
        media_duration_ms=max(demux.facts.duration_ms, demux.clip_start_ms + demux.audio_duration_ms),
        offset_ms=demux.clip_start_ms,
        formats=("srt", "vtt", "txt", "json"),
    )


def _mux(submit: Submit, title: str, _target: str | None, results: Results) -> MuxRequest:
    tracks = tuple(
        SubtitleTrack(file=file, language=each.language)
        for each in results.subtitles()
        if each.cue_count
        for file in each.files
        if file.path.endswith(".srt")
    )
    return MuxRequest(media=submit.media, tracks=tracks, title=title)


_Builder = Callable[[Submit, str, str | None, Results], Any]
_BUILDERS: dict[str, _Builder] = {
    "demux": _demux,
    "asr": _asr,
    "align": _align,
    "translate": _translate,
    "subtitle": _subtitle,
    "mux": _mux,
}
