"""How many cores each running call may keep busy: together no more than there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from coordinator.planning.planner import stage_of
from coordinator.running.roster import Member
from protocol.messages import CallIdentity
from protocol.stages import STAGES

__all__ = ["CoreShares", "share_cores"]


def share_cores(cores: int, most: Sequence[int]) -> list[int]:
    """Return how many cores each running call may keep busy, in the order in which the calls began. Pure.

    `most` says of each call how many it gains from; 0: all. The calls have equal parts, except that none has
    more than it gains from. What cannot be parted goes to the calls that began first. Each has at least one,
    even where there are more calls than cores.
    """
    shares = [1] * len(most)
    left = cores - len(most)
    while left > 0:
        hungry = [index for index, limit in enumerate(most) if not limit or shares[index] < limit]
        if not hungry:
            break
        for index in hungry[:left]:
            shares[index] += 1
        left -= len(hungry[:left])
    return shares


class CoreShares:
    """Knows the cores that all running calls share, and tells what workers do not know yet.

    `threads` says of each environment how many threads its engines gain from; 0: as many as there are cores.
    """

    def __init__(self, total: int = 1, threads: Mapping[str, int] | None = None) -> None:
        self.total = total
        self._threads = threads or {}
        self._begun: dict[str, dict[tuple[str, CallIdentity], None]] = {}
        """Of each node the running calls, in the order in which they began."""

    def look(
        self, members: Iterable[Member], of_nodes: Mapping[str, int] | None = None
    ) -> list[tuple[str, int]]:
        """Return which workers are to be told which number of cores; note in the members what they know.

        Each machine's calls share its own cores: `of_nodes` is a node's name to how many it has.
        """
        by_node: dict[str, list[Member]] = {}
        for member in members:
            by_node.setdefault(member.node, []).append(member)
        told = []
        for node, here in by_node.items():
            told += self._look_at(here, (of_nodes or {}).get(node, self.total), node)
        for gone in self._begun.keys() - by_node.keys():
            del self._begun[gone]
        return told

    def _look_at(self, members: list[Member], total: int, node: str) -> list[tuple[str, int]]:
        running = {(member.name, member.call): member for member in members if member.call is not None}
        begun = {call: None for call in self._begun.get(node, ()) if call in running} | dict.fromkeys(running)
        self._begun[node] = begun
        calls = [running[call] for call in begun]
        told = []
        for member, share in zip(calls, share_cores(total, list(map(self._most, calls))), strict=True):
            if member.cores != share:
                member.cores = share
                told.append((member.name, share))
        return told

    def _most(self, member: Member) -> int:
        # A worker can still run a call of a stage that an earlier version had.
        stage = STAGES.get(stage_of(member.call.step)) if member.call is not None else None
        return (stage.cores if stage is not None else 0) or self._threads.get(member.environment, 0)
