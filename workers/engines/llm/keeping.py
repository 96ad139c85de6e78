"""Scenes that are done, kept for the next attempt at the step: nobody pays for them twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.artefacts import read_json_as, write_json
from protocol.errors import SchemaError
from protocol.schema import to_plain
from workers.engines.llm.asking import Usage
from workers.engines.llm.prompts import Message
from workers.text.translating import Meaning

__all__ = ["KeptScene", "key_of", "read_kept", "write_kept"]

_VERSION = 1
"""Of what is done with an answer: a scene that another version has judged is asked for again."""


@dataclass(frozen=True, kw_only=True)
class KeptScene:
    """What became of a scene, line by line, and what it cost."""

    meanings: tuple[Meaning, ...]
    usage: Usage


def key_of(endpoint: str, model: str, messages: Sequence[Message], *, retry: bool) -> str:
    """Return the file name of a scene: by all that its translation depends on."""
    asked = json.dumps([_VERSION, endpoint, model, retry, list(messages)], ensure_ascii=True)
    return f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


def read_kept(kept: Callable[[str], Path], key: str, lines: int) -> KeptScene | None:
    """Return what is kept of a scene with so many lines; None where nothing is, or a damaged file."""
    try:
        found = read_json_as(KeptScene, kept(key))
    except (OSError, ValueError, SchemaError):
        return None
    return found if len(found.meanings) == lines else None


def write_kept(kept: Callable[[str], Path], key: str, scene: KeptScene) -> None:
    """Keep a scene, whole, on the disk."""
    write_json(kept(key), to_plain(scene))
