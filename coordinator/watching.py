"""Who is still there: pings workers, concludes what died with them, takes silent nodes for lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from coordinator.link import Gone, Link
from coordinator.nodes.houses import Houses
from coordinator.nodes.nodes import NODE_SILENT_AFTER_S, Nodes
from coordinator.running.dispatch import Dispatcher
from coordinator.running.roster import Member, Roster
from coordinator.running.worker_death import is_blamed
from coordinator.store.rows import StepRow
from coordinator.store.store import Store
from protocol.clock import now_iso
from protocol.cluster.names import node_of
from protocol.failpoints import reach
from protocol.messages import CallIdentity
from protocol.supervisor import ChildExit, Forgive, Kill, child_of

__all__ = ["GRACE_S", "NODE_GRACE_S", "Watch"]

log = logging.getLogger(__name__)

PING_EVERY_S = 0.25
IDLE_PING_EVERY_S = 4.0
"""Of a worker that waits for a call: its death costs nothing, and the supervisor starts the next one."""
IDLE_AFTER_S = 5.0
"""A worker that has had no call for so long is pinged less often."""
ECHO_CONNECTS_WITHIN_S = 1.0
"""A worker's echo socket may connect this long after its hello."""
EXIT_RECORDED_WITHIN_S = 2.0
"""The supervisor records an exit about 0.1 s after it; without a supervisor the loop waits this long."""
GRACE_S = 15.0
"""After a start, a running step waits this long for its worker to say hello; then it is ready again.

One that a node's worker has waits as long from the node's hello on."""
NODE_GRACE_S = 60.0
"""After a start, the steps of a node wait this long for the node: where the whole head was away, Ray ends on
all machines first, and comes back in 15 to 30 s. What the nodes have done until then may be hours of work."""
_STOOD_STILL_S = 2.0
"""A loop that did not turn for this long (stopped, a slow disk) has missed the workers' echoes."""


class Watch:
    """Looks after workers and nodes, for the loop's thread alone.

    `look_elsewhere` is called once in each round of pings.
    """

    def __init__(
        self,
        store: Store,
        link: Link,
        dispatcher: Dispatcher,
        roster: Roster,
        nodes: Nodes,
        houses: Houses,
    ) -> None:
        self._store = store
        self._link = link
        self._dispatcher = dispatcher
        self._roster = roster
        self._nodes = nodes
        self._houses = houses
        self._begun_s = self._pinged_s = time.monotonic()
        self._deaths: list[tuple[Member, float]] = []
        self._unclaimed = {step.identity: step for step in store.running_steps()}
        self._back_by_s: dict[str, float] = {}
        """Until when the steps of a node that was lost in this run wait for it."""
        self.look_elsewhere: Callable[[], None] = lambda: None

    def unclaimed(self) -> int:
        """Return how many steps wait for their workers to say hello again."""
        return len(self._unclaimed)

    def is_idle(self) -> bool:
        """Return whether nothing waits here for its time."""
        return not (self._deaths or self._unclaimed)

    def reclaim(self, member: Member, held: list[CallIdentity], now_s: float) -> None:
        """Compare what a worker that says hello holds with what it was given; the rest is ready again."""
        mine = self._store.running_steps_of(member.name)
        replaced = [step for step in self._unclaimed.values() if self._is_replaced(step, member)]
        for step in (*mine, *replaced):
            self._unclaimed.pop(step.identity, None)
            if step.identity not in held:
                # The call was lost on its way, or the worker that had it has died.
                self._dispatcher.lose(step, now_s)
                reach("coordinator.hello.reclaimed")

    def _is_replaced(self, step: StepRow, member: Member) -> bool:
        """Return whether `member` has taken the place of the worker that the step was given to."""
        return (
            child_of(step.worker, step.environment) == member.child
            and node_of(step.worker) == member.node
            and step.worker not in self._roster.members
        )

    def look(self, now_s: float, *, draining: bool) -> None:
        """Ping the workers; conclude what died, have killed what is silent or late."""
        if now_s - self._pinged_s >= PING_EVERY_S:
            self._ping_all(now_s)
        self._conclude_deaths(now_s, draining=draining)
        for node in self._nodes.unheard(now_s):
            self._roster.excuse(node.name, now_s)
        for node in self._nodes.newly_silent(now_s):
            self.lose_node(node.name, f"it was silent for {NODE_SILENT_AFTER_S:.0f} s", now_s)
        for member in self._roster.newly_silent(now_s):
            self._have_killed(member, "no echo")
        for member in self._roster.newly_late(now_s):
            self._have_killed(member, f"still {member.state}")
        for step in [step for step in self._unclaimed.values() if now_s > self._claimed_by_s(step)]:
            del self._unclaimed[step.identity]
            self._dispatcher.lose(step, now_s)

    def _claimed_by_s(self, step: StepRow) -> float:
        """Return until when a step of an earlier run, or of a lost node, waits for its worker."""
        name = node_of(step.worker)
        if not name:
            return self._begun_s + GRACE_S
        if (node := self._nodes.present.get(name)) is not None:
            return node.met_s + GRACE_S
        return self._back_by_s.get(name, self._begun_s + NODE_GRACE_S)

    def _ping_all(self, now_s: float) -> None:
        if now_s - self._pinged_s > _STOOD_STILL_S:
            log.warning(
                "the loop stood still for %.0f s: nobody is blamed for silence in that time",
                now_s - self._pinged_s,
            )
            self._roster.restart_silence(now_s)
            self._nodes.restart_silence(now_s)
        self._pinged_s = now_s
        for member in list(self._roster.members.values()):
            self._ping(member, now_s)
        self.look_elsewhere()

    def _have_killed(self, member: Member, reason: str) -> None:
        log.warning("%s: %s; the supervisor is asked to kill it", member.name, reason)
        member.kill_asked = True
        self._houses.command(Kill(child=member.child, pid=member.pid, reason=reason), member.node)

    def _ping(self, member: Member, now_s: float) -> None:
        if not member.free():
            member.busy_s = now_s
        if now_s - member.busy_s > IDLE_AFTER_S and now_s - member.pinged_s < IDLE_PING_EVERY_S:
            return
        if member.name not in self._roster.members:
            return  # its node was lost by an earlier ping of this round
        member.pinged_s = now_s
        try:
            self._link.ping(member.pulse, b"%d" % round(now_s * 1000))
        except Gone:
            if member.node:
                self.lose_node(member.node, "its connection has gone", now_s)
            else:
                self.on_gone(member, now_s)

    def on_gone(self, member: Member, now_s: float) -> None:
        """Take in that a message could not be given to a worker: it has died, or only its connection has."""
        # The first ping may be sent before the echo socket has connected.
        if now_s - member.met_s < ECHO_CONNECTS_WITHIN_S:
            return
        # Only the connection is broken: either it comes back, or the process is killed for its silence.
        if self._houses.is_alive(member.name, member.pid):
            return
        log.warning("%s has left", member.name)
        self._roster.dismiss(member.name)
        reach("coordinator.worker.left")
        self._deaths.append((member, now_s))

    def lose_node(self, name: str, why: str, now_s: float) -> None:
        """Take a node for lost: it is given nothing, and nobody is blamed.

        Its steps are ready again when it has been silent for `NODE_SILENT_AFTER_S`. It may be back by then:
        where only what carries its messages has died, its workers still have them.
        """
        node = self._nodes.present.get(name)
        if node is None:
            return
        log.warning("the node %s is lost: %s", name, why)
        self._nodes.lose(name, now_iso())
        self._back_by_s[name] = now_s if node.leaves else node.heard_s + NODE_SILENT_AFTER_S
        gone = {member.name for member in self._roster.members.values() if member.node == name}
        for worker in gone:
            self._roster.dismiss(worker)
        gone |= {member.name for member, _ in self._deaths if member.node == name}
        self._deaths = [(member, left_s) for member, left_s in self._deaths if member.node != name]
        for worker in gone:
            self._unclaimed |= {step.identity: step for step in self._store.running_steps_of(worker)}

    def _conclude_deaths(self, now_s: float, *, draining: bool) -> None:
        """Conclude the calls of dead workers, once the supervisor has recorded how they ended."""
        waiting = []
        for member, left_s in self._deaths:
            recorded = self._houses.last_exit(member.name, member.environment)
            known = recorded.at > member.met_at
            if not (known or draining or member.leaving or now_s - left_s > EXIT_RECORDED_WITHIN_S):
                waiting.append((member, left_s))
                continue
            how = recorded if known else ChildExit()
            for step in self._store.running_steps_of(member.name):
                blamed = not draining and is_blamed(step, member, how)
                self._dispatcher.lose(step, now_s, how if blamed else None)
                reach("coordinator.worker.mourned")
                if blamed and known:
                    self._houses.command(Forgive(child=member.child), member.node)
        self._deaths = waiting
