"""What a person can choose from, as the rows of stages, formats and languages say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from protocol.languages import every_language, every_script, language_name
from protocol.stages import OPTIONAL_STAGES, WORKFLOWS
from protocol.stages.subtitle import SubtitleRequest
from protocol.subtitles.formats import FORMATS
from protocol.subtitles.rules import QUALITY_RULES

__all__ = ["Options", "options"]


@dataclass(frozen=True, kw_only=True)
class WorkflowOption:
    """A workflow; `targets`: it translates."""

    name: str
    targets: bool
    default_targets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LanguageOption:
    """A language."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class FormatOption:
    """A subtitle format that can be written."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """All that can be chosen for a job and its subtitles."""

    workflows: tuple[WorkflowOption, ...]
    languages: tuple[LanguageOption, ...]
    """By their names."""
    scripts: tuple[LanguageOption, ...]
    """Languages in other scripts than their usual ones: `hi-Latn`, as targets."""
    profiles: tuple[str, ...]
    formats: tuple[FormatOption, ...]
    optional_stages: tuple[str, ...]
    rules: dict[str, str]
    """Rule to what is said after a number of cues that break it."""
    media: tuple[str, ...]
    """Folders below which films may be named."""


def options(media: Sequence[Path]) -> Options:
    """Return what can be chosen; `media` are the folders in which films may be named."""
    languages = sorted(every_language(), key=lambda language: language.name)
    return Options(
        workflows=tuple(
            WorkflowOption(name=flow.name, targets=flow.translates, default_targets=flow.default_targets)
            for flow in WORKFLOWS.values()
        ),
        languages=tuple(LanguageOption(code=language.code, name=language.name) for language in languages),
        scripts=tuple(
            sorted(
                (LanguageOption(code=str(tag), name=language_name(str(tag))) for tag in every_script()),
                key=lambda option: option.name,
            )
        ),
        profiles=get_args(get_type_hints(SubtitleRequest)["profile"]),
        formats=tuple(
            FormatOption(name=row.name, title=row.title) for row in FORMATS.values() if row.written
        ),
        optional_stages=OPTIONAL_STAGES,
        rules={rule.name: rule.of_many for rule in QUALITY_RULES.values()},
        media=tuple(str(folder) for folder in media),
    )
