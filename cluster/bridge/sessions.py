"""What the bridge does next about one node: pure functions of state, event and time.

A node is asked for its facts, then a connection to the coordinator is made in its name. As soon as the
coordinator has taken the connection, a session begins: one pull at a time is outstanding, and what comes goes
on. Whatever breaks ends the session: frames of two sessions never mix, and what was on its way is said again
in the next one, as after a restart of the coordinator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from protocol.cluster.bridge import AgentFacts

__all__ = [
    "ANSWER_MS",
    "PULL_WAIT_MS",
    "Action",
    "Ask",
    "Close",
    "End",
    "Following",
    "Next",
    "Open",
    "Phase",
    "Pull",
    "Say",
    "begin",
    "on_broken",
    "on_connected",
    "on_facts",
    "on_no_facts",
    "on_pulled",
    "on_refused",
    "on_superseded",
    "on_tick",
]

PULL_WAIT_MS = 2_000
"""How long an agent with nothing to say keeps a pull."""
ANSWER_MS = 10_000
"""A call without an answer for so long: the node hangs."""
_RESTS_MS = (200, 500, 1_000, 2_000)

Phase: TypeAlias = Literal["asking", "connecting", "connected", "resting", "refused", "superseded"]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Ask the agent for its facts."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """Make a connection to the coordinator in the name of the node."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Close:
    """Close that connection; frames that wait are dropped."""


@dataclass(frozen=True, kw_only=True)
class Pull:
    """Ask the agent for what its node has to say."""

    session: int


@dataclass(frozen=True, kw_only=True)
class End:
    """Tell the agent that the session is over."""

    session: int


@dataclass(frozen=True, kw_only=True)
class Say:
    """Write the sentence into the log."""

    sentence: str
    is_warning: bool = False


Action: TypeAlias = Ask | Open | Close | Pull | End | Say


@dataclass(frozen=True, kw_only=True)
class Following:
    """How far the bridge is with one node."""

    address: str
    phase: Phase = "asking"
    since_ms: int = 0
    """Begin of the phase, or of the outstanding call."""
    name: str = ""
    session: int = 0
    """Number of the newest session."""
    failures: int = 0
    """In a row, without a session between."""
    problem: str = ""

    @property
    def shown(self) -> str:
        """Return what the node is called in a sentence."""
        return self.name or f"the node at {self.address}"


Next: TypeAlias = tuple[Following, tuple[Action, ...]]


def begin(address: str, now_ms: int) -> Next:
    """Begin with a node whose agent was made or found."""
    return Following(address=address, since_ms=now_ms), (Ask(),)


def on_facts(node: Following, facts: AgentFacts, problem: str, now_ms: int) -> Next:
    """Go on with what the agent said; `problem`: why the node cannot take part, empty where it can."""
    if node.phase != "asking":
        return node, ()
    known = replace(node, name=facts.node, session=max(node.session, facts.session))
    if problem:
        return on_refused(known, problem, now_ms)
    return replace(known, phase="connecting", since_ms=now_ms), (Open(name=facts.node),)


def on_refused(node: Following, problem: str, now_ms: int) -> Next:
    """Keep the node out, and look again in a while; it is said once."""
    said = () if problem == node.problem else (Say(sentence=problem, is_warning=True),)
    return replace(node, phase="refused", since_ms=now_ms, problem=problem), said


def on_no_facts(node: Following, reason: str, now_ms: int) -> Next:
    """Rest after a question that was not answered."""
    if node.phase != "asking":
        return node, ()
    return _rest(node, f"The agent of {node.shown} does not answer: {reason}.", now_ms)


def on_connected(node: Following, now_ms: int) -> Next:
    """Begin a session: the coordinator has taken the connection."""
    if node.phase != "connecting":
        return node, ()
    session = node.session + 1
    begun = replace(node, phase="connected", since_ms=now_ms, session=session, failures=0, problem="")
    return begun, (Say(sentence=f"{node.name} is connected, session {session}"), Pull(session=session))


def on_pulled(node: Following, session: int, now_ms: int) -> Next:
    """Pull again; an answer of an earlier session is nothing."""
    if node.phase != "connected" or session != node.session:
        return node, ()
    return replace(node, since_ms=now_ms), (Pull(session=session),)


def on_broken(node: Following, session: int, reason: str, now_ms: int) -> Next:
    """End the session: a call failed, the agent ended it, the coordinator's connection has gone."""
    if node.phase not in ("connected", "connecting") or session != node.session:
        return node, ()
    rested, actions = _rest(node, f"The session of {node.shown} has ended: {reason}.", now_ms)
    if node.phase == "connected":
        actions = (End(session=session), *actions)
    return rested, (Close(), *actions)


def on_tick(node: Following, now_ms: int) -> Next:
    """Look at the clock."""
    passed_ms = now_ms - node.since_ms
    match node.phase:
        case "connected" if passed_ms >= ANSWER_MS:
            reason = f"no answer for {ANSWER_MS // 1000} s, it hangs or cannot be reached"
            return on_broken(node, node.session, reason, now_ms)
        case "asking" if passed_ms >= ANSWER_MS:
            return on_no_facts(node, f"nothing came within {ANSWER_MS // 1000} s", now_ms)
        case "resting" | "refused" if passed_ms >= _rest_ms(node):
            return replace(node, phase="asking", since_ms=now_ms), (Ask(),)
    return node, ()


def on_superseded(node: Following, problem: str, now_ms: int) -> Next:
    """Let go of a node for good: its machine has come back as another one."""
    gone, actions = on_broken(node, node.session, problem.removesuffix("."), now_ms)
    return replace(gone, phase="superseded", since_ms=now_ms, problem=problem), actions


def _rest(node: Following, problem: str, now_ms: int) -> Next:
    rested = replace(node, phase="resting", since_ms=now_ms, failures=node.failures + 1, problem=problem)
    said = (Say(sentence=problem, is_warning=True),) if problem != node.problem else ()
    return rested, said


def _rest_ms(node: Following) -> int:
    if node.phase == "refused":
        return _RESTS_MS[-1]
    return _RESTS_MS[min(node.failures, len(_RESTS_MS)) - 1]
