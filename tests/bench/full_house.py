"""A house with every environment that is built; where no weights can be had, models of the real shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import envspecs
from tests.checkpoints.demucs import make_htdemucs
from tests.checkpoints.nllb import make_nllb
from tests.real_house import RealHouse

__all__ = ["FullHouse", "full_house"]

_WANTED = ("whisperx", "pyannote", "demucs", "bergamot", "nllb")
_TARGETS = {"bergamot": "pt", "nllb": "de"}
"""A translator of text, and a language into which it translates English."""
_MADE = {"demucs": make_htdemucs, "nllb": make_nllb}


@dataclass(frozen=True)
class FullHouse:
    """The house, and what it lacks."""

    house: RealHouse
    missing: frozenset[str]

    def translators(self) -> list[str]:
        """Return the environments that translate text."""
        return [name for name in _TARGETS if name not in self.missing]

    def words(self, translator: str = "") -> list[str]:
        """Return the options for an English film that give each environment something to do.

        A film has one translator of text, or none.
        """
        words = ["-s", "en"] + ([] if "demucs" in self.missing else ["--with", "separate"])
        return (
            [*words, "-t", _TARGETS[translator], "--env", f"translate={translator}"] if translator else words
        )

    def without(self) -> str:
        """Return a sentence about what is missing, empty where nothing is."""
        names = ", ".join(sorted(self.missing))
        return f"not built, and so not at work: {names}\n" if names else ""


def full_house(folder: Path) -> FullHouse:
    """Lay out a house in the folder, with a model store of its own."""
    missing = frozenset(name for name in _WANTED if not envspecs.is_built(envspecs.read(name)))
    store = folder / "models"
    store.mkdir(parents=True)
    for model in envspecs.models_directory().iterdir():
        if (model / "manifest.json").is_file():
            (store / model.name).symlink_to(model)
    for name, make in _MADE.items():
        if name not in missing:
            make(store)
    return FullHouse(RealHouse(folder, CPW_MODELS=str(store)), missing)
