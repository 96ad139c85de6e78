"""What yt-dlp says went wrong, as one sentence with what to do now."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence

from protocol.errors import CpwError, DiskFullError, InputError, TransientError

__all__ = ["UPGRADE", "explain"]

UPGRADE = "cpw envs upgrade ytdlp"
_AGAIN = "Give the same command again: it goes on where it broke off."
_LOOK = "Check the address in a browser."
_COOKIES = "Sign in with a browser, write its cookies into a file (mode 600), and add --cookies FILE."

_NOISE = re.compile(
    r"^ERROR: |^\[[^\]]+\] (?:[\w-]+: )?|; please report this issue.*| \(caused by .*|\x1b\[[0-9;]*m"
    r"|Unable to download webpage: |HTTPS?Connection\([^)]*\): ",
    re.DOTALL,
)
_FAILED = "{address} could not be fetched: {said}."
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_MOST_WORDS = 300

_CAUSES: tuple[tuple[str, type[CpwError], str, str], ...] = (
    ("GeoRestrictedError", InputError, "The site does not show {address} in your country.", _LOOK),
    (
        "UnsupportedError",
        InputError,
        "No film was found at {address}.",
        f"Name the address of the film's own page or file. If the site worked before: {UPGRADE}",
    ),
    (
        "no connection adapters|unsupported url scheme|unknown url type",
        InputError,
        "{address} leads to a place that is not in the web.",
        _LOOK,
    ),
    ("did not get any data", InputError, "{address} is empty (0 bytes).", _LOOK),
    (
        "RefusedProgramError",
        InputError,
        "{address} can only be had by a program that opens addresses by itself, which is not allowed.",
        _LOOK,
    ),
    (
        "certificate verify failed|ssl:",
        InputError,
        "The certificate of {address} is not to be trusted: {said}.",
        _LOOK,
    ),
    (
        "failed to resolve|name or service not known|name resolution|unreachable|no route|unable to connect"
        "|establish a new connection",
        TransientError,
        "{address} cannot be reached: {said}.",
        f"Check the network and the address. {_AGAIN}",
    ),
    (
        "giving up after|timed out|connection (?:reset|aborted|broken)|incompleteread|bytes read"
        "|TransportError",
        TransientError,
        "{address} broke off: {said}.",
        f"Check the network. {_AGAIN}",
    ),
    (
        "FFmpegPostProcessorError",
        InputError,
        "Picture and sound of {address} could not be joined: {said}.",
        f"Remove their pieces from the folder of films, and try again. If it fails again: {UPGRADE}",
    ),
    (
        "sign in|log ?in|logged.in|cookies|members?.only|age.restricted|confirm your age",
        InputError,
        _FAILED,
        _COOKIES,
    ),
    (r"\bDRM\b", InputError, _FAILED, "Nothing but the site's own player can open it."),
    ("private video|unavailable|not available|been removed|does not exist", InputError, _FAILED, _LOOK),
    (
        "requested format",
        InputError,
        "{address} has no picture or sound that can be fetched: {said}.",
        f"{_LOOK} If it plays there: {UPGRADE}",
    ),
    ("", InputError, _FAILED, f"{_LOOK} If it plays there: {UPGRADE}"),
)
"""Words among the names of the errors and what they say, the first that fits; then what a person is told."""


def explain(error: BaseException, address: str, refused: Sequence[str]) -> CpwError:
    """Return the error for a person; `refused` has the hosts that were not public."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, CpwError):
            return link
    if refused:
        message = f"{address} leads to {refused[-1]}, which is not a public address."
        return InputError(message, "For a film in your own network add --allow-local.")
    said = _said(error)
    if _is_full(chain, said):
        return DiskFullError(f"No space is left on the disk for {address}.", f"Make room. {_AGAIN}")
    status = next(
        (getattr(link, "status", None) for link in chain if type(link).__name__ == "HTTPError"), None
    )
    if status is not None:
        return _by_status(int(status), address)
    return _by_cause({type(link).__name__ for link in chain}, said, address)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that led to it: yt-dlp keeps them in several places."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        link = waiting.pop(0)
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        kept = getattr(link, "exc_info", None)
        inner = kept[1] if isinstance(kept, tuple) and len(kept) > 1 else None
        cause = getattr(link, "cause", None)
        waiting += [
            inner,
            cause if isinstance(cause, BaseException) else None,
            link.__cause__,
            link.__context__,
        ]


def _said(error: BaseException) -> str:
    """Return what the error says, without the names of parts and the wish to be told of it."""
    text = str(error)
    for _ in range(2):
        text = _NOISE.sub("", text)
    return " ".join(text.split())[:_MOST_WORDS].rstrip(".")


def _is_full(chain: Sequence[BaseException], said: str) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT)
    return any(isinstance(link, OSError) and link.errno in full for link in chain) or bool(_FULL.search(said))


def _by_status(status: int, address: str) -> CpwError:
    if status in (404, 410):
        return InputError(f"There is nothing at {address}: the site answers {status}.", _LOOK)
    if status in (401, 403, 407):
        message = f"The site does not give {address} to everybody: it answers {status}."
        return InputError(message, f"{_COOKIES} If it plays without signing in: {UPGRADE}")
    if status == 429:
        message = f"The site has had too many questions from here: it answers 429 for {address}."
        return TransientError(message, f"Wait an hour. {_AGAIN}")
    if status >= 500:
        return TransientError(f"The site is out of order: it answers {status} for {address}.", _AGAIN)
    return InputError(f"The site refuses {address}: it answers {status}.", f"{_LOOK} Else: {UPGRADE}")


def _by_cause(kinds: set[str], said: str, address: str) -> CpwError:
    text = f"{' '.join(sorted(kinds))}: {said}"
    found = next(cause for cause in _CAUSES if re.search(cause[0], text, re.IGNORECASE))
    _, kind, message, remedy = found
    return kind(message.format(address=address, said=said), remedy)
