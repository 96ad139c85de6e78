"""Whether a process that has gone is started again, and when. Pure: time is in the exits."""

from __future__ import annotations

from dataclasses import dataclass

from envspecs.budgets import variable_of
from envspecs.code import RESTART
from protocol.errors import WorkerExit
from protocol.supervisor import BRIDGE, COORDINATOR, HTTP, RAY, ChildState, environment_of

__all__ = ["Decision", "Exit", "after_setup", "decide_restart"]

_BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SHORT_LIFE_S = 30.0
_LOOP_WINDOW_S = 300.0
_NEVER_GIVEN_UP = frozenset({COORDINATOR, HTTP, RAY, BRIDGE})
_WORN_SOON_S = 60.0
"""Who makes room for a new process sooner than this after its start has a budget that is too small."""


@dataclass(frozen=True)
class Exit:
    """How a child went. `lived_s` from its start; a negative `code` is the signal it died of."""

    code: int
    at_s: float
    lived_s: float


@dataclass(frozen=True)
class Decision:
    """What follows from an exit: a restart after `delay_s`, or a final state with its reason."""

    state: ChildState
    delay_s: float = 0.0
    problem: str = ""
    remedy: str = ""


def decide_restart(name: str, exits: list[Exit], *, earlier: bool = False) -> Decision:
    """Return what follows from the newest of `exits`. Pure: time is in the exits.

    `earlier`: there is a build from before to go back to.
    """
    environment = environment_of(name)
    mend = f"cpw envs rollback {environment}" if earlier else f"cpw logs {name}"
    newest = exits[-1]
    if newest.code == WorkerExit.OUTDATED:
        return _after_refusal(name, newest)
    if newest.code == WorkerExit.UNUSABLE and newest.lived_s < _SHORT_LIFE_S:
        problem = f"The engines of {name} cannot be loaded; the reason is in its log."
        return Decision("unusable", problem=problem, remedy=mend)
    if newest.code == WorkerExit.RECYCLED:
        return _after_recycling(name, exits)
    exits = [past_exit for past_exit in exits if past_exit.code != WorkerExit.RECYCLED]
    short = 0
    for past_exit in reversed(exits):
        if newest.at_s - past_exit.at_s > _LOOP_WINDOW_S or past_exit.lived_s > _SHORT_LIFE_S:
            break
        short += 1
    if short >= len(_BACK_OFF_S):
        if name in _NEVER_GIVEN_UP:
            # Without it nobody can be told anything; what ails it (a full disk, a port in use, a head that
            # is away) may pass.
            return Decision(
                "restarting", _BACK_OFF_S[-1], f"It died {short} times in a row.", f"cpw logs {name}"
            )
        problem = f"{name} died {short} times in a row, within {_SHORT_LIFE_S:.0f} s of each start."
        return Decision("crash-loop", problem=problem, remedy=mend)
    return Decision("restarting", delay_s=_BACK_OFF_S[short])


def after_setup(newest: Exit) -> Decision:
    """Return what follows from the end of what fetches the models: it is not started again.

    It ends when the models are here; broken off, it goes on at the next start."""
    if newest.code == 0:
        return Decision("stopped")
    return Decision("stopped", problem="The models for this machine were not fetched.", remedy="cpw setup")


def _after_refusal(name: str, newest: Exit) -> Decision:
    """Restart one that has lived long: a coordinator with the code of now refuses the code of before.

    A new one has the code of now; then it is the coordinator that has the code of before.
    """
    if newest.lived_s > _SHORT_LIFE_S:
        return Decision("restarting")
    problem = f"The code has changed since the start: {name} and the coordinator do not fit together."
    return Decision("outdated", problem=problem, remedy=RESTART)


def _after_recycling(name: str, exits: list[Exit]) -> Decision:
    """Restart at once, and no life is counted; one that was replaced again and again waits a little."""
    soon = 0
    for past_exit in reversed(exits):
        if past_exit.code != WorkerExit.RECYCLED or past_exit.lived_s > _WORN_SOON_S:
            break
        soon += 1
    if soon <= 1:
        return Decision("restarting")
    problem = f"{name} was replaced {soon} times soon after its start: its budget of memory is too small."
    delay_s = _BACK_OFF_S[min(soon, len(_BACK_OFF_S)) - 1]
    remedy = f"Raise ram_mb: {variable_of(environment_of(name))}, then make down up"
    return Decision("restarting", delay_s, problem, remedy)
