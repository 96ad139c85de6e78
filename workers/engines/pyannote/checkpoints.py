"""Reads networks from the store: as they were fetched, and without running anything in their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from protocol.artefacts import describe_file
from protocol.errors import InputError

__all__ = [
    "CHECKPOINT",
    "NETWORK_ERRORS",
    "network_in",
    "pipeline_in",
    "refuse_changed",
    "unreadable",
    "weights_in",
]

CHECKPOINT = "pytorch_model.bin"
"""pyannote's name for the file of a network, in a folder of its own."""
_MANIFEST = "manifest.json"
NETWORK_ERRORS = (OSError, ValueError, LookupError, AttributeError, RuntimeError, TypeError, ImportError)
"""What pyannote.audio and torch raise where a file is not what they think it is."""


def network_in(checkpoint: Path, model: str) -> Any:
    """Return the network in the file.

    Raises `InputError` where the file has changed since it was fetched, would run code of its own, or is not
    pyannote's.
    """
    from pyannote.audio import Model

    refuse_changed(checkpoint)
    weights_in(checkpoint, model)
    try:
        return Model.from_pretrained(checkpoint.parent)
    except NETWORK_ERRORS as error:
        raise unreadable(model, str(error)) from error


def weights_in(file: Path, model: str) -> Any:
    """Return what the file holds; `InputError` where that is more than tensors and plain values."""
    from pickle import UnpicklingError  # noqa: TID251 (the name of torch's refusal, nothing is unpickled)

    import torch

    try:
        # `from_pretrained` runs whatever the file names; this refuses what is not a plain value.
        with torch.serialization.safe_globals(_plain_values()):
            return torch.load(file, map_location="cpu", weights_only=True)
    except (*NETWORK_ERRORS, EOFError, UnpicklingError) as error:
        raise unreadable(model, str(error)) from error


def pipeline_in(folder: Path, model: str) -> Any:
    """Return pyannote.audio's pipeline in the folder, on the processor; raises as `network_in` does."""
    from pyannote.audio import Pipeline

    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name != _MANIFEST:
            refuse_changed(file, folder)
        if file.name == CHECKPOINT:
            weights_in(file, model)
    return Pipeline.from_pretrained(folder)


def unreadable(model: str, reason: str) -> InputError:
    """Return the error for a model whose files are not what they should be."""
    message = f"pyannote.audio cannot read the model {model}: {reason.rstrip('.')}."
    return InputError(message, f"cpw models fetch --again {model}")


def _plain_values() -> list[Any]:
    """Return what the checkpoints of pyannote's segmentation hold beside tensors: values, and no function."""
    from collections import defaultdict

    from omegaconf.base import ContainerMetadata, Metadata
    from omegaconf.listconfig import ListConfig
    from omegaconf.nodes import AnyNode
    from pyannote.audio.core.model import Introspection
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.torch_version import TorchVersion

    found = [Specifications, Problem, Resolution, Introspection, TorchVersion]
    # The older one was written with settings of omegaconf.
    return [*found, ListConfig, AnyNode, ContainerMetadata, Metadata, defaultdict, Any, dict, list, int]


def refuse_changed(file: Path, model: Path | None = None) -> None:
    """Raise `InputError` where the file has changed since it was fetched: to read it is to run it.

    `model` is the model's folder, where the file is not right in it.
    """
    folder = model or file.parent
    name = file.relative_to(folder).as_posix()
    try:
        expected = json.loads((folder / _MANIFEST).read_bytes())["files"][name]["sha256"]
        found = describe_file(file, name).sha256
    except (OSError, ValueError, LookupError, TypeError) as error:
        message = f"The file {file} cannot be checked: {error}."
        raise InputError(message, f"cpw models fetch --again {folder.name}") from error
    if found != expected:
        message = f"The file {file} has changed since it was fetched."
        raise InputError(message, f"cpw models fetch --again {folder.name}")
