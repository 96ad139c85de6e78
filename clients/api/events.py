"""One stream of changes for all pages: asked of the coordinator once, told to whoever listens.

An event's id is a revision of the job store. A page that was away says the last one it saw
(`Last-Event-ID`), and is told what changed since: from what is kept here, or by the coordinator.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import CpwError
from protocol.messages import ChangesQuery, ChangesReport
from protocol.schema import to_plain

__all__ = ["MOST_STREAMS", "Changes", "Event"]

MOST_STREAMS = 200
_LOOK_S = 0.15
_QUIET_S = 15.0
"""So often a stream without news says that it is alive."""
_KEPT = 2_000
_PROGRESS_EVERY = 5
"""Of jobs that run, progress is told at each such look."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened; without an id it is not in the store."""

    name: str
    data: str
    id: int | None = None

    def written(self) -> bytes:
        """Return it as a stream carries it."""
        known = f"id: {self.id}\n" if self.id is not None else ""
        return f"{known}event: {self.name}\ndata: {self.data}\n\n".encode()


@dataclass
class Changes:
    """What changes, for all streams. Used by the server's loop alone.

    `query` asks the coordinator. It is asked for as long as somebody listens.
    """

    query: Callable[[ChangesQuery], Awaitable[ChangesReport]]
    streams: int = 0
    _events: deque[tuple[int, Event]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _count: int = 0
    _revision: int | None = None
    _asking: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _looked: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether the first look is over: from there on what changes is told."""

    async def stream(self, after: int | None) -> AsyncIterator[bytes]:
        """Yield what a page reads: what changed after a revision, then what changes, until it goes."""
        self.streams += 1
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            yield b"retry: 1000\n\n"
            # What was missed is asked for afterwards: no change falls between the two.
            await self._looked.wait()
            place = self._count
            async for event in self._missed(after):
                yield event.written()
            while True:
                for number, event in self._since(place):
                    yield event.written()
                    place = number
                if place < self._count:
                    continue  # more came while these were written
                try:
                    await asyncio.wait_for(self._news.wait(), _QUIET_S)
                except TimeoutError:
                    yield b": nothing new\n\n"
        finally:
            self.streams -= 1
            if not self.streams and self._asking is not None:
                self._asking.cancel()
                self._asking, self._revision = None, None
                self._events.clear()
                self._looked.clear()

    def _since(self, place: int) -> list[tuple[int, Event]]:
        """Return what came after `place`; one that was too slow for what is kept here begins anew."""
        if self._events and self._events[0][0] > place + 1:
            return [(self._count, Event(name="reload", data="{}"))]
        return [(number, event) for number, event in self._events if number > place]

    async def _missed(self, after: int | None) -> AsyncIterator[Event]:
        """Yield what changed after a revision, up to now; without one, where now is."""
        try:
            while after is not None:
                report = await self.query(ChangesQuery(after=after))
                for event in _events_of(report, progress=True):
                    yield event
                if report.unknown or report.revision == report.newest:
                    return
                after = report.revision
            report = await self.query(ChangesQuery())
        except CpwError as error:
            yield _trouble(error)
        else:
            yield Event(name="hello", data=json.dumps({"revision": report.revision}), id=report.revision)

    async def _ask(self) -> None:
        """Ask again and again, and keep what is new."""
        looks, troubled = 0, False
        while True:
            try:
                report = await self.query(ChangesQuery(after=self._revision))
            except CpwError as error:
                if not troubled:
                    self._tell([_trouble(error)])
                troubled = True
            else:
                if troubled:
                    # What changed meanwhile is asked for from the last revision that was seen.
                    self._tell([Event(name="back", data="{}")])
                troubled = False
                told = _events_of(report, progress=looks % _PROGRESS_EVERY == 0)
                self._revision = report.revision
                self._tell(told)
            self._looked.set()
            looks += 1
            await asyncio.sleep(_LOOK_S)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._count += 1
            self._events.append((self._count, event))
        if events:
            self._news.set()
            self._news.clear()


def _events_of(report: ChangesReport, *, progress: bool) -> list[Event]:
    if report.unknown:
        return [Event(name="reload", data=json.dumps({"revision": report.revision}), id=report.revision)]
    events = [Event(name="job", data=_json(job)) for job in report.jobs]
    events += [Event(name="removed", data=json.dumps({"job": job})) for job in report.removed]
    if events:
        # The last one says how far all of them bring a page.
        last = events.pop()
        events.append(Event(name=last.name, data=last.data, id=report.revision))
    if progress:
        events += [Event(name="progress", data=_json(job)) for job in report.running]
    return events


def _trouble(error: CpwError) -> Event:
    return Event(name="trouble", data=_json({"message": error.message, "remedy": error.remedy}))


def _json(value: Any) -> str:
    return json.dumps(to_plain(value), ensure_ascii=False)
