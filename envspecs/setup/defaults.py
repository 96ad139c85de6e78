"""The default model of an environment here: what was chosen for the machine once it is in the store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from envspecs.models.registry import Model
from envspecs.setup.choice import Chosen, choose
from envspecs.setup.needs import same_weights
from envspecs.setup.pins import read_pins
from envspecs.spec import EnvSpec
from protocol.hardware import Hardware
from protocol.stages import asr

__all__ = ["SETUP", "chosen_here", "default_model", "is_off"]

SETUP: Final = "CPW_SETUP"
_OFF = "off"


def is_off(environ: Mapping[str, str]) -> bool:
    """Return whether a person wants no model to be chosen or fetched by itself."""
    return environ.get(SETUP, "").strip().casefold() == _OFF


def chosen_here(
    hardware: Hardware, registry: Mapping[str, Model], store: Path | None = None
) -> Chosen | None:
    """Return what was chosen for this machine, None where nothing is to be; raises as `read_pins` does."""
    return None if is_off(os.environ) else choose(hardware, read_pins(store), registry)


def default_model(
    spec: EnvSpec,
    chosen: Chosen | None,
    registry: Mapping[str, Model],
    has_model: Callable[[str], bool],
) -> str:
    """Return the model that the environment uses where a job names none; empty where it needs none.

    Until the chosen one is in the store it is the one of the spec.
    """
    if chosen is not None and asr.STAGE.name in spec.stages:
        model = same_weights(chosen.recogniser, spec, registry)
        if model is not None and has_model(model.id):
            return model.id
    return spec.default_model
