"""The pieces of one call side by side in threads, their results in order.

For native code that releases the GIL, such as CTranslate2's: each lane is one thread, which does one piece
after the other. Pieces with one thread each keep all cores at work, where many threads in one piece wait for
one another at each of its steps (docs/adr/0020).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from typing import TypeVar

from protocol.errors import CancelledError
from workers.placement import Placement

__all__ = ["batches_for", "batches_of", "busy_lanes", "share_threads", "side_by_side"]

_TICK_S = 0.1
"""So often the caller's `tick` is called while lanes work."""
_AHEAD = 4
"""So many pieces a lane are begun at most before the first of them is yielded: their results are held."""
_LANES_OF_ONE_THREAD = 4
"""With more cores, a lane has two threads or more: a short film has few pieces."""

_Piece = TypeVar("_Piece")
_Found = TypeVar("_Found")


def batches_of(items: Sequence[_Piece], size: int) -> list[Sequence[_Piece]]:
    """Return the items in order, `size` at a time."""
    return [items[first : first + size] for first in range(0, len(items), size)]


def batches_for(items: Sequence[_Piece], most: int, lanes: int) -> list[Sequence[_Piece]]:
    """Return the items in order, in batches of at most `most`, and smaller ones where lanes would be idle."""
    return batches_of(items, max(1, min(most, -(-len(items) // max(1, lanes)))))


def share_threads(threads: int, where: Placement) -> tuple[int, int]:
    """Return how many lanes a model has, and how many threads each of them; on a GPU there is one lane."""
    if where.kind != "cpu":
        return 1, threads
    lanes = min(threads, max(_LANES_OF_ONE_THREAD, threads // 2))
    return lanes, threads // lanes


def busy_lanes(lanes: int, threads: int, cores: int) -> int:
    """Return how many of the lanes, which have so many threads each, may work on so many cores."""
    return max(1, min(lanes, cores // threads))


def side_by_side(
    work: Callable[[_Piece, Callable[[], None]], _Found],
    pieces: Iterable[_Piece],
    lanes: int,
    tick: Callable[[int], None],
    lanes_now: Callable[[], int] | None = None,
) -> Iterator[_Found]:
    """Yield what `work` makes of each piece, in order; up to `lanes` pieces are worked on at the same time.

    A piece is taken from `pieces` when it can begin, in the caller's thread: so they may be made one by one.
    Neither it nor what was made of it is kept when that has been yielded.

    `lanes_now` is asked whenever a piece could begin, and lets fewer run at the same time, but always one. A
    lane that is taken away ends its piece first; one that is given back begins a piece within a tenth of a
    second.

    `tick` is called in the caller's thread, about ten times a second, with the number of finished pieces; an
    error that it raises ends the call. No further piece begins then, or where the caller stops. Those that
    run are not waited for: `work` should call its second argument, which raises where nobody wants the
    result, before each step that takes long. A `tick` that takes long, since it does another call meanwhile,
    leaves the lanes to that call: each ends its piece and waits.

    0 lanes: everything is done in the caller's thread, where a library wants that.
    """
    if not lanes:
        return _one_by_one(work, pieces, tick)
    return _in_threads(work, pieces, lanes, tick, lanes_now or (lambda: lanes))


def _one_by_one(
    work: Callable[[_Piece, Callable[[], None]], _Found],
    pieces: Iterable[_Piece],
    tick: Callable[[int], None],
) -> Iterator[_Found]:
    for done, piece in enumerate(pieces):
        tick(done)
        yield work(piece, partial(tick, done))


def _in_threads(
    work: Callable[[_Piece, Callable[[], None]], _Found],
    pieces: Iterable[_Piece],
    lanes: int,
    tick: Callable[[int], None],
    lanes_now: Callable[[], int],
) -> Iterator[_Found]:
    unwanted = threading.Event()

    def check() -> None:
        if unwanted.is_set():
            message = "Nobody wants the result any more."
            raise CancelledError(message)

    pool = ThreadPoolExecutor(max_workers=lanes, thread_name_prefix="lane")
    waiting = iter(pieces)
    ahead: deque[Future[_Found]] = deque()
    running: set[Future[_Found]] = set()
    yielded = 0

    def begin() -> None:
        running.difference_update([future for future in running if future.done()])
        free = min(max(1, min(lanes, lanes_now())) - len(running), _AHEAD * lanes - len(ahead))
        for piece in islice(waiting, max(0, free)):
            ahead.append(pool.submit(work, piece, check))
            running.add(ahead[-1])

    try:
        begin()
        while ahead:
            while not ahead[0].done():
                tick(yielded + len(ahead) - len(running))
                wait(running, _TICK_S, FIRST_COMPLETED)
                begin()
            yield ahead.popleft().result()
            yielded += 1
            begin()
    finally:
        unwanted.set()
        pool.shutdown(wait=False, cancel_futures=True)
