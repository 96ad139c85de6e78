"""Pieces side by side in threads: their order, the end of a call, and work that nobody wants any more."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from protocol.errors import CancelledError
from workers.lanes import batches_for, share_threads, side_by_side
from workers.placement import Placement

WAIT_S = 20


@dataclass(frozen=True)
class Piece:
    """Something large, made in this thread."""

    thread: int


def ignore(_done: int) -> None:
    """Take the number of finished pieces."""


def test_results_come_in_the_order_of_their_pieces_though_the_last_is_done_first() -> None:
    last_done = threading.Event()

    def work(piece: int, _check: Callable[[], None]) -> int:
        if piece == 1:
            last_done.set()
        else:
            assert last_done.wait(WAIT_S)
        return piece * 10

    assert list(side_by_side(work, [0, 1], 2, ignore)) == [0, 10]


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_no_more_pieces_than_lanes_are_worked_on_at_once(lanes: int) -> None:
    meeting = threading.Barrier(lanes)
    running: set[int] = set()
    most: list[int] = []

    def work(piece: int, _check: Callable[[], None]) -> int:
        running.add(piece)
        meeting.wait(WAIT_S)
        most.append(len(running))
        running.discard(piece)
        return piece

    assert list(side_by_side(work, range(lanes * 2), lanes, ignore)) == list(range(lanes * 2))
    assert max(most) <= lanes


def test_the_error_of_a_piece_ends_the_call_and_no_further_piece_begins() -> None:
    begun = []

    def work(piece: int, _check: Callable[[], None]) -> int:
        begun.append(piece)
        if piece == 0:
            raise ValueError("no")
        return piece

    with pytest.raises(ValueError, match="no"):
        list(side_by_side(work, range(1_000), 1, ignore))
    assert len(begun) < 1_000


def test_a_cancel_is_not_kept_waiting_by_a_running_piece_which_learns_that_nobody_wants_it() -> None:
    begun, cancelled, ended = threading.Event(), threading.Event(), threading.Event()

    def work(piece: int, check: Callable[[], None]) -> None:
        assert piece == 1, "no further piece begins"
        begun.set()
        try:
            assert cancelled.wait(WAIT_S)
            check()
        except CancelledError:
            ended.set()

    def tick(_done: int) -> None:
        assert begun.wait(WAIT_S)
        raise CancelledError("The job was cancelled.")

    with pytest.raises(CancelledError, match=r"The job was cancelled\."):
        list(side_by_side(work, [1, 2], 1, tick))
    cancelled.set()
    assert ended.wait(WAIT_S)


def test_finished_pieces_are_counted_while_the_first_still_runs() -> None:
    first = threading.Event()
    told: list[int] = []

    def work(piece: int, _check: Callable[[], None]) -> int:
        if piece == 0:
            assert first.wait(WAIT_S)
        return piece

    def tick(done: int) -> None:
        told.append(done)
        if done == 2:
            first.set()

    assert list(side_by_side(work, [0, 1, 2], 2, tick)) == [0, 1, 2]
    assert 2 in told


def test_without_lanes_everything_is_done_in_the_callers_thread() -> None:
    told: list[int] = []

    def work(piece: int, check: Callable[[], None]) -> int:
        check()
        return threading.get_ident() + piece

    here = threading.get_ident()
    assert list(side_by_side(work, [0, 1], 0, told.append)) == [here, here + 1]
    assert told == [0, 0, 1, 1]


class Gate:
    """Pieces that run until a test lets one of them end."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self._ends = {piece: threading.Event() for piece in range(8)}

    def work(self, piece: int, _check: Callable[[], None]) -> int:
        self.running.add(piece)
        assert self._ends[piece].wait(WAIT_S)
        return piece

    def end(self, piece: int) -> None:
        """Let the piece end."""
        self.running.discard(piece)
        self._ends[piece].set()


def test_lanes_that_are_taken_away_end_their_piece_and_those_given_back_begin_another() -> None:
    gate, lanes = Gate(), [2]
    # What runs when so many pieces are done, how many lanes there are from then on, and which piece ends.
    script = [({0, 1}, 1, 0), ({1}, 1, 1), ({2}, 3, None), ({2, 3, 4}, 0, 4), ({2, 3}, 0, 2), ({3}, 0, 3)]
    script += [({5}, 8, None), ({5, 6, 7}, 8, 5), ({6, 7}, 8, 6), ({7}, 8, 7)]
    seen: list[set[int]] = []

    def tick(_done: int) -> None:
        if len(seen) < len(script) and gate.running == script[len(seen)][0]:
            expected, lanes[0], ends = script[len(seen)]
            seen.append(expected)
            if ends is not None:
                gate.end(ends)

    assert list(side_by_side(gate.work, range(8), 3, tick, lambda: lanes[0])) == list(range(8))
    assert seen == [expected for expected, _, _ in script]


@pytest.mark.parametrize(
    ("count", "lanes", "sizes"),
    [
        (0, 2, []),
        (1, 2, [1]),
        (2, 2, [1, 1]),
        (3, 2, [2, 1]),
        (9, 2, [2, 2, 2, 2, 1]),
        (3, 0, [2, 1]),
        (5, 8, [1] * 5),
    ],
)
def test_batches_are_small_where_lanes_would_be_idle(count: int, lanes: int, sizes: list[int]) -> None:
    batches = batches_for(range(count), 2, lanes)
    assert [len(batch) for batch in batches] == sizes
    assert [item for batch in batches for item in batch] == list(range(count))


@pytest.mark.parametrize(
    ("threads", "lanes"), [(1, (1, 1)), (2, (2, 1)), (4, (4, 1)), (6, (4, 1)), (8, (4, 2)), (16, (8, 2))]
)
def test_the_lanes_of_a_model_share_its_threads(threads: int, lanes: tuple[int, int]) -> None:
    where = Placement(device="cpu", compute_type="int8")
    assert share_threads(threads, where) == lanes


def test_a_gpu_has_one_lane() -> None:
    assert share_threads(8, Placement(device="cuda:1", compute_type="float16")) == (1, 8)


def test_pieces_are_made_when_they_can_begin_in_the_callers_thread_and_let_go_of_when_done() -> None:
    made: list[weakref.ref[Piece]] = []

    def pieces() -> Iterator[Piece]:
        for _ in range(9):
            piece = Piece(threading.get_ident())
            made.append(weakref.ref(piece))
            yield piece
            del piece

    def work(piece: Piece, _check: Callable[[], None]) -> Piece:
        return Piece(piece.thread)

    for number, found in enumerate(side_by_side(work, pieces(), 1, ignore)):
        assert found.thread == threading.get_ident()
        assert len(made) <= number + 2
        assert not any(one() for one in made[:number])
    assert len(made) == 9


def test_an_error_of_what_makes_the_pieces_ends_the_call() -> None:
    def pieces() -> Iterator[int]:
        yield 1
        raise ValueError("torn")

    with pytest.raises(ValueError, match="torn"):
        list(side_by_side(lambda piece, _check: piece, pieces(), 1, ignore))


def test_lanes_do_not_run_far_ahead_of_a_slow_piece() -> None:
    slow, told, begun = threading.Event(), [], []

    def work(piece: int, _check: Callable[[], None]) -> int:
        begun.append(piece)
        assert piece or slow.wait(WAIT_S)
        return piece

    def tick(done: int) -> None:
        told.append(done)
        if told[-3:] == [7] * 3:
            slow.set()

    assert list(side_by_side(work, range(100), 2, tick)) == list(range(100))
    assert max(told[: told.index(7) + 3]) == 7, "eight are begun, and the first of them is not done"
