"""A tokenizer for IndicTrans2's own files: two vocabularies, two models of sentencepiece, two language tags.

A text is `<tag of its language> <tag of the wanted one> <the text>`; batches are padded on the left.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor
from transformers import PreTrainedTokenizer


class SketchTokenizer(PreTrainedTokenizer):
    vocab_files_names = {  # noqa: RUF012 (transformers reads it from the class)
        "source_words": "dict.SRC.json",
        "target_words": "dict.TGT.json",
        "source_pieces": "model.SRC",
        "target_pieces": "model.TGT",
    }
    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012 (as above)

    def __init__(
        self, source_words: str, target_words: str, source_pieces: str, target_pieces: str, **rest: Any
    ) -> None:
        self.ids: dict[str, int] = json.loads(Path(source_words).read_text(encoding="utf-8"))
        wanted = json.loads(Path(target_words).read_text(encoding="utf-8"))
        self.words = {number: word for word, number in wanted.items()}
        self.pieces = SentencePieceProcessor(model_file=source_pieces)
        rest["padding_side"] = "left"
        special = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
        super().__init__(**{**special, **rest})

    @property
    def vocab_size(self) -> int:
        return len(self.ids)

    def get_vocab(self) -> dict[str, int]:
        return dict(self.ids)

    def _tokenize(self, text: str) -> list[str]:
        source, target, said = text.split(" ", 2)
        if source not in self.ids or target not in self.ids:
            message = f"{source} and {target} are no tags"
            raise ValueError(message)
        return [source, target, *self.pieces.EncodeAsPieces(said)]

    def _convert_token_to_id(self, token: str) -> int:
        return self.ids.get(token, self.ids["<unk>"])

    def _convert_id_to_token(self, index: int) -> str:
        return self.words.get(index, "<unk>")

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [*token_ids_0, self.ids["</s>"]]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace("▁", " ").strip()
