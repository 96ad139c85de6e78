"""Which files have stopped changing: a film that is being copied is not submitted. Time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from protocol.clock import now_ms

__all__ = ["CHANGED_WITHIN_S", "Stillness", "wait_until_still"]

CHANGED_WITHIN_S = 3.0
_WAIT_S = 10.0
_LOOK_S = 0.5

_Stamp = tuple[int, int, int]


@dataclass
class Stillness:
    """Remembers size and time of files; copying a file changes them."""

    still_s: float
    filled: bool = False
    """Whether an empty file never counts as still, because its copy has not begun."""
    _since: dict[Path, tuple[_Stamp, float]] = field(default_factory=dict)

    def look(self, films: Iterable[Path], now_s: float) -> list[Path]:
        """Look at the files and return those that have not changed for `still_s`."""
        before, self._since = self._since, {}
        still = []
        for film in films:
            stamp = _stamp(film)
            if stamp is None:
                continue
            known, since_s = before.get(film, (None, now_s))
            if known != stamp:
                since_s = now_s
            self._since[film] = (stamp, since_s)
            if now_s - since_s >= self.still_s and (stamp[0] or not self.filled):
                still.append(film)
        return still


def wait_until_still(
    films: Iterable[Path],
    clock: Callable[[], float],
    pause: Callable[[float], None],
    tell: Callable[[int], None],
) -> list[Path]:
    """Wait for files that were changed a moment ago; return those that still change after 10 s.

    `tell` is told how many are waited for.
    """
    moving = [film for film in films if _changed_just_now(film)]
    if moving:
        tell(len(moving))
    stillness = Stillness(CHANGED_WITHIN_S)
    begun_s = clock()
    while moving:
        still = stillness.look(moving, clock())
        moving = [film for film in moving if film not in still]
        if not moving or clock() - begun_s >= _WAIT_S:
            break
        pause(_LOOK_S)
    return moving


def _changed_just_now(film: Path) -> bool:
    stamp = _stamp(film)
    if stamp is None:
        return False
    age_ms = now_ms() - stamp[1] // 1_000_000
    # A time in the future comes from another machine's clock, and is no sign of a change.
    return 0 <= age_ms < CHANGED_WITHIN_S * 1000


def _stamp(film: Path) -> _Stamp | None:
    try:
        facts = film.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino
