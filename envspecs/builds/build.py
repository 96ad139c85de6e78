"""Build an environment whole or not at all, beside the one in use, and swap it in.

A build keeps its own folder (`venv/.builds/<name>-<key>`); `venv/<name>` is a link to the current one. A
worker that runs in the previous build keeps using its files until it is restarted.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from envspecs.builds import history
from envspecs.builds.gpu import finds_nvidia_gpu
from envspecs.builds.guard import exclusive
from envspecs.builds.installed import MARKER, TELLING, Marker, read_marker, write_marker
from envspecs.builds.launchers import write_launchers
from envspecs.builds.uv import Tools, base_python, child_environment, find_uv
from envspecs.key import build_key, project_digest, read_lock, running_python
from envspecs.layout import builds_directory, home, lock_path, specs_directory, venv_path
from envspecs.report import Report, step
from envspecs.spec import EnvSpec, all_requirements, locked_requirements
from protocol.artefacts import write_whole
from protocol.clock import now_iso
from protocol.errors import MissingError, UsageError

__all__ = ["Building", "bring_up", "build", "building", "refresh"]

_PROBE_TIMEOUT_S = 120.0
_PROBE = """
import importlib, importlib.metadata, json, sys
asked = json.loads(sys.argv[1])
files = {name: importlib.import_module(name).__file__ for name in ("protocol", "workers")}
for module in asked["modules"]:
    importlib.import_module(module)
versions = {name: importlib.metadata.version(name) for name in asked["packages"]}
packages = {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name}
json.dump({"files": files, "versions": versions, "packages": packages}, sys.stdout)
"""


@dataclass(frozen=True, kw_only=True)
class Building:
    """An environment while this process holds the lock on its builds."""

    spec: EnvSpec
    root: Path
    lock: str
    """The text of the lock to build by; it becomes the checkout's once the build is whole."""
    guard: int
    """The descriptor of the kernel's lock: tools hold on to it."""
    report: Report

    @property
    def name(self) -> str:
        """Return the environment's name."""
        return self.spec.name

    @property
    def tools(self) -> Tools:
        """Return uv, found or made."""
        return Tools(uv=find_uv(self.root, self.report), root=self.root, lock=self.guard)

    def key(self) -> str:
        """Return the key of the build that spec, lock and Python ask for."""
        return build_key(self.spec, running_python(), self.root, self.lock)


def build(spec: EnvSpec, report: Report, root: Path | None = None, *, again: bool = False) -> Path:
    """Build the environment unless it is up to date, and return the build's folder.

    `again` builds it even if it is up to date.
    Raises `UsageError`, `MissingError`, `TransientError`, `DiskFullError`.
    """
    with building(spec, report, root) as job:
        return bring_up(job, again=again)


@contextmanager
def building(spec: EnvSpec, report: Report, root: Path | None = None) -> Iterator[Building]:
    """Keep others from changing the environment's builds; `UsageError` where it cannot be built here."""
    root = (root or home()).resolve()
    _check_usable(spec, root)
    guard = builds_directory(root) / f".{spec.name}.lock"
    with exclusive(guard, f"The environment {spec.name}", report) as descriptor:
        lock = read_lock(spec.name, root)
        yield Building(spec=spec, root=root, lock=lock, guard=descriptor, report=report)


def bring_up(job: Building, *, again: bool = False) -> Path:
    """Make the build that `job` describes the current one; if that fails, nothing has changed."""
    current = history.current_build(job.name, job.root)
    marker = read_marker(current) if current else None
    if current and marker:
        _remember(job, current, marker)
        if marker.key == job.key() and not again:
            return _keep_up(job, current, marker)
    place = builds_directory(job.root).resolve()
    folder = _folder_for(job, place, {current} if again else set())
    if again or read_marker(folder) is None:
        _make(job, folder)
    else:
        job.report.line(f"{job.name}: {folder.name} was built before and is taken up again.")
    _take_up(job, folder, current)
    return folder


def _remember(job: Building, current: Path, marker: Marker) -> None:
    """Lay what the current build was made by into it, where an older kind of build has no copies."""
    made_by_these = marker.key == build_key(job.spec, marker.python, job.root)
    if made_by_these and history.sources_of(current) is None:
        spec = (specs_directory(job.root) / f"{job.name}.toml").read_text(encoding="utf-8")
        history.keep_sources(current, history.Sources(spec=spec, lock=read_lock(job.name, job.root)))


def _keep_up(job: Building, current: Path, marker: Marker) -> Path:
    if marker.project != project_digest(job.root):
        refresh(job, current)
    elif not marker.packages:
        write_marker(current, _described(job, current, marker))
    else:
        job.report.line(f"{job.name}: up to date.")
    return current


def _check_usable(spec: EnvSpec, root: Path) -> None:
    if not spec.usable_here():
        message = f"The environment {spec.name} is for {spec.platform} machines only."
        raise UsageError(message)
    major, minor = running_python().version.split(".")[:2]
    if not spec.allows_python((int(major), int(minor))):
        message = f"The environment {spec.name} needs Python {spec.python}; this is {major}.{minor}."
        raise UsageError(message, f"Run it with another: python3.11 -m envspecs build {spec.name}")
    link = venv_path(spec.name, root)
    if link.exists() and not link.is_symlink():
        message = f"{link} is a folder that this program did not make; a link belongs there."
        raise UsageError(message, f"Move it away, then: python3 -m envspecs build {spec.name}")


def _folder_for(job: Building, place: Path, taken: set[Path | None]) -> Path:
    """Return the folder of the build: none of those taken, and to be made anew only where nobody needs it."""
    if taken:
        taken = {*taken, history.previous_build(job.name, job.root)}
    for number in itertools.count(1):
        name = f"{job.name}-{job.key()}"
        folder = place / (name if number == 1 else f"{name}-r{number}")
        if folder not in taken and not (taken and history.is_held(folder)):
            return folder
    raise AssertionError


def _take_up(job: Building, folder: Path, current: Path | None) -> None:
    """Make the build the current one, and keep the last build that did a call, for a rollback."""
    before = _to_go_back_to(job, folder, current)
    if read_lock(job.name, job.root) != job.lock:
        path = lock_path(job.name, job.root)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, job.lock.encode())
    if before is not None:
        history.point(history.previous_link(job.name, job.root), before)
    history.point(venv_path(job.name, job.root), folder)
    history.remove_old(folder.parent, job.name, keep={folder, before} if before else {folder})


def _to_go_back_to(job: Building, folder: Path, current: Path | None) -> Path | None:
    """Return the build to keep: the one that is replaced, or an earlier one if only that did a call."""
    earlier = history.previous_build(job.name, job.root)
    if current is None:
        return earlier
    better = earlier is not None and earlier != folder and history.is_proved(earlier)
    return earlier if better and not history.is_proved(current) else current


def _make(job: Building, folder: Path) -> None:
    if folder.exists():
        state = "an older" if read_marker(folder) else "a half-built"
        job.report.line(f"{job.name}: {state} {folder.name} is removed first.")
        history.remove(folder)
    python = str(folder / "bin" / "python")
    failed = f"The environment {job.name} could not be built"
    spec = (specs_directory(job.root) / f"{job.name}.toml").read_text(encoding="utf-8")
    try:
        with step(job.report, f"{job.name}: making {folder.name}"):
            job.tools.run(["venv", "--quiet", "--python", str(base_python()), str(folder)], failed)
        history.keep_sources(folder, history.Sources(spec=spec, lock=job.lock))
        with step(job.report, f"{job.name}: installing its packages"):
            job.tools.run(["pip", "install", "--python", python, *_wanted(job, folder)], failed)
        _install_project(job, folder)
        marker = Marker(
            name=job.name,
            key=job.key(),
            python=running_python(),
            project=project_digest(job.root),
            built_at=now_iso(),
        )
        write_marker(folder, _described(job, folder, marker))
    finally:
        # Whatever ended it (Ctrl-C too): a build without its marker is useless and may take gigabytes.
        if not (folder / MARKER).is_file():
            history.remove(folder)


def _wanted(job: Building, folder: Path) -> list[str]:
    # Constraints, not requirements: a machine may offer a local build (torch 2.13.0+cpu) of what is locked.
    constraints = ["--constraint", str(folder / history.LOCK_COPY)] if job.lock else []
    for_gpu = job.spec.nvidia_requirements and finds_nvidia_gpu()
    wanted = locked_requirements if for_gpu else all_requirements
    return [*constraints, "--", *wanted(job.spec, specs_directory(job.root))]


def _install_project(job: Building, folder: Path) -> None:
    python = str(folder / "bin" / "python")
    # setuptools writes cpw.egg-info and build/ into the checkout: one at a time, whatever the environment.
    with (
        exclusive(builds_directory(job.root) / ".project.lock", "The project's installation", job.report),
        step(job.report, f"{job.name}: linking this checkout"),
    ):
        job.tools.run(
            [
                "pip",
                "install",
                "--python",
                python,
                "--no-deps",
                "--reinstall-package",
                "cpw",
                "-e",
                str(job.root),
            ],
            f"This checkout could not be installed into the environment {job.name}",
        )
        write_launchers(folder, job.root)


def refresh(job: Building, folder: Path) -> None:
    """Install the project anew into a build whose packages are right: only its own links change."""
    marker = read_marker(folder)
    if marker is not None and marker.project != project_digest(job.root):
        _install_project(job, folder)
        marker = replace(marker, project=project_digest(job.root))
        write_marker(folder, _described(job, folder, marker))


def _described(job: Building, folder: Path, marker: Marker) -> Marker:
    """Return the marker with the versions of what is installed, found by a probe that must succeed."""
    found = _probe(job, folder)
    packages = {_normal(name): version for name, version in found.get("packages", {}).items()}
    telling = {name: packages[name] for name in TELLING if name in packages}
    return replace(marker, versions={**found["versions"], **telling}, packages=dict(sorted(packages.items())))


def _probe(job: Building, folder: Path) -> dict[str, dict[str, str]]:
    """Import what a worker imports, as it does; return the versions of the spec's packages, and of all."""
    engines = {stage.engine.partition(":")[0] for stage in job.spec.stages.values()}
    modules = sorted({*engines, *job.spec.programs.values()})
    there = [name for name in modules if (job.root / Path(*name.split("."))).with_suffix(".py").is_file()]
    packages = [
        _package(requirement) for requirement in all_requirements(job.spec, specs_directory(job.root))
    ]
    command = [str(folder / "bin" / "python"), "-I", "-c", _PROBE]
    try:
        ended = subprocess.run(
            [*command, json.dumps({"modules": there, "packages": packages})],
            check=True,
            capture_output=True,
            cwd="/",
            env=child_environment(job.root),
            timeout=_PROBE_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        message = f"The environment {job.name} was built, but a worker could not start in it:\n{said}"
        raise MissingError(message, f"Mend it, then: python3 -m envspecs build {job.name}") from error
    except subprocess.TimeoutExpired as error:
        message = f"The environment {job.name} was built, but importing its engines takes over two minutes."
        raise MissingError(message, "Import model libraries in warm and run only.") from error
    found: dict[str, dict[str, str]] = json.loads(ended.stdout)
    for name, file in found["files"].items():
        if Path(file).parent.resolve() != (job.root / name).resolve():
            message = f"The environment {job.name} imports {name} from {file}, not from {job.root}."
            raise MissingError(message, "Remove that package from the spec's requirements.")
    return found


def _package(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
