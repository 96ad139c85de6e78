"""The memory and the cores that workers may take: from an environment's spec, or set by a person."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from envspecs.spec import EnvSpec, Memory
from protocol.errors import SchemaError, UsageError
from protocol.schema import from_plain

__all__ = ["core_budget", "memory_of", "ram_budget_bytes", "threads_of", "variable_of"]

_PREFIX = "CPW_MEMORY_"
_HOUSE = "CPW_RAM_MB"
_CORES = "CPW_CORES"
_SHARE = 0.8
_MEGABYTE = 1_000_000


def variable_of(name: str) -> str:
    """Return the variable that overrides an environment's budgets: `CPW_MEMORY_WHISPERX_EXPERIMENTAL`."""
    return _PREFIX + name.upper().replace("-", "_")


def memory_of(spec: EnvSpec, environ: Mapping[str, str] | None = None) -> Memory:
    """Return the spec's `[memory]` with the words of `CPW_MEMORY_<ENV>` over it.

    The words are those of the table: `CPW_MEMORY_WHISPERX="ram_mb=4000 idle_unload_s=600 load=first-use"`.
    Raises `UsageError` for a word that is none of them, or a value that is not of its kind.
    """
    variable = variable_of(spec.name)
    words = (os.environ if environ is None else environ).get(variable, "").split()
    plain: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        plain[name] = _value(value)
    try:
        given = from_plain(Memory, plain, path=variable, strict=True)
    except SchemaError as error:
        raise _wrong(variable, f"{error.path}: {error.problem}.") from error
    memory = replace(spec.memory, **{name: getattr(given, name) for name in plain})
    for name in ("idle_unload_s", "ram_mb", "vram_mb"):
        value = getattr(memory, name)
        if not (value >= 0 and math.isfinite(value)):
            raise _wrong(variable, f"{name} of {spec.name} is {value}; it is 0 (no limit) or more.")
    return memory


def _wrong(variable: str, message: str) -> UsageError:
    return UsageError(message, f'Write for instance: {variable}="ram_mb=4000 idle_unload_s=600"')


def _value(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def ram_budget_bytes(ram_bytes: int, environ: Mapping[str, str] | None = None) -> int:
    """Return what all workers together may take: `CPW_RAM_MB`, else four fifths of the machine's RAM.

    0 means no limit. Raises `UsageError` if the variable is not a whole number.
    """
    given = (os.environ if environ is None else environ).get(_HOUSE, "")
    if not given:
        return round(_SHARE * ram_bytes)
    if not given.isdecimal():
        message = f"{_HOUSE} is {given!r}, not a number of megabytes."
        raise UsageError(message, f"Write for instance: {_HOUSE}=16000")
    return int(given) * _MEGABYTE


def core_budget(cores: int, environ: Mapping[str, str] | None = None) -> int:
    """Return how many cores all running calls together may keep busy: `CPW_CORES`, else the usable `cores`.

    Raises `UsageError` if the variable is not a whole number of 1 or more.
    """
    given = (os.environ if environ is None else environ).get(_CORES, "")
    if not given:
        return cores
    if not given.isdecimal() or int(given) < 1:
        message = f"{_CORES} is {given!r}, not a number of cores."
        raise UsageError(message, f"Write for instance: {_CORES}=4")
    return int(given)


def threads_of(spec: EnvSpec, cores: int) -> int:
    """Return how many threads a worker computes with at most: `cores`, or what its engines gain from."""
    return min(cores, spec.threads or cores)
