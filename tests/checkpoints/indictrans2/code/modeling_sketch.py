"""A small encoder and decoder with all that makes IndicTrans2's own code hard to load, and a known answer.

Like IndicTrans2: sinusoidal positions in a buffer that is not stored, two vocabularies, a cache of tuples,
and no part of transformers' own generation but what a model must have for it.

Its answer is known: behind its layers, which compute as any others do, stands a cipher that maps every token
of the source to one of the target's, at the same place, and ends where the source ends. So every text shows
which tokens, in which order and under which tags, reached the model.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.modeling_outputs import Seq2SeqLMOutput
from transformers.utils import ModelOutput

from .configuration_sketch import SketchConfig  # noqa: TID252 (transformers copies both into one folder)

_CERTAIN = 30.0
_END = 2
_RECORD = "CPW_SKETCH_RECORD"
"""A file to which each batch is written: [sentences, tokens]."""


@dataclass
class Encoded(ModelOutput):
    last_hidden_state: torch.Tensor | None = None
    answer: torch.Tensor | None = None


class Positions(nn.Module):
    def __init__(self, count: int, width: int, padding: int, raw: bool) -> None:
        super().__init__()
        table = torch.zeros(count, width)
        angle = torch.arange(count)[:, None] * torch.exp(
            torch.arange(width // 2) * -(math.log(10_000) / (width // 2 - 1))
        )
        table[:, : width // 2], table[:, width // 2 :] = angle.sin(), angle.cos()
        table[padding] = 0
        if raw:  # as memory that nobody has written to: zeros and what was there before
            table = table.roll(1, dims=0) * 1e-38
        self.padding = padding
        self.register_buffer("weights", table.to(torch.get_default_dtype()), persistent=False)

    def forward(self, mask: torch.Tensor, before: int = 0) -> torch.Tensor:
        places = (mask.long().cumsum(1) + before) * mask.long() + self.padding
        return self.weights[places]


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def split(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def remember(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.split(self.key(states)), self.split(self.value(states))

    def forward(
        self, states: torch.Tensor, memory: tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor
    ) -> torch.Tensor:
        keys, values = memory
        scores = self.split(self.query(states)) @ keys.transpose(-1, -2) * keys.shape[-1] ** -0.5
        found = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1) @ values
        return self.out(found.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, config: SketchConfig, crossed: bool) -> None:
        super().__init__()
        width = config.embed_dim
        self.own, self.own_norm = Attention(width, config.heads), nn.LayerNorm(width)
        self.crossed = Attention(width, config.heads) if crossed else None
        self.crossed_norm = nn.LayerNorm(width)
        self.wide, self.narrow, self.norm = (
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
            nn.LayerNorm(width),
        )

    def think(self, states: torch.Tensor) -> torch.Tensor:
        return states + self.narrow(functional.relu(self.wide(self.norm(states))))


class Encoder(nn.Module):
    main_input_name = "input_ids"

    def __init__(self, config: SketchConfig) -> None:
        super().__init__()
        width, padding = config.embed_dim, config.pad_token_id
        self.embed_tokens = nn.Embedding(config.encoder_vocab_size, width, padding)
        self.embed_positions = Positions(
            config.max_source_positions + 2, width, padding, config.raw_positions
        )
        self.layers = nn.ModuleList(Layer(config, crossed=False) for _ in range(config.layers))
        self.register_buffer("cipher", torch.zeros(config.encoder_vocab_size, dtype=torch.long))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Encoded:
        if place := os.environ.get(_RECORD):
            with Path(place).open("a") as file:
                file.write(json.dumps(list(input_ids.shape)) + "\n")
        states = self.embed_tokens(input_ids) + self.embed_positions(attention_mask)
        mask = attention_mask.bool()[:, None, None, :]
        for layer in self.layers:
            normed = layer.own_norm(states)
            states = layer.think(states + layer.own(normed, layer.own.remember(normed), mask))
        return Encoded(last_hidden_state=states, answer=self._answer(input_ids, attention_mask.bool()))

    def _answer(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer = torch.full_like(ids, _END)
        for row, (one, there) in enumerate(zip(ids, mask, strict=True)):
            said = self.cipher[one[there]]
            answer[row, : len(said)] = said
        return answer


class Decoder(nn.Module):
    def __init__(self, config: SketchConfig) -> None:
        super().__init__()
        width, padding = config.embed_dim, config.pad_token_id
        self.embed_tokens = nn.Embedding(config.decoder_vocab_size, width, padding)
        self.embed_positions = Positions(
            config.max_target_positions + 2, width, padding, config.raw_positions
        )
        self.layers = nn.ModuleList(Layer(config, crossed=True) for _ in range(config.layers))

    def forward(
        self, ids: torch.Tensor, encoded: Encoded, mask: torch.Tensor, past: tuple[Any, ...] | None
    ) -> tuple[torch.Tensor, tuple[Any, ...]]:
        before = past[0][0].shape[2] if past else 0
        states = self.embed_tokens(ids) + self.embed_positions(torch.ones_like(ids), before)
        count = ids.shape[1]
        earlier = torch.ones(count, before + count, dtype=torch.bool, device=ids.device).tril(before)
        wanted = mask.bool()[:, None, None, :]
        kept = []
        for index, layer in enumerate(self.layers):
            normed = layer.own_norm(states)
            memory = layer.own.remember(normed)
            if past:
                memory = tuple(torch.cat(pair, dim=2) for pair in zip(past[index][:2], memory, strict=True))
            states = states + layer.own(normed, memory, earlier)
            crossed = past[index][2:] if past else layer.crossed.remember(encoded.last_hidden_state)
            states = states + layer.crossed(layer.crossed_norm(states), crossed, wanted)
            states = layer.think(states)
            kept.append((*memory, *crossed))
        return states, tuple(kept)


class SketchForTranslation(PreTrainedModel):
    config_class = SketchConfig
    base_model_prefix = "model"

    def __init__(self, config: SketchConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.lm_head = nn.Linear(config.embed_dim, config.decoder_vocab_size, bias=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
        encoder_outputs: Encoded | None = None,
        past_key_values: tuple[Any, ...] | None = None,
        use_cache: bool | None = None,
        return_dict: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> Seq2SeqLMOutput:
        encoded = encoder_outputs or self.encoder(input_ids, attention_mask)
        states, kept = self.decoder(decoder_input_ids, encoded, attention_mask, past_key_values)
        before = past_key_values[0][0].shape[2] if past_key_values else 0
        places = torch.arange(before, before + decoder_input_ids.shape[1], device=states.device)
        last = encoded.answer.shape[1] - 1
        said = encoded.answer[:, places.clamp(max=last)].masked_fill(places > last, _END)
        logits = self.lm_head(states)
        certain = torch.full_like(said, 1)[..., None].to(logits.dtype) * _CERTAIN
        return Seq2SeqLMOutput(
            logits=logits.scatter_add(-1, said[..., None], certain),
            past_key_values=kept if use_cache else None,
            encoder_last_hidden_state=encoded.last_hidden_state,
        )

    def prepare_inputs_for_generation(
        self,
        decoder_input_ids: torch.Tensor,
        past_key_values: tuple[Any, ...] | None = None,
        attention_mask: torch.Tensor | None = None,
        use_cache: bool | None = None,
        encoder_outputs: Encoded | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        # A cache of transformers' own, empty at the first step, would be none of the tuples that stand here.
        return {
            "decoder_input_ids": decoder_input_ids[:, -1:]
            if past_key_values is not None
            else decoder_input_ids,
            "past_key_values": past_key_values,
            "attention_mask": attention_mask,
            "encoder_outputs": encoder_outputs,
            "use_cache": use_cache,
        }

    @staticmethod
    def _reorder_cache(past_key_values: tuple[Any, ...], beam_idx: torch.Tensor) -> tuple[Any, ...]:
        # What is remembered of the source is the same for all beams of a sentence.
        return tuple(
            (own_key.index_select(0, beam_idx), own_value.index_select(0, beam_idx), *crossed)
            for own_key, own_value, *crossed in past_key_values
        )
