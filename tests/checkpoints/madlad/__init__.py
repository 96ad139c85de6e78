"""A small MADLAD-400 in a model store: T5 in CTranslate2's format with random weights, made in `madlad`.

Its tokenizer has real words and the tags of some languages. Random weights answer every change of what goes
in with other words, so equal answers mean equal questions.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.demucs import store_files

__all__ = ["MODEL", "ask_ctranslate2", "make_madlad"]

_ROOT = Path(__file__).resolve().parents[3]
MODEL = "madlad400-3b-mt"
"""The id under which the small model stands in the store, one of the registry's."""


def make_madlad(store: Path, *, tokenizer: str = "spiece.model") -> str:
    """Put the small model into the store, where there is none, and return its id.

    `tokenizer`: the name of that file, which conversions do not agree on.
    """
    if not has_model(MODEL, store):
        folder = store / MODEL
        folder.mkdir(parents=True, exist_ok=True)
        _run("making", str(folder), tokenizer)
        store_files(folder)
    return MODEL


def ask_ctranslate2(
    store: Path, tag: str, texts: Sequence[str], *, beams: int = 4, **options: Any
) -> list[str]:
    """Return what CTranslate2 itself makes of each text, one call a text, without our engine."""
    question = json.dumps({"tag": tag, "texts": list(texts), "beams": beams, "options": options})
    answers: list[str] = json.loads(_run("reference", str(store / MODEL), question))
    return answers


def _run(module: str, *words: str) -> str:
    command = [envspecs.interpreter("madlad"), "-m", f"tests.checkpoints.madlad.{module}", *words]
    return subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
