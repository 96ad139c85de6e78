"""What a person sets for web hooks: what is made of a film that came, and who is told when a job ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from protocol.errors import UsageError
from protocol.languages import find_language
from protocol.stages import WORKFLOWS

__all__ = ["ADDED", "PLAYED", "HookSettings", "MediaServer", "hook_settings"]

WORKFLOW: Final = "CPW_HOOK_WORKFLOW"
LANGUAGES: Final = "CPW_HOOK_LANGUAGES"
EVENTS: Final = "CPW_HOOK_EVENTS"
PLEX: Final = "CPW_PLEX"
PLEX_TOKEN: Final = "CPW_PLEX_TOKEN_FILE"  # noqa: S105 (the name of a variable)
JELLYFIN: Final = "CPW_JELLYFIN"
JELLYFIN_TOKEN: Final = "CPW_JELLYFIN_TOKEN_FILE"  # noqa: S105 (the name of a variable)
TOLD: Final = "CPW_WEBHOOK_URL"
ADDED, PLAYED = "added", "played"
_SERVERS = {"plex": (PLEX, PLEX_TOKEN), "jellyfin": (JELLYFIN, JELLYFIN_TOKEN)}


@dataclass(frozen=True, kw_only=True)
class MediaServer:
    """A media server that is asked where a film lies. The token stays in its file until it is needed."""

    url: str
    token_file: Path


@dataclass(frozen=True, kw_only=True)
class HookSettings:
    """What is made, when, and who is asked and told."""

    workflow: str = "translate"
    languages: tuple[str, ...] = ("en",)
    events: frozenset[str] = frozenset({ADDED})
    servers: Mapping[str, MediaServer] = field(default_factory=dict)
    """`plex` and `jellyfin`: their hooks name no path."""
    told: str = ""
    """Who is told when a job ends; empty: nobody."""


def hook_settings(environ: Mapping[str, str]) -> HookSettings:
    """Return what the variables say; `UsageError` for a value that is wrong."""
    usual = HookSettings()
    workflow = environ.get(WORKFLOW, "").strip() or usual.workflow
    if workflow not in WORKFLOWS:
        raise UsageError(f"{WORKFLOW}={workflow!r} is no workflow.", f"One of {', '.join(WORKFLOWS)}.")
    events = frozenset(_words(environ, EVENTS)) or usual.events
    if wrong := events - {ADDED, PLAYED}:
        raise UsageError(f"{EVENTS}: {min(wrong)!r} is no event.", f"Write {ADDED}, {PLAYED} or both.")
    languages = tuple(dict.fromkeys(_language(word) for word in _words(environ, LANGUAGES)))
    if not WORKFLOWS[workflow].translates:
        if languages:
            message = f"{WORKFLOW}={workflow} stays in the film's language; {LANGUAGES} has no meaning."
            raise UsageError(message, f"Unset {LANGUAGES}, or use {WORKFLOW}=translate.")
        usual = HookSettings(languages=())
    return HookSettings(
        workflow=workflow,
        languages=languages or usual.languages,
        events=events,
        servers={name: found for name in _SERVERS if (found := _server(environ, *_SERVERS[name]))},
        told=_url(environ, TOLD),
    )


def _words(environ: Mapping[str, str], name: str) -> list[str]:
    return [word.strip() for word in environ.get(name, "").split(",") if word.strip()]


def _language(word: str) -> str:
    try:
        return find_language(word).code
    except UsageError as error:
        raise UsageError(f"{LANGUAGES}: {error.message}", error.remedy) from error


def _server(environ: Mapping[str, str], name: str, token_name: str) -> MediaServer | None:
    url, token = _url(environ, name), environ.get(token_name, "").strip()
    if not url and not token:
        return None
    if not url or not token or not Path(token).is_absolute() or not Path(token).is_file():
        message = f"{name} and {token_name} say together whom to ask, and where the token lies."
        raise UsageError(message, f"{name}=http://127.0.0.1:32400 {token_name}=/home/me/token")
    return MediaServer(url=url.rstrip("/"), token_file=Path(token))


def _url(environ: Mapping[str, str], name: str) -> str:
    written = environ.get(name, "").strip()
    if not written:
        return ""
    try:
        parts = urlsplit(written)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        # The value may hold a secret: it is not shown.
        raise UsageError(f"{name} is not an address.", f"Write for example {name}=http://127.0.0.1:8080/x")
    return written
