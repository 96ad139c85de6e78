"""Calls as a node's relay sees them, and workers that leave files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster.files.node_files import NodeFiles
from protocol.artefacts import Artefact, describe_file
from protocol.messages import Call, CallIdentity, Result
from tests.house import until

__all__ = ["call_of", "ends_when_some_came", "identity_of", "made_by"]


def identity_of(step: str, attempt: int = 1, job: str = "job-1") -> CallIdentity:
    """Return the identity of an attempt."""
    return CallIdentity(job=job, step=step, attempt=attempt, run="1")


def call_of(step: str, request: dict[str, Any], *, job_folder: str = "/head/out/1", attempt: int = 1) -> Call:
    """Return a call as the head sends it."""
    return Call(
        stage=step,
        schema_version=1,
        job_directory=job_folder,
        scratch=f".scratch/{step}-{attempt}",
        folder=f"06_{step}",
        budget_ms=1_000,
        request=request,
    )


def made_by(call: Call, **files: bytes) -> Result:
    """Leave files in the scratch folder as a worker does; return its result. `a_json` is `a.json`."""
    artefacts: list[Artefact] = []
    for word, data in files.items():
        name = word.replace("_", ".")
        path = Path(call.job_directory) / call.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        artefacts.append(describe_file(path, f"{call.folder}/{name}"))
    return Result(result={}, artefacts=tuple(artefacts), duration_ms=1)


def ends_when_some_came(node: NodeFiles, part: Path) -> None:
    """End the node's relay as soon as something of a file lies in `part`."""
    until(lambda: part.exists() and part.stat().st_size > 0, 10, "something came")
    node.close()
