"""How long a step takes on this machine, as earlier steps took: measured by stage, environment and model.

The durations of the last steps are kept by the length of their sound, a few for each doubling of it. So a day
of short clips does not drive out what a long film took. Of each class the median counts: a step that loaded
its model first, or ran beside another program, changes little. A line through the classes tells all lengths.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from coordinator.store.rows import JobRow, StepRow
from protocol.messages import Submit

__all__ = ["Rate", "Rates", "line_through", "rate_name"]

_KEPT = 5
"""So many steps are kept of each class of lengths."""
_SAME = 1e-3
"""Lengths that differ by less (their spread, squared and relative) do not tell a step's fixed cost."""
_PREFIX = "rate "
_MOST_LETTERS = 24
"""A setting with a longer text (a prompt) is one film's: it makes no rate of its own."""

Sample = tuple[int, int]
"""The length of the sound and the duration of the step, in milliseconds."""


def rate_name(stage: str, environment: str, submit: Submit, choices: Mapping[str, Any]) -> str:
    """Return the name of the rate of such steps: stage, environment, model, then settings, by name.

    `choices` are those of the step's plan. A person's settings change how long a step takes (`burn`,
    `shot_changes`, `beam_size`), and so does the device.
    """
    settings = {**choices, **submit.parameters.get(stage, {})}
    model = settings.pop("model", "")
    told = [f"{name}={value}" for name, value in sorted(settings.items()) if _is_short(value)]
    return " ".join(str(part) for part in (stage, environment, model, *told) if part)


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _MOST_LETTERS and len(value.split()) == 1
    return isinstance(value, (bool, int, float))


@dataclass
class Rate:
    """What steps of one kind took; `classes` has the latest of each class of lengths."""

    classes: dict[int, list[Sample]] = field(default_factory=dict)
    _line: tuple[float, float] | None = field(default=None, compare=False)

    def add(self, sound_ms: int, duration_ms: int) -> None:
        """Add a step that was done."""
        samples = self.classes.setdefault(int(math.log2(max(1, sound_ms))), [])
        samples.append((sound_ms, duration_ms))
        del samples[:-_KEPT]
        self._line = None

    def takes_ms(self, sound_ms: int) -> float:
        """Return how long a step with so much sound takes."""
        if self._line is None:
            self._line = line_through(self._points())
        fixed, slope = self._line
        return fixed + slope * sound_ms

    def usual_ms(self) -> float:
        """Return how long a step takes where the length of its sound is not known: the median."""
        return median(duration for samples in self.classes.values() for _, duration in samples)

    def _points(self) -> list[tuple[float, float]]:
        """Return one point for each class: its median length and what that took, by the median ratio."""
        points = []
        for samples in self.classes.values():
            length = median(sound for sound, _ in samples)
            points.append((length, length * median(duration / sound for sound, duration in samples)))
        return points


def line_through(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the fixed cost and the cost of a millisecond of sound: the line with the least relative errors.

    Their squares are added up, relative to what was measured. So a short film counts as much as a long one,
    and a step that was held up counts less than others. Neither cost is negative. Where all lengths are the
    same, nothing tells the fixed cost: it is 0.
    """
    rows = [(1 / max(1.0, took), length / max(1.0, took)) for length, took in points]
    ones, lengths = sum(one for one, _ in rows), sum(length for _, length in rows)
    squared, mixed = sum(length * length for _, length in rows), sum(one * length for one, length in rows)
    alone = sum(one * one for one, _ in rows)
    determinant = alone * squared - mixed * mixed
    if determinant > _SAME * alone * squared:
        fixed = (ones * squared - mixed * lengths) / determinant
        slope = (alone * lengths - mixed * ones) / determinant
        if fixed >= 0 and slope >= 0:
            return fixed, slope
    return 0.0, lengths / squared


class Rates:
    """The rates of this machine, as facts of the store: `get` and `put` read and write one."""

    def __init__(self, get: Callable[[str], str], put: Callable[[str, str], None]) -> None:
        self._get = get
        self._put = put
        self._known: dict[str, Rate] = {}

    def note_step(self, job: JobRow, step: StepRow, sound_ms: int, duration_ms: int) -> None:
        """Record a step that is done; not one without a worker, which was taken over from another job."""
        if step.worker:
            self.note(
                rate_name(step.stage, step.environment, job.submit, step.choices), sound_ms, duration_ms
            )

    def note(self, name: str, sound_ms: int, duration_ms: int) -> None:
        """Record what a step took; nothing where the length of its sound is not known."""
        if sound_ms <= 0 or duration_ms < 0:
            return
        rate = self._rate(name)
        rate.add(sound_ms, duration_ms)
        self._put(_PREFIX + name, json.dumps({str(key): value for key, value in rate.classes.items()}))

    def find(self, name: str) -> Rate | None:
        """Return the rate of this name; where it is not known, that of the same stage, environment and model.

        None where there is none either.
        """
        plain = " ".join(word for word in name.split() if "=" not in word)
        return next((rate for rate in map(self._rate, (name, plain)) if rate.classes), None)

    def _rate(self, name: str) -> Rate:
        if name not in self._known:
            self._known[name] = _read(self._get(_PREFIX + name))
        return self._known[name]


def _read(text: str) -> Rate:
    """Read a rate as `Rates.note` has written it; what cannot be read is as if it had not been measured."""
    rate = Rate()
    try:
        for samples in json.loads(text or "{}").values():
            for sound_ms, duration_ms in samples:
                if int(sound_ms) > 0 and int(duration_ms) >= 0:
                    rate.add(int(sound_ms), int(duration_ms))
    except (ValueError, TypeError, AttributeError):
        return Rate()
    return rate
