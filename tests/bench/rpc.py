"""A stage call that does nothing: coordinator's socket -> worker's IO thread -> main thread -> and back.

`make bench-rpc` measures it between two real processes in turns with bare messages of the same size, which
ZeroMQ carries between two processes like these. A call has more to do: five frames, a schema that checks
them, the worker's two threads, which hand it over and back, its scratch folder, what it logs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from protocol.frames import Header
from protocol.messages import Ack, Call, Result
from protocol.schema import to_plain
from protocol.stages.translate import TranslateRequest
from tests.bench.figures import Sheet
from tests.bench.peers.bare_messages import BareMessages
from tests.lone_worker import NOTHING, LoneWorker

BLOCKS = 20
BLOCK = 500
TURN = 25
P50_LIMIT = 10.0
"""Measured: 6.4, as four threads hand the call on; half as much again is left for other machines."""
P99_LIMIT = 10.0
"""Measured: 3.4, but 3 to 10 in single blocks: in the hundredth call, something else came between."""


class Caller:
    """Calls a worker whose engine does nothing."""

    def __init__(self, worker: LoneWorker) -> None:
        self._worker = worker
        request = TranslateRequest(
            transcript=NOTHING, audio=NOTHING, source_language="de", target_language="en"
        )
        self.call: Call = worker.call("translate", request)
        self._calls = 0

    def ask(self) -> tuple[float, Any]:
        """Return the seconds of a call, and its result."""
        self._calls += 1
        header = Header(run="1", job="bench", step="translate-en", attempt=self._calls)
        begun = time.perf_counter()
        self._worker.send(self.call, header)
        result = self._worker.next(Result).message
        seconds = time.perf_counter() - begun
        self._worker.send(Ack(), header)
        return seconds, result

    def seconds(self) -> float:
        """Return the seconds of a call."""
        return self.ask()[0]


def take_turns(*actions: Callable[[], float]) -> list[list[float]]:
    """Return the milliseconds of a block of each action, in order of size.

    They take turns of a few calls, so that a busy moment of the machine hits all.
    """
    blocks: list[list[float]] = [[] for _ in actions]
    for _ in range(BLOCK // TURN):
        for times, action in zip(blocks, actions, strict=True):
            times += [1000 * action() for _ in range(TURN)]
    return [sorted(times) for times in blocks]


def at(part: float, blocks: Sequence[Sequence[float]]) -> list[float]:
    """Return for each block what `part` of its times do not exceed."""
    return [times[int(len(times) * part)] for times in blocks]


def main() -> int:
    """Measure, print, judge."""
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    with LoneWorker("translate=tests.ill.nothing:NoTranslate") as worker:
        worker.wait_ready()
        caller = Caller(worker)
        _, result = caller.ask()
        with BareMessages(to_plain(caller.call), to_plain(result)) as messages:
            take_turns(caller.seconds, messages.seconds)
            for _ in range(BLOCKS):
                of_calls, of_messages = take_turns(caller.seconds, messages.seconds)
                ours.append(of_calls)
                bare.append(of_messages)
    sheet = Sheet("make bench-rpc")
    name = "a call that does nothing against a bare pyzmq round trip"
    sheet.add(f"{name}, p50", at(0.5, ours), at(0.5, bare), limit=P50_LIMIT, unit="ms")
    sheet.add(f"{name}, p99", at(0.99, ours), at(0.99, bare), limit=P99_LIMIT, unit="ms")
    slowest = statistics.median(times[-1] for times in ours)
    sys.stdout.write(f"{BLOCKS} blocks of {BLOCK} calls; a block's slowest call: {slowest:.1f} ms\n")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
