"""The door: who may come in, from where, and what a browser may do with an answer.

A port on this machine has no owner: every user and every page that a browser shows can reach it. So each
request is looked at before anything of it is read: the name by which it asks (a page of another name that
points here is DNS rebinding), the page that sends it, and the key that it brings.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.api.answers import HttpProblem, refusal
from clients.api.door.keys import Keys, let_in_once
from envspecs.cluster.door_key import read_door_key
from envspecs.http.settings import HttpSettings

__all__ = ["COOKIE", "Door", "is_our_name"]

COOKIE = "cpw_session"
HOOKS = "/hooks/"
NODES = "/api/cluster/"
_OPEN = frozenset({"/robots.txt"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_ASK_THE_SHELL = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not let in</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>This browser is not let in yet</h1>
<p>On the machine itself, type <code>cpw web</code>. It opens this page with a key that works once.</p>
</main></body></html>
"""


@dataclass(frozen=True, kw_only=True)
class Door:
    """ASGI middleware in front of everything."""

    app: ASGIApp
    keys: Keys
    settings: HttpSettings
    state: Path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        shut = self._shut_to_nodes(scope) if scope["path"].startswith(NODES) else self._shut(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await (self.app if shut is None else shut)(scope, receive, send_guarded)

    def _shut(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not let in; None: it is."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_our_name(host, self.settings):
            text = f"Nothing here is called {host!r}."
            return refusal(HttpProblem(403, text, "CPW_HTTP_HOSTS names more.", code="foreign_host"))
        if (wrong := _foreign(scope["method"], headers, host)) is not None:
            return refusal(HttpProblem(403, wrong, code="foreign_origin"))
        path = scope["path"]
        if path in _OPEN:
            return None
        if path == "/" and (word := _query_word(scope)):
            return self._welcome(word)
        if self._is_let_in(path, headers):
            return None
        if path == "/" and "text/html" in headers.get("accept", ""):
            return HTMLResponse(_ASK_THE_SHELL, 401)
        word = "The token is wrong." if headers.get("authorization") else "There is no token."
        problem = HttpProblem(401, word, "cpw web --token shows it.", code="invalid_api_key")
        # Players send the password of an address only when they are asked for it, and know `Basic` alone. A
        # browser would ask the person, each time a page's cookie is of no use any more.
        by_player = "sec-fetch-mode" not in headers
        ways = 'Basic realm="cpw", Bearer realm="cpw"' if by_player else 'Bearer realm="cpw"'
        return refusal(problem, {"WWW-Authenticate": ways})

    def _shut_to_nodes(self, scope: Scope) -> Response | None:
        """Return the answer to who is no node of this cluster; None: it is one.

        By which name it asks is not looked at: a page that points here has no key of a node.
        """
        key = read_door_key(self.state)
        if not key:
            text = "There is nothing at this address: this machine is not the head of a cluster."
            return refusal(HttpProblem(404, text, "See docs/http.md.", code="not_found"))
        scheme, _, word = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and hmac.compare_digest(word.strip().encode(), key.encode()):
            return None
        text = "Only nodes of this cluster are let in here."
        problem = HttpProblem(401, text, "A node is told the key when it joins.", code="invalid_api_key")
        return refusal(problem, {"WWW-Authenticate": 'Bearer realm="nodes"'})

    def _is_let_in(self, path: str, headers: Headers) -> bool:
        if path.startswith(HOOKS):
            # A media server can carry its word in the path alone.
            return self.keys.is_hooks(path.removeprefix(HOOKS).partition("/")[0])
        scheme, _, word = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer":
            return self.keys.is_token(word.strip())
        if scheme.casefold() == "basic":
            return self.keys.is_token(_password(word))
        return any(self.keys.is_session(word) for word in _cookies(headers))

    def _welcome(self, word: str) -> Response:
        """Change a word of the address for a cookie, and take it out of the address."""
        if not (let_in_once(self.state, word) or self.keys.is_token(word)):
            return HTMLResponse(_ASK_THE_SHELL, 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, self.keys.session, httponly=True, samesite="strict", path="/")
        return answer


def is_our_name(host: str, settings: HttpSettings) -> bool:
    """Return whether a Host header names this server: its address, this machine, or an allowed name."""
    name = (_split(f"//{host}").hostname or "").rstrip(".").casefold()
    return bool(name) and (name in settings.hosts or name in _LOOPBACK_NAMES or name == settings.host)


def _split(written: str) -> SplitResult:
    """Return the parts of an address; what is none has no parts."""
    try:
        found = urlsplit(written)
        _ = found.hostname, found.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return found


def _foreign(method: str, headers: Headers, host: str) -> str | None:
    """Return what is wrong where another site's page sends the request."""
    origin = headers.get("origin")
    if origin is not None and _split(origin).netloc.casefold() != host.casefold():
        return "The page of another site may not ask this server."
    if method in _SAFE or headers.get("authorization"):
        return None
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "The form of another site may not be sent here."
    if any(_cookies(headers)) and origin is None and "sec-fetch-site" not in headers:
        return "A request with a cookie must say which page sends it."
    return None


def _cookies(headers: Headers) -> list[str]:
    pairs = (part.strip().partition("=") for line in headers.getlist("cookie") for part in line.split(";"))
    return [value for name, _, value in pairs if name == COOKIE]


def _password(word: str) -> str:
    try:
        return base64.b64decode(word, validate=True).decode().partition(":")[2]
    except ValueError:  # neither base64 nor UTF-8
        return ""


def _query_word(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]
