"""Makes a small model's folder: python -m tests.checkpoints.nllb.making FOLDER WANTED (JSON)."""

from __future__ import annotations

import json
import sys
import unicodedata
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.checkpoints.texts import lines

_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
_WORDS = 3_000
_WIDTH = 128
_FREQUENCIES = 16
"""So many of the table's frequencies, the highest, tell the places apart."""
_LOUD = 4.0
"""How much larger than the table a token's signs are."""
_SEED = 3


def main(folder: Path, *, arranged: bool, positions: int) -> None:
    """Fill the folder; the same bytes for the same wanted and the same texts."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(_SEED)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        d_model=_WIDTH,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=positions,
        scale_embedding=True,
        init_std=0.3,
        max_length=200,
    )
    model = M2M100ForConditionalGeneration(config)
    if arranged:
        _arrange(model, _partners(tokenizer))
    model.save_pretrained(folder)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import NllbTokenizer

    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(
        lines(), trainers.BpeTrainer(vocab_size=_WORDS, special_tokens=_SPECIAL, show_progress=False)
    )
    made = json.loads(trained.to_str())["model"]
    return NllbTokenizer(vocab=made["vocab"], merges=[tuple(merge) for merge in made["merges"]])


def _partners(tokenizer: Any) -> list[int]:
    """Return for every token its partner, of the same script and the same place in a word, or itself."""
    words = tokenizer.get_vocab()
    special = {*tokenizer.all_special_tokens, *_SPECIAL}
    kinds = sorted((_kind(word), number) for word, number in words.items() if word not in special)
    found = list(range(len(words)))
    for kind, group in groupby(kinds, lambda pair: pair[0]):
        numbers = [number for _, number in group]
        if not kind:
            continue
        for one, other in zip(numbers[::2], numbers[1::2], strict=False):
            found[one], found[other] = other, one
    return found


def _kind(word: str) -> str:
    """Return script and place; empty for what has no letters and stays as it is."""
    bare = word.removeprefix("▁")
    if not bare or not bare[0].isalpha():
        return ""
    return f"{word.startswith('▁')} {unicodedata.name(bare[0]).split()[0]} {min(len(bare), 6)}"


def _arrange(model: Any, partners: list[int]) -> None:
    """Let nothing count but where a token stands and which it is; see the package's docstring.

    The table of positions has sines, then cosines. The dimensions of its highest frequencies are kept free
    for it; a token is a row of signs in the others, and its partner the same row with its halves changed.
    """
    import torch

    half = _WIDTH // 2
    place = [*range(_FREQUENCIES), *range(half, half + _FREQUENCIES)]
    rest = [number for number in range(_WIDTH) if number not in place]
    swapped = rest[len(rest) // 2 :] + rest[: len(rest) // 2]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("bias", "out_proj.weight", "fc2.weight")):
                weight.zero_()
        shared = model.model.shared.weight
        shared.zero_()
        shared[:, rest] = _signs(partners, len(rest)) * _LOUD / _WIDTH**0.5
        shared[model.config.pad_token_id] = 0
        crossing = model.model.decoder.layers[0].encoder_attn
        for projection in (crossing.q_proj, crossing.k_proj, crossing.v_proj):
            projection.weight.zero_()
        for projection in (crossing.q_proj, crossing.k_proj):
            projection.weight[place, place] = 65.0
        # Layer norms take the mean away: about the table's own, for the signs of a token have none.
        table = model.model.encoder.embed_positions.weights[2:100]
        crossing.q_proj.bias[place] = 65.0 * table.mean() / (_LOUD**2 * len(rest) / _WIDTH + 0.5) ** 0.5
        crossing.v_proj.weight[rest, rest] = 1.0
        crossing.out_proj.weight[rest, swapped] = 50.0


def _signs(partners: list[int], width: int) -> Any:
    """Return a row of signs for every token, half of them minus; its partner has its halves changed."""
    import torch

    half = width // 2
    rows = torch.ones(len(partners), width)
    for one, other in enumerate(partners):
        if one < other:
            rows[one, torch.randperm(width)[:half]] = -1
            rows[other] = rows[one].roll(half)
        elif one == other:
            few = torch.randperm(half)[: half // 2]
            rows[one, few] = rows[one, few + half] = -1
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
