"""Choices for the stages of a job: `--set` a field, `--env` an environment, `--with`, `--without` a stage."""

from __future__ import annotations

import math
import types
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from clients.films import is_utf8
from protocol.errors import UsageError
from protocol.stages import OPTIONAL_STAGES, STAGES

__all__ = ["check_optional_stages", "parse_environments", "parse_settings", "parse_with"]

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "no": False, "off": False, "0": False}


def parse_settings(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return stage to field to value from `stage.field=value`; the last of two equal names counts."""
    found: dict[str, dict[str, Any]] = {}
    for word in words:
        stage, name, text = _split_setting(word)
        row = STAGES[stage]
        if (option := row.options.get(name)) is not None:
            raise UsageError(f"--set {stage}.{name} has its own option.", f"Use {option}.")
        known = _settable(stage)
        if name not in known:
            message = f"--set {word!r}: the stage {stage} has no setting {name!r}."
            raise UsageError(message, f"One of these settings: {', '.join(known) or 'none'}.")
        if name == "model" and not text.startswith(row.model_prefix):
            text = row.model_prefix + text
        found.setdefault(stage, {})[name] = _value(known[name], text, f"--set {stage}.{name}")
    for stage, row in STAGES.items():
        if "model" in found.get(row.model_of, {}):
            found.setdefault(stage, {}).setdefault("model", found[row.model_of]["model"])
    return found


def parse_environments(words: Sequence[str]) -> dict[str, str]:
    """Return stage to environment from `asr=whisperx-experimental`."""
    found: dict[str, str] = {}
    for word in words:
        stage, equals, name = (part.strip() for part in word.partition("="))
        if not equals or not name or not is_utf8(word):
            message = f"--env {word!r} is not of the form stage=environment."
            raise UsageError(message, "Write for example asr=whisperx-experimental.")
        if stage not in STAGES:
            message = f"--env {word!r}: there is no stage {stage!r}."
            raise UsageError(message, f"One of these stages: {', '.join(STAGES)}.")
        found[stage] = name
    return found


def parse_with(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the stages of `--with`, and the settings in them: `separate=auto` sets `separate.when`."""
    stages, settings = [], []
    for word in words:
        stage, equals, choice = (part.strip() for part in word.partition("="))
        stages.append(stage)
        if not equals:
            continue
        if stage not in OPTIONAL_STAGES or not STAGES[stage].takes("when"):
            message = f"--with {word!r}: the stage {stage!r} has no choice of when it is done."
            raise UsageError(message, f"Write --with {stage}.")
        settings.append(f"{stage}.when={choice}")
    return tuple(stages), tuple(settings)


def check_optional_stages(wanted: Sequence[str], unwanted: Sequence[str]) -> None:
    """Raise `UsageError` for a stage that is not optional, and for one that both options name."""
    for option, stages in (("--with", wanted), ("--without", unwanted)):
        for stage in stages:
            if stage not in OPTIONAL_STAGES:
                message = f"{option} {stage!r} is not an optional stage."
                raise UsageError(message, f"One of these stages: {', '.join(OPTIONAL_STAGES)}.")
    both = sorted(set(wanted) & set(unwanted))
    if both:
        raise UsageError(f"--with and --without both name the stage {both[0]}.")


def _split_setting(word: str) -> tuple[str, str, str]:
    name, equals, text = word.partition("=")
    stage, dot, setting = name.strip().partition(".")
    if not equals or not dot or not is_utf8(word):
        raise UsageError(
            f"--set {word!r} is not of the form stage.field=value.", "Write for example asr.model=small."
        )
    if stage not in STAGES:
        message = f"--set {word!r}: there is no stage {stage!r}."
        raise UsageError(message, f"One of these stages: {', '.join(STAGES)}.")
    if not text.strip() and setting == "model":
        raise UsageError(f"--set {word!r} names no model.")
    return stage, setting, text.strip()


def _settable(stage: str) -> dict[str, Any]:
    """Return the fields a person may set: those with a default whose type can be written in a word."""
    row, request = STAGES[stage], STAGES[stage].request
    hints = get_type_hints(request)
    return {
        field.name: hints[field.name]
        for field in fields(request)
        if (field.default is not MISSING or field.default_factory is not MISSING)
        and _can_be_written(hints[field.name])
        and field.name not in row.options
        and field.name not in row.filled
    }


def _can_be_written(kind: Any) -> bool:
    if get_origin(kind) is tuple:
        member = get_args(kind)[0]
        return member is str or get_origin(member) is Literal
    return get_origin(kind) is Literal or _plain_type(kind) in (str, int, float, bool)


def _plain_type(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        rest = [arg for arg in get_args(kind) if arg is not types.NoneType]
        return rest[0] if len(rest) == 1 else None
    return kind


def _value(kind: Any, text: str, where: str) -> Any:
    if get_origin(kind) is tuple:
        return tuple(
            _chosen(get_args(kind)[0], part.strip(), where) for part in text.split(",") if part.strip()
        )
    if get_origin(kind) is Literal:
        return _chosen(kind, text, where)
    plain = _plain_type(kind)
    if plain is not kind and text.casefold() in ("", "none"):
        return None
    if plain is bool:
        return _boolean(text, where)
    if plain in (int, float):
        return _number(plain, text, where)
    return text


def _chosen(kind: Any, text: str, where: str) -> str:
    if get_origin(kind) is Literal and text not in get_args(kind):
        raise UsageError(f"{where} cannot be {text!r}.", f"One of these values: {', '.join(get_args(kind))}.")
    return text


def _boolean(text: str, where: str) -> bool:
    if (found := _BOOLEANS.get(text.casefold())) is None:
        raise UsageError(f"{where}: {text!r} is neither true nor false.")
    return found


def _number(kind: type[int] | type[float], text: str, where: str) -> int | float:
    what = "a whole number" if kind is int else "a number"
    try:
        value = kind(text)
    except ValueError as error:
        raise UsageError(f"{where}: {text!r} is not {what}.") from error
    if not math.isfinite(value):
        raise UsageError(f"{where}: {text!r} is not {what}.")
    return value
