"""Requests that go out: to a media server that knows where a film lies, and to whom is told of a job's end.

They go to the addresses that a person has set and nowhere else: no redirection is followed.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any, NoReturn

from envspecs.http.hooks import MediaServer
from protocol.errors import TransientError

__all__ = ["film_paths", "post"]

_WAIT_S = 10.0
_MOST_BYTES = 4 * 1024 * 1024


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nobody."""


_OPENER = urllib.request.build_opener(_Stay)


def film_paths(kind: str, server: MediaServer, item: str) -> tuple[str, ...]:
    """Return where the media server says that a film lies; none where it is no film but a show, for example.

    Raises `TransientError` where the server does not answer as it should.
    """
    try:
        token = server.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        _fail(kind, "its token cannot be read", error)
    try:
        return (_plex_paths if kind == "plex" else _jellyfin_paths)(server.url, token, item)
    except urllib.error.HTTPError as error:
        _fail(kind, f"it answers {error.code}", error)
    except (OSError, http.client.HTTPException, ValueError) as error:
        _fail(kind, "it does not answer", error)
    except (KeyError, TypeError, AttributeError) as error:
        _fail(kind, "its answer cannot be understood", error)


def _fail(kind: str, why: str, error: Exception) -> NoReturn:
    raise TransientError(f"{kind} cannot be asked where the film lies: {why}.") from error


def _plex_paths(url: str, token: str, item: str) -> tuple[str, ...]:
    found = _get(f"{url}/library/metadata/{item}", {"X-Plex-Token": token})
    films = found["MediaContainer"].get("Metadata", [])
    parts = [part for film in films for media in film.get("Media", []) for part in media.get("Part", [])]
    return tuple(str(part["file"]) for part in parts if part.get("file"))


def _jellyfin_paths(url: str, token: str, item: str) -> tuple[str, ...]:
    key = {"Authorization": f'MediaBrowser Token="{token}"'}
    users = _get(f"{url}/Users", key)
    # An administrator sees every library.
    administrators = [user["Id"] for user in users if user.get("Policy", {}).get("IsAdministrator")]
    if not administrators:
        return ()
    found = _get(f"{url}/Users/{administrators[0]}/Items/{item}", key)
    is_file = not found.get("IsFolder") and found.get("Path")
    return (str(found["Path"]),) if is_file else ()


def _get(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, headers={"Accept": "application/json", **headers})  # noqa: S310 (http, https: the settings hold it)
    with _OPENER.open(request, timeout=_WAIT_S) as answer:
        return json.loads(answer.read(_MOST_BYTES))


def post(url: str, document: dict[str, Any]) -> str:
    """Send a document; return why that did not work, empty where it did. The address is never part of it."""
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "cpw"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (http, https: the settings hold it)
    try:
        with _OPENER.open(request, timeout=_WAIT_S):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answers {error.code}"
    except (OSError, http.client.HTTPException, ValueError):
        return "it does not answer"
