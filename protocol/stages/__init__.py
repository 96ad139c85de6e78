"""The stage table: a stage is a contract, a request and a result with a schema version.

To add one: a module here, a line in `STAGES`, a line in a recipe, an engine (ARCHITECTURE.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocol.stages.align import AlignRequest, AlignResult
from protocol.stages.asr import AsrRequest, AsrResult
from protocol.stages.clean import CleanRequest, CleanResult
from protocol.stages.demux import DemuxRequest, DemuxResult
from protocol.stages.mux import MuxRequest, MuxResult
from protocol.stages.separate import SeparateRequest, SeparateResult
from protocol.stages.subtitle import SubtitleRequest, SubtitleResult
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.stages.vad import VadRequest, VadResult

__all__ = ["OPTIONAL_STAGES", "STAGES", "Stage"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A contract. A call's budget is `budget_ms + budget_per_media * media milliseconds`."""

    name: str
    folder: str
    """Folder in the job folder, numbered in the order of the pipeline."""
    version: int
    request: type
    result: type
    budget_ms: int
    budget_per_media: float
    optional: Literal["", "when-built", "when-asked"] = ""
    """Part of a job always, where its environment is built, or where a person asks for it."""


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="demux",
            folder="01_demux",
            version=2,
            request=DemuxRequest,
            result=DemuxResult,
            budget_ms=600_000,
            budget_per_media=1.0,
        ),
        Stage(
            name="separate",
            folder="04_separate",
            version=1,
            request=SeparateRequest,
            result=SeparateResult,
            budget_ms=600_000,
            budget_per_media=10.0,
            optional="when-asked",
        ),
        Stage(
            name="vad",
            folder="05_vad",
            version=1,
            request=VadRequest,
            result=VadResult,
            budget_ms=300_000,
            budget_per_media=2.0,
            optional="when-built",
        ),
        Stage(
            name="asr",
            folder="06_asr",
            version=2,
            request=AsrRequest,
            result=AsrResult,
            budget_ms=300_000,
            budget_per_media=10.0,
        ),
        Stage(
            name="align",
            folder="07_align",
            version=1,
            request=AlignRequest,
            result=AlignResult,
            budget_ms=300_000,
            budget_per_media=5.0,
        ),
        Stage(
            name="clean",
            folder="09_clean",
            version=1,
            request=CleanRequest,
            result=CleanResult,
            budget_ms=120_000,
            budget_per_media=0.1,
        ),
        Stage(
            name="translate",
            folder="10_translate",
            version=2,
            request=TranslateRequest,
            result=TranslateResult,
            budget_ms=300_000,
            budget_per_media=10.0,
        ),
        Stage(
            name="subtitle",
            folder="11_subtitle",
            version=2,
            request=SubtitleRequest,
            result=SubtitleResult,
            budget_ms=120_000,
            budget_per_media=0.1,
        ),
        Stage(
            name="mux",
            folder="12_mux",
            version=2,
            request=MuxRequest,
            result=MuxResult,
            budget_ms=600_000,
            # With `burn` the picture is encoded: 1920 x 1080 took two cores 1.3 times the film's length, and
            # 3840 x 2160 has four times the points.
            budget_per_media=20.0,
        ),
    )
}

OPTIONAL_STAGES = tuple(name for name, stage in STAGES.items() if stage.optional)
"""Stages that a job can do without."""
