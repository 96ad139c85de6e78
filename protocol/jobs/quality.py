"""What to expect of a job's subtitles before anybody has seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Grade", "Quality"]

Grade = Literal["draft", "good", "best"]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The grade of the weakest model that the job uses, for its languages."""

    grade: Grade
    why: str
    """`whisper-base recognises Hindi`"""
