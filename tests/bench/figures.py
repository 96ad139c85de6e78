"""What the benches measured: each figure beside its peer's in the same run, judged, and kept in one file.

Less is better in every figure, so that a limit is always the most that is allowed. What is judged is ours
over the peer's, or ours alone where there is no peer. The file is `build/bench.json`, another one by
`CPW_BENCH_JSON`; a bench replaces its own figures there and leaves those of the others.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envspecs.hardware import detect
from protocol.artefacts import read_json_as, write_json
from protocol.clock import now_iso
from protocol.schema import to_plain
from tests.data import ROOT

__all__ = [
    "Machine",
    "Measured",
    "Record",
    "Sheet",
    "here",
    "judged",
    "number",
    "place",
    "read_record",
    "skip",
]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where figures were measured."""

    cores: int
    processor: str
    memory_gb: float
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure. `spread` holds the least and the most, over the rounds, of what is judged."""

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    limit: float | None
    """None: it is shown, and not judged."""
    ok: bool
    spread: tuple[float, float]
    unit: str
    command: str
    date: str = ""
    commit: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The file."""

    machine: Machine
    figures: tuple[Measured, ...] = ()


class Sheet:
    """The figures of one bench; each is printed as it comes."""

    def __init__(self, command: str, path: Path | None = None, machine: Machine | None = None) -> None:
        self._command = command
        self._path = path or place()
        self._machine = machine
        self._commit = _commit()
        self._figures: list[Measured] = []

    def add(
        self,
        name: str,
        ours: Sequence[float],
        peer: Sequence[float] = (),
        *,
        limit: float | None = None,
        unit: str = "s",
    ) -> Measured:
        """Judge the medians of all rounds, print them, and return the figure."""
        ratio, spread = judged(ours, peer)
        value = statistics.median(ours) if ratio is None else ratio
        figure = Measured(
            name=name,
            ours=statistics.median(ours),
            peer=statistics.median(peer) if peer else None,
            ratio=ratio,
            limit=limit,
            ok=limit is None or value <= limit,
            spread=spread,
            unit=unit,
            command=self._command,
            date=now_iso(),
            commit=self._commit,
        )
        self._figures.append(figure)
        sys.stdout.write(_sentence(figure) + "\n")
        sys.stdout.flush()
        return figure

    def close(self) -> int:
        """Write the figures into the file; return 0, or 1 where one is over its limit."""
        machine = self._machine or here()
        record = read_record(self._path)
        # Figures of two machines do not belong into one table.
        kept = record.figures if record is not None and record.machine == machine else ()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, to_plain(Record(machine=machine, figures=self._in_place_of_old(kept))))
        return 0 if all(figure.ok for figure in self._figures) else 1

    def _in_place_of_old(self, kept: Sequence[Measured]) -> tuple[Measured, ...]:
        names = {figure.name for figure in self._figures}
        is_old = [figure.command == self._command or figure.name in names for figure in kept]
        first = is_old.index(True) if any(is_old) else len(kept)
        after = [figure for figure, old in zip(kept[first:], is_old[first:], strict=True) if not old]
        return (*kept[:first], *self._figures, *after)


def skip(reason: str) -> int:
    """Say why nothing is measured; return the exit code, which is that of success."""
    sys.stdout.write(f"not measured: {reason}\n")
    return 0


def judged(ours: Sequence[float], peer: Sequence[float]) -> tuple[float | None, tuple[float, float]]:
    """Return the ratio of the medians, None without a peer, and the spread of what is judged.

    Rounds that were measured in turns are compared pair by pair, others with the peer's median.
    """
    if not peer:
        return None, (min(ours), max(ours))
    middle = statistics.median(peer)
    beside = peer if len(peer) == len(ours) else [middle] * len(ours)
    each = [_over(our, other) for our, other in zip(ours, beside, strict=True)]
    return _over(statistics.median(ours), middle), (min(each), max(each))


def _over(ours: float, peer: float) -> float:
    """Return the ratio; a peer of nothing is met by nothing, and by nothing else."""
    if peer == 0:
        return 1.0 if ours == 0 else sys.float_info.max
    return ours / peer


def number(value: float) -> str:
    """Return three digits or so."""
    places = next((places for least, places in ((100, 0), (10, 1), (0.1, 2)) if abs(value) >= least), 3)
    return f"{value:.{places}f}"


def _sentence(figure: Measured) -> str:
    low, high = map(number, figure.spread)
    said = f"{figure.name}: {number(figure.ours)} {figure.unit}"
    if figure.peer is not None and figure.ratio is not None:
        said += f", the peer {number(figure.peer)} {figure.unit}, ratio {number(figure.ratio)}"
    said += f" ({low} to {high}"
    said += "" if figure.limit is None else f"; limit {number(figure.limit)}"
    return said + (")" if figure.ok else ") OVER THE LIMIT")


def place() -> Path:
    """Return where the figures are kept."""
    return Path(os.environ.get("CPW_BENCH_JSON") or ROOT / "build" / "bench.json")


def read_record(path: Path) -> Record | None:
    """Return the file's figures, None where there is no such file."""
    return read_json_as(Record, path) if path.exists() else None


def here() -> Machine:
    """Return what this machine is."""
    found = detect()
    return Machine(
        cores=found.cores,
        processor=found.cpu or found.machine,
        memory_gb=round(found.ram_bytes / 1e9, 1),
        gpus=tuple(device.name for device in found.cuda),
    )


def _commit() -> str:
    """Return the commit that is measured, empty where git does not know."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.strip()
