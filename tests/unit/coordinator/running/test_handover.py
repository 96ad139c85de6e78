"""What a translator leaves goes to the next one, and what that one fails at is not lost."""

from __future__ import annotations

import pytest

from coordinator.planning.inventory import Inventory
from coordinator.planning.translators import Translator
from coordinator.running import handover
from coordinator.store.store import StepRow
from envspecs.models.registry import read_registry
from protocol.artefacts import Artefact
from protocol.errors import ErrorInfo, ErrorKind
from protocol.schema import to_plain
from protocol.stages.translate import TranslateResult
from tests.lone_coordinator import LoneCoordinator

DRAFT = Artefact(path="10_translate/draft.pt.json", size=2, sha256="0" * 64)
STEP = "translate-pt"


def result(left: int) -> TranslateResult:
    return TranslateResult(transcript=DRAFT, segment_count=9, model="seer", left=left)


@pytest.fixture
def job(lone: LoneCoordinator) -> str:
    settings = {"translate": {"model": "seer", "batch_size": 3}}
    name = lone.add_job(
        workflow="translate", target_languages=("pt",), source_language="en", parameters=settings
    )
    lone.store.assign(1, STEP, "madlad", {"model": "seer"}, ["by name"])
    return name


@pytest.fixture
def bergamot(monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_registry()["bergamot-en-pt"]
    found = (
        Translator(environment="madlad", rank=1, built=True, models=(model,), stored=frozenset({model.id})),
        Translator(environment="bergamot", rank=2, built=True, models=(model,), stored=frozenset({model.id})),
    )
    monkeypatch.setattr(Inventory, "translators", lambda *_: found)


def handed(lone: LoneCoordinator, job: str, left: int) -> StepRow:
    row = lone.store.job(job)
    assert row is not None
    step = lone.step(job, STEP)
    with lone.store.transaction():
        lone.store.finish(step, to_plain(result(left)), (DRAFT,), 1_000)
        handover.hand_over(lone.store, row, step, result(left))
    return lone.step(job, STEP)


@pytest.mark.usefixtures("bergamot")
def test_lines_that_are_left_go_to_the_next_translator_with_the_draft(lone, job) -> None:
    step = handed(lone, job, left=2)
    assert (step.state, step.environment) == ("ready", "bergamot")
    assert step.choices["draft"] == to_plain(DRAFT)
    assert step.choices["model"] == "bergamot-en-pt"
    assert step.note == "translate-pt: 2 lines that madlad left are translated by bergamot."


@pytest.mark.usefixtures("bergamot")
def test_a_translation_without_a_gap_stays_where_it_is(lone, job) -> None:
    assert (handed(lone, job, left=0).state, handed(lone, job, left=0).environment) == ("done", "madlad")


def test_where_nobody_else_translates_the_pair_the_lines_stay_marked(lone, job, monkeypatch) -> None:
    monkeypatch.setattr(Inventory, "translators", lambda *_: ())
    assert handed(lone, job, left=2).state == "done"


@pytest.mark.usefixtures("bergamot")
def test_a_step_is_handed_over_once(lone, job) -> None:
    handed(lone, job, left=2)
    assert (handed(lone, job, left=1).state, handed(lone, job, left=1).environment) == ("done", "bergamot")


@pytest.mark.usefixtures("bergamot")
def test_a_film_keeps_its_draft_where_the_next_translator_fails(lone, job) -> None:
    step = handed(lone, job, left=2)
    error = ErrorInfo(kind=ErrorKind.INPUT, message="The pair is not known.", remedy="")
    assert handover.keep_draft(lone.store, step, error)
    kept = lone.step(job, STEP)
    assert (kept.state, kept.artefacts) == ("done", (DRAFT,))
    assert kept.note.endswith("what was left is not translated: The pair is not known.")


def test_a_step_without_a_draft_fails(lone, job) -> None:
    error = ErrorInfo(kind=ErrorKind.INPUT, message="No.", remedy="")
    assert not handover.keep_draft(lone.store, lone.step(job, STEP), error)


@pytest.mark.usefixtures("bergamot")
def test_a_step_that_is_done_again_begins_with_the_first_translator(lone, job) -> None:
    step = handed(lone, job, left=2)
    row = lone.store.job(job)
    assert row is not None
    handover.route_anew(lone.store, row, [step])
    again = lone.step(job, STEP)
    assert again.environment == "madlad"
    assert "draft" not in again.choices


def failed(lone: LoneCoordinator, job: str, environment: str, kind: ErrorKind) -> StepRow:
    """Return the step after the last try of an environment has failed."""
    row = lone.store.job(job)
    assert row is not None
    lone.store.assign(1, STEP, environment, {"model": "seer"}, ["by name"])
    lone.store.fail(
        lone.step(job, STEP), "waiting", ErrorInfo(kind=kind, message="It is away."), kills=0, failures=4
    )
    error = ErrorInfo(kind=kind, message="It is away.")
    handover.to_next(lone.store, row, lone.step(job, STEP), error)
    return lone.step(job, STEP)


@pytest.mark.usefixtures("bergamot")
def test_where_a_service_is_away_the_next_translator_does_it_all(lone, job) -> None:
    step = failed(lone, job, "llm", ErrorKind.TRANSIENT)
    assert (step.state, step.environment, step.failures) == ("ready", "madlad", 0)
    assert step.choices["draft"] is None
    assert step.note == "translate-pt: translated by madlad, as llm failed: It is away."


@pytest.mark.usefixtures("bergamot")
@pytest.mark.parametrize(
    ("environment", "kind"), [("llm", ErrorKind.USAGE), ("bergamot", ErrorKind.TRANSIENT)]
)
def test_what_a_person_has_to_mend_and_what_no_service_did_fails(lone, job, environment, kind) -> None:
    step = failed(lone, job, environment, kind)
    assert (step.state, step.environment, step.failures) == ("waiting", environment, 4)


def test_where_nobody_else_translates_a_service_that_is_away_fails_the_step(lone, job, monkeypatch) -> None:
    monkeypatch.setattr(Inventory, "translators", lambda *_: ())
    assert failed(lone, job, "llm", ErrorKind.TRANSIENT).environment == "llm"
