"""Which device torch takes, and with how many threads it computes."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from protocol.errors import UsageError
from workers.models import ModelShelf
from workers.placement import Placement
from workers.torch_devices import TorchLanes, sharing_cores, torch_device


def machine(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    """Make torch say that it is on such a machine."""
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda > 0, device_count=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(0, False, "cpu"), (2, False, "cuda"), (0, True, "mps"), (1, True, "cuda")]
)
def test_auto_is_the_quickest_device(
    monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool, expected: str
) -> None:
    machine(monkeypatch, cuda=cuda, mps=mps)
    assert torch_device("auto") == expected


@pytest.mark.parametrize("asked", ["cpu", "cuda", "cuda:0", "cuda:1", "mps"])
def test_a_device_that_is_there_is_taken_as_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    machine(monkeypatch, cuda=2, mps=True)
    assert torch_device(asked) == asked


@pytest.mark.parametrize("asked", ["gpu", "cuda:x", "cpu:1", "mps:0", "", "cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    machine(monkeypatch)
    with pytest.raises(UsageError, match=r"\.$"):
        torch_device(asked)


def test_a_cuda_device_beyond_the_last_is_refused_with_their_count(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, cuda=2)
    with pytest.raises(UsageError, match="2 cuda devices"):
        torch_device("cuda:2")


class PlayedTorch:
    """Knows how many threads it computes with, and was told how often."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.told: list[int] = []

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads
        self.told.append(threads)


def test_torch_computes_with_what_the_call_is_given_and_never_with_more_than_it_takes_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch, shelf, shares = PlayedTorch(threads=4), ModelShelf(tmp_path, threads=8), []
    monkeypatch.setitem(sys.modules, "torch", torch)
    tell = sharing_cores(shelf, shares.append)
    tell(0.1)
    for count in (2, 2, 1, 8):
        shelf.give_cores(count)
        tell(0.2)
    assert torch.told == [2, 1, 4]
    assert shares == [0.1, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("cores", "own", "pieces", "most", "shared"),
    [
        (1, 1, 9, 0, (1, 1)),
        (2, 2, 9, 0, (2, 1)),
        (2, 2, 1, 0, (1, 1)),
        (2, 2, 0, 0, (1, 1)),
        (2, 2, 9, 1, (1, 2)),
        (8, 8, 9, 0, (4, 2)),
        (8, 8, 3, 0, (3, 2)),
        (8, 8, 1, 0, (1, 2)),
        (8, 8, 1, 2, (1, 4)),
        (8, 8, 9, 2, (2, 4)),
        (16, 8, 9, 0, (4, 2)),
        (16, 1, 9, 0, (1, 1)),
    ],
)
def test_the_pieces_of_a_call_share_what_torch_takes_by_itself(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cores: int,
    own: int,
    pieces: int,
    most: int,
    shared: tuple[int, int],
) -> None:
    monkeypatch.setitem(sys.modules, "torch", PlayedTorch(threads=own))
    where = Placement(device="cpu", compute_type="float32")
    lanes = TorchLanes(models=ModelShelf(tmp_path, threads=cores), where=where, most=most)
    assert lanes.shared_out(pieces) == shared


def test_each_lane_computes_with_its_own_threads_and_a_gpu_has_the_callers_thread_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch, shelf = PlayedTorch(threads=4), ModelShelf(tmp_path, threads=4)
    monkeypatch.setitem(sys.modules, "torch", torch)
    here, told = threading.get_ident(), []

    def run(device: str, pieces: int) -> list[tuple[bool, int]]:
        lanes = TorchLanes(models=shelf, where=Placement(device=device, compute_type="float32"))
        work = lanes.side_by_side(
            lambda _piece, _check: (threading.get_ident() == here, torch.threads),
            range(pieces),
            pieces,
            told.append,
        )
        return list(work)

    assert run("cpu", 4) == [(False, 1)] * 4
    assert run("cpu", 2) == [(False, 1)] * 2
    shelf.give_cores(3)
    assert run("cuda:1", 2) == [(True, 3)] * 2
    assert told[-2:] == [0, 1]
