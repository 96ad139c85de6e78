"""An environment as its `<name>.toml` describes it; one wrong key is refused by its path."""

from __future__ import annotations

import platform
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from envspecs.computing import Computing, check_computing
from envspecs.layout import specs_directory
from protocol.errors import SchemaError, UsageError
from protocol.schema import from_plain
from protocol.stages import STAGES

__all__ = [
    "MOST_WORKERS",
    "PER_GPU",
    "EnvSpec",
    "Limits",
    "Memory",
    "Platform",
    "StageEngine",
    "all_requirements",
    "locked_requirements",
    "parse",
    "read",
    "read_all",
    "read_toml",
    "spec_names",
]

_NOT_ENVIRONMENTS = frozenset({"models"})
_ENGINES = "workers.engines."
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ENGINE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MODULE = re.compile(r"(workers\.engines|cluster)(\.[a-z_]\w*)+")
_CLAUSE = re.compile(r"(>=|<)\s*(\d+)\.(\d+)")
PER_GPU: Final = "per-gpu"
MOST_WORKERS: Final = 64
"""Of one environment: a larger number is a slip, and each worker loads its own models."""


@dataclass(frozen=True, kw_only=True)
class StageEngine:
    """Which class keeps a stage's contract, as `module:Class`."""

    engine: str
    name: str = ""
    """What the keys of finished steps call the engine, so that its module can move and finished work is still
    recognised; empty: what follows `workers.engines.` in `engine`."""
    rank: int = 50
    """Where several environments could do the stage, the one with the lowest number does."""
    computing: Computing | None = None
    """What this engine computes on, where it is not what the environment's `computing` says."""
    models: tuple[str, ...] = ()
    """What it loads where that is not the environment's default model: the first that is in the store, the
    last one where none is."""

    @property
    def key_name(self) -> str:
        """Return the engine as step keys name it: where it lay when names were given to engines."""
        return _ENGINES + (self.name or self.engine.removeprefix(_ENGINES))


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where an environment can be built; an empty field fits everything."""

    system: str = ""
    machine: str = ""

    def __str__(self) -> str:
        """Return it as a person says it: `Darwin arm64`."""
        return " ".join(part for part in (self.system, self.machine) if part) or "any machine"

    def fits_here(self) -> bool:
        """Return whether this machine is such a one."""
        return self.system in ("", platform.system()) and self.machine in ("", platform.machine())


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker of the environment may take."""

    start_timeout_s: float = 300.0
    """From the process's start to READY, models loaded."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """When models are in the worker's memory. 0 means: without limit."""

    load: Literal["start", "first-use"] = "start"
    """When the default model is loaded."""
    idle_unload_s: float = 0.0
    """A model that was not used for so long is let go of."""
    ram_mb: int = 0
    """Resident memory of the environment's workers over which models are let go of, least recently used
    first."""
    vram_mb: int = 0
    """The same for the memory of one GPU."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service outside of the house that an environment's engines ask, by the variables of a person."""

    address: str
    """The environment variable that holds its address: without it the engines do nothing."""
    model: str = ""
    """The one that names a model of it."""


@dataclass(frozen=True, kw_only=True)
class EnvSpec:
    """One environment: an interpreter with packages, and the stages a worker in it can do."""

    name: str
    purpose: str
    requirements: tuple[str, ...]
    nvidia_requirements: tuple[str, ...] = ()
    """Added to them where the build finds an NVIDIA GPU: large libraries that nobody else can use."""
    python: str = ">=3.11"
    include: tuple[str, ...] = ()
    """Other specs whose requirements are added to these."""
    stages: dict[str, StageEngine] = field(default_factory=dict)
    computing: Computing | None = None
    """What its engines compute on; a stage that differs has a table of its own in its place."""
    worker: bool = True
    """Whether a worker process is started in it."""
    programs: dict[str, str] = field(default_factory=dict)
    """Modules that are run in it, once for one answer, by what they do: `fetch`."""
    workers: Literal["per-gpu"] | int = 1
    """How many; `per-gpu`: one for each NVIDIA GPU, at least one."""
    optional: bool = False
    """Used when built, skipped when not, and never built unless named."""
    platform: Platform = Platform()
    preferred: Platform | None = None
    """Where it goes before all others that do its stages; on other machines it serves only who names it."""
    by_name_only: bool = False
    """Used only where a job names it: `--env asr=whisperx-experimental`."""
    copied_from: str = ""
    """The environment that `envs copy` made it from; empty for one of the project."""
    limits: Limits = Limits()
    memory: Memory = Memory()
    model_kinds: tuple[str, ...] = ()
    """Kinds of the model registry that its engines load."""
    default_model: str = ""
    models: tuple[str, ...] = ()
    """Ids in the model registry, fetched with the build."""
    service: Service | None = None
    """What computes in its engines' place. Such a translator needs no model of the store, and may know any
    pair of languages."""
    environment: dict[str, str] = field(default_factory=dict)
    """Extra environment variables of the worker."""

    def usable_here(self) -> bool:
        """Return whether the environment is meant for this machine."""
        return self.platform.fits_here()

    def computing_of(self, stage: str) -> Computing:
        """Return what the engine of the stage computes on; `KeyError` for a stage it does not do."""
        return self.stages[stage].computing or self.computing or Computing()

    @property
    def threads(self) -> int:
        """Return how many threads its engines gain from, at most; 0: as many as there are cores."""
        return self.computing.threads if self.computing else 0

    def wanted_here(self) -> bool:
        """Return whether it is built without being named: it is required, or preferred on such a machine."""
        return not self.optional or (self.preferred is not None and self.preferred.fits_here())

    def allows_python(self, version: tuple[int, int]) -> bool:
        """Return whether the interpreter of this version fits `python`."""
        for operator, major, minor in _CLAUSE.findall(self.python):
            bound = (int(major), int(minor))
            if (operator == ">=" and version < bound) or (operator == "<" and version >= bound):
                return False
        return True


def read_toml(path: Path) -> dict[str, object]:
    """Return the tables of the TOML file; `UsageError` where it cannot be read."""
    try:
        return _tables(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        message = f"The file {path} is not UTF-8: {error.reason}."
        raise UsageError(message, "Mend that line.") from error
    except OSError as error:
        message = f"The file {path} cannot be read: {error.strerror}."
        raise UsageError(message) from error


def _tables(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"The file {path} is not valid TOML: {error}."
        raise UsageError(message, "Mend that line.") from error


def spec_names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the names of all environments, in order."""
    found = (path.stem for path in (folder or specs_directory()).glob("*.toml"))
    return tuple(sorted(name for name in found if name not in _NOT_ENVIRONMENTS))


def read(name: str, folder: Path | None = None) -> EnvSpec:
    """Return the environment's spec; `UsageError` where there is none, `SchemaError` where it is wrong."""
    folder = folder or specs_directory()
    known = spec_names(folder)
    if name not in known:
        message = f"There is no environment {name!r}; there are {', '.join(known) or 'none'}."
        raise UsageError(message, "python3 -m envspecs list")
    spec = _spec(name, read_toml(folder / f"{name}.toml"))
    return _with_engines_of_today(spec, folder) if spec.copied_from else spec


def _with_engines_of_today(copy: EnvSpec, folder: Path) -> EnvSpec:
    """Return the copy with its engines where they lie now, computing on what they compute on now.

    A copy is a text of the day on which it was made: engines may have moved since, and it may be older than
    the table `computing`. An engine is known by its name in step keys. What the copy itself says of its
    devices stays.
    """
    silent = not copy.computing and not any(entry.computing for entry in copy.stages.values())
    specs = [_spec(name, read_toml(folder / f"{name}.toml")) for name in spec_names(folder)]
    stages, computing = dict(copy.stages), copy.computing
    for spec in specs:
        for stage, entry in copy.stages.items():
            ours = spec.stages.get(stage)
            if not spec.copied_from and ours and ours.key_name == entry.key_name:
                own = ours.computing if silent else entry.computing
                stages[stage] = replace(entry, engine=ours.engine, name=ours.name, computing=own)
                computing = spec.computing if silent else computing
    return replace(copy, stages=stages, computing=computing)


def parse(name: str, text: str) -> EnvSpec:
    """Return the spec that `text`, a `<name>.toml`, describes to the letter; raises what `read` does."""
    return _spec(name, _tables(text, Path(f"{name}.toml")))


def _spec(name: str, tables: dict[str, object]) -> EnvSpec:
    spec = from_plain(EnvSpec, tables, path=f"{name}.toml", strict=True)
    _check(spec, name)
    return spec


def read_all(folder: Path | None = None) -> tuple[EnvSpec, ...]:
    """Return every environment's spec, in the order of their names."""
    return tuple(read(name, folder) for name in spec_names(folder))


def all_requirements(spec: EnvSpec, folder: Path | None = None) -> tuple[str, ...]:
    """Return the requirements, those of the included specs first, each once."""
    return tuple(dict.fromkeys(_requirements(spec, folder, ())))


def locked_requirements(spec: EnvSpec, folder: Path | None = None) -> tuple[str, ...]:
    """Return what a lock is made for: the requirements, and those of a machine with an NVIDIA GPU."""
    return tuple(dict.fromkeys((*all_requirements(spec, folder), *spec.nvidia_requirements)))


def _requirements(spec: EnvSpec, folder: Path | None, above: tuple[str, ...]) -> list[str]:
    if spec.name in above:
        raise SchemaError(
            f"{spec.name}.toml.include", f"goes in a circle: {' -> '.join((*above, spec.name))}"
        )
    found: list[str] = []
    for name in spec.include:
        found += _requirements(read(name, folder), folder, (*above, spec.name))
    return [*found, *spec.requirements]


def _check(spec: EnvSpec, name: str) -> None:
    file = f"{name}.toml"
    if spec.name != name or not _NAME.fullmatch(name):
        raise SchemaError(f"{file}.name", f"{spec.name!r} is not the file's name in lower case, digits and -")
    clauses = [part.strip() for part in spec.python.split(",")]
    if not all(_CLAUSE.fullmatch(clause) for clause in clauses):
        raise SchemaError(f"{file}.python", f"{spec.python!r} is not of the form '>=3.11' or '>=3.11,<3.14'")
    if spec.default_model and spec.default_model not in spec.models:
        raise SchemaError(f"{file}.default_model", f"{spec.default_model!r} is not in models")
    if spec.workers != PER_GPU and not 1 <= spec.workers <= MOST_WORKERS:
        problem = f"{spec.workers!r} is not {PER_GPU!r} or a number from 1 to {MOST_WORKERS}"
        raise SchemaError(f"{file}.workers", problem)
    _check_requirements(spec, file)
    _check_stages(spec, file)
    for task, module in spec.programs.items():
        if not _MODULE.fullmatch(module):
            raise SchemaError(f"{file}.programs.{task}", f"{module!r} is no module of engines or of cluster")


def _check_requirements(spec: EnvSpec, file: str) -> None:
    for name in ("requirements", "nvidia_requirements"):
        for index, requirement in enumerate(getattr(spec, name)):
            # A leading dash would be an option of uv, a slash a path of this machine.
            if not re.match(r"[A-Za-z0-9]", requirement) or "/" in requirement:
                raise SchemaError(f"{file}.{name}[{index}]", f"{requirement!r} is not a package requirement")


def _check_stages(spec: EnvSpec, file: str) -> None:
    for stage, entry in spec.stages.items():
        if stage not in STAGES:
            raise SchemaError(f"{file}.stages.{stage}", f"is not one of {', '.join(STAGES)}")
        if not _ENGINE.fullmatch(entry.engine):
            raise SchemaError(f"{file}.stages.{stage}.engine", f"{entry.engine!r} is not 'module:Class'")
        if entry.computing is not None:
            path = f"{file}.stages.{stage}.computing"
            check_computing(entry.computing, path, [stage])
            if entry.computing.threads:
                raise SchemaError(f"{path}.threads", "belongs into [computing]: its stages share one worker")
    if spec.computing is not None:
        check_computing(spec.computing, f"{file}.computing", spec.stages)
