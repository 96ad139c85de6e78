"""A long film goes through the model in blocks whose scores are those of one pass."""

from __future__ import annotations

import array
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocol.errors import CancelledError
from workers.speech.blocks import Grid, score_in_blocks
from workers.speech.sound import Sound

RATE = 16_000
GRIDS = (Grid(frame=270, step=8_000, window=80_000), Grid(frame=270, step=16_000, window=160_000))
HOUR = 3_600 * RATE


@dataclass(frozen=True)
class Frame:
    middle: float


class Frames:
    """As pyannote.core.SlidingWindow: it has no length, and asking for it is an error."""

    step = 270 / RATE

    def __getitem__(self, index: int) -> Frame:
        return Frame((135 + 270 * index) / RATE)

    def __len__(self) -> int:
        raise ValueError


@dataclass(frozen=True)
class Feature:
    data: Any
    sliding_window: Frames


def loudness(samples: Any) -> Feature:
    """Score each frame by its first sample: whatever is read twice or not at all shows."""
    return Feature(np.array(samples[::270]).reshape(-1, 1), Frames())


def ramp(path: Path, seconds: int) -> Path:
    """Write sound in which no two frames near each other are alike."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for second in range(seconds):
            start = second * RATE
            values = array.array("h", ((start + number) // 270 % 30_000 for number in range(RATE)))
            file.writeframes(values.tobytes())
    return path


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("count", [1, RATE, 300 * RATE, HOUR, 3 * HOUR + 12_345])
def test_blocks_give_every_frame_once_and_hear_more_than_a_window_of_their_neighbours(
    grid: Grid, count: int
) -> None:
    given = 0
    blocks = list(grid.blocks(count))
    for number, block in enumerate(blocks):
        begins = block.first + block.skip * grid.frame
        assert begins == given * grid.frame
        assert block.first % grid.step == 0
        assert begins - block.first >= grid.window or number == 0
        if block.keep is not None:
            given += block.keep
            assert block.first + block.count - given * grid.frame >= grid.window
    assert [block.keep is None for block in blocks] == [False] * (len(blocks) - 1) + [True]
    assert blocks[-1].first + blocks[-1].count >= count
    assert max(block.count for block in blocks) <= 400 * RATE


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks of some 30 s, so that a short film has several."""
    monkeypatch.setattr("workers.speech.blocks.BLOCK_SAMPLES", 30 * RATE)


@pytest.mark.usefixtures("short_blocks")
def test_the_scores_of_a_film_in_blocks_are_those_of_one_pass(tmp_path: Path) -> None:
    told: list[float] = []
    with Sound(ramp(tmp_path / "long.wav", 100)) as sound:
        one_pass = loudness(sound.samples(0, sound.sample_count)).data[:, 0]
        found = score_in_blocks(sound, GRIDS[0], lambda samples, _: loudness(samples), told.append)
    assert np.array_equal(np.array(found.values), one_pass)
    assert found.first_ms == pytest.approx(8.4375)
    assert found.step_ms == pytest.approx(16.875)
    assert found.duration_ms == 100_000
    assert told == [0.0, pytest.approx(0.405), pytest.approx(0.81)]


@pytest.mark.usefixtures("short_blocks")
def test_every_batch_inside_a_block_moves_the_bar(tmp_path: Path) -> None:
    told: list[float] = []

    def score(samples: Any, done: Any) -> Feature:
        for share in (0.4, 0.8, 1.2):
            done(share)
        return loudness(samples)

    with Sound(ramp(tmp_path / "long.wav", 100)) as sound:
        score_in_blocks(sound, GRIDS[0], score, told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(set(told)) == 10


def test_a_score_that_is_no_number_counts_as_silence(tmp_path: Path) -> None:
    def score(samples: Any, _: Any) -> Feature:
        return Feature(np.full((len(samples) // 270, 1), np.nan), Frames())

    with Sound(ramp(tmp_path / "nan.wav", 1)) as sound:
        assert set(score_in_blocks(sound, GRIDS[0], score, lambda _: None).values) == {0.0}


@pytest.mark.usefixtures("short_blocks")
def test_a_cancelled_film_stops_at_the_next_block(tmp_path: Path) -> None:
    scored = []

    def score(samples: Any, done: Any) -> Feature:
        scored.append(len(samples))
        done(0.5)
        return loudness(samples)

    def progress(share: float) -> None:
        if share > 0.5:
            raise CancelledError("The job was cancelled.")

    with Sound(ramp(tmp_path / "long.wav", 100)) as sound, pytest.raises(CancelledError):
        score_in_blocks(sound, GRIDS[0], score, progress)
    assert len(scored) == 2
