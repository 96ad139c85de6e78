"""An address of the server as a row, and the OpenAPI document that is made of all rows."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["Row", "openapi", "openapi_text"]

Handler = Callable[[Request], Awaitable[Response]]

_PARAMETER = re.compile(r"\{(\w+)(:\w+)?\}")
_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
    type(None): {"type": "null"},
}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("message", "type", "code", "remedy")}
            | {"param": {"type": ["string", "null"]}},
        }
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One address and what it does; the first sentence of the handler's docstring says it to people."""

    method: str
    path: str
    handler: Handler
    body: type | str | None = None
    """The dataclass of a JSON body, or the media type of another one."""
    answer: type | str | None = None
    """The dataclass of the answer, or its media type."""
    query: tuple[str, ...] = ()


async def openapi(request: Request) -> Response:
    """Return the OpenAPI document of this server."""
    return Response(openapi_text(request.app.state.rows), media_type="application/json")


def openapi_text(rows: Sequence[Row]) -> str:
    """Return the document of these addresses as JSON."""
    return json.dumps(_document(rows), indent=1, ensure_ascii=False) + "\n"


def _document(rows: Sequence[Row]) -> dict[str, Any]:
    schemas: dict[str, Any] = {"Error": _ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        path = _PARAMETER.sub(r"{\1}", row.path)
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "cpw", "version": "1", "summary": "Film in, subtitles out."},
        "security": [{"bearer": []}, {"basic": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "cpw_session"},
            },
        },
    }


def _operation(row: Row, schemas: dict[str, Any]) -> dict[str, Any]:
    said = (row.handler.__doc__ or "").strip().partition("\n")[0]
    found: dict[str, Any] = {"summary": said, "operationId": f"{row.method.lower()}{_id_of(row.path)}"}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name, _ in _PARAMETER.findall(row.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in row.query]
    if parameters:
        found["parameters"] = parameters
    if row.body is not None:
        found["requestBody"] = {"required": True, "content": _content(row.body, schemas)}
    answer = {"description": "As asked.", "content": _content(row.answer, schemas)} if row.answer else None
    problem = {
        "description": "What happened, and what to do.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    found["responses"] = {"2XX": answer or {"description": "As asked."}, "default": problem}
    return found


def _id_of(path: str) -> str:
    return "".join(part.title() for part in re.findall(r"\w+", _PARAMETER.sub(r"by_\1", path)))


def _content(kind: type | str, schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, str):
        return {kind: {"schema": {} if kind.endswith("json") else {"type": "string"}}}
    return {"application/json": {"schema": _schema(kind, schemas)}}


def _schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of dataclasses go into `schemas`, each once."""
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        _put(kind, schemas)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    origin, members = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"type": "string", "enum": list(members)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(member, schemas) for member in members]}
    if origin is tuple:
        return {"type": "array", "items": _schema(members[0], schemas)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(members[1], schemas)}
    message = f"{kind} has no schema."
    raise TypeError(message)


def _put(kind: type, schemas: dict[str, Any]) -> None:
    if kind.__name__ in schemas:
        return
    schemas[kind.__name__] = {}  # it may hold itself
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    needed = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    schemas[kind.__name__] = {
        "type": "object",
        "description": (kind.__doc__ or "").strip().partition("\n")[0],
        "properties": {field.name: _schema(hints[field.name], schemas) for field in fields},
        **({"required": needed} if needed else {}),
    }
