"""Makes the supervisor's children: their commands, environments, logs and builds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envspecs.budgets import memory_of, threads_of
from envspecs.builds.history import current_build
from envspecs.builds.installed import is_built, read_marker
from envspecs.hardware import known
from envspecs.http.settings import http_settings
from envspecs.layout import COMMON, interpreter, logs_directory, models_directory, state_directory
from envspecs.models.registry import has_model, read_registry
from envspecs.processes.child import Child
from envspecs.processes.variables import FOR_WORKERS
from envspecs.setup.defaults import chosen_here, default_model, is_off
from envspecs.spec import EnvSpec, read, spec_names
from envspecs.workers import Place, part_of, places_of, visible_to
from protocol.endpoints import worker_endpoint
from protocol.errors import CpwError, UsageError
from protocol.stages import asr
from protocol.supervisor import COORDINATOR, HTTP, SETUP, environment_of

__all__ = ["WorkerMaker", "house_children"]


def house_children(
    home: Path, runtime: Path, environment: Mapping[str, str], control: int, *, on_node: bool
) -> Iterator[Child]:
    """Yield the children that are no workers: coordinator, HTTP server, what fetches the models.

    `control` is the descriptor on which the coordinator writes its commands. `on_node`: the head of the
    cluster has coordinator and HTTP server.
    """
    build = current_build(COMMON)
    python = [str(interpreter(COMMON)), "-I", "-u", "-m"]

    def child(name: str, words: list[str], variables: Mapping[str, str]) -> Child:
        log = logs_directory(home) / f"{name}.log"
        return Child(name=name, command=[*python, *words], environment=dict(variables), log=log, build=build)

    control_of = {"CPW_CONTROL_FD": str(control)}
    if not on_node:
        yield child(COORDINATOR, ["coordinator", "--runtime", str(runtime)], {**environment, **control_of})
        if http_settings(os.environ) is not None:
            yield child(HTTP, ["clients.api"], environment)
    if not is_off(os.environ):
        # It runs what a person would run: their settings for packages, hub and network are needed.
        yield child(SETUP, ["clients.cli", "setup", "--background"], {**os.environ, **environment})


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

    def _default_model(self, spec: EnvSpec) -> str:
        """Return the model that is loaded at the start; the spec's where what a person pinned is wrong."""
        if asr.STAGE.name not in spec.stages:
            # Nothing is chosen for the others, and the registry takes a while to read.
            return spec.default_model
        registry = read_registry()
        try:
            chosen = chosen_here(known(state=state_directory(self.home)), registry)
        except UsageError:
            return spec.default_model
        return default_model(spec, chosen, registry, has_model)

    def _log(self, name: str) -> Path:
        return logs_directory(self.home) / f"{name}.log"

    def _command(self, spec: EnvSpec, place: Place, build: Path) -> list[str]:
        command = [str(build / "bin" / "python"), "-I", "-u", "-X", "faulthandler", "-m", "workers"]
        command += ["--environment", spec.name, "--name", place.name]
        marker = read_marker(build)
        command += ["--endpoint", worker_endpoint(self.runtime), "--key", marker.key if marker else ""]
        command += ["--models", str(models_directory())]
        if default := self._default_model(spec):
            command += ["--default-model", default]
        memory = part_of(memory_of(spec), place)
        command += ["--load", memory.load, "--idle-unload-s", str(memory.idle_unload_s)]
        command += ["--ram-mb", str(memory.ram_mb), "--vram-mb", str(memory.vram_mb)]
        # Not parted: a lone call has all cores, and the coordinator parts them while several run.
        command += ["--threads", str(threads_of(spec, self.cores))]
        for stage, served in spec.stages.items():
            command += ["--engine", f"{stage}={served.engine}"]
        return command
