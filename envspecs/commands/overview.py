"""What there is, for people and for scripts: the list of environments, and the three maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from envspecs import choosing
from envspecs.builds import history
from envspecs.builds.installed import TELLING, Marker, build_state, read_marker
from envspecs.layout import interpreter, venv_path
from envspecs.sizes import Taken, human, taken_by
from envspecs.spec import EnvSpec, read_all
from protocol.stages import STAGES, WORKFLOWS, required_stages

__all__ = ["Entry", "as_json", "as_lines", "entries", "environment_map", "map_lines"]

_NONE = "-"
_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An environment and its state on this machine."""

    name: str
    purpose: str
    state: str
    """`built`, `outdated` or `missing`."""
    optional: bool
    stages: tuple[str, ...]
    used: str
    """For what it is used here, or why it is not."""
    path: str
    python_version: str = ""
    key: str = ""
    built_at: str = ""
    main: str = ""
    """Its main library: the first of its requirements."""
    versions: dict[str, str]
    """Of what the spec names, of torch and numpy: as the build's probe found them."""
    size_bytes: int = 0
    """What its build takes on the disk; files that it shares with others count in each."""
    models: tuple[str, ...] = ()
    proved: bool = False
    """Whether a worker in this build has done a call."""
    previous: str = ""
    """The build that a rollback goes to."""
    copied_from: str = ""


def entries(root: Path | None = None) -> tuple[list[Entry], int]:
    """Return every environment, and what all together take on the disk, shared files counted once."""
    specs = read_all() if root is None else read_all(root / "envspecs")
    found, taken = [], Taken()
    for spec in specs:
        entry, mine = _entry(spec, specs, root)
        found.append(entry)
        taken = taken | mine
    return found, taken.size


def _entry(spec: EnvSpec, specs: Sequence[EnvSpec], root: Path | None) -> tuple[Entry, Taken]:
    build = history.current_build(spec.name, root)
    marker = read_marker(build) if build else None
    previous = history.previous_build(spec.name, root)
    taken = taken_by(build) if build else Taken()
    versions = _versions(build, marker) if build and marker else {}
    entry = Entry(
        name=spec.name,
        purpose=spec.purpose,
        state=build_state(spec, root),
        optional=spec.optional,
        stages=tuple(spec.stages),
        used=choosing.why(spec, specs, root),
        path=str(venv_path(spec.name, root)),
        python_version=marker.python.version if marker else "",
        key=marker.key if marker else "",
        built_at=marker.built_at if marker else "",
        main=_main_library(spec),
        versions=versions,
        size_bytes=taken.size,
        models=spec.models,
        proved=build is not None and history.is_proved(build),
        previous=previous.name if previous else "",
        copied_from=spec.copied_from,
    )
    return entry, taken


def _versions(build: Path, marker: Marker) -> dict[str, str]:
    """Return the versions to show; they are read from the files of a build whose marker has none."""
    if marker.packages:
        return marker.versions
    names = (path.name.removesuffix(".dist-info") for path in build.glob("lib/*/site-packages/*.dist-info"))
    there = dict(name.rpartition("-")[::2] for name in names)
    return {**{name: there[name] for name in TELLING if name in there}, **marker.versions}


def _main_library(spec: EnvSpec) -> str:
    first = spec.requirements[0] if spec.requirements else ""
    name = first
    for at, character in enumerate(first):
        if not (character.isalnum() or character in "-_."):
            name = first[:at]
            break
    return name


def as_json(found: Sequence[Entry], together: int) -> dict[str, Any]:
    """Return what `list --json` shows: the maps, and of each environment all that is known."""
    maps = environment_map()
    for entry in found:
        maps["environments"][entry.name] |= asdict(entry)
    return {**maps, "together_bytes": together}


def as_lines(found: Sequence[Entry], together: int) -> list[str]:
    """Return the list for a screen of a hundred columns: two lines an environment."""
    titles = ("environment", "state", "python", "torch", "numpy", "main library", "size", "key")
    rows: list[tuple[str, ...]] = [titles, *(_row(entry) for entry in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_laid_out(rows[0], widths)]
    for entry, row in zip(found, rows[1:], strict=True):
        lines.append(_laid_out(row, widths))
        lines += _wrapped(_remarks(entry))
    lines.append("")
    lines += _wrapped([f"Together {human(together)} on the disk: files that several share count once."], "")
    return lines


def _row(entry: Entry) -> tuple[str, ...]:
    version = entry.versions.get(entry.main, "")
    main = entry.main if entry.main not in ("torch", "numpy") else ""
    return (
        entry.name,
        entry.state,
        entry.python_version or _NONE,
        entry.versions.get("torch", _NONE),
        entry.versions.get("numpy", _NONE),
        f"{main} {version}".strip() or _NONE,
        human(entry.size_bytes) if entry.key else _NONE,
        entry.key or _NONE,
    )


def _laid_out(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _remarks(entry: Entry) -> list[str]:
    said = ["optional" if entry.optional else "required"]
    said.append(entry.used)
    if entry.stages and not entry.used.startswith(("used for", "translates")):
        said.append(f"does {', '.join(entry.stages)}")
    if entry.copied_from:
        said.append(f"copy of {entry.copied_from}")
    if entry.previous:
        said.append(f"earlier build kept: python3 -m envspecs rollback {entry.name}")
    return said


def _wrapped(pieces: Iterable[str], indent: str = "  ") -> list[str]:
    """Return the pieces in lines that fit; no piece is broken, so that a command can be copied."""
    lines: list[str] = []
    for piece in pieces:
        joined = f"{lines[-1]}; {piece}" if lines else ""
        if lines and len(joined) <= _WIDTH:
            lines[-1] = joined
        else:
            lines.append(indent + piece)
    return lines


def environment_map(root: Path | None = None) -> dict[str, Any]:
    """Return the three maps: of environments, of stages and of workflows. Their one source is the specs."""
    specs = read_all() if root is None else read_all(root / "envspecs")
    serving = {stage: choosing.environments_for(stage, root) for stage in STAGES}
    first = {stage: choosing.environment_for(stage, root).name for stage, found in serving.items() if found}
    return {
        "version": 1,
        "environments": {
            spec.name: {
                "purpose": spec.purpose,
                "path": str(venv_path(spec.name, root)),
                "python": str(interpreter(spec.name, root)),
                "state": build_state(spec, root),
                "stages": list(spec.stages),
                "optional": spec.optional,
                "worker": spec.worker,
                "usable_here": spec.usable_here(),
                "by_name_only": choosing.is_by_name_only(spec),
                "models": list(spec.models),
            }
            for spec in specs
        },
        "stages": {stage: [spec.name for spec in found] for stage, found in serving.items() if found},
        "workflows": {
            workflow: sorted({first[stage] for stage in required_stages(workflow) if stage in first})
            for workflow in WORKFLOWS
        },
    }


def map_lines(maps: dict[str, Any]) -> list[str]:
    """Return the maps for a screen."""
    width = max(len(name) for table in ("environments", "stages", "workflows") for name in maps[table])
    lines = ["environment -> stages"]
    for name, entry in maps["environments"].items():
        lines.append(f"  {name:{width}}  {', '.join(entry['stages']) or _NONE}")
        lines += [f"  {'':{width}}  {entry[fact]}" for fact in ("purpose", "path")]
    lines += ["", "stage -> environments, the first that is built does it"]
    lines += [f"  {stage:{width}}  {', '.join(names)}" for stage, names in maps["stages"].items()]
    lines += ["", "workflow -> environments it needs"]
    lines += [f"  {workflow:{width}}  {', '.join(names)}" for workflow, names in maps["workflows"].items()]
    return lines
