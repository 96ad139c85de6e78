"""Real recordings beside the project, and what to compare them with. Tests say so when they are absent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import envspecs

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Line:
    """One line of a film's script."""

    start_ms: int
    end_ms: int
    text: str


def data(path: str) -> Path:
    """Return a file of the test data, or skip the test."""
    found = DATA / path
    if not found.exists():
        pytest.skip(f"the test data {DATA}/{path} is not there")
    return found


def script(film: str) -> list[Line]:
    """Return what is said in a film of the test data, and when."""
    lines = json.loads(data(f"film/{film}.json").read_text())
    return [Line(round(line["start"] * 1000), round(line["end"] * 1000), line["text"]) for line in lines]


def plain(text: str) -> str:
    """Return lower-cased words without punctuation: what word error rates are counted over."""
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def two_speakers() -> Path:
    """Return the 30 s recording that pyannote.audio ships; it is wherever whisperx is."""
    site = next(envspecs.venv_path("whisperx").glob("lib/python*/site-packages"))
    return site / "pyannote" / "audio" / "sample" / "sample.wav"
