"""Texts through MADLAD-400, in batches, side by side. No library is imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ResourceError
from workers.engines.madlad.models import SMALLER, MadladModel
from workers.lanes import busy_lanes, side_by_side
from workers.text.cutting import cut_to_fit, join_pieces
from workers.text.generating import USUAL_BEAMS, in_batches, most_new_tokens
from workers.torch_devices import is_out_of_memory

__all__ = ["MadladTranslation"]

_MOST_SOURCE, _MOST_TARGET = 256, 512
"""Tokens. T5 has no longest text, but all that lies over 128 tokens apart is equally far for it (its table of
relative positions): a sentence of several hundred comes back cut short."""
_TAG = re.compile(r"<(?=2\w*>)")
"""Begins what the tokenizer takes for a tag."""
_NO_TEXT = re.compile(r"<(unk|s|/s|2\w*)>")
"""A token that says nothing to people."""


@dataclass(frozen=True, kw_only=True)
class MadladTranslation:
    """How one call translates its texts into one language."""

    loaded: MadladModel
    tag: str
    """As `<2de>`; the language of the texts it finds out by itself."""
    beams: int = 0
    """0: the usual number."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """More arguments for CTranslate2's `translate_batch`."""
    one_lane: bool = False
    space: str = " "
    """What stands between the pieces of a long text."""

    def translate(
        self, texts: Sequence[str], batch_size: int, progress: Callable[[float], None]
    ) -> list[str]:
        """Return the translations in order. A text that is too long for the model is translated in pieces.

        `progress` is called with 0 to 1, in the caller's thread, and may raise `CancelledError`. Raises
        `ResourceError` where memory runs out.
        """
        pieces = cut_to_fit(texts, lambda parts: [len(self.tokens_of(part)) for part in parts], _MOST_SOURCE)
        made = in_batches([piece.text for piece in pieces], batch_size, self._batches, progress)
        return join_pieces(pieces, made, self.space)

    def tokens_of(self, text: str) -> list[str]:
        """Return what the model is given: the tag, the text, and its end.

        Without the end it goes on with what might have been said next. A tag inside the text is letters.
        """
        plain = _TAG.sub("< ", text)
        return [*self.loaded.tokenizer.encode(f"{self.tag} {plain}", out_type=str), *self.loaded.ending]

    def _batches(self, batches: list[list[str]], tick: Callable[[int], None]) -> list[list[str]]:
        loaded = self.loaded
        lanes = 1 if self.one_lane else loaded.lanes
        return list(
            side_by_side(
                self._generate,
                batches,
                lanes,
                tick,
                lambda: busy_lanes(lanes, loaded.threads, loaded.given()),
            )
        )

    def _generate(self, batch: list[str], check: Callable[[], None]) -> list[str]:
        check()
        asked = [self.tokens_of(text) for text in batch]
        longest = max(map(len, asked))
        try:
            made = self.loaded.translator.translate_batch(
                asked,
                beam_size=self.beams or USUAL_BEAMS,
                max_input_length=0,
                max_decoding_length=most_new_tokens(longest, _MOST_TARGET),
                **self.options,
            )
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not is_out_of_memory(error):
                raise
            message = f"There is not enough memory for {len(batch)} texts of {longest} tokens at once."
            raise ResourceError(message, SMALLER) from error
        return [self._text_of(result.hypotheses[0]) for result in made]

    def _text_of(self, tokens: Sequence[str]) -> str:
        return str(self.loaded.tokenizer.decode([token for token in tokens if not _NO_TEXT.fullmatch(token)]))
