"""How a step's request is made from the job and the results before it: one function a stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from protocol.artefacts import Artefact
from protocol.errors import BugError
from protocol.jobs.glossary import sources_of, terms_for
from protocol.languages import read_tag
from protocol.messages import Submit
from protocol.pipeline import SOURCE
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES, TRANSCRIPT_STAGES, WORKFLOWS
from protocol.stages.align import AlignRequest
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.stages.mux import MuxRequest, SubtitleTrack
from protocol.stages.separate import SeparateRequest, SeparateResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest
from protocol.stages.vad import VadRequest, VadResult
from protocol.timeline import Span, Turn

__all__ = ["Inputs", "Results", "build_request", "gentler"]

T = TypeVar("T")


class Results:
    """What the finished steps of a job returned, as the stages' result types.

    `planned` are the names of all its steps: a job that was made before there was a stage has none of it.
    """

    def __init__(self, by_step: Mapping[str, dict[str, Any]], planned: Collection[str] | None = None) -> None:
        self._by_step = by_step
        self.planned = by_step if planned is None else planned

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
    def audio_ms(self) -> int:
        """Return the length of the film's sound; 0 where it is not known yet."""
        # Read as it is stored: this is asked often, also of films whose turn has not come.
        found = self._by_step.get("demux", {}).get("audio_duration_ms")
        return found if isinstance(found, int) else 0

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

    def transcript(self, stage: str, target: str | None = None) -> Artefact:
        """Return the newest transcript that a stage before `stage` left.

        In the language `target` where there is one, as the film's own language is not translated; else in
        the film's. The script of `target` says how its subtitles are written.
        """
        order = tuple(STAGES)
        before = [name for name in TRANSCRIPT_STAGES if order.index(name) < order.index(stage)]
        language = read_tag(target).language if target else target
        steps = [f"{name}-{language}" for name in before if f"{name}-{language}" in self._by_step]
        steps = steps or [name for name in before if name in self.planned]
        if not steps:
            message = f"There is no transcript that the stage {stage} could read."
            raise BugError(message)
        result = STAGES[steps[-1].partition("-")[0]].result
        return self._of(steps[-1], result).transcript

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Return who speaks when; empty where nobody asked for it."""
        return self._of("diarize", DiarizeResult).turns if "diarize" in self.planned else ()

    @property
    def cleaning(self) -> Artefact | None:
        """Return the report of what was removed; None where nothing was cleaned."""
        return self._of("clean", CleanResult).report if "clean" in self.planned else None

    def subtitles(self) -> tuple[SubtitleResult, ...]:
        """Return the results of every subtitle step that is done, the source's first."""
        names = sorted(
            (name for name in self._by_step if name.startswith("subtitle-")),
            key=lambda name: (name != f"subtitle-{SOURCE}", name),
        )
        return tuple(self._of(name, SubtitleResult) for name in names)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a step's request is made from."""

    submit: Submit
    title: str
    results: Results
    target: str | None = None
    """The language that the step is for, where it is for one."""
    choices: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the planner chose: the model of the route, the device."""


_OF_TRANSLATOR = frozenset({"model", "device", "compute_type", "beam_size", "batch_size"})
"""What a person chose of these for one translator says nothing about the next, who goes on with its draft.
The rest is of the translation: a draft in Latin letters is not continued in others."""


def build_request(stage: str, inputs: Inputs) -> Any:
    """Return the stage's request.

    What a person set replaces what the planner chose, and that replaces what the builder filled in.
    """
    request = _BUILDERS[stage](inputs)
    submit = inputs.submit
    chosen = submit.parameters.get(stage, {})
    if "draft" in inputs.choices:
        chosen = {name: value for name, value in chosen.items() if name not in _OF_TRANSLATOR}
    parameters = {**inputs.choices, **chosen}
    if "formats" in parameters and WORKFLOWS[submit.workflow].has("mux"):
        # The film's own tracks are made of SRT, whatever else is written.
        parameters["formats"] = list(dict.fromkeys(("srt", *parameters["formats"])))
    return from_plain(type(request), {**to_plain(request), **parameters}) if parameters else request


def gentler(request: T, failures: int) -> T:
    """Return the request for the next attempt: in batches of one where memory ran out in earlier ones."""
    if failures and any(parameter.name == "batch_size" for parameter in dataclasses.fields(request)):  # type: ignore[arg-type]  # (a request is a dataclass)
        return dataclasses.replace(request, batch_size=1)  # type: ignore[type-var]  # (a request is a dataclass)
    return request


def _demux(inputs: Inputs) -> DemuxRequest:
    submit = inputs.submit
    return DemuxRequest(
        media=submit.media,
        audio_track=submit.audio_track,
        language=submit.source_language,
        start_ms=submit.start_ms,
        end_ms=submit.end_ms,
        full_band="separate" in inputs.results.planned,
    )


def _separate(inputs: Inputs) -> SeparateRequest:
    sound = inputs.results.demux.full_band
    if sound is None:
        message = "The film's sound was not taken out in full."
        raise BugError(message)
    in_doubt = inputs.submit.parameters.get("separate", {}).get("when") == "auto"
    return SeparateRequest(audio=sound, own=inputs.results.demux.audio if in_doubt else None)


def _vad(inputs: Inputs) -> VadRequest:
    return VadRequest(audio=inputs.results.sound)


def _asr(inputs: Inputs) -> AsrRequest:
    results, submit = inputs.results, inputs.submit
    return AsrRequest(
        audio=results.sound,
        speech=results.heard,
        language=submit.source_language,
        hotwords=sources_of(submit.glossary),
    )


def _align(inputs: Inputs) -> AlignRequest:
    asr = inputs.results.asr
    return AlignRequest(audio=inputs.results.sound, segments=asr.segments, speech=asr.speech, model=asr.model)


def _diarize(inputs: Inputs) -> DiarizeRequest:
    return DiarizeRequest(audio=inputs.results.sound)


def _clean(inputs: Inputs) -> CleanRequest:
    # Without VAD the recogniser's stretches are where its own words are: they speak for every word.
    return CleanRequest(
        transcript=inputs.results.transcript("clean"),
        speech=inputs.results.asr.speech,
        media_duration_ms=inputs.results.audio_ms,
        turns=inputs.results.turns,
        terms=sources_of(inputs.submit.glossary),
    )


def _translate(inputs: Inputs) -> TranslateRequest:
    asr = inputs.results.asr
    return TranslateRequest(
        transcript=inputs.results.transcript("translate"),
        audio=inputs.results.sound,
        speech=asr.speech,
        source_language=asr.language,
        target_language=inputs.target or "en",
        glossary=terms_for(inputs.submit.glossary, inputs.target or "en"),
    )


def _subtitle(inputs: Inputs) -> SubtitleRequest:
    results, demux = inputs.results, inputs.results.demux
    return SubtitleRequest(
        transcript=results.transcript("subtitle", inputs.target),
        script=read_tag(inputs.target).script if inputs.target else "",
        cleaning=results.cleaning,
        title=inputs.title,
        media_duration_ms=max(demux.facts.duration_ms, demux.clip_start_ms + demux.audio_duration_ms),
        offset_ms=demux.clip_start_ms,
        frames_per_second=demux.facts.frames_per_second,
        shot_changes_ms=demux.shot_changes_ms,
        formats=("srt", "vtt", "txt", "json"),
    )


def _mux(inputs: Inputs) -> MuxRequest:
    tracks = tuple(
        SubtitleTrack(file=file, language=subtitle.language)
        for subtitle in inputs.results.subtitles()
        if subtitle.cue_count
        for file in subtitle.files
        if file.path.endswith(".srt")
    )
    submit = inputs.submit
    return MuxRequest(media=submit.media, tracks=tracks, title=inputs.title, year=submit.year)


_BUILDERS: dict[str, Callable[[Inputs], Any]] = {
    "demux": _demux,
    "separate": _separate,
    "vad": _vad,
    "asr": _asr,
    "align": _align,
    "diarize": _diarize,
    "clean": _clean,
    "translate": _translate,
    "subtitle": _subtitle,
    "mux": _mux,
}
