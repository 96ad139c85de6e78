"""Answers as HTTP carries them: the documents of `--json`, and errors as OpenAI's clients read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from clients.screen.report import JSON_VERSION
from protocol.errors import CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.schema import to_plain

__all__ = ["HttpProblem", "document", "error_document", "refusal", "status_of"]

_STATUS = {
    ErrorKind.USAGE: 400,
    ErrorKind.INPUT: 422,
    ErrorKind.MISSING: 424,
    ErrorKind.NOT_RUNNING: 503,
    ErrorKind.TRANSIENT: 503,
    ErrorKind.RESOURCE: 503,
    ErrorKind.DISK_FULL: 507,
    ErrorKind.CANCELLED: 410,
}
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}
_RETRY_AFTER_S = 5
_SERVER_ERROR = 500
_UNAVAILABLE = 503


class HttpProblem(Exception):  # noqa: N818 (it is an answer, not a fault)
    """What keeps a request from being answered: an error and its status."""

    def __init__(
        self, status: int, message: str, remedy: str = "", *, code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.info = ErrorInfo(kind=ErrorKind.USAGE, message=message, remedy=remedy)
        self.code = code
        self.param = param


def document(value: Any, status: int = 200) -> JSONResponse:
    """Return a document as `--json` writes it."""
    return JSONResponse({"version": JSON_VERSION, **to_plain(value)}, status)


def status_of(kind: ErrorKind) -> int:
    """Return the status of an error of this kind."""
    return _STATUS.get(kind, _SERVER_ERROR)


def error_document(info: ErrorInfo, status: int, *, code: str = "", param: str = "") -> dict[str, Any]:
    """Return the error: `message`, `type`, `param` and `code` as OpenAI has them, and what to do."""
    return {
        "error": {
            "message": f"{info.message} {info.remedy}".strip(),
            "type": _TYPES.get(
                status, "server_error" if status >= _SERVER_ERROR else "invalid_request_error"
            ),
            "param": param or None,
            "code": code or info.kind.value,
            "remedy": info.remedy,
        }
    }


def refusal(problem: Exception, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer to a request that cannot be met."""
    if isinstance(problem, HttpProblem):
        status, info, code, param = problem.status, problem.info, problem.code, problem.param
    else:
        info = info_from_error(problem)
        status, code, param = status_of(info.kind), "", ""
        if not isinstance(problem, CpwError):
            # What a library says of itself is for the log.
            info = ErrorInfo(kind=info.kind, message="Something went wrong here.", remedy="cpw logs http")
    sent = dict(headers or {})
    if status == _UNAVAILABLE:
        sent["Retry-After"] = str(_RETRY_AFTER_S)
    elif status in (409, 429) or status >= _SERVER_ERROR:
        # OpenAI's client would send the whole film again for what a second time cannot cure.
        sent["x-should-retry"] = "false"
    return JSONResponse(error_document(info, status, code=code, param=param), status, headers=sent)
