"""What a node says of itself: what is built there, who is alive, how much room there is."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import envspecs
from envspecs.budgets import core_budget, ram_budget_bytes
from envspecs.code import code_digest
from envspecs.hardware import known
from envspecs.key import lock_digest
from envspecs.models.registry import has_model
from protocol.clock import now_iso
from protocol.cluster.messages import NodeHello, NodeState, Share
from protocol.supervisor import ChildReport, read_children, read_supervisor

__all__ = ["NodeFacts"]

_STACK_BYTES = 20_000


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """Reads what this machine is; `runtime` is its supervisor's, `jobs` where files of jobs are kept."""

    node: str
    runtime: Path
    jobs: Path
    logs: Path = field(default_factory=envspecs.logs_directory)
    """Where its supervisor and its workers write."""

    def hello(self, shares: Iterable[Share]) -> NodeHello:
        """Return the node's first word."""
        hardware = known(state=envspecs.state_directory())
        return NodeHello(
            node=self.node,
            at=now_iso(),
            python=platform.python_version(),
            code=code_digest(),
            locks=_locks(),
            hardware=hardware,
            cores=core_budget(hardware.cores),
            ram_budget_bytes=ram_budget_bytes(hardware.ram_bytes),
            shares=tuple(shares),
        )

    def state(self, workers: Mapping[str, int], problems: Iterable[str]) -> NodeState:
        """Return how the node is; `workers` are those that have said hello, with their process ids."""
        return NodeState(
            children={name: _with_stack(child) for name, child in read_children(self.runtime).items()},
            workers=tuple(sorted(name for name, pid in workers.items() if _runs(pid))),
            models=tuple(sorted(_models())),
            free_disk_bytes=self._free_bytes(),
            locks=_locks(),
            problems=tuple(problems),
            leaves=self.is_leaving(),
        )

    def is_leaving(self) -> bool:
        """Return whether the supervisor is stopping."""
        report = read_supervisor(self.runtime)
        return report is not None and report.state == "stopping"

    def _free_bytes(self) -> int:
        with contextlib.suppress(OSError):
            # To a hundred megabytes: every change is sent.
            return shutil.disk_usage(self.jobs).free // 100_000_000 * 100_000_000
        return 0


def _locks() -> dict[str, str]:
    built = (name for name in envspecs.spec_names() if envspecs.current_build(name) is not None)
    return {name: lock_digest(name) for name in built}


def _models() -> Iterator[str]:
    manifests = envspecs.models_directory().glob("*/manifest.json")
    return (path.parent.name for path in manifests if has_model(path.parent.name))


def _with_stack(child: ChildReport) -> ChildReport:
    """Return the report with the end of the stack that lies on this machine."""
    if child.last_exit is None or child.last_exit.stack is None:
        return child
    text = ""
    with contextlib.suppress(OSError), Path(child.last_exit.stack).open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _STACK_BYTES))
        text = file.read().decode("utf-8", "replace")
    return dataclasses.replace(child, last_exit=dataclasses.replace(child.last_exit, stack_text=text))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
