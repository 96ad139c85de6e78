"""Makes the supervisor's children that are workers: their commands, environments, logs and builds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envspecs.budgets import memory_of, threads_of
from envspecs.builds.history import current_build
from envspecs.builds.installed import is_built, read_marker
from envspecs.hardware import known
from envspecs.layout import logs_directory, models_directory, state_directory
from envspecs.processes.child import Child
from envspecs.processes.variables import FOR_WORKERS
from envspecs.spec import EnvSpec, read, spec_names
from envspecs.workers import Place, part_of, places_of, visible_to
from protocol.endpoints import worker_endpoint
from protocol.errors import CpwError
from protocol.supervisor import environment_of

__all__ = ["WorkerMaker"]


@dataclass(frozen=True, kw_only=True)
class WorkerMaker:
    """Makes workers as the specs say at that moment; starts none."""

    home: Path
    runtime: Path
    cores: int
    """How many all running calls may keep busy."""
    environment: Mapping[str, str]
    """The variables that every child gets."""

    def places(self, spec: EnvSpec) -> tuple[Place, ...]:
        """Return the workers that the environment is to have here; raises what `places_of` does."""
        if not (spec.worker and spec.usable_here()):
            return ()
        return places_of(spec, lambda: len(known(state=state_directory(self.home)).cuda))

    def names(self, environment: str) -> tuple[str, ...]:
        """Return the names of those workers; of one whose spec cannot be used, the first one's alone."""
        if environment not in spec_names():
            return ()
        try:
            return tuple(place.name for place in self.places(read(environment)))
        except CpwError:
            return (environment,)

    def again(self, name: str) -> Child | None:
        """Return the worker of this name as its spec is now; None where there is to be no such worker."""
        environment = environment_of(name)
        if environment not in spec_names():
            return None
        try:
            spec = read(environment)
            place = next((place for place in self.places(spec) if place.name == name), None)
            return self.make(spec, place) if place is not None else None
        except CpwError as error:
            child = Child(name=name, command=[], environment={}, log=self._log(name), state="stopped")
            child.problem, child.remedy = error.message, error.remedy
            return child

    def make(self, spec: EnvSpec, place: Place) -> Child:
        """Return the worker; one whose environment is not built has a state that says so."""
        # Looked up once: another build may be swapped in at any moment.
        build = current_build(spec.name)
        child = Child(
            name=place.name,
            command=self._command(spec, place, build) if build else [],
            environment=FOR_WORKERS
            | dict(self.environment)
            | visible_to(place, os.environ)
            | spec.environment,
            log=self._log(place.name),
            stacks=logs_directory(self.home) / "stacks" / f"{place.name}.txt",
            build=build,
        )
        if build is None or not is_built(spec):
            child.state = "not built"
            child.problem = f"The environment {spec.name} is not built."
            child.remedy = f"cpw envs build {spec.name}"
        return child

    def _log(self, name: str) -> Path:
        return logs_directory(self.home) / f"{name}.log"

    def _command(self, spec: EnvSpec, place: Place, build: Path) -> list[str]:
        command = [str(build / "bin" / "python"), "-I", "-u", "-X", "faulthandler", "-m", "workers"]
        command += ["--environment", spec.name, "--name", place.name]
        marker = read_marker(build)
        command += ["--endpoint", worker_endpoint(self.runtime), "--key", marker.key if marker else ""]
        command += ["--models", str(models_directory())]
        if spec.default_model:
            command += ["--default-model", spec.default_model]
        memory = part_of(memory_of(spec), place)
        command += ["--load", memory.load, "--idle-unload-s", str(memory.idle_unload_s)]
        command += ["--ram-mb", str(memory.ram_mb), "--vram-mb", str(memory.vram_mb)]
        # Not parted: a lone call has all cores, and the coordinator parts them while several run.
        command += ["--threads", str(threads_of(spec, self.cores))]
        for stage, served in spec.stages.items():
            command += ["--engine", f"{stage}={served.engine}"]
        return command
