"""A process dies at each of its failpoints: nothing is lost, nothing is there twice, nothing is left over."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.job_changes import ReloadEnvironment
from tests.chaos.disturbed import DisturbedHouse, Outcome
from tests.chaos.places import PLACES
from tests.conftest import Figure

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

_SHORT = (
    "cli.submit.answered",
    "coordinator.accept.renamed",
    "coordinator.call.committed",
    "coordinator.hello.reclaimed",
    "coordinator.result.before-acknowledge",
    "coordinator.submit.committed",
    "guardian.command.started",
    "supervisor.child.restarted",
    "supervisor.stop.coordinator-told",
    "worker.load.engine-warmed",
    "worker.outcome.sent",
    "worker.publish.synced",
)
_SEED = int(os.environ.get("SEED", "1"))
_AGAIN = random.Random(_SEED)
_LATER = [f"{place}@{_AGAIN.randint(2, 6)}" for place in PLACES if ".boot." not in place]
"""The same places at a later time, where they are reached that often."""


@pytest.fixture(scope="module")
def expected(disturbed: DisturbedHouse) -> Outcome:
    """Return what an undisturbed run leaves."""
    disturbed.renew()
    plain(disturbed)
    disturbed.submit_film(disturbed.twin)
    disturbed.all_ended(3)
    outcome = disturbed.outcome()
    stages = {name.split("/")[1] for name in outcome.files}
    assert stages == {"01_demux", "06_asr", "07_align", "09_clean", "11_subtitle", "12_mux"}
    return outcome


@pytest.fixture(scope="module")
def tally() -> Counter[str]:
    """Return what is counted over the whole module."""
    return Counter()


def plain(house: DisturbedHouse) -> None:
    """Submit both films and wait for their end."""
    house.be_healthy()
    for film in house.films:
        house.submit_film(film)
    house.all_ended(2)


def typed(house: DisturbedHouse) -> None:
    """Type the submission; submit what did not get through before the command died."""
    house.be_healthy()
    code = house.type_submit(*house.films)
    assert code == (-signal.SIGKILL if house.died() else 0)
    plain(house)


def troubled(house: DisturbedHouse) -> None:
    """Submit both films; recognition fails at first under one and kills its worker under the other."""
    house.be_healthy()
    for film, order in zip(house.films, ("transient-once", "kill-once"), strict=True):
        house.submit_film(film, f"{order}:{house.sign(order)}")
    house.all_ended(2)


def stopped(house: DisturbedHouse) -> None:
    """Submit both films, stop everything under them, start it again."""
    house.be_healthy()
    for film in house.films:
        house.submit_film(film)
    house.stop_tended()
    plain(house)


def repeated(house: DisturbedHouse) -> None:
    """Submit a film, and its twin when all that was done for it can be taken over."""
    house.be_healthy()
    house.submit_film(house.films[0])
    house.all_ended(1)
    house.submit_film(house.twin)
    house.all_ended(2)


def abandoned(house: DisturbedHouse) -> None:
    """Kill coordinator and worker under a call."""
    house.be_healthy()
    release = house.sign("release")
    job = house.submit_film(house.films[0], f"until:{release}")
    house.tended(lambda: {s.name: s.state for s in house.job(job).steps}["asr"] == "running", "asr runs")
    health, worker = house.health(), house.environment("whisperx")
    assert health is not None
    for pid in (health.pid, worker.pid):
        os.kill(pid, signal.SIGKILL)
    release.touch()
    house.be_healthy()
    house.submit_film(house.films[1])
    house.all_ended(2)


def replaced(house: DisturbedHouse) -> None:
    """Have the worker replaced under a call; a second film is for the one that comes."""
    house.be_healthy()
    release = house.sign("release")
    job = house.submit_film(house.films[0], f"until:{release}")
    house.tended(lambda: {s.name: s.state for s in house.job(job).steps}["asr"] == "running", "asr runs")
    before = house.environment("whisperx").pid
    request = ReloadEnvironment(environment="whisperx")
    house.tended(lambda: house.ask(request, timeout_ms=1_500), "a replacement is asked for")
    release.touch()
    house.tended(lambda: _serves(house, before), "another worker serves")
    house.submit_film(house.films[1])
    house.all_ended(2)


def _serves(house: DisturbedHouse, before: int) -> bool:
    health = house.health()
    found = health.environments if health is not None else ()
    return any(
        environment.environment == "whisperx" and environment.usable and environment.pid != before
        for environment in found
    )


_RUNS: dict[str, Callable[[DisturbedHouse], None]] = {
    scenario.__name__: scenario
    for scenario in (plain, typed, troubled, stopped, repeated, abandoned, replaced)
}


def die_at(house: DisturbedHouse, failpoint: str, expected: Outcome, tally: Counter[str]) -> None:
    """Run while a process dies at `failpoint`, and compare with the undisturbed run."""
    place, _, again = failpoint.partition("@")
    house.renew(failpoint)
    _RUNS[PLACES[place]](house)
    house.stop_tended()

    assert house.died() or again, "the run does not come by this place"
    tally["places" if not again else "later"] += 1
    tally["kills"] += house.died()
    outcome = house.outcome()
    states = house.step_states()
    films = {Path(film).stem for _, film in house.folders_and_films()}
    wanted = {name: digest for name, digest in expected.files.items() if name.split("/")[0] in films}
    tally["lost"] += len(wanted.keys() - outcome.files.keys())
    tally["duplicated"] += house.job_count() - 2 + len(states) - len({state[:2] for state in states})
    tally["unequal"] += sum(outcome.files.get(name, digest) != digest for name, digest in wanted.items())
    tally["left over"] += len(house.left_over())
    tally["folders of no job"] += len(house.folders_without_job())

    assert {state for _, _, state in states} == {"done"}
    assert house.job_count() == 2
    assert outcome.files == wanted
    assert house.left_over() == []
    # A folder without a word in it: made, and the process that made it gone before it could write that down.
    assert len(house.folders_without_job()) == (
        place.startswith("coordinator.submit.folder-") and house.died()
    )


@pytest.mark.parametrize("place", _SHORT)
def test_nothing_is_lost_where_a_process_dies(
    disturbed: DisturbedHouse, expected: Outcome, tally: Counter[str], place: str
) -> None:
    die_at(disturbed, place, expected, tally)


@pytest.mark.long
@pytest.mark.parametrize("place", [place for place in PLACES if place not in _SHORT])
def test_nothing_is_lost_at_any_other_place(
    disturbed: DisturbedHouse, expected: Outcome, tally: Counter[str], place: str
) -> None:
    die_at(disturbed, place, expected, tally)


@pytest.mark.long
@pytest.mark.parametrize("failpoint", _LATER)
def test_nothing_is_lost_where_a_process_dies_later(
    disturbed: DisturbedHouse, expected: Outcome, tally: Counter[str], failpoint: str
) -> None:
    die_at(disturbed, failpoint, expected, tally)


def test_the_kills_are_counted(tally: Counter[str], figure: Figure) -> None:
    words = ("kills", "lost", "duplicated", "unequal", "left over", "folders of no job")
    counts = ", ".join(f"{tally[word]} {word}" for word in words)
    figure(f"failpoints (SEED={_SEED}): {tally['places']} places, {tally['later']} once more later; {counts}")
    assert tally["lost"] == tally["duplicated"] == tally["unequal"] == 0
