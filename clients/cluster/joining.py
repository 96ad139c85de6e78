"""Whether a cluster's answer lets this machine join. Pure: what to do about it stands in the errors."""

from __future__ import annotations

import re

from protocol.cluster.probing import ProbeAnswer
from protocol.errors import NotRunningError, UsageError

__all__ = ["check_guarded", "check_joinable", "check_told"]

_COPY = "On the head, cpw cluster status names the file of the token: copy it here again, mode 0600."


def check_told(answer: ProbeAnswer, address: str) -> None:
    """Raise unless the head took the token and answered.

    `UsageError`: the token is wrong; `NotRunningError`: nobody answers as a head does.
    """
    if answer.problem == "refused":
        raise UsageError(f"The head at {address} does not take this token.", _COPY)
    if answer.problem == "silent":
        details = f": {answer.details.rstrip('.')}" if answer.details else ""
        message = f"What is at {address} does not answer as the head of a cluster{details}."
        remedy = "On the head: cpw cluster status; with TLS both need RAY_USE_TLS (docs/cluster.md)"
        raise NotRunningError(message, remedy)


def check_guarded(without_token: ProbeAnswer, address: str) -> None:
    """Raise `UsageError` where the head answers somebody who has no token."""
    if not without_token.problem:
        message = f"The head at {address} asks for no token: whoever reaches it would own this machine."
        raise UsageError(message, "On the head: ray stop, then cpw cluster start")


def check_joinable(answer: ProbeAnswer, address: str, name: str) -> None:
    """Raise `UsageError` unless a machine called `name`, with the answer's versions, can join."""
    _check_versions(answer, address)
    same = next((node for node in answer.nodes if node.alive and node.name == name), None)
    if same is not None:
        message = f"The cluster at {address} has a machine called {name} already, at {same.address}."
        raise UsageError(message, "Give this one another name: --name NAME")


def _check_versions(answer: ProbeAnswer, address: str) -> None:
    theirs, ours = _minor(answer.head_python), _minor(answer.python)
    if theirs != ours:
        message = f"The head at {address} runs Ray with Python {theirs}, this machine with Python {ours}."
        remedy = f"Here: python{theirs} -m envspecs build --again cluster (or on the head: python{ours} ...)"
        raise UsageError(message, remedy)
    if answer.head_ray != answer.ray:
        older = "the head" if _numbers(answer.head_ray) < _numbers(answer.ray) else "this machine"
        message = f"The head at {address} has Ray {answer.head_ray or 'unknown'}, this machine {answer.ray}."
        raise UsageError(message, f"On {older}: git pull && python3 -m envspecs build cluster")


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
