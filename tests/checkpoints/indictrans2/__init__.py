"""Small models of IndicTrans2's shape in a model store; made in the environment `indictrans2`.

The code that they bring (`code/`) is written for the tests. The tokenizer's files are the real ones where
they lie beside the project (the target's vocabulary cut to some thousand words), else small ones made here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.demucs import store_files

__all__ = ["MODELS", "make_indictrans2", "tag_word"]

_ROOT = Path(__file__).resolve().parents[3]
MODELS = {
    "en-indic": "indictrans2-en-indic-dist-200m",
    "indic-en": "indictrans2-indic-en-dist-200m",
    "indic-indic": "indictrans2-indic-indic-dist-320m",
}
"""Direction to the id under which its small model stands in the store, one of the registry's."""


def make_indictrans2(
    store: Path, direction: str, *, real_files: bool = True, raw_positions: bool = False
) -> str:
    """Put a small model of the direction into the store, where there is none, and return its id.

    `raw_positions`: its table of positions is not the formula's.
    """
    identity = MODELS[direction]
    if not has_model(identity, store):
        folder = store / identity
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {"direction": direction, "real_files": real_files, "raw_positions": raw_positions}
        python = envspecs.interpreter("indictrans2")
        making = [python, "-m", "tests.checkpoints.indictrans2.making", str(folder), json.dumps(wanted)]
        subprocess.run(making, cwd=_ROOT, check=True)
        store_files(folder)
    return identity


def tag_word(store: Path, identity: str, tag: str) -> str:
    """Return the word that the small model writes for a language tag: proof that it was given that one."""
    words: dict[str, str] = json.loads((store / identity / "tags.json").read_text(encoding="utf-8"))
    return words[tag]
