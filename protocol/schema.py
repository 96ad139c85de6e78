"""Dataclasses to plain values (what msgpack, JSON and TOML carry) and back.

cattrs and msgspec do this too; `protocol` is imported by every environment's interpreter and keeps to
msgpack alone (docs/adr/0002-own-schema.md).
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from protocol.errors import SchemaError

__all__ = ["SPARSE", "check_field", "from_json", "from_plain", "to_plain"]

T = TypeVar("T")

SPARSE: Mapping[str, bool] = types.MappingProxyType({"sparse": True})
"""Metadata of a field that is written only where it has another value than its default: documents that do not
use it stay as they were."""

_UNIONS = (Union, types.UnionType)
_SIMPLE = frozenset({str, float, bool})
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})
# What SQLite holds; msgpack carries twice as much.
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


def to_plain(value: Any) -> Any:
    """Return `value` with dataclasses as dicts, tuples as lists and enums as their values.

    A field with `SPARSE` as its metadata is left out where it has its default.
    """
    if type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        sparse = _sparse(type(value))
        return {
            name: to_plain(getattr(value, name))
            for name in _fields(type(value))
            if name not in sparse or getattr(value, name) != sparse[name]
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(entry) for entry in value]
    return value


def from_plain(cls: type[T], value: Any, *, path: str = "", strict: bool = False) -> T:
    """Build a `cls` from plain values.

    Unknown keys are ignored unless `strict` (a person wrote them), missing ones take their default.
    Raises `SchemaError` naming the field by path where a value is not of its field's type.
    """
    return typing.cast("T", _build(cls, value, path or cls.__name__, strict))


def from_json(
    cls: type[T], text: str | bytes, *, path: str = "", strict: bool = False, nan: bool = False
) -> T:
    """Build a `cls` from a JSON document; `path` and `strict` as in `from_plain`.

    `nan`: take `NaN` and `Infinity` too, which Python writes though JSON does not have them.
    Raises `ValueError` where `text` is not JSON, `SchemaError` where the document is not a `cls`.
    """
    try:
        plain = json.loads(text, parse_constant=None if nan else _refuse_constant)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error
    return from_plain(cls, plain, path=path, strict=strict)


def _refuse_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


def check_field(cls: type, name: str, value: Any) -> None:
    """Raise `SchemaError` unless `value`, as a person wrote it, can be the field `name` of a `cls`."""
    _build(_hints(cls)[name], value, f"{cls.__name__}.{name}", strict=True)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


@functools.cache
def _fields(cls: type) -> dict[str, bool]:
    """Return the names of a dataclass's fields, and of each whether it has no default."""
    missing = dataclasses.MISSING
    return {
        field.name: field.default is missing and field.default_factory is missing
        for field in dataclasses.fields(cls)
    }


@functools.cache
def _sparse(cls: type) -> dict[str, Any]:
    """Return the defaults of a dataclass's sparse fields."""
    missing = dataclasses.MISSING
    return {
        field.name: field.default if field.default_factory is missing else field.default_factory()
        for field in dataclasses.fields(cls)
        if field.metadata.get("sparse")
    }


def _build(kind: Any, value: Any, path: str, strict: bool) -> Any:  # noqa: FBT001 (handed down, never written as a literal)
    if kind is Any or (kind is type(value) and kind in _SIMPLE):
        return value
    origin = get_origin(kind)
    if origin in _UNIONS:
        return _build_union(kind, value, path, strict)
    if origin is Literal:
        return _build_choice(get_args(kind), value, path)
    if origin in (tuple, list):
        return _build_sequence(kind, value, path, strict)
    if origin in (dict, Mapping):
        return _build_mapping(kind, value, path, strict)
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, path, strict)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(_build_choice(tuple(member.value for member in kind), value, path))
    return _build_scalar(kind, value, path)


def _build_union(kind: Any, value: Any, path: str, strict: bool) -> Any:  # noqa: FBT001 (handed down, never written as a literal)
    options = get_args(kind)
    if value is None and types.NoneType in options:
        return None
    rest = [option for option in options if option is not types.NoneType]
    for option in rest[:-1]:
        try:
            return _build(option, value, path, strict)
        except SchemaError:
            continue
    return _build(rest[-1], value, path, strict)


def _build_choice(choices: tuple[Any, ...], value: Any, path: str) -> Any:
    if value not in choices:
        allowed = ", ".join(repr(choice) for choice in choices)
        raise SchemaError(path, f"{value!r} is not one of {allowed}")
    return value


def _build_sequence(kind: Any, value: Any, path: str, strict: bool) -> Any:  # noqa: FBT001 (handed down, never written as a literal)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise SchemaError(path, f"expected a list, got {type(value).__name__}")
    element = get_args(kind)[0]
    items = [_build(element, entry, f"{path}[{i}]", strict) for i, entry in enumerate(value)]
    return tuple(items) if get_origin(kind) is tuple else items


def _build_mapping(kind: Any, value: Any, path: str, strict: bool) -> Any:  # noqa: FBT001 (handed down, never written as a literal)
    if not isinstance(value, Mapping):
        raise SchemaError(path, f"expected a table, got {type(value).__name__}")
    _, element = get_args(kind)
    return {str(k): _build(element, entry, f"{path}.{k}", strict) for k, entry in value.items()}


def _build_dataclass(kind: Any, value: Any, path: str, strict: bool) -> Any:  # noqa: FBT001 (handed down, never written as a literal)
    if not isinstance(value, Mapping):
        raise SchemaError(path, f"expected a table, got {type(value).__name__}")
    fields = _fields(kind)
    unknown = [str(key) for key in value if key not in fields]
    if strict and unknown:
        known = ", ".join(sorted(fields))
        raise SchemaError(f"{path}.{unknown[0]}", f"there is no such key; known are {known}")
    hints = _hints(kind)
    built = {}
    for name, needed in fields.items():
        if name in value:
            built[name] = _build(hints[name], value[name], f"{path}.{name}", strict)
        elif needed:
            raise SchemaError(f"{path}.{name}", "is missing")
    return kind(**built)


def _build_scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    right = isinstance(value, kind)
    if right and kind is int and isinstance(value, bool):
        right = False
    if right and kind is int and not _INT_MIN <= value <= _INT_MAX:
        raise SchemaError(path, "expected an int of 64 bits")
    if not right:
        raise SchemaError(path, f"expected {kind.__name__}, got {type(value).__name__}")
    return value
