"""Upgrade to newer packages and roll back: the previous build is kept with its spec and its lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from envspecs.builds import history, lockfile
from envspecs.builds.build import Building, bring_up, building, refresh
from envspecs.builds.history import Sources
from envspecs.builds.installed import read_marker
from envspecs.builds.joining import joined
from envspecs.key import build_key
from envspecs.layout import lock_path, specs_directory, venv_path
from envspecs.report import Report
from envspecs.spec import EnvSpec, parse
from protocol.artefacts import write_whole
from protocol.errors import MissingError, SchemaError, UsageError

__all__ = ["rollback", "upgrade"]


def upgrade(spec: EnvSpec, report: Report, root: Path | None = None) -> Path:
    """Resolve the requirements again, build beside the current build, and swap the new one in.

    The checkout's lock is replaced in the same moment: where anything fails before, nothing has changed.
    Raises what `envspecs.builds.build.build` does.
    """
    with building(spec, report, root) as job:
        newest = lockfile.resolve(spec, report, job.root)
        before = history.current_build(spec.name, job.root)
        if newest == job.lock:
            report.line(f"{spec.name}: its lock has the newest versions already.")
        folder = bring_up(replace(job, lock=newest))
        for change in _changes(before, folder):
            report.line(f"{spec.name}: {change}")
        return folder


def _changes(before: Path | None, after: Path) -> list[str]:
    """Return what is another version, one line a package: `torch 2.8.0 -> 2.9.0`."""
    old, new = (read_marker(folder) if folder else None for folder in (before, after))
    if old is None or new is None or not old.packages:
        return []
    names = sorted({*old.packages, *new.packages})
    pairs = ((name, old.packages.get(name, "none"), new.packages.get(name, "none")) for name in names)
    return [f"{name} {was} -> {now}" for name, was, now in pairs if was != now]


def rollback(spec: EnvSpec, report: Report, root: Path | None = None) -> Path:
    """Make the previous build the current one, with its lock, and its spec where that asked for others.

    What is left becomes the previous build, so that the same again goes forward. A spec that was changed and
    not built since is laid aside.
    Raises `MissingError` where there is none, `UsageError` where it no longer fits; nothing has changed then.
    """
    with building(spec, report, root) as job:
        previous = history.previous_build(spec.name, job.root)
        if previous is None:
            message = f"There is no earlier build of {spec.name} to go back to."
            raise MissingError(message, f"python3 -m envspecs build {spec.name}")
        sources = _sources(job, previous)
        current = history.current_build(spec.name, job.root)
        present = Sources(spec=_spec_path(job).read_text(encoding="utf-8"), lock=job.lock)
        if current is not None and _made(current, job.spec, job.lock, job):
            # With what was set since and makes no other build of it: limits, a purpose.
            history.keep_sources(current, present)
        elif sources.spec != present.spec:
            _lay_aside(job, present.spec)
        refresh(replace(job, spec=_of(sources, job), lock=sources.lock), previous)
        _write_back(job, present, sources)
        history.point(venv_path(spec.name, job.root), previous)
        if current is not None:
            history.point(history.previous_link(spec.name, job.root), current)
        report.line(f"{spec.name}: back in {previous.name}.")
        return previous


def _sources(job: Building, previous: Path) -> Sources:
    """Return the spec and the lock that make the previous build the one that is asked for."""
    copies = history.sources_of(previous)
    if copies is not None:
        here = _spec_path(job).read_text(encoding="utf-8")
        # The spec as it is now, if it asks for the same packages: its limits may have changed since.
        for text in (here, _for_this_checkout(copies.spec, here, job.name)):
            if text and _made(previous, parse(job.name, text), copies.lock, job):
                return Sources(spec=text, lock=copies.lock)
    message = f"The earlier build of {job.name}, {previous.name}, does not fit this checkout any more."
    raise UsageError(message, f"Change its requirements, then: python3 -m envspecs build {job.name}")


def _for_this_checkout(then: str, here: str, name: str) -> str | None:
    """Return what the spec of a build has to say here: engines and their devices are those of this checkout.

    A build has packages only: the code that runs in it is the checkout's. Where the earlier text names other
    engines, or is of a form that is not read any more, the present one is kept but for the packages.
    """
    try:
        earlier = parse(name, then)
    except SchemaError:
        return joined(here, then)
    present = parse(name, here)
    alike = (earlier.stages, earlier.computing) == (present.stages, present.computing)
    return then if alike else joined(here, then)


def _of(sources: Sources, job: Building) -> EnvSpec:
    """Return the spec of the sources, with the engines that are loaded in this checkout."""
    return replace(parse(job.name, sources.spec), stages=job.spec.stages, computing=job.spec.computing)


def _made(build: Path, spec: EnvSpec, lock: str, job: Building) -> bool:
    """Return whether the build is the one that this spec and this lock ask for."""
    marker = read_marker(build)
    return marker is not None and build_key(spec, marker.python, job.root, lock) == marker.key


def _lay_aside(job: Building, spec: str) -> None:
    aside = _spec_path(job).with_suffix(".toml.not-built")
    write_whole(aside, spec.encode())
    job.report.line(f"{job.name}: what {job.name}.toml asked for was never built; it is kept in {aside}.")


def _write_back(job: Building, present: Sources, wanted: Sources) -> None:
    path = lock_path(job.name, job.root)
    if wanted.lock and wanted.lock != present.lock:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, wanted.lock.encode())
    elif not wanted.lock:
        path.unlink(missing_ok=True)
    if wanted.spec != present.spec:
        write_whole(_spec_path(job), wanted.spec.encode())
        job.report.line(f"{job.name}: {job.name}.toml asks for what it asked for then.")


def _spec_path(job: Building) -> Path:
    return specs_directory(job.root) / f"{job.name}.toml"
