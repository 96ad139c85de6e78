"""Finding the films that files, folders and patterns name. Looks at the file system; sends nothing."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import UsageError

__all__ = ["MEDIA_EXTENSIONS", "Intake", "find_films", "is_utf8", "natural_key"]

MEDIA_EXTENSIONS = frozenset(
    f".{extension}"
    for extension in [
        "mkv",
        "mp4",
        "m4v",
        "mov",
        "avi",
        "webm",
        "ts",
        "m2ts",
        "mpg",
        "mpeg",
        "wmv",
        "flv",
        "3gp",
        "ogv",
        "mxf",
        "wav",
        "mp3",
        "flac",
        "m4a",
        "aac",
        "ogg",
        "opus",
        "wma",
    ]
)

_OWN_OUTPUT = "_subtitled"
_JOB_FILE = "job.json"
_JOB_DEPTH = 3
_KNOWN = "One of these file types: " + " ".join(sorted(extension[1:] for extension in MEDIA_EXTENSIONS)) + "."


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The films found, each once, and what is wrong with the rest."""

    films: tuple[Path, ...]
    misnamed: tuple[Path, ...] = ()
    """Films that nobody can be told of: their names are not UTF-8, and messages are."""
    problems: tuple[UsageError, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Folder:
    films: tuple[Path, ...]
    unreadable: tuple[Path, ...]


def find_films(written: Sequence[str]) -> Intake:
    """Return the films that the words name, in the order written; a folder's own in natural order.

    A file that is named itself is taken whatever its extension: its job finds out whether it is a film.
    """
    films: dict[str, Path] = {}
    problems: list[UsageError] = []
    notes: list[str] = []
    for word in written:
        try:
            found = _films_of(word, notes)
        except UsageError as problem:
            problems.append(problem)
            continue
        for path in found:
            # The name of a link is kept: it is the one that the person knows, and the title comes from it.
            films.setdefault(os.path.realpath(path), path.parent.resolve() / path.name)
    misnamed = tuple(path for path in films.values() if not is_utf8(str(path)))
    return Intake(
        films=tuple(path for path in films.values() if path not in misnamed),
        misnamed=misnamed,
        problems=tuple(problems),
        notes=tuple(dict.fromkeys(notes)),
    )


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts `part 2` before `part 10`, whatever the case."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def is_utf8(text: str) -> bool:
    """Return whether the name can be written as UTF-8; bytes in another encoding cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _films_of(word: str, notes: list[str]) -> list[Path]:
    if not word:
        raise UsageError("One of the names is empty.", "Name a film, a folder or a pattern such as '*.mkv'.")
    if "\0" in word:
        raise UsageError(f"{word!r} cannot be a file's name.")
    path = Path(word)
    if os.path.lexists(path):
        return _films_of_path(path, word, notes)
    if glob.has_magic(word):
        return _films_of_pattern(word, notes)
    raise UsageError(f"There is no file {word!r}.", _leading_dash(word))


def _leading_dash(word: str) -> str:
    return "Write options before --, and names after it." if word.startswith("--") else ""


def _films_of_path(path: Path, word: str, notes: list[str]) -> list[Path]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise UsageError(f"{word!r} is a link to a file that does not exist.") from error
    except OSError as error:
        raise UsageError(f"{word!r} cannot be read: {error.strerror}.") from error
    if stat.S_ISDIR(mode):
        return _films_of_named_folder(path, word, notes)
    if not stat.S_ISREG(mode):
        raise UsageError(f"{word!r} is neither a file nor a folder.")
    if not os.access(path, os.R_OK):
        raise UsageError(f"{word!r} cannot be read: permission denied.", f"chmod u+r {word!r}")
    return [path]


def _films_of_named_folder(path: Path, word: str, notes: list[str]) -> list[Path]:
    folder = _walk(path)
    if path in folder.unreadable:
        raise UsageError(f"The folder {word!r} cannot be read: permission denied.")
    if not folder.films:
        raise UsageError(f"The folder {word!r} has no films.", _KNOWN)
    notes += [
        f"The folder {str(subfolder)!r} cannot be read and is left out." for subfolder in folder.unreadable
    ]
    return list(folder.films)


def _films_of_pattern(pattern: str, notes: list[str]) -> list[Path]:
    films: list[Path] = []
    # Not Path.glob: it takes no pattern that starts at the root.
    for name in sorted(glob.glob(pattern, recursive=True), key=natural_key):  # noqa: PTH207 (Path.glob takes no pattern that starts at the root)
        path = Path(name)
        if _in_job_folder(path):
            continue
        if path.is_dir():
            folder = _walk(path)
            films += folder.films
            notes += [
                f"The folder {str(subfolder)!r} cannot be read and is left out."
                for subfolder in folder.unreadable
            ]
        elif path.is_file() and _is_film(path.name):
            films.append(path)
    if not films:
        raise UsageError(f"No film matches the pattern {pattern!r}.", _KNOWN)
    return films


def _in_job_folder(path: Path) -> bool:
    """Return whether the path is in a job folder, which a pattern with `**` reaches."""
    near = (path, *list(path.parents)[:_JOB_DEPTH])
    return any((place / _JOB_FILE).is_file() for place in near)


def _walk(root: Path) -> _Folder:
    """Return the films below `root`, but no hidden ones and none that this product made."""
    films: list[Path] = []
    unreadable: list[Path] = []
    seen: set[str] = set()

    def refused(error: OSError) -> None:
        unreadable.append(Path(error.filename))

    for place, folders, files in os.walk(root, onerror=refused, followlinks=True):
        real = os.path.realpath(place)
        if real in seen or _JOB_FILE in files:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        films += _films_among(Path(place), files)
    return _Folder(
        films=tuple(sorted(films, key=lambda film: _path_key(film.relative_to(root)))),
        unreadable=tuple(unreadable),
    )


def _films_among(place: Path, files: Sequence[str]) -> Iterator[Path]:
    for name in files:
        path = place / name
        if _is_film(name) and path.is_file():
            yield path


def _is_film(name: str) -> bool:
    path = Path(name)
    hidden_or_ours = name.startswith(".") or path.stem.casefold().endswith(_OWN_OUTPUT)
    return not hidden_or_ours and path.suffix.casefold() in MEDIA_EXTENSIONS


def _path_key(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    return tuple(natural_key(part) for part in path.parts)
