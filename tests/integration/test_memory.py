"""Budgets of memory held by real workers, whose engine takes real memory."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

import psutil
import pytest

from protocol.errors import WorkerExit
from protocol.frames import Header
from protocol.messages import Ack, Result, State, Unload
from protocol.stages.asr import AsrRequest
from tests.conftest import Figure
from tests.house import House, until
from tests.ill.heavy import MODEL_MB
from tests.lone_worker import NOTHING, LoneWorker
from tests.rss import Watch

pytestmark = pytest.mark.integration

ENGINE = "asr=tests.ill.heavy:HeavyAsr"
MB = 1_000_000
BUDGET_MB = 330
"""Two models of 120 MB and the interpreter's 40: not a third, nor by a tenth more."""


def store(folder: Path, *models: str) -> Path:
    """Make a model store that says how large the models are."""
    for model in models:
        (folder / model).mkdir(parents=True, exist_ok=True)
        files = {"model.safetensors": {"sha256": "", "size": MODEL_MB * MB * 10 // 12}}
        manifest = {"id": model, "source": "a test", "files": files}
        (folder / model / "manifest.json").write_text(json.dumps(manifest))
    return folder


def ask(model: str, order: str = "") -> AsrRequest:
    return AsrRequest(audio=NOTHING, model=model, initial_prompt=order)


def unloaded(log: str) -> list[str]:
    return re.findall(r"unloaded heavy:(\S+)@", log)


def models_of(worker: LoneWorker) -> list[str]:
    """Return the models of the next state that the worker says."""
    state = worker.next(State).message
    while not state.rss_bytes:
        state = worker.next(State).message
    return [re.split("[:@]", model.key)[1] for model in state.models]


@pytest.mark.alone
def test_a_budget_that_holds_two_models_of_three_holds_the_least_recently_used_no_longer(
    tmp_path: Path, figure: Figure
) -> None:
    models = store(tmp_path, "one", "two", "three")
    with LoneWorker(ENGINE, models=models, options=("--ram-mb", str(BUDGET_MB))) as worker:
        worker.wait_ready()
        bare = psutil.Process(worker.process.pid).memory_info().rss
        with Watch(worker.process.pid) as watch:
            for model in ("one", "two", "one", "three", "two", "three", "one", "two"):
                assert worker.do("asr", ask(model)).model == model
        order = unloaded(worker.log.read_text())
        figure(
            f"memory, quick engine: budget {BUDGET_MB} MB, {MODEL_MB} MB a model, {bare / MB:.0f} MB bare; "
            f"at most {watch.highest / MB:.0f} MB in {watch.looks} looks; unloaded {' '.join(order)}"
        )
        assert order == ["two", "one", "two", "three"]
        assert bare + 1.9 * MODEL_MB * MB < watch.highest < 1.1 * BUDGET_MB * MB
        assert "the budget is 330 MB" in worker.log.read_text()


def test_a_call_that_needs_more_than_the_budget_is_done_and_loses_no_model_under_it(tmp_path: Path) -> None:
    models = store(tmp_path, "one", "two")
    with LoneWorker(ENGINE, models=models, options=("--ram-mb", "200")) as worker:
        worker.wait_ready()
        assert worker.do("asr", ask("one", "with:two")).model == "one"
        log = worker.log.read_text()
        assert "every loaded model is in use" in log
        assert unloaded(log) == ["one"]
        assert log.index("two@cpu/int8 in") < log.index("unloaded"), "when the call had ended"


def test_a_model_that_nobody_uses_is_unloaded_and_the_memory_comes_back(tmp_path: Path) -> None:
    with LoneWorker(ENGINE, models=tmp_path, options=("--idle-unload-s", "0.2")) as worker:
        worker.wait_ready()
        process = psutil.Process(worker.process.pid)
        bare = process.memory_info().rss
        worker.do("asr", ask("one"))
        while models_of(worker):
            pass
        assert process.memory_info().rss - bare < 20 * MB
        assert "not used for" in worker.log.read_text()


def test_the_coordinator_names_the_models_that_go(tmp_path: Path) -> None:
    with LoneWorker(ENGINE, models=tmp_path) as worker:
        worker.wait_ready()
        worker.do("asr", ask("one", "with:two"))
        worker.send(Unload(keys=("heavy:one@cpu/int8",)), Header(run="1"))
        while models_of(worker) != ["two"]:
            pass


@pytest.mark.parametrize(("load", "expected"), [("start", ["one"]), ("first-use", [])])
def test_the_default_model_is_loaded_when_the_spec_says(
    tmp_path: Path, load: str, expected: list[str]
) -> None:
    options = ("--default-model", "one", "--load", load)
    with LoneWorker(ENGINE, models=tmp_path, options=options) as worker:
        worker.wait_ready()
        assert models_of(worker) == expected
        worker.do("asr", ask("one"))
        assert models_of(worker) == ["one"]


def test_a_worker_whose_memory_does_not_come_back_says_its_result_and_makes_room(tmp_path: Path) -> None:
    with LoneWorker(ENGINE, models=tmp_path, options=("--ram-mb", "200")) as worker:
        worker.wait_ready()
        header = Header(run="1", job="j", step="asr", attempt=1)
        worker.send(worker.call("asr", ask("one", "leak:300")), header)
        assert isinstance(worker.next(Result).message, Result)
        assert worker.process.poll() is None, "it stays until the result is acknowledged"
        worker.send(Ack(), header)
        assert worker.process.wait(timeout=20) == WorkerExit.RECYCLED


def blames(house: House) -> list[tuple[int, int]]:
    """Return the different numbers of failures and killed workers that steps have against them."""
    with contextlib.closing(sqlite3.connect(house.home / "state" / "jobs.sqlite")) as store:
        return store.execute("SELECT DISTINCT failures, kills FROM steps").fetchall()


@pytest.mark.timeout(120)
def test_films_go_on_while_workers_that_leak_are_replaced(tmp_path: Path, figure: Figure) -> None:
    speech = {"asr": "tests.ill.heavy:HeavyAsr", "align": "FakeAlign", "translate": "FakeTranslate"}
    with House(tmp_path, speech=speech, CPW_MEMORY_WHISPERX="ram_mb=200") as house:
        house.start()
        first = house.environment("whisperx").pid
        orders = {"asr": {"initial_prompt": "leak:300"}}
        jobs = [house.submit(workflow="transcribe", parameters=orders, reuse=False) for _ in range(6)]
        reports = [house.ended(job, timeout_s=60) for job in jobs]
        assert {report.state for report in reports} == {"done"}
        # Each of them serves one of these films, and not one counts as killed by it.
        state = until(
            lambda: (now := house.environment("whisperx")).restarts == len(jobs) and now.usable and now, 40
        )
        assert blames(house) == [(0, 0)]
        assert state.pid != first
        assert state.ram_budget_bytes == 200 * MB
        exits = house.supervisor_state()["children"]["whisperx"]["last_exit"]
        assert exits["code"] == WorkerExit.RECYCLED
        figure(f"memory: {len(jobs)} films whose recognition leaks 300 MB: {state.restarts} workers replaced")
        assert house.ended(house.submit(workflow="transcribe"), timeout_s=60).state == "done"
        assert house.environment("whisperx").pid == state.pid, "it did not leak, and stays"
