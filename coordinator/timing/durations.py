"""How long the steps of one job take, and how long a running one still takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.timing.courses import Course
from protocol.stages import STAGES

__all__ = ["filled", "left_ms", "own_ms", "weight_of"]

_TOLD = 0.2
"""Where no rate is known, a call's own pace is believed from here on."""
_HALF = 0.5
"""From here on only the call's own pace counts; before, its old rate counts, too."""
_LAST_PART = 0.1
"""So much of the time is left, at least, of a call that does not report."""
_WEIGHT_OF_OTHERS = 10.0
"""Of a stage that this version does not know, in a job that a later one made."""


def weight_of(stage: str) -> float:
    """Return the stage's share of a job where nothing was measured."""
    row = STAGES.get(stage)
    return _WEIGHT_OF_OTHERS if row is None else row.weight


def filled(stages: Mapping[str, str], known_ms: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return how long each step of a job takes, whole; `stages` is step to stage.

    A step of which nothing is known takes what its stage's weight says, in the measure of those that are
    known. That is done only where these are half of the job, by their weights: otherwise a short step would
    tell how long a long one takes, and the unknown stay unknown.
    """
    weights = {name: weight_of(stage) for name, stage in stages.items()}
    known = {name: value for name in stages if (value := known_ms.get(name)) is not None}
    weight = sum(weights[name] for name in known)
    if not known or 2 * weight < sum(weights.values()):
        return {name: known.get(name) for name in stages}
    scale = sum(known.values()) / weight
    return {name: known.get(name, scale * weights[name]) for name in stages}


def left_ms(rate_ms: float | None, course: Course | None, ran_ms: float, now_s: float) -> float | None:
    """Return how long a call still takes that has run for `ran_ms`; None where nothing tells.

    `rate_ms` is how long such calls took before. The further the call is, the more its own pace counts.
    """
    if course is None:
        return None if rate_ms is None else max(_LAST_PART * rate_ms, rate_ms - ran_ms)
    whole_ms = _whole_ms(rate_ms, course)
    if whole_ms is None:
        return None
    rest_ms = (1 - course.fraction) * whole_ms
    waited_ms = course.waited_s(now_s) if course.parts else now_s - course.risen_s
    return max(_LAST_PART * rest_ms, rest_ms - 1000 * waited_ms)


def own_ms(course: Course) -> float | None:
    """Return how long the whole call takes by its own pace; None early in the call."""
    pace_s = course.pace_s()
    return None if pace_s is None or course.fraction < _TOLD else 1000 * pace_s


def _whole_ms(rate_ms: float | None, course: Course) -> float | None:
    """Return how long the whole call takes, by its rate and by its own pace."""
    if rate_ms is None:
        return own_ms(course)
    pace_s = course.pace_s()
    if pace_s is None:
        return rate_ms
    share = min(1.0, course.fraction / _HALF)
    return share * 1000 * pace_s + (1 - share) * rate_ms
