"""Files of fetched films: their names, which of them is there already, what is no film at all.

The name holds the site and the site's own name of the film: `A Title [youtube-dQw4w9WgXcQ].mp4`. So a folder
knows by itself what it has, whoever moved or copied it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from protocol.errors import InputError, UsageError

__all__ = ["check_content", "film_key", "find_film", "held", "stem_of"]

_NAMED_BY_ADDRESS = frozenset({"generic", "html5mediaembed", "html5"})
"""Parts of yt-dlp that call a film what its page's file is called."""
_TITLE_BYTES = 120
"""A name has 255 bytes; the key and what stands behind the names of pieces need the rest."""
_UNFINISHED = (".part", ".ytdl", ".temp", ".lock")
_LISTS = (b"#EXTM3U", b"ffconcat version", b"v=0")
_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<mpd", b"<head", b"<body")


def film_key(info: Mapping[str, Any]) -> str:
    """Return what is the film's own: site and the site's name of it; for a bare file its whole address.

    Files on servers have names such as `film.mp4` each: there a digest of the address tells them apart.
    """
    site, name = str(info.get("extractor_key") or ""), str(info.get("id") or "")
    if site.lower() in _NAMED_BY_ADDRESS or not (site and name):
        address = str(info.get("webpage_url") or info.get("original_url") or info.get("url") or "")
        host = urllib.parse.urlsplit(address).hostname or "web"
        return f"{_plain(host)[:60]}-{hashlib.sha256(f'{address} {name}'.encode()).hexdigest()[:10]}"
    if len(name) > 60 or _plain(name) != name:
        name = f"{_plain(name)[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:10]}"
    return f"{_plain(site.lower())}-{name}"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def stem_of(title: str, key: str) -> str:
    """Return the file's name without its ending."""
    shown = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|\[\]]+", " ", title.encode("utf-8", "replace").decode())
    shown = " ".join(shown.split()).lstrip(".-~ ")
    cut = shown.encode()[:_TITLE_BYTES].decode("utf-8", "ignore").rstrip(" .")
    return f"{cut or 'film'} [{key}]"


def find_film(folder: Path, key: str) -> Path | None:
    """Return the whole file of the film, whatever its title was when it came; None where there is none."""
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        _, mark, ending = path.name.rpartition(f" [{key}].")
        # `f137.mp4`, `temp.mp4`: pieces that were to be joined.
        whole = mark and "." not in ending and not path.name.endswith(_UNFINISHED)
        if whole and path.is_file() and path.stat().st_size:
            return path
    return None


@contextlib.contextmanager
def held(folder: Path, key: str) -> Iterator[None]:
    """Keep other commands from fetching the same film; `UsageError` where one does."""
    lock = folder / f".{key}.lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "Another command is fetching this film now."
            raise UsageError(message, "Wait until it has it, then give this command again.") from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def check_content(path: Path, address: str) -> None:
    """Raise `InputError`, and remove the file, where a page or a list of files came under a film's name.

    Nobody may open a list that came from elsewhere: it can name files of this machine.
    """
    if not path.stat().st_size:
        path.unlink()
        raise InputError(f"{address} is empty (0 bytes).", "Check the address in a browser.")
    with path.open("rb") as file:
        head = file.read(2_048).lstrip(b"\xef\xbb\xbf \r\n\t")
    if head.startswith(_LISTS):
        path.unlink()
        message = f"{address} is not a film but a list of other files under a film's name."
        raise InputError(message, "Name the address of the film itself.")
    if head[:64].lower().startswith(_PAGES):
        path.unlink()
        message = f"{address} is not a film but a page under a film's name."
        raise InputError(message, "Open it in a browser: the site may ask you to sign in (--cookies FILE).")
