"""yt-dlp with all that it must not do switched off."""

from __future__ import annotations

import io
import os
import shutil
import stat
import urllib.parse
from http.cookiejar import LoadError
from pathlib import Path
from typing import Any

from protocol.errors import InputError, UsageError
from protocol.jobs.fetching import FetchOrder
from workers.engines.ytdlp.guard import READ_ONLY

__all__ = ["check_address", "open_library"]

_SCHEMES = ("http", "https")
_INNER_SCHEMES = (*_SCHEMES, "data")
"""`data` is a text inside of another, not an address."""
_FORMATS = "bv*[height<=1080]+ba/b[height<=1080]/bv*+ba/b"
"""Words and cuts do not get better above 1080 lines, and the files get several times as large."""
_TIMEOUT_S = 30.0


def check_address(address: str) -> None:
    """Raise `UsageError` unless it is one of the web."""
    try:
        parts = urllib.parse.urlsplit(address)
        wrong = parts.scheme.lower() not in _SCHEMES or not parts.hostname
    except ValueError:
        wrong = True
    if wrong:
        message = f"{address} is not an address that a film can be fetched from."
        raise UsageError(message, "It must begin with https:// or http://; a file is named by its path.")


def open_library(order: FetchOrder) -> Any:
    """Return yt-dlp for the order; it reads no configuration, plugins or `.netrc`, and writes no cache."""
    import yt_dlp
    import yt_dlp.globals

    yt_dlp.globals.plugin_dirs.value = []
    yt_dlp.globals.all_plugins_loaded.value = True

    class Library(yt_dlp.YoutubeDL):  # type: ignore[misc]  # (yt-dlp has no types)
        """Asks for addresses of the web only, whatever a page names."""

        def urlopen(self, req: Any) -> Any:
            _check_inner(req if isinstance(req, str) else getattr(req, "url", None) or req.get_full_url())
            return super().urlopen(req)

    return Library(_options(order))


def _check_inner(address: str) -> None:
    scheme = urllib.parse.urlsplit(address).scheme.lower()
    if scheme not in _INNER_SCHEMES:
        message = f"The page leads to {address[:200]}, which is not an address of the web."
        raise InputError(message, "Name the address of the film itself.")


def _options(order: FetchOrder) -> dict[str, Any]:
    options: dict[str, Any] = {
        "paths": {"home": order.folder},
        "format": _FORMATS,
        "noplaylist": not order.playlist,
        # Entries are looked at one by one; of an address that is to be one film, two say that it is not.
        "extract_flat": "in_playlist",
        "playlistend": None if order.playlist else 2,
        "overwrites": False,
        "continuedl": True,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        # What came is left as it came: the less ffmpeg opens of it, the better.
        "fixup": "never",
        # The only part that runs ffmpeg; the guard refuses an ffmpeg without these words.
        "postprocessor_args": {"merger+ffmpeg_i": list(READ_ONLY)},
        "ffmpeg_location": _ffmpeg(),
        "enable_file_urls": False,
        "usenetrc": False,
        "cachedir": False,
        "updatetime": False,
        "retries": order.retries,
        "fragment_retries": order.retries,
        "extractor_retries": min(2, order.retries),
        "retry_sleep_functions": {"http": _pause, "fragment": _pause},
        "socket_timeout": _TIMEOUT_S,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "color": "never",
    }
    if not order.allow_local:
        # A proxy looks names up where nobody here sees what they stand for.
        options["proxy"] = ""
    if order.most_bytes:
        options["max_filesize"] = order.most_bytes
    if order.cookies:
        options["cookiefile"] = _cookies(Path(order.cookies))
    return options


def _pause(n: int) -> float:
    """Return the seconds before the next try: yt-dlp names the word `n`."""
    return float(min(8, 2**n) / 2)


def _ffmpeg() -> str:
    """Return the ffmpeg that a person chose, else the machine's, else the one of this environment."""
    found = shutil.which(os.environ.get("CPW_FFMPEG") or "ffmpeg")
    if found is not None:
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _cookies(path: Path) -> io.StringIO:
    """Return the file's text: yt-dlp writes cookies back, and a person's file is not its to change."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"The file of cookies {path} cannot be read: {error.strerror}.") from error
    try:
        _check_kind(os.fstat(descriptor).st_mode, path)
        with open(descriptor, encoding="utf-8", errors="replace", closefd=False) as file:
            text = file.read()
    finally:
        os.close(descriptor)
    _check_cookies(text, path)
    return io.StringIO(text)


def _check_kind(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is not a file of cookies.", "Name a file.")
    if mode & 0o077:
        message = f"Others can read the cookies in {path}: they open your account to whoever has them."
        raise UsageError(message, f"chmod 600 {path}")


def _check_cookies(text: str, path: Path) -> None:
    """Raise `UsageError` where yt-dlp could not read them; what is in the file is not told."""
    from yt_dlp.cookies import YoutubeDLCookieJar

    try:
        YoutubeDLCookieJar(io.StringIO(text)).load()
    except LoadError as error:
        message = f"{path} holds no cookies in the form that is read here."
        raise UsageError(
            message, "Have the browser write them in Netscape's form, as cookies.txt."
        ) from error


class _Silent:
    """What yt-dlp says by the way is for nobody; what it raises is explained."""

    def debug(self, text: str) -> None:
        """Say nothing."""

    def info(self, text: str) -> None:
        """Say nothing."""

    def warning(self, text: str) -> None:
        """Say nothing."""

    def error(self, text: str) -> None:
        """Say nothing: it is raised, too."""
