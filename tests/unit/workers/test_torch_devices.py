"""`auto` is the best device there is; one that is not there is refused in a sentence."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from protocol.errors import UsageError
from workers.torch_devices import torch_device


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
