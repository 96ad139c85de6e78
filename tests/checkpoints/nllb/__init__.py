"""A small NLLB in a model store: transformers' own class, and a tokenizer of its own, made in `nllb`.

Arranged, its weights translate: one layer's attention finds the token of the source at the same place, and
each token is written as its partner, another of the same script; the partner's partner is the token itself.
So what comes out shows what went in, and ends where it ended. Else its weights are random to the last.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.demucs import store_files

__all__ = ["MODEL", "ask_transformers", "make_nllb"]

_ROOT = Path(__file__).resolve().parents[3]
MODEL = "nllb-200-distilled-600m"
"""The id under which the small model stands in the store, one of the registry's."""


def make_nllb(store: Path, *, arranged: bool = True, positions: int = 512) -> str:
    """Put the small model into the store, where there is none, and return its id.

    `positions`: how many tokens of a text it reads at most.
    """
    if not has_model(MODEL, store):
        folder = store / MODEL
        folder.mkdir(parents=True, exist_ok=True)
        _run("making", str(folder), json.dumps({"arranged": arranged, "positions": positions}))
        store_files(folder)
    return MODEL


def ask_transformers(store: Path, questions: list[dict[str, Any]]) -> list[str]:
    """Return what transformers itself makes of each text, one call a text, without our engine.

    A question is `text`, `source` and `target` (NLLB's tags), `beams` and `most_new_tokens`.
    """
    answers: list[str] = json.loads(_run("reference", str(store / MODEL), json.dumps(questions)))
    return answers


def _run(module: str, *words: str) -> str:
    command = [envspecs.interpreter("nllb"), "-m", f"tests.checkpoints.nllb.{module}", *words]
    return subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
