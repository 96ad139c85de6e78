"""The bench for GPUs says what it needs."""

from __future__ import annotations

import pytest

from tests.bench import gpu
from tests.bench.figures import skip


def test_without_a_gpu_one_sentence_says_so_and_nothing_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert skip(gpu.lacking(0)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "not measured: this machine has no NVIDIA GPU that its driver shows (nvidia-smi)"
    ]
