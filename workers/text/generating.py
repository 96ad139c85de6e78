"""Texts through a translation model of transformers, in batches. torch is imported in functions only.

Only the model works in lanes. Tokenizers cannot be asked by two threads at once, and a call that is done
inside another one sets their languages: so all texts become tokens before the first batch, with no progress
told in between, and all tokens become texts after the last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from protocol.errors import ResourceError
from protocol.stages.translate import TranslateRequest
from workers.engine import Models
from workers.placement import Placement
from workers.text.batches import by_length
from workers.text.cutting import cut_to_fit, join_pieces
from workers.text.loading import TranslationModel
from workers.text.translating import Translate
from workers.torch_devices import TorchLanes, is_out_of_memory

__all__ = [
    "USUAL_BEAMS",
    "GenerateTexts",
    "TextTranslation",
    "batch_size_of",
    "first_and_again",
    "generate",
    "in_batches",
    "lanes_of",
    "most_new_tokens",
    "two_ways",
]

_BATCHES = {"cpu": 8, "mps": 16, "cuda": 32}
_LEAST_BATCHES = 2
"""A processor gets so many batches of few texts, for its lanes. Neither number depends on how many lanes
there are: a text may be translated otherwise beside others."""
USUAL_BEAMS = 4
_AGAIN: Mapping[str, Any] = {"no_repeat_ngram_size": 3}
"""How a doubtful text is translated again: no three tokens come twice. transformers and CTranslate2 have the
same name for it. The search is wider, too (`_wider`)."""
_MORE = 2

Change = Callable[[list[str]], list[str]]
"""Texts to as many other texts."""
GenerateTexts = Callable[[int, Mapping[str, Any], Sequence[str], int, Callable[[float], None]], list[str]]
"""Translates texts with so many beams (0: the usual number) and more options of the library's search, so many
texts at once; tells its progress."""


def _unchanged(texts: list[str]) -> list[str]:
    return texts


def batch_size_of(asked: int, where: Placement, texts: int) -> int:
    """Return how many texts go through the model at once; 0 asks for the usual number on the device."""
    usual = _BATCHES[where.kind]
    if where.kind == "cpu":
        usual = max(1, min(usual, -(-texts // _LEAST_BATCHES)))
    return asked or usual


def _wider(beams: int, batch_size: int) -> tuple[int, int]:
    """Return how many beams search for a text again where so many did (0: the usual number).

    And how many texts go through the model at once, so that it takes no more memory.
    """
    return _MORE * (beams or USUAL_BEAMS), max(1, batch_size // _MORE)


def lanes_of(asked: int, where: Placement, models: Models) -> TorchLanes:
    """Return the lanes of a call; a batch of one, which is what little memory gives, has one lane."""
    return TorchLanes(models=models, where=where, most=1 if asked == 1 else 0)


@dataclass(frozen=True, kw_only=True)
class TextTranslation:
    """How one call translates its texts: a model, two languages, a number of beams."""

    loaded: TranslationModel
    beams: int
    """0: the usual number."""
    generating: Mapping[str, Any]
    """More arguments for transformers' `generate`, that this kind of model needs."""
    decoding: Mapping[str, Any] = field(default_factory=dict)
    """More arguments for the tokenizer's `batch_decode`."""
    prepare: Change = _unchanged
    """Makes the input of the tokenizer of texts, all in one call."""
    measure: Change = _unchanged
    """Makes what `prepare` would make of texts that are only counted."""
    finish: Change = _unchanged
    """Makes texts for people of the output of the model, all in one call."""
    space: str = " "
    """What stands between the pieces of a long text."""

    def translate(
        self, texts: Sequence[str], batch_size: int, lanes: TorchLanes, progress: Callable[[float], None]
    ) -> list[str]:
        """Return the translations in order. A text that is too long for the model is translated in pieces.

        `progress` is called with 0 to 1, in the caller's thread, and may raise `CancelledError`. Raises
        `ResourceError` where memory runs out.
        """
        pieces = cut_to_fit(texts, self._count, self.loaded.most_source_tokens)
        prepared = self.prepare([piece.text for piece in pieces])

        def generate_batches(batches: list[list[str]], tick: Callable[[int], None]) -> list[list[str]]:
            inputs = [self._tokenised(batch) for batch in batches]
            made = list(lanes.side_by_side(self._generate, inputs, len(inputs), tick))
            return [self._read(tokens) for tokens in made]

        made = in_batches(prepared, batch_size, generate_batches, progress)
        return join_pieces(pieces, self.finish(made), self.space)

    def _count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, tags and end included."""
        return [len(id_) for id_ in self.loaded.tokenizer(self.measure(list(texts)))["input_ids"]]

    def _tokenised(self, batch: list[str]) -> Mapping[str, Any]:
        inputs: Mapping[str, Any] = self.loaded.tokenizer(
            batch, padding="longest", return_tensors="pt", return_attention_mask=True
        )
        return inputs

    def _generate(self, inputs: Mapping[str, Any], tick: Callable[[], None]) -> list[list[int]]:
        beams = self.beams or USUAL_BEAMS
        return generate(
            self.loaded.model,
            inputs,
            tick,
            num_beams=beams,
            # As fairseq searches, with which these models were made and measured.
            early_stopping=beams > 1,
            max_new_tokens=most_new_tokens(inputs["input_ids"].shape[1], self.loaded.most_target_tokens),
            **self.generating,
        )

    def _read(self, made: list[list[int]]) -> list[str]:
        found: list[str] = self.loaded.tokenizer.batch_decode(made, skip_special_tokens=True, **self.decoding)
        return found


def in_batches(
    texts: Sequence[str],
    batch_size: int,
    generate_batches: Callable[[list[list[str]], Callable[[int], None]], list[list[str]]],
    progress: Callable[[float], None],
) -> list[str]:
    """Return the translation of every text, in order; texts of about one length go together.

    `generate_batches` translates all batches, and often calls its second argument with the number of those
    that are done, which may raise `CancelledError`. `progress` is called with 0 to 1: the part of the letters
    that is done, because the longest texts come first.
    """
    batches = by_length(texts, batch_size)
    done = list(accumulate((sum(len(texts[index]) for index in batch) for batch in batches), initial=0))
    letters = max(1, done[-1])
    made = generate_batches(
        [[texts[index] for index in batch] for batch in batches],
        lambda count: progress(done[count] / letters),
    )
    found = [""] * len(texts)
    for batch, translations in zip(batches, made, strict=True):
        for index, text in zip(batch, translations, strict=True):
            found[index] = text
    return found


def most_new_tokens(source_tokens: int, most: int) -> int:
    """Return after how many tokens a translation is cut off: a model in a loop would go on to `most`.

    No language needs three times as many tokens as another for one sentence, except for a short sentence.
    """
    return min(most, 3 * source_tokens + 20)


def generate(
    model: Any, inputs: Mapping[str, Any], tick: Callable[[], None], **arguments: Any
) -> list[list[int]]:
    """Return the tokens that transformers' `generate` makes of a batch; `tick` is called at every token.

    A model that a call loads inside `tick` is one that torch can do everything with, not one for inference
    alone.

    `inputs` are tensors of the shape (texts, tokens), `arguments` more of `generate`'s own arguments. Raises
    `ResourceError` where memory runs out.
    """
    import torch

    texts, tokens = inputs["input_ids"].shape
    device = str(model.device)
    here = {name: tensor.to(model.device) for name, tensor in inputs.items()}

    def outside() -> None:
        with torch.inference_mode(mode=False):
            tick()

    try:
        with torch.inference_mode():
            made = model.generate(**here, logits_processor=[_Ticker(outside)], **arguments)
        found: list[list[int]] = made.tolist()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        message = f"The memory of {device} is too small for {texts} texts of {tokens} tokens at once."
        remedy = "Name a smaller model, or a smaller batch: --set translate.batch_size=1"
        raise ResourceError(message, remedy) from error
    return found


class _Ticker:
    """A logits processor of transformers that changes nothing: it is called at every token."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick

    def __call__(self, input_ids: object, scores: object) -> object:
        """Return the scores as they are."""
        del input_ids
        self._tick()
        return scores


def first_and_again(
    request: TranslateRequest, where: Placement, generate_texts: GenerateTexts
) -> tuple[Translate, Translate]:
    """Return how texts are translated, and how those that are doubtful then are translated again."""

    def translate(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
        size = batch_size_of(request.batch_size, where, len(texts))
        return generate_texts(request.beam_size, {}, texts, size, progress)

    def again(texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
        beams, size = _wider(request.beam_size, batch_size_of(request.batch_size, where, len(texts)))
        return generate_texts(beams, _AGAIN, texts, size, progress)

    return translate, again


def two_ways(
    request: TranslateRequest,
    where: Placement,
    models: Models,
    make: Callable[[int, Mapping[str, Any]], TextTranslation],
) -> tuple[Translate, Translate]:
    """Return `first_and_again` for a model of transformers.

    `make` returns the translation with so many beams (0: the usual number) and these options of `generate`.
    """

    def generate_texts(
        beams: int,
        more: Mapping[str, Any],
        texts: Sequence[str],
        batch_size: int,
        progress: Callable[[float], None],
    ) -> list[str]:
        lanes = lanes_of(request.batch_size, where, models)
        return make(beams, more).translate(texts, batch_size, lanes, progress)

    return first_and_again(request, where, generate_texts)
