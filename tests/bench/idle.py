"""What a house costs that has nothing to do: processor time of all its processes.

`make bench-idle` starts the house of this checkout, lets it settle, and prints the processor time that each
of its processes takes in a minute, and all together (limit: 0.3 % of a core).
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

import psutil

from tests.bench.figures import Sheet
from tests.real_house import RealHouse

SETTLE_S = 15.0
MEASURED_S = 60.0
PERCENT_LIMIT = 0.3


def processor_seconds(house: RealHouse) -> dict[str, float]:
    """Return what each process of the house has taken since it started, by process id and what it is."""
    found = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get("CPW_COOKIE") == str(house.runtime):
                words = process.cmdline()
                times = process.cpu_times()
                what = words[words.index("--environment") + 1] if "--environment" in words else words[-1]
                found[f"{process.pid} {Path(what).name}"] = times.user + times.system
        except psutil.Error:
            continue
    return found


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name), CPW_HTTP="127.0.0.1:0") as house:
        house.up()
        wait = threading.Event().wait
        wait(SETTLE_S)
        before = processor_seconds(house)
        wait(MEASURED_S)
        after = processor_seconds(house)
    taken = {process: after[process] - before[process] for process in before.keys() & after.keys()}
    for process, seconds in sorted(taken.items(), key=lambda item: -item[1]):
        sys.stdout.write(f"{process}: {100 * seconds / MEASURED_S:.3f} %\n")
    percent = 100 * sum(taken.values()) / MEASURED_S
    assert taken, "no process of the house is there"
    sheet = Sheet("make bench-idle")
    sheet.add("an idle house, of a core", [percent], limit=PERCENT_LIMIT, unit="%")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
