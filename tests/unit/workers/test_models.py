"""The shelf of loaded models, under a played meter: what is unloaded, when, and in which order."""

from __future__ import annotations

import importlib
import json
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.cores import usable_cores
from workers.engine import ModelKey
from workers.memory import MEGABYTE, Budget, Meter
from workers.models import ModelShelf

KEY = ModelKey(kind="whisper", model="whisper-base", device="cpu", compute_type="int8")


class Weights:
    """A model that takes so many megabytes of a `PlayedMeter`."""

    def __init__(self, size: int) -> None:
        self.size = size


class PlayedMeter(Meter):
    """A process of 100 MB and its models; what a model took is resident until it is given back."""

    def __init__(self) -> None:
        self.libraries = 100
        self.leaked = 0
        self.free = 0
        self.spike = 0
        self.gpu_seen = True
        self.alive: weakref.WeakSet[Weights] = weakref.WeakSet()
        self.on_gpu: weakref.WeakSet[Weights] = weakref.WeakSet()
        self.given_back = 0

    def make(self, size: int) -> Weights:
        weights = Weights(size)
        self.alive.add(weights)
        weakref.finalize(weights, self.freed, size)
        return weights

    def make_on_gpu(self, size: int) -> Weights:
        weights = Weights(size)
        self.on_gpu.add(weights)
        return weights

    def freed(self, size: int) -> None:
        self.free += size

    def resident(self) -> int:
        models = sum(model.size for model in self.alive)
        return (self.libraries + self.leaked + self.free + models) * MEGABYTE

    def peak(self) -> int:
        return self.resident() + self.spike * MEGABYTE

    def forget_peak(self) -> None:
        self.spike = 0

    def device(self) -> int:
        return sum(model.size for model in self.on_gpu) * MEGABYTE if self.gpu_seen else 0

    def give_back(self) -> None:
        self.given_back += 1
        self.free = 0


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        self.now_s += 0.001  # no two uses at the same time
        return self.now_s


class Bench:
    """A shelf with a budget, models of 50 MB, and calls that get them."""

    def __init__(self, store: Path, **budget: float) -> None:
        self.meter, self.clock, self.store = PlayedMeter(), Clock(), store
        given = {"ram_bytes": int(budget.pop("ram", 0)) * MEGABYTE}
        given["vram_bytes"] = int(budget.pop("vram", 0)) * MEGABYTE
        self.shelf = ModelShelf(store, Budget(**given, **budget), self.meter, self.clock)

    def call(self, *models: str, size: int = 50, gpu: bool = False, spike: int = 0) -> bool:
        self.shelf.begin_call()
        for model in models:
            self.get(model, size, gpu)
        self.meter.spike = spike
        return self.shelf.end_call()

    def get(self, model: str, size: int = 50, gpu: bool = False) -> None:
        device = "cuda" if gpu else "cpu"
        make = self.meter.make_on_gpu if gpu else self.meter.make
        self.shelf.get(ModelKey(kind="k", model=model, device=device, compute_type="f"), lambda: make(size))

    def here(self) -> list[str]:
        return sorted(model.key.partition(":")[2].partition("@")[0] for model in self.shelf.loaded())


def test_a_worker_that_nobody_told_a_number_of_threads_has_one_a_core(tmp_path: Path) -> None:
    assert ModelShelf(tmp_path).threads() == ModelShelf(tmp_path).most_threads() == usable_cores()


def test_threads_follow_the_cores_that_the_call_is_given(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path, threads=4)
    found = [shelf.threads()]
    for count in (2, 8, 1, 0, 4):
        shelf.give_cores(count)
        found.append(shelf.threads())
    assert found == [4, 2, 4, 1, 1, 4]
    assert shelf.most_threads() == 4


def test_a_cleared_shelf_holds_nothing_and_still_knows_how_often_it_loaded(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path)
    first = shelf.get(KEY, object)
    assert shelf.get(KEY, object) is first
    shelf.clear()
    assert shelf.loaded() == ()
    assert shelf.get(KEY, object) is not first
    assert [model.loads for model in shelf.loaded()] == [2]


def test_without_a_budget_every_model_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for model in "abcdef":
        assert not bench.call(model, size=10_000)
    assert bench.here() == list("abcdef")
    assert bench.meter.given_back == 0


def test_a_model_is_shown_with_its_size_device_and_instants(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.call("a", size=70)
    (shown,) = bench.shelf.loaded()
    assert (shown.bytes, shown.device) == (70 * MEGABYTE, "cpu")
    assert shown.loaded_at <= shown.used_at
    before = shown.loaded_at
    bench.call("a")
    assert [(model.loaded_at, model.loads) for model in bench.shelf.loaded()] == [(before, 1)]


def test_the_least_recently_used_goes_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bench = Bench(tmp_path, ram=210)
    bench.call("a")
    bench.call("b")
    bench.call("a")
    bench.call("c")
    assert bench.here() == ["a", "c"]
    bench.call("b")
    assert bench.here() == ["b", "c"]
    gone = [message for message in caplog.messages if message.startswith("unloaded")]
    assert [message.split(" ")[1] for message in gone] == ["k:b@cpu/f", "k:a@cpu/f"]
    assert "the budget is 210 MB" in gone[0]


def test_room_is_made_before_a_model_is_loaded_whose_size_is_known(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    manifest = {
        "id": "c",
        "source": "",
        "files": {"model.safetensors": {"sha256": "", "size": 50 * MEGABYTE}},
    }
    (tmp_path / "c" / "manifest.json").write_text(json.dumps(manifest))
    bench = Bench(tmp_path, ram=210)
    bench.call("a", "b")
    seen = []
    bench.shelf.get(
        ModelKey(kind="k", model="c", device="cpu", compute_type="f"),
        lambda: seen.append(bench.here()) or bench.meter.make(50),
    )
    assert seen == [["b"]]


def test_what_a_model_took_is_remembered_for_the_next_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=210)
    bench.call("a")
    bench.shelf.clear()
    bench.call("b", "c")
    seen = []
    bench.shelf.get(
        ModelKey(kind="k", model="a", device="cpu", compute_type="f"),
        lambda: seen.append(bench.here()) or bench.meter.make(50),
    )
    assert seen == [["c"]]


def test_a_model_in_use_by_the_running_call_is_not_unloaded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=160)
    bench.shelf.begin_call()
    for model in "abc":
        bench.get(model)
        assert model in bench.here()
    assert bench.here() == ["a", "b", "c"]
    assert not bench.shelf.end_call()
    assert bench.here() == ["c"]


def test_a_model_of_an_interrupted_call_is_not_unloaded_for_the_call_inside(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=220)
    bench.shelf.begin_call()
    bench.get("a")
    assert not bench.call("b", "c"), "the one inside ends over the budget"
    assert "a" in bench.here()
    bench.shelf.begin_call()
    bench.get("a")
    assert not bench.shelf.end_call()
    assert not bench.call("d", size=150)
    assert bench.here() == ["a"]
    bench.shelf.end_call()
    assert not bench.call("d", size=100)
    assert bench.here() == ["d"]


def test_a_process_is_not_replaced_for_the_call_inside_while_another_holds_a_model(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=160)
    bench.shelf.ready()
    bench.shelf.begin_call()
    bench.get("a")
    bench.meter.leaked = 500
    assert not bench.call("b")
    assert bench.here() == ["a"]
    assert bench.shelf.end_call()


def test_what_is_free_is_given_back_before_any_model_goes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=210)
    bench.call("a")
    bench.meter.free = 100
    bench.call("b")
    assert bench.here() == ["a", "b"]
    assert bench.meter.free == 0


def test_what_calls_need_beside_their_models_is_kept_free(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=210)
    bench.call("a", spike=60)
    bench.call("b")
    assert bench.here() == ["b"]


def test_models_in_ram_do_not_go_for_the_gpus_sake_nor_the_other_way_round(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=210, vram=100)
    bench.call("a", "b")
    bench.call("x", gpu=True)
    bench.call("y", gpu=True)
    bench.call("z", gpu=True)
    assert bench.here() == ["a", "b", "y", "z"]
    bench.call("c")
    assert bench.here() == ["b", "c", "y", "z"]


def test_a_model_on_the_gpu_that_torch_does_not_see_counts_by_its_files(tmp_path: Path) -> None:
    for model in "xy":
        (tmp_path / model).mkdir()
        manifest = {"files": {"model.safetensors": {"size": 50 * MEGABYTE}}}
        (tmp_path / model / "manifest.json").write_text(json.dumps(manifest))
    bench = Bench(tmp_path, vram=100)
    bench.meter.gpu_seen = False
    bench.call("x", gpu=True)
    assert [loaded_model.bytes for loaded_model in bench.shelf.loaded()] == [60 * MEGABYTE]
    bench.call("y", gpu=True)
    assert bench.here() == ["y"]


def test_what_nobody_asked_for_in_the_idle_time_goes_between_calls(tmp_path: Path) -> None:
    bench = Bench(tmp_path, idle_s=60.0)
    assert bench.shelf.idle_in_s() is None
    bench.call("a")
    bench.clock.now_s += 30
    bench.call("b")
    wait_s = bench.shelf.idle_in_s()
    assert wait_s is not None
    assert 29 < wait_s < 30
    bench.clock.now_s += wait_s
    bench.shelf.unload_idle()
    assert bench.here() == ["b"]
    bench.clock.now_s += 1_000
    assert bench.shelf.idle_in_s() == 0
    bench.shelf.unload_idle()
    assert (bench.here(), bench.shelf.idle_in_s()) == ([], None)


def test_the_idle_time_begins_with_the_end_of_the_call(tmp_path: Path) -> None:
    bench = Bench(tmp_path, idle_s=60.0)
    bench.shelf.begin_call()
    bench.get("a")
    bench.clock.now_s += 3_600
    bench.shelf.end_call()
    bench.shelf.unload_idle()
    assert bench.here() == ["a"]


@pytest.mark.parametrize("idle_s", [1e30, 30 * 24 * 3600.0])
def test_a_wait_is_never_longer_than_a_poll_can_be(tmp_path: Path, idle_s: float) -> None:
    bench = Bench(tmp_path, idle_s=idle_s)
    bench.call("a")
    assert bench.shelf.idle_in_s() == 3_600


def test_only_the_named_models_are_unloaded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.call("a", "b", "c")
    bench.shelf.clear(["k:b@cpu/f", "k:unknown@cpu/f"])
    assert bench.here() == ["a", "c"]


def test_a_process_whose_memory_does_not_come_back_is_to_be_replaced(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=200)
    bench.shelf.ready()
    assert not bench.call("a")
    bench.meter.leaked = 90
    assert not bench.call("a")  # over the budget, but not by a tenth
    bench.meter.leaked = 150
    assert bench.call("a")
    assert bench.here() == []


def test_libraries_that_are_larger_than_the_budget_are_said_and_no_reason_to_start_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, ram=50)
    bench.get("a")
    bench.shelf.ready()
    assert "the libraries take 100 MB, more than the budget of 50 MB" in caplog.text
    assert not bench.call("a")
    assert bench.here() == []


def test_a_load_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ram=200)

    def fail() -> None:
        message = "broken"
        raise OSError(message)

    with pytest.raises(OSError, match="broken"):
        bench.shelf.get(KEY, fail)
    assert bench.shelf.loaded() == ()
    bench.shelf.get(KEY, object)
    assert [model.loads for model in bench.shelf.loaded()] == [1]


@pytest.mark.parametrize("manifest", ["", "[]", '{"files": []}', '{"files": {"a": {"size": "big"}}}', "\0"])
def test_a_manifest_that_cannot_be_read_gives_no_estimate(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text(manifest)
    bench = Bench(tmp_path, ram=200)
    bench.call("a")
    assert bench.here() == ["a"]


def test_libraries_that_come_with_a_model_are_not_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    manifest = {"files": {"model.safetensors": {"size": 50 * MEGABYTE}}}
    (tmp_path / "a" / "manifest.json").write_text(json.dumps(manifest))
    bench = Bench(tmp_path, ram=500)
    bench.shelf.ready()

    def load() -> Weights:
        for number in range(100):
            monkeypatch.setitem(sys.modules, f"library.{number}", sys)
        bench.meter.libraries += 250
        return bench.meter.make(55)

    bench.shelf.get(ModelKey(kind="k", model="a", device="cpu", compute_type="f"), load)
    assert [model.bytes for model in bench.shelf.loaded()] == [60 * MEGABYTE]
    bench.shelf.clear()
    # A reload needs room for the model, and none for the libraries once more.
    bench.call("b")
    bench.call("a")
    assert bench.here() == ["a", "b"]
    bench.meter.leaked = 220
    assert bench.call("a"), "350 MB are the libraries', 220 more have not come back"


def test_a_model_goes_though_a_library_keeps_an_error_from_within_its_first_call(tmp_path: Path) -> None:
    kept: list[BaseException] = []
    waiting = []
    bench = Bench(tmp_path)

    def import_library() -> None:
        try:
            importlib.import_module("an_extra_that_is_not_installed")
        except ImportError as error:
            kept.append(error)

    def numbers() -> Iterator[int]:
        yield from (1, 2)

    def first_call() -> None:
        def load() -> Weights:
            weights = bench.meter.make(50)
            import_library()
            return weights

        model = bench.shelf.get(KEY, load)
        waiting.append(numbers())
        assert next(waiting[0]) == 1
        assert model.size == 50

    first_call()
    assert len(bench.meter.alive) == 1
    bench.shelf.clear()
    assert len(bench.meter.alive) == 0
    assert next(waiting[0]) == 2, "what has not ended goes on"
    assert kept[0].__traceback__ is not None
