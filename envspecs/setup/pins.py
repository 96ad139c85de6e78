"""What a person has said about the models of this machine: `setup.toml` in the model store, the one file."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from envspecs.layout import models_directory
from envspecs.spec import read_toml
from protocol.artefacts import write_whole
from protocol.errors import SchemaError, UsageError
from protocol.languages import find_tag
from protocol.schema import from_plain
from protocol.stages import asr, translate

__all__ = ["Pins", "pins_file", "read_pins", "write_pins"]

_STAGES = (asr.STAGE.name, translate.STAGE.name)
_HEAD = "# What `cpw setup` is to choose for this machine: change it here, or by its options.\n"


@dataclass(frozen=True, kw_only=True)
class Pins:
    """What a person decides; all else is chosen from the machine."""

    set: Literal["auto", "draft", "good", "best"] = "auto"
    languages: tuple[str, ...] = ()
    """Of the person's films and subtitles; ISO 639-1."""
    commercial: bool = False
    """No model whose licence forbids to earn money with what it makes."""
    models: dict[str, str] = field(default_factory=dict)
    """Stage (`asr`, `translate`) to the id of the model that is its default."""


def pins_file(store: Path | None = None) -> Path:
    """Return the file; it need not be there."""
    return (store or models_directory()) / "setup.toml"


def read_pins(store: Path | None = None) -> Pins:
    """Return what the file says; nothing where there is none. `UsageError` names what is wrong in it."""
    path = pins_file(store)
    if not path.exists():
        return Pins()
    try:
        written = from_plain(Pins, read_toml(path), path=path.name, strict=True)
        _check_stages(written.models, path.name)
    except SchemaError as error:
        message = f"The file {path}: {error}."
        raise UsageError(message, "Mend that line, or remove the file.") from error
    return Pins(
        set=written.set,
        languages=tuple(dict.fromkeys(_language(word, path) for word in written.languages)),
        commercial=written.commercial,
        models=written.models,
    )


def _language(word: str, path: Path) -> str:
    """Return the language's code; a script is for what is written, not for what is fetched."""
    try:
        return find_tag(word).language
    except UsageError as error:
        raise UsageError(f"The file {path}: languages: {error.message}", error.remedy) from error


def _check_stages(models: Mapping[str, str], at: str) -> None:
    for stage in models:
        if stage not in _STAGES:
            raise SchemaError(f"{at}.models.{stage}", f"is not one of {', '.join(_STAGES)}")


def write_pins(pins: Pins, store: Path | None = None) -> Path:
    """Write the file whole, and return its path."""
    path = pins_file(store)
    lines = [f'set = "{pins.set}"', f"languages = {_list(pins.languages)}"]
    lines.append(f"commercial = {str(pins.commercial).lower()}")
    if pins.models:
        lines += ["", "[models]", *(f'{stage} = "{model}"' for stage, model in pins.models.items())]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (_HEAD + "\n".join(lines) + "\n").encode())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        message = f"{path} cannot be written: {error.strerror}."
        raise UsageError(
            message, "Give its folder to yourself, or name another one by CPW_MODELS."
        ) from error
    return path


def _list(words: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
