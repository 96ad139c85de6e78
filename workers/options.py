"""The worker's command line: it tells all about the environment. The worker reads no spec."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from workers.memory import MEGABYTE, Budget

__all__ = ["Options", "parse"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `python -m workers --help`."""

    environment: str
    name: str
    """What the supervisor calls the worker: the environment, with a number where it has several workers."""
    endpoint: str
    key: str
    engines: dict[str, str]
    """From a stage to `module:Class`."""
    models: Path
    default_model: str | None
    stack: Path | None
    nonce: str
    budget: Budget
    load: str = "start"
    """When the default model is loaded: `start` or `first-use`."""
    threads: int = 0
    """Threads that its engines gain from, at most; 0: as many as there are cores."""


def parse(arguments: list[str]) -> Options:
    """Read the command line; argparse ends the process with 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="workers", description="The long-lived worker of one environment.")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--name", default=None, help="what the supervisor calls it; else the environment")
    parser.add_argument("--endpoint", required=True, help="address of the coordinator's socket for workers")
    parser.add_argument("--key", default="", help="key of the environment's build")
    parser.add_argument("--engine", action="append", default=[], metavar="STAGE=MODULE:CLASS")
    parser.add_argument("--models", required=True, type=Path, help="the model store")
    parser.add_argument("--default-model", default=None)
    parser.add_argument("--stack", type=Path, default=None, help="file for the stacks of a hang or a crash")
    parser.add_argument("--nonce", default="", help="what marks in the output start with")
    parser.add_argument("--load", choices=("start", "first-use"), default="start", help="the default model")
    parser.add_argument("--idle-unload-s", type=float, default=0.0, metavar="S", help="0: models stay")
    parser.add_argument("--ram-mb", type=int, default=0, metavar="MB", help="budget; 0: no limit")
    parser.add_argument("--vram-mb", type=int, default=0, metavar="MB", help="the same for the GPU")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="at most; 0: one a core")
    given = parser.parse_args(arguments)
    engines = {}
    for spec in given.engine:
        stage, equals, target = spec.partition("=")
        if not equals or ":" not in target:
            parser.error(f"--engine {spec!r} is not STAGE=MODULE:CLASS")
        engines[stage] = target
    return Options(
        environment=given.environment,
        name=given.name or given.environment,
        endpoint=given.endpoint,
        key=given.key,
        engines=engines,
        models=given.models,
        default_model=given.default_model or None,
        stack=given.stack,
        nonce=given.nonce,
        load=given.load,
        threads=given.threads,
        budget=Budget(
            ram_bytes=given.ram_mb * MEGABYTE,
            vram_bytes=given.vram_mb * MEGABYTE,
            idle_s=given.idle_unload_s,
        ),
    )
