"""Lines to train small tokenizers with: FLORES-200 where it lies beside the project, else made up ones."""

from __future__ import annotations

import random
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SHARED = _ROOT.parent / "shared" / "data"
_CONSONANTS = "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह"
_VOWELS = ["", "ा", "ि", "ी", "ु", "ू", "े", "ै", "ो", "ौ", "ं", "्या"]
_SEED = 11


def shared(path: str) -> Path | None:
    """Return a file or folder of the test data, None where it is not there."""
    found = _SHARED / path
    return found if found.exists() else None


def lines() -> list[str]:
    """Return some thousand lines in several scripts; the same on every machine with the same data."""
    real = sorted(folder.glob("flores200.*.devtest")) if (folder := shared("mt")) else []
    if real:
        return [line for file in real for line in file.read_text(encoding="utf-8").splitlines()]
    return made_up()


def made_up() -> list[str]:
    """Return lines of this project's documents, and of words in Devanagari that nobody ever said."""
    documents = [_ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    english = [
        line for document in documents for line in document.read_text(encoding="utf-8").splitlines() if line
    ]
    chance = random.Random(_SEED)
    words = [_word(chance) for _ in range(800)]
    hindi = [" ".join(chance.choices(words, k=chance.randint(3, 12))) + " ।" for _ in range(1_500)]
    return [*english, *hindi]


def _word(chance: random.Random) -> str:
    syllables = range(chance.randint(1, 4))
    return "".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in syllables)
