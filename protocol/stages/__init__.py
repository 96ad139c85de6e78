"""The stages in the order of the pipeline, and the workflows that are made of them.

A stage is a contract: a request, a result, and a row that says all else of it, in a module of its own. To add
one (docs/adding.md): that module, its line in `STAGES`, its place in the recipes, a builder in
`coordinator/planning/builders.py`, an engine.
"""

from __future__ import annotations

from protocol.pipeline import Ingredient, Stage, Workflow
from protocol.stages import align, asr, clean, demux, diarize, mux, separate, subtitle, translate, vad

__all__ = [
    "LANGUAGE_STAGES",
    "OPTIONAL_STAGES",
    "ROUTED_STAGES",
    "SHOWN_STAGES",
    "STAGES",
    "TRANSCRIPT_STAGES",
    "WORKFLOWS",
    "required_stages",
]

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        demux.STAGE,
        separate.STAGE,
        vad.STAGE,
        asr.STAGE,
        align.STAGE,
        diarize.STAGE,
        clean.STAGE,
        translate.STAGE,
        subtitle.STAGE,
        mux.STAGE,
    )
}

OPTIONAL_STAGES = tuple(name for name, stage in STAGES.items() if stage.optional)
"""Stages that a job can do without."""
SHOWN_STAGES = tuple(name for name, stage in STAGES.items() if stage.shown)
"""Stages whose files are what the person wanted."""
TRANSCRIPT_STAGES = tuple(name for name, stage in STAGES.items() if stage.leaves_transcript)
"""Stages that leave a transcript with words, which the stages after them read."""
LANGUAGE_STAGES = tuple(name for name, stage in STAGES.items() if stage.finds_language)
"""Stages whose result says the film's language."""
ROUTED_STAGES = tuple(name for name, stage in STAGES.items() if stage.by_languages)
"""Stages whose environment and model follow from a pair of languages."""

_SPEECH = (
    Ingredient(stage="demux", per="film"),
    Ingredient(stage="separate", per="film", needs=("demux",)),
    Ingredient(stage="vad", per="film", needs=("demux", "separate")),
    Ingredient(stage="asr", per="film", needs=("demux", "separate", "vad")),
    Ingredient(stage="align", per="film", needs=("asr",)),
    Ingredient(stage="diarize", per="film", needs=("demux", "separate")),
    Ingredient(stage="clean", per="film", needs=("align", "diarize")),
)
_SOURCE_TRACK = (Ingredient(stage="subtitle", per="source", needs=("clean",)),)
_TARGET_TRACKS = (
    Ingredient(stage="translate", per="target", needs=("clean",)),
    Ingredient(stage="subtitle", per="target", needs=("clean", "translate")),
)
_FILM = (Ingredient(stage="mux", per="film", needs=("clean",), after=("subtitle",)),)

WORKFLOWS: dict[str, Workflow] = {
    workflow.name: workflow
    for workflow in (
        Workflow(name="transcribe", recipe=(*_SPEECH, *_SOURCE_TRACK)),
        Workflow(name="translate", recipe=(*_SPEECH, *_TARGET_TRACKS), default_targets=("en",)),
        Workflow(name="subtitle", recipe=(*_SPEECH, *_SOURCE_TRACK, *_TARGET_TRACKS, *_FILM)),
    )
}


def required_stages(workflow: str) -> tuple[str, ...]:
    """Return the stages that no job of the workflow does without, in the order of the pipeline."""
    asked = WORKFLOWS[workflow]
    return tuple(name for name, stage in STAGES.items() if asked.has(name) and not stage.optional)
