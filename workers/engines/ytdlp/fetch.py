"""Fetches one address: `python -I -m workers.engines.ytdlp.fetch`, with a `FetchOrder` as JSON on stdin.

Writes `FetchLine`s to stdout, one a line. A film that was broken off stays as `.part`, and the same order
goes on with it. Ctrl-C ends it with exit code 130.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from protocol.errors import CpwError, DiskFullError, InputError, UsageError, info_from_error
from protocol.jobs.fetching import FetchedFilm, FetchLine, FetchOrder, FetchProgress
from protocol.schema import from_json
from protocol.wording import size
from workers.engines.ytdlp.files import check_content, film_key, find_film, held, stem_of
from workers.engines.ytdlp.guard import Guard
from workers.engines.ytdlp.library import check_address, open_library
from workers.engines.ytdlp.refusals import explain
from workers.engines.ytdlp.telling import Telling

__all__ = ["main"]

_DEPTH = 3
"""A channel has lists of films; a list of lists of lists is no wish of a person."""
_INTERRUPTED = 130


def main() -> int:
    """Run the program and return its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    telling = Telling()
    try:
        order = from_json(FetchOrder, sys.stdin.buffer.read())
        check_address(order.address)
        guard = Guard()
        _make_folder(Path(order.folder))
        with open_library(order) as library:
            # After the library's own modules, which look for programs; before the first question.
            guard.put_up(allow_local=order.allow_local)
            _Fetching(order, library, guard, telling).run()
        telling.line(FetchLine(done=True))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (CpwError, OSError) as error:
        telling.line(FetchLine(error=info_from_error(error)))
        telling.line(FetchLine(done=True))
    return 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "permission denied"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        message = f"Films cannot be written to the folder {folder}: {reason}."
        raise UsageError(message, "Name another one: CPW_FILMS=/folder cpw-submit ...")


class _Fetching:
    """One order at work."""

    def __init__(self, order: FetchOrder, library: Any, guard: Guard, telling: Telling) -> None:
        self._order = order
        self._library = library
        self._guard = guard
        self._telling = telling
        self._title = ""
        self._before = 0
        library.add_progress_hook(self._progress)

    def run(self) -> None:
        """Fetch the film, or each of a playlist; one that fails does not keep the others from it."""
        self._take({"url": self._order.address}, 0)

    def _take(self, entry: dict[str, Any], depth: int) -> None:
        """Fetch what the entry stands for, a list's films one after the other; tell of each how that went."""
        try:
            found = self._whole(entry, depth)
            if _is_list(found):
                entries = self._entries(found, depth)
            else:
                entries = []
                self._telling.line(FetchLine(film=self._film(found)))
        except Exception as error:  # noqa: BLE001 (a site's part of yt-dlp raises anything; each is explained)
            self._refuse(error, str(entry.get("title") or entry.get("id") or ""))
            return
        for inner in entries:
            self._take(inner, depth + 1)

    def _refuse(self, error: Exception, title: str) -> None:
        told = explain(error, self._order.address, self._guard.refused)
        self._guard.refused.clear()
        self._telling.line(FetchLine(error=info_from_error(told), title=title))

    def _whole(self, entry: dict[str, Any], depth: int) -> dict[str, Any]:
        """Return all that is known of a film or a list, of which the entry may have the address only."""
        if _is_list(entry) or entry.get("formats"):
            return entry
        found = self._library.extract_info(entry["url"], download=False, ie_key=entry.get("ie_key"))
        if not found:
            raise InputError(f"There is no film at {entry['url']}.", "Check the address in a browser.")
        if not depth and str(found.get("extractor_key")).lower() == "html5mediaembed":
            # The only film of its page is counted there: `A title (1)`.
            found["title"] = str(found.get("title") or "").removesuffix(" (1)")
        return dict(found)

    def _entries(self, found: dict[str, Any], depth: int) -> list[dict[str, Any]]:
        address = self._order.address
        entries = [entry for entry in found.get("entries") or () if entry]
        if not entries or depth >= _DEPTH:
            raise InputError(f"There is no film in {address}.", "Check the address in a browser.")
        if len(entries) > 1 and not self._order.playlist:
            message = f"{address} is a list of films."
            raise UsageError(message, "Name one of them; or add --playlist to have them all.")
        return entries

    def _film(self, info: dict[str, Any]) -> FetchedFilm:
        """Return the film, fetched where it was to be and is not there."""
        self._title, self._before = str(info.get("title") or info.get("id") or "film"), 0
        key = film_key(info)
        folder = Path(self._order.folder)
        path = find_film(folder, key)
        if path is not None or self._order.look_only:
            return _described(info, self._title, path)
        _check_wish(info, self._order)
        with held(folder, key):
            path = self._fetch(info, stem_of(self._title, key), key)
        return _described(info, self._title, path, new=True)

    def _fetch(self, info: dict[str, Any], stem: str, key: str) -> Path:
        """Download it, and return the whole file."""
        self._library.params["outtmpl"]["default"] = stem.replace("%", "%%") + ".%(ext)s"
        plain = self._library.sanitize_info(info, remove_private_keys=True)
        done = self._library.process_ie_result(plain, download=True) or {}
        paths = [Path(str(part.get("filepath") or "")) for part in done.get("requested_downloads") or ()]
        path = next((path for path in paths if path.is_file()), None) or find_film(
            Path(self._order.folder), key
        )
        if path is None:
            raise self._nothing_came()
        check_content(path, self._order.address)
        return path

    def _nothing_came(self) -> InputError:
        """Return why there is no file: yt-dlp takes a film that is too large for done."""
        if self._order.most_bytes:
            return _too_large(self._order)
        return InputError(f"Nothing came from {self._order.address}.", "Check the address in a browser.")

    def _progress(self, told: Mapping[str, Any]) -> None:
        got = int(told.get("downloaded_bytes") or 0)
        if self._order.most_bytes and self._before + got > self._order.most_bytes:
            raise _too_large(self._order)
        total = told.get("total_bytes") or told.get("total_bytes_estimate")
        if told.get("status") == "downloading":
            self._telling.progress(
                FetchProgress(
                    title=self._title,
                    got_bytes=got,
                    total_bytes=int(total) if total else None,
                    bytes_per_s=_number(told.get("speed")),
                    left_s=_number(told.get("eta")),
                )
            )
        elif told.get("status") == "finished":
            self._before += got


def _is_list(found: Mapping[str, Any]) -> bool:
    return found.get("_type", "video") in ("playlist", "multi_video")


def _too_large(order: FetchOrder) -> InputError:
    message = f"{order.address} is larger than {size(order.most_bytes)}."
    return InputError(message, "Add a larger --max-size, or leave it out.")


def _check_wish(info: Mapping[str, Any], order: FetchOrder) -> None:
    """Raise `InputError` for what is no film, `DiskFullError` for one that has no room."""
    from yt_dlp.utils import KNOWN_EXTENSIONS

    if info.get("is_live"):
        raise InputError(f"{order.address} is a live stream, which has no end.", "Try again when it is over.")
    ending = str(info.get("ext") or "")
    if ending == "unknown_video" or (info.get("direct") and ending not in KNOWN_EXTENSIONS):
        message = f"{order.address} is not a film, as far as its server and its name say."
        raise InputError(message, "Name the address of a film, or fetch it with a browser and name the file.")
    wanted = _bytes_of(info)
    if order.most_bytes and wanted and wanted > order.most_bytes:
        raise _too_large(order)
    free = shutil.disk_usage(order.folder).free
    if wanted and wanted > free + _there_already(Path(order.folder), info):
        message = f"{order.address} takes {size(wanted)}, and {order.folder} has room for {size(free)}."
        raise DiskFullError(message, "Make room, then give the same command again.")


def _there_already(folder: Path, info: Mapping[str, Any]) -> int:
    """Return how much of the film came before."""
    mark = f" [{film_key(info)}]."
    return sum(path.stat().st_size for path in folder.iterdir() if mark in path.name)


def _bytes_of(info: Mapping[str, Any]) -> int | None:
    parts = info.get("requested_formats") or [info]
    sizes = [part.get("filesize") or part.get("filesize_approx") for part in parts]
    return sum(int(known) for known in sizes if known) if all(sizes) else None


def _described(info: Mapping[str, Any], title: str, path: Path | None, *, new: bool = False) -> FetchedFilm:
    year = info.get("release_year") or str(info.get("release_date") or "")[:4]
    length = _number(info.get("duration"))
    # Of several sounds yt-dlp writes all languages: `en+hi`. Then the film has no one language.
    language = str(info.get("language") or "")
    return FetchedFilm(
        title=title,
        path="" if path is None else os.fspath(path),
        new=new,
        year=int(year) if str(year).isdecimal() else None,
        language=language if language and "+" not in language else None,
        length_ms=None if length is None else round(length * 1000),
        size_bytes=_bytes_of(info) if path is None else path.stat().st_size,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


if __name__ == "__main__":
    sys.exit(main())
