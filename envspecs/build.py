"""Build an environment whole or not at all, beside the one in use, and swap it in.

A build has a folder of its own for ever (`venv/.builds/<name>-<key>`); `venv/<name>` is a link to the
current one. A worker that runs in the previous build keeps its files until it is started anew.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from envspecs.guard import exclusive
from envspecs.installed import MARKER, Marker, read_marker, write_marker
from envspecs.key import build_key, project_digest, running_python
from envspecs.layout import builds_directory, home, lock_path, specs_directory, venv_path
from envspecs.report import Report, step
from envspecs.spec import EnvSpec, all_requirements
from envspecs.uv import Tools, base_python, child_environment, find_uv
from protocol.clock import now_iso
from protocol.errors import MissingError, UsageError

__all__ = ["build", "remove_old"]

_PROBE_TIMEOUT_S = 120.0
_PROBE = """
import importlib, importlib.metadata, json, sys
asked = json.loads(sys.argv[1])
files = {name: importlib.import_module(name).__file__ for name in ("protocol", "workers")}
for module in asked["modules"]:
    importlib.import_module(module)
versions = {name: importlib.metadata.version(name) for name in asked["packages"]}
json.dump({"files": files, "versions": versions}, sys.stdout)
"""


@dataclass(frozen=True, kw_only=True)
class _Job:
    spec: EnvSpec
    root: Path
    tools: Tools
    report: Report

    @property
    def name(self) -> str:
        return self.spec.name


def build(spec: EnvSpec, report: Report, root: Path | None = None, *, again: bool = False) -> Path:
    """Build the environment where it is not built as its spec says, and return the build's folder.

    `again` builds it anew even so. Raises `UsageError`, `MissingError`, `TransientError`, `DiskFullError`.
    """
    root = (root or home()).resolve()
    _check_usable(spec, root)
    builds = builds_directory(root)
    with exclusive(builds / f".{spec.name}.lock", f"The environment {spec.name}", report) as lock:
        current = _current(spec.name, root)
        marker = read_marker(current) if current else None
        key = build_key(spec, running_python(), root)
        up_to_date = marker is not None and marker.key == key and not again
        if current and marker and up_to_date and marker.project == project_digest(root):
            report.line(f"{spec.name}: up to date.")
            return current
        tools = Tools(uv=find_uv(root, report), root=root, lock=lock)
        job = _Job(spec=spec, root=root, tools=tools, report=report)
        if current and marker and up_to_date:
            _refresh(job, current, marker)
            return current
        builds = builds.resolve()
        folder = _folder_for(builds, spec.name, key, in_use=current if again else None)
        if again or read_marker(folder) is None:
            _make(job, folder, key)
        _swap(venv_path(spec.name, root), folder)
        remove_old(builds, spec.name, keep={folder, current} if current else {folder})
        return folder


def _check_usable(spec: EnvSpec, root: Path) -> None:
    if not spec.usable_here():
        wanted = " ".join(each for each in (spec.platform.system, spec.platform.machine) if each)
        message = f"The environment {spec.name} is for {wanted} machines only."
        raise UsageError(message)
    major, minor = running_python().version.split(".")[:2]
    if not spec.allows_python((int(major), int(minor))):
        message = f"The environment {spec.name} needs Python {spec.python}; this is {major}.{minor}."
        raise UsageError(message, f"Run it with another: python3.11 -m envspecs build {spec.name}")
    link = venv_path(spec.name, root)
    if link.exists() and not link.is_symlink():
        message = f"{link} is a folder that this program did not make; a link belongs there."
        raise UsageError(message, f"Move it away, then: python3 -m envspecs build {spec.name}")


def _current(name: str, root: Path) -> Path | None:
    """Return the folder of the current build, or None where there is no whole one."""
    found = Path(os.path.realpath(venv_path(name, root)))
    ours = found.parent == builds_directory(root).resolve()
    return found if ours and read_marker(found) else None


def _folder_for(builds: Path, name: str, key: str, in_use: Path | None) -> Path:
    """Return the folder of the build; not the one in use, whose files a worker may still need."""
    for number in itertools.count(1):
        folder = builds / (f"{name}-{key}" if number == 1 else f"{name}-{key}-r{number}")
        if folder != in_use:
            return folder
    raise AssertionError


def _make(job: _Job, folder: Path, key: str) -> None:
    if folder.exists():
        state = "an older" if read_marker(folder) else "a half-built"
        job.report.line(f"{job.name}: {state} {folder.name} is removed first.")
        _remove(folder)
    python = str(folder / "bin" / "python")
    failed = f"The environment {job.name} could not be built"
    try:
        with step(job.report, f"{job.name}: making {folder.name}"):
            job.tools.run(["venv", "--quiet", "--python", str(base_python()), str(folder)], failed)
        with step(job.report, f"{job.name}: installing its packages"):
            job.tools.run(["pip", "install", "--python", python, *_wanted(job)], failed)
        _install_project(job, folder)
        versions = _probe(job, folder)
        write_marker(
            folder,
            Marker(
                name=job.name,
                key=key,
                python=running_python(),
                project=project_digest(job.root),
                built_at=now_iso(),
                versions=versions,
            ),
        )
    finally:
        # Whatever ended it, Ctrl-C too: without its marker it is worth nothing, and it may be gigabytes.
        if not (folder / MARKER).is_file():
            _remove(folder)


def _wanted(job: _Job) -> list[str]:
    lock = lock_path(job.name, job.root)
    # Constraints, not requirements: a machine may offer a local build (torch 2.13.0+cpu) of what is locked.
    constraints = ["--constraint", str(lock)] if lock.is_file() else []
    return [*constraints, "--", *all_requirements(job.spec, specs_directory(job.root))]


def _install_project(job: _Job, folder: Path) -> None:
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


def _refresh(job: _Job, folder: Path, marker: Marker) -> None:
    """Install the project anew into a build whose packages are right: only its own links change."""
    _install_project(job, folder)
    versions = _probe(job, folder)
    write_marker(folder, replace(marker, project=project_digest(job.root), versions=versions))


def _probe(job: _Job, folder: Path) -> dict[str, str]:
    """Import what a worker will, as it will; return the versions of the spec's packages."""
    modules = sorted({each.engine.partition(":")[0] for each in job.spec.stages.values()})
    there = [name for name in modules if (job.root / Path(*name.split("."))).with_suffix(".py").is_file()]
    packages = [_package(each) for each in all_requirements(job.spec, specs_directory(job.root))]
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
    found = json.loads(ended.stdout)
    for name, file in found["files"].items():
        if Path(file).parent.resolve() != job.root / name:
            message = f"The environment {job.name} imports {name} from {file}, not from {job.root}."
            raise MissingError(message, "Remove that package from the spec's requirements.")
    return dict(found["versions"])


def _package(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _swap(link: Path, folder: Path) -> None:
    """Point the link to the folder in one step: there is no moment without an environment."""
    aside = link.with_name(f".{link.name}.{os.getpid()}.link")
    aside.unlink(missing_ok=True)
    aside.symlink_to(os.path.relpath(folder, link.parent.resolve()))
    aside.replace(link)


def remove_old(builds: Path, name: str, keep: set[Path]) -> None:
    """Remove the environment's builds but those to keep (the current one and the one before it)."""
    own = re.compile(rf"{re.escape(name)}-[0-9a-f]{{12}}(-r\d+)?")
    for folder in builds.iterdir():
        if own.fullmatch(folder.name) and folder not in keep:
            _remove(folder)


def _remove(folder: Path) -> None:
    # The marker first: a removal that is cut short must not leave a build that looks whole.
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
