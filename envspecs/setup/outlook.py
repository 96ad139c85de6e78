"""What `cpw setup` would do here: what was chosen, what of it is in the store, what is still to come."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from envspecs.builds.installed import is_built
from envspecs.hardware import ASK_S, known
from envspecs.layout import models_directory
from envspecs.models.fetching import stored_bytes
from envspecs.models.registry import has_model, read_registry
from envspecs.setup.choice import Chosen, choose
from envspecs.setup.needs import ChosenModel, find_needs
from envspecs.setup.pins import Pins, read_pins
from envspecs.spec import EnvSpec, read_all
from protocol.hardware import Hardware

__all__ = ["Outlook", "Piece", "look"]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A chosen model, and how much of it is here."""

    need: ChosenModel
    here: bool
    came_bytes: int = 0
    """Of one that is not here: what an earlier or a running fetch has brought."""
    built: bool = True
    """Whether the environment that loads it is built."""

    @property
    def needs_hub(self) -> bool:
        """Return whether it is still to be fetched, and no package has it."""
        return not self.here and not any(source.kind == "package" for source in self.need.model.sources)


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Everything that a person is told."""

    chosen: Chosen
    pins: Pins
    hardware: Hardware
    pieces: tuple[Piece, ...]
    without_font: tuple[str, ...] = ()
    """Languages that no font here can write into a picture."""

    @property
    def missing(self) -> tuple[Piece, ...]:
        """Return what is still to come."""
        return tuple(piece for piece in self.pieces if not (piece.here and piece.built))

    @property
    def missing_bytes(self) -> int:
        """Return what is to be fetched of models."""
        left = (piece.need.model.size_bytes - piece.came_bytes for piece in self.missing if not piece.here)
        return sum(max(0, size) for size in left)

    @property
    def needs_hub(self) -> bool:
        """Return whether something is to come that a hub alone has."""
        return any(piece.needs_hub for piece in self.pieces)

    @property
    def unbuilt(self) -> tuple[str, ...]:
        """Return the environments that are to be built, each once."""
        return tuple(dict.fromkeys(piece.need.environment for piece in self.pieces if not piece.built))


def look(pins: Pins | None = None, store: Path | None = None) -> Outlook:
    """Return what was chosen for this machine and what is here of it; raises as `read_pins` does."""
    store = store or models_directory()
    pins = read_pins(store) if pins is None else pins
    hardware, registry = known(), read_registry()
    specs = {spec.name: spec for spec in read_all()}
    chosen = choose(hardware, pins, registry)
    needs = find_needs(chosen, pins, hardware, tuple(specs.values()), registry)
    return Outlook(
        chosen=chosen,
        pins=pins,
        hardware=hardware,
        pieces=tuple(_piece(need, specs[need.environment], store) for need in needs),
        without_font=tuple(language for language in pins.languages if _lacks_font(language)),
    )


def _piece(need: ChosenModel, spec: EnvSpec, store: Path) -> Piece:
    here = has_model(need.model.id, store)
    came = 0 if here else stored_bytes(store / f".{need.model.id}.part")
    return Piece(need=need, here=here, came_bytes=came, built=is_built(spec))


def _lacks_font(language: str) -> bool:
    """Return whether fontconfig knows no font for the language; False where there is no fontconfig to ask."""
    program = shutil.which("fc-list")
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, f":lang={language}", "family"], capture_output=True, timeout=ASK_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return not done.stdout.strip()
