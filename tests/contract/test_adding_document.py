"""What `docs/adding.md` quotes is what the repository has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walkthrough import Block, blocks_of, changed

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = blocks_of(ROOT / "docs" / "adding.md")
QUOTED = [block for block in BLOCKS if block.deed in ("as it is", "in part")]
CHANGES = [block for block in BLOCKS if block.deed == "a change"]


def test_every_block_says_what_it_is() -> None:
    known = ("a new file", "at its end", "a change", "as it is", "in part")
    assert all(block.kind == "sh" or block.deed in known for block in BLOCKS)
    fences = (ROOT / "docs" / "adding.md").read_text().count("\n```")
    assert fences == 2 * len(BLOCKS)


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: f"{block.path} {block.deed}")
def test_what_is_quoted_is_so(block: Block) -> None:
    text = (ROOT / block.path).read_text()
    if block.deed == "as it is":
        assert block.text == text
    else:
        assert block.text in text


@pytest.mark.parametrize("block", CHANGES, ids=lambda block: block.path)
def test_what_is_changed_is_as_the_change_expects_it(block: Block) -> None:
    text = (ROOT / block.path).read_text()
    assert changed(text, block.text) != text


def test_the_spec_and_the_model_of_bergamot_are_quoted_and_what_whisperx_computes_on() -> None:
    quoted = ["envspecs/whisperx.toml", "envspecs/bergamot.toml", "envspecs/models.toml"]
    assert [block.path for block in QUOTED] == quoted
