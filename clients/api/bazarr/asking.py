"""What a request of Bazarr and its kin says: options in the address or in the form, and the sound.

A connection that is refused or reset makes Bazarr give up for a day: a sender is always heard to its end, and
waits while the coordinator is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath

from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.bazarr.raw_sound import RawSound
from clients.api.bodies import Arrived, Arriving
from clients.api.served import served
from clients.api.speech.forms import Form, read_form, said_after_the_body

__all__ = ["PATIENCE_S", "Asked", "read_asked"]

PATIENCE_S = 3_600.0
"""As long as Bazarr waits for an answer."""
_FIELD = "audio_file"
_NO = ("false", "0", "no", "off")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request whose sound has come whole."""

    film: Arrived
    title: str
    length_ms: int | None
    """Of raw sound; None: not known."""
    query: Mapping[str, str]
    form: Form

    def one(self, name: str, default: str = "") -> str:
        """Return an option of the address, or else of the form."""
        return (self.query.get(name) or self.form.one(name)).strip() or default


async def read_asked(request: Request) -> Asked:
    """Take in the request; a 400 where no sound comes with it."""
    uploads = served(request).uploads
    is_raw = request.query_params.get("encode", "true").casefold() in _NO
    async with said_after_the_body(request), Arriving(uploads, request) as arriving:
        sound = RawSound(arriving) if is_raw else None
        form = await read_form(request, _FIELD, sound or arriving)
        if form.file_name is None:
            raise HttpProblem(400, "No sound came.", f"Send it as {_FIELD}.", param=_FIELD)
        length_ms = await sound.end() if sound else None
        title = _title(request.query_params.get("video_file") or form.one("video_file"), form.file_name)
        film = await arriving.finish(f"{title}.wav" if length_ms is not None else form.file_name)
    return Asked(film=film, title=title, length_ms=length_ms, query=request.query_params, form=form)


def _title(video_file: str, file_name: str) -> str:
    """Return the film's name. Where it lies is an outsider's word: nothing is read there."""
    # Both kinds of path: Bazarr may run on Windows.
    name = PureWindowsPath(video_file or file_name).name
    stem = PureWindowsPath(name).stem
    return _FIELD.replace("_", " ") if stem in ("", _FIELD) else stem
