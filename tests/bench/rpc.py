"""A stage call that does nothing: coordinator's socket -> worker's IO thread -> main thread -> and back.

`make bench-rpc` prints p50 and p99 over 10,000 calls between two real processes; exits 1 over the limits.
"""

from __future__ import annotations

import statistics
import sys
import time

from protocol.frames import Header
from protocol.messages import Ack, Result
from protocol.stages.translate import TranslateRequest
from tests.lone_worker import NOTHING, LoneWorker

CALLS = 10_000
WARM_UP_CALLS = 500
P50_LIMIT_MS = 0.5
P99_LIMIT_MS = 5.0


def measure(calls: int) -> list[float]:
    """Return the round-trip times in milliseconds."""
    request = TranslateRequest(transcript=NOTHING, audio=NOTHING, source_language="de", target_language="en")
    with LoneWorker("translate=tests.ill.nothing:NoTranslate") as worker:
        worker.wait_ready()
        call = worker.call("translate", request)
        times = []
        for number in range(calls + WARM_UP_CALLS):
            header = Header(run="1", job="bench", step="translate-en", attempt=number)
            begun = time.perf_counter()
            worker.send(call, header)
            worker.next(Result)
            times.append((time.perf_counter() - begun) * 1000)
            worker.send(Ack(), header)
    return times[WARM_UP_CALLS:]


def main() -> int:
    """Measure, print, judge."""
    times = sorted(measure(CALLS))
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    sys.stdout.write(
        f"{CALLS} calls: p50 {p50:.3f} ms (limit {P50_LIMIT_MS}), p99 {p99:.3f} ms (limit {P99_LIMIT_MS}), "
        f"max {times[-1]:.1f} ms\n"
    )
    return 0 if p50 < P50_LIMIT_MS and p99 < P99_LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
