"""The courses of running calls: how far each is, and how fast it got there. Time is an argument."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from protocol.messages import CallIdentity

__all__ = ["Course", "Courses"]

_INTERRUPTED = 5.0
"""A part that took so many times as long as usual was interrupted by another call, and tells no pace."""
_PARTS = 100
"""So many of the last parts are kept."""


@dataclass
class Course:
    """What a running call has reported: `fraction` is 0 to 1, times are seconds of one clock."""

    fraction: float
    risen_s: float
    """When the fraction rose last."""
    parts: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_PARTS))
    """The seconds that each rise took, and by how much the fraction rose."""

    def rise(self, fraction: float, now_s: float) -> None:
        """Record a report; one that is not higher changes nothing."""
        if fraction > self.fraction:
            self.parts.append((now_s - self.risen_s, fraction - self.fraction))
            self.fraction, self.risen_s = fraction, now_s

    def pace_s(self) -> float | None:
        """Return how long the whole call takes at its own pace; None before the fraction has risen.

        The time before the first report is not in it: there the call loaded its model.
        """
        steady = self._steady_parts()
        risen = sum(share for _, share in steady)
        return sum(seconds for seconds, _ in steady) / risen if risen else None

    def waited_s(self, now_s: float) -> float:
        """Return how long the next rise has been waited for, at most as long as one takes."""
        steady = self._steady_parts()
        usual = sum(seconds for seconds, _ in steady) / len(steady) if steady else 0.0
        return max(0.0, min(now_s - self.risen_s, usual))

    def _steady_parts(self) -> list[tuple[float, float]]:
        paces = sorted(seconds / share for seconds, share in self.parts)
        limit = _INTERRUPTED * paces[len(paces) // 2] if paces else 0.0
        return [(seconds, share) for seconds, share in self.parts if seconds / share <= limit]


class Courses(Mapping[tuple[str, str], float]):
    """The running calls by job and step: the fraction of each that is done, and its course."""

    def __init__(self) -> None:
        self._courses: dict[tuple[str, str], Course] = {}

    def __getitem__(self, call: tuple[str, str]) -> float:
        """Return the fraction that is done."""
        return self._courses[call].fraction

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the calls that have reported."""
        return iter(self._courses)

    def __len__(self) -> int:
        """Return how many calls have reported."""
        return len(self._courses)

    def note(self, identity: CallIdentity, fraction: float, now_s: float) -> None:
        """Record a report of progress."""
        # NaN is neither more nor less than anything: it becomes 0.
        fraction = min(1.0, max(0.0, fraction))
        course = self._courses.setdefault((identity.job, identity.step), Course(fraction, now_s))
        course.rise(fraction, now_s)

    def of(self, call: tuple[str, str]) -> Course | None:
        """Return the course of a call; None before its first report."""
        return self._courses.get(call)

    def forget(self, call: tuple[str, str]) -> None:
        """Forget a call that has ended."""
        self._courses.pop(call, None)
