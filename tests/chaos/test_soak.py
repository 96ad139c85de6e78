"""A thousand jobs leave nothing behind: no descriptor, no memory, no scratch folder, no process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Figure
from tests.house import House, until

pytestmark = pytest.mark.chaos

_GROWTH_BYTES = 16 * 1024 * 1024
_GROWTH_DESCRIPTORS = 3
_BATCH = 25


def work_off(house: House, first: int, count: int) -> None:
    """Submit `count` films in batches and wait until every one is done."""
    for begin in range(first, first + count, _BATCH):
        size = min(_BATCH, first + count - begin)
        jobs = [house.submit(b"film %d" % (begin + number), reuse=False) for number in range(size)]
        assert [house.ended(job, timeout_s=60).state for job in jobs] == ["done"] * size


def measure(house: House) -> dict[int, tuple[str, int, int]]:
    """Return name, open descriptors and resident bytes of every process of the house."""
    found = {}
    for process in house.processes():
        words = process.cmdline()
        modules = [
            word for word in words if word in ("coordinator", "workers", "envspecs.processes.guardian")
        ]
        name = (modules or ["supervisor"])[0]
        found[process.pid] = (name, process.num_fds(), process.memory_info().rss)
    return found


def soak(house: House, count: int, figure: Figure) -> None:
    """Work off a fifth, look, work off the rest, look again."""
    begun = time.monotonic()
    work_off(house, 0, count // 5)
    before = measure(house)
    work_off(house, count // 5, count - count // 5)
    after = measure(house)
    took_s = time.monotonic() - begun

    assert before.keys() == after.keys(), "no process was replaced"
    grown = {name: 0 for name, _, _ in before.values()}
    for pid, (name, descriptors, resident) in before.items():
        grown[name] = max(grown[name], after[pid][2] - resident)
        assert after[pid][1] - descriptors <= _GROWTH_DESCRIPTORS, name
    memory = ", ".join(f"{name} {size / 2**20:+.1f} MB" for name, size in sorted(grown.items()))
    descriptors = sum(usage[1] for usage in after.values()) - sum(usage[1] for usage in before.values())
    assert not list(house.out.glob("**/.scratch"))
    assert not list(house.out.glob("**/*.part"))
    house.stop()
    until(lambda: not house.processes(), 5.0, "no process is left")
    figure(f"soak: {count} jobs in {took_s:.0f} s, descriptors {descriptors:+d}, {memory}; nothing left over")
    assert max(grown.values()) < _GROWTH_BYTES


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a running house with fake engines."""
    with House(tmp_path) as built:
        built.start()
        yield built


@pytest.mark.timeout(120)
def test_fifty_jobs_leave_nothing_behind(house: House, figure: Figure) -> None:
    soak(house, 50, figure)


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_a_thousand_jobs_leave_nothing_behind(house: House, figure: Figure) -> None:
    soak(house, 1_000, figure)
