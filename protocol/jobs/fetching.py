"""What a client asks of the program that fetches films from web addresses, and the lines of its answer."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import ErrorInfo

__all__ = ["FetchLine", "FetchOrder", "FetchProgress", "FetchedFilm"]


@dataclass(frozen=True, kw_only=True)
class FetchOrder:
    """One address, and what may be done for it. It goes to the program's stdin as JSON."""

    address: str
    folder: str
    """Where films lie: absolute. What is there already is not fetched again."""
    playlist: bool = False
    """Whether an address may stand for many films."""
    allow_local: bool = False
    """Whether addresses that are not public may be asked, and proxies be used."""
    cookies: str = ""
    """A file of cookies that only its owner can read; empty: none."""
    most_bytes: int = 0
    """A larger film is refused; 0: any size."""
    look_only: bool = False
    """Whether the film is only looked up."""
    retries: int = 5
    """How often a connection that broke off is taken up again."""


@dataclass(frozen=True, kw_only=True)
class FetchProgress:
    """How far a film is."""

    title: str
    got_bytes: int
    total_bytes: int | None = None
    bytes_per_s: float | None = None
    left_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class FetchedFilm:
    """A film and what its site says of it."""

    title: str
    path: str = ""
    """The file, absolute; empty where the film was only looked up and is not there."""
    new: bool = False
    """Whether it was fetched now; it can be there already."""
    year: int | None = None
    language: str | None = None
    """What is spoken, as the site writes it: `en`, `en-US`."""
    length_ms: int | None = None
    size_bytes: int | None = None
    """Of the file; an estimate where the film was only looked up."""


@dataclass(frozen=True, kw_only=True)
class FetchLine:
    """One line of the program's stdout: one of its fields is set, and the last line is `done`."""

    progress: FetchProgress | None = None
    film: FetchedFilm | None = None
    error: ErrorInfo | None = None
    """Why a film could not be fetched; others of the same playlist can follow."""
    title: str = ""
    """Of the film that could not be fetched, where it is one of several."""
    done: bool = False
