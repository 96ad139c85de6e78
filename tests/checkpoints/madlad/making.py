"""Makes a small model's folder: python -m tests.checkpoints.madlad.making FOLDER TOKENIZER."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from tests.checkpoints.texts import lines

_LANGUAGES = "en de fr hi pt ja ru zh zh_Hant jv fil"
_WORDS = 2_000
_WIDTH, _HEADS, _INNER, _LAYERS = 64, 2, 128, 2
_BUCKETS, _FAR = 32, 128
"""As T5's tables of relative positions."""
_END = 4.0
"""So much likelier than others is the end, or no translation would have one."""
_SEED = 5


def main(folder: Path, tokenizer: str) -> None:
    """Fill the folder; the same bytes for the same texts."""
    import sentencepiece

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines()),
        model_writer=made,
        vocab_size=_WORDS,
        # Numbers as MADLAD-400 has them; it begins a translation with the unknown word.
        unk_id=0,
        bos_id=1,
        eos_id=2,
        user_defined_symbols=[f"<2{language}>" for language in _LANGUAGES.split()],
        num_threads=1,
        minloglevel=2,
    )
    (folder / tokenizer).write_bytes(made.getvalue())
    words = sentencepiece.SentencePieceProcessor(model_file=str(folder / tokenizer))
    _save(folder, [words.id_to_piece(number) for number in range(words.get_piece_size())])


def _save(folder: Path, vocabulary: list[str]) -> None:
    """Write a T5 of random weights as CTranslate2 converts one (ctranslate2.converters, `T5Loader`)."""
    import numpy as np
    from ctranslate2 import specs

    spec = specs.TransformerSpec.from_config(
        (_LAYERS, _LAYERS),
        _HEADS,
        pre_norm=True,
        activation=specs.Activation.GELUTanh,
        ffn_glu=True,
        relative_attention_bias=True,
        rms_norm=True,
    )
    chance = np.random.default_rng(_SEED)

    def random(*shape: int) -> Any:
        return chance.normal(0.0, 1.5 / shape[-1] ** 0.5, shape).astype("float32")

    for stack in (spec.encoder, spec.decoder):
        _fill_stack(stack, len(vocabulary), random)
    spec.decoder.projection.weight = random(len(vocabulary), _WIDTH)
    spec.decoder.projection.bias = np.zeros(len(vocabulary), "float32")
    spec.decoder.projection.bias[vocabulary.index("</s>")] = _END
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.config.decoder_start_token = "<unk>"
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))


def _fill_stack(stack: Any, words: int, random: Any) -> None:
    import numpy as np

    stack.scale_embeddings = False
    table = stack.embeddings[0] if isinstance(stack.embeddings, list) else stack.embeddings
    table.weight = random(words, _WIDTH) * _WIDTH**0.5
    stack.layer_norm.gamma = np.ones(_WIDTH, "float32")
    for layer in stack.layer:
        for attention in (layer.self_attention, getattr(layer, "attention", None)):
            if attention is not None:
                _fill_attention(attention, random)
        layer.self_attention.relative_attention_bias = random(_BUCKETS, _HEADS)
        layer.self_attention.relative_attention_max_distance = np.dtype("int32").type(_FAR)
        layer.ffn.layer_norm.gamma = np.ones(_WIDTH, "float32")
        layer.ffn.linear_0.weight = random(_INNER, _WIDTH)
        layer.ffn.linear_0_noact.weight = random(_INNER, _WIDTH)
        layer.ffn.linear_1.weight = random(_WIDTH, _INNER)


def _fill_attention(attention: Any, random: Any) -> None:
    import numpy as np

    attention.queries_scale = 1.0
    attention.layer_norm.gamma = np.ones(_WIDTH, "float32")
    # Queries, keys and values of a text that looks at itself are one matrix; else the queries stand alone.
    parts = (3, 1) if len(attention.linear) == 2 else (1, 2, 1)
    for linear, count in zip(attention.linear, parts, strict=True):
        linear.weight = random(count * _WIDTH, _WIDTH)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
