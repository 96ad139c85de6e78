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
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from protocol.errors import SchemaError

__all__ = ["SPARSE", "check_field", "from_json", "from_plain", "to_plain"]

T = TypeVar("T")
_Build = Callable[[Any], Any]
"""Builds a value from a plain one."""

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
    try:
        return typing.cast("T", _builder(cls, strict=strict)(value))
    except SchemaError as error:
        raise error.inside(path or cls.__name__) from None


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
    try:
        _builder(_hints(cls)[name], strict=True)(value)
    except SchemaError as error:
        raise error.inside(f"{cls.__name__}.{name}") from None


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


@functools.cache
def _builders(cls: type, *, strict: bool) -> tuple[tuple[str, bool, _Build], ...]:
    """Return of each field of a dataclass its name, whether it has no default, and what builds its value."""
    hints = _hints(cls)
    return tuple(
        (name, needed, _builder(hints[name], strict=strict)) for name, needed in _fields(cls).items()
    )


def _builder(kind: Any, *, strict: bool) -> _Build:
    """Return what builds a value of this type, or raises `SchemaError` with a path that begins there.

    It is asked once for a field and not once for a value: a coordinator reads thousands of messages a second.
    """
    if kind is Any:
        return _as_it_is
    origin = get_origin(kind)
    if origin in _UNIONS:
        return _union_builder(
            [_builder(option, strict=strict) for option in get_args(kind) if option is not types.NoneType],
            has_none=types.NoneType in get_args(kind),
        )
    if origin is Literal:
        return _choice_builder(get_args(kind))
    if origin in (tuple, list):
        return _sequence_builder(_builder(get_args(kind)[0], strict=strict), origin)
    if origin in (dict, Mapping):
        return _mapping_builder(_builder(get_args(kind)[1], strict=strict))
    if dataclasses.is_dataclass(kind):
        return _dataclass_builder(typing.cast("type", kind), strict=strict)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        choose = _choice_builder(tuple(member.value for member in kind))
        return lambda value: kind(choose(value))
    return _scalar_builder(kind)


def _as_it_is(value: Any) -> Any:
    return value


def _union_builder(options: Sequence[_Build], *, has_none: bool) -> _Build:
    *others, last = options

    def build(value: Any) -> Any:
        if value is None and has_none:
            return None
        for other in others:
            try:
                return other(value)
            except SchemaError:
                continue
        return last(value)

    return build


def _choice_builder(choices: tuple[Any, ...]) -> _Build:
    def build(value: Any) -> Any:
        if value not in choices:
            allowed = ", ".join(repr(choice) for choice in choices)
            raise SchemaError("", f"{value!r} is not one of {allowed}")
        return value

    return build


def _sequence_builder(build_element: _Build, origin: type) -> _Build:
    def build(value: Any) -> Any:
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            raise SchemaError("", f"expected a list, got {type(value).__name__}")
        items: list[Any] = []
        try:
            items.extend(map(build_element, value))
        except SchemaError as error:
            raise error.inside(f"[{len(items)}]") from None
        return tuple(items) if origin is tuple else items

    return build


def _mapping_builder(build_element: _Build) -> _Build:
    def build(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise SchemaError("", f"expected a table, got {type(value).__name__}")
        built = {}
        for key, entry in value.items():
            try:
                built[str(key)] = build_element(entry)
            except SchemaError as error:
                raise error.inside(f".{key}") from None
        return built

    return build


def _dataclass_builder(kind: type, *, strict: bool) -> _Build:
    def build(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise SchemaError("", f"expected a table, got {type(value).__name__}")
        if strict:
            _refuse_unknown(kind, value)
        built = {}
        # Asked for here, as a dataclass can have fields of its own type.
        for name, needed, build_field in _builders(kind, strict=strict):
            if name in value:
                try:
                    built[name] = build_field(value[name])
                except SchemaError as error:
                    raise error.inside(f".{name}") from None
            elif needed:
                raise SchemaError(f".{name}", "is missing")
        return kind(**built)

    return build


def _refuse_unknown(kind: type, value: Mapping[Any, Any]) -> None:
    fields = _fields(kind)
    unknown = [str(key) for key in value if key not in fields]
    if unknown:
        known = ", ".join(sorted(fields))
        raise SchemaError(f".{unknown[0]}", f"there is no such key; known are {known}")


def _scalar_builder(kind: type) -> _Build:
    def build(value: Any) -> Any:
        if type(value) is kind and kind in _SIMPLE:
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if right and kind is int and not _INT_MIN <= value <= _INT_MAX:
            raise SchemaError("", "expected an int of 64 bits")
        if not right:
            raise SchemaError("", f"expected {kind.__name__}, got {type(value).__name__}")
        return value

    return build
