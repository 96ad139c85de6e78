"""Configuration of the sketch: as small a model as one of IndicTrans2's can be. See `modeling_sketch.py`."""

from __future__ import annotations

from typing import Any

from transformers import PretrainedConfig


class SketchConfig(PretrainedConfig):
    model_type = "indictrans2_sketch"

    def __init__(
        self,
        *,
        encoder_vocab_size: int = 4,
        decoder_vocab_size: int = 4,
        embed_dim: int = 16,
        heads: int = 1,
        layers: int = 12,
        max_source_positions: int = 256,
        max_target_positions: int = 256,
        raw_positions: bool = False,
        **rest: Any,
    ) -> None:
        self.encoder_vocab_size = encoder_vocab_size
        self.decoder_vocab_size = decoder_vocab_size
        self.embed_dim = embed_dim
        self.heads = heads
        self.layers = layers
        self.num_hidden_layers = layers
        self.max_source_positions = max_source_positions
        self.max_target_positions = max_target_positions
        self.raw_positions = raw_positions
        fixed = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
        super().__init__(**{"is_encoder_decoder": True, "tie_word_embeddings": False, **fixed, **rest})
