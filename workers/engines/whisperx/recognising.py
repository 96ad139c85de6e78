"""What whisperx does in its own way, through CTranslate2: encoding, decoding, sampling, the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.models import language_token, tokenizer
from workers.lanes import side_by_side
from workers.speech.judging import Guess
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack
from workers.speech.whisper import (
    AGAIN_MS,
    FULL_TOKENS,
    Decoding,
    Heard,
    RecognitionOptions,
    SecondTry,
    foreign_tokens,
)
from workers.text.glossary.hot_words import BETWEEN
from workers.text.scripts import in_script

__all__ = ["WhisperxRecogniser"]

_PENALTIES = (1.1, 1.2, 1.4)
"""On tokens that were written before. With them 13 Hindi recordings have 0.531 of their characters wrong,
with five samples 0.542, with neither 0.550 (whisper-base, int8)."""
# A sentence in the script of its language, for languages that Whisper's small models write in Latin letters.
# It says what is true ("this is in Hindi"): the prompt can come out as text, and then this does least harm.
_PROMPTS = {
    "hi": "यह हिन्दी में है।",
    "mr": "हे मराठीत आहे.",
    "ne": "यो नेपालीमा छ।",
    "bn": "এটি বাংলায়।",
    "pa": "ਇਹ ਪੰਜਾਬੀ ਵਿੱਚ ਹੈ।",
    "gu": "આ ગુજરાતીમાં છે.",
    "ta": "இது தமிழில் உள்ளது.",
    "te": "ఇది తెలుగులో ఉంది.",
    "kn": "ಇದು ಕನ್ನಡದಲ್ಲಿದೆ.",
    "ml": "ഇത് മലയാളത്തിലാണ്.",
    "ur": "یہ اردو میں ہے۔",  # noqa: RUF001 (the letters are meant)
}


@dataclass(frozen=True, kw_only=True)
class WhisperxRecogniser:
    """One Whisper model on the sound of one film."""

    film: EncodedFilm
    batch_size: int

    @property
    def model(self) -> Any:
        """Return the `whisperx.asr.WhisperModel`."""
        return self.film.whisper.model

    @property
    def sound(self) -> Sound:
        """Return the film's sound."""
        return self.film.sound

    @property
    def lanes(self) -> int:
        """Return how many batches are decoded side by side; one where batches are of one, to save memory."""
        return self.film.whisper.lanes if self.batch_size > 1 else 1

    def lanes_now(self) -> int:
        """Return how many of the lanes the call may keep busy now."""
        return self.film.whisper.lanes_now()

    @property
    def is_multilingual(self) -> bool:
        """Return whether the model knows more languages than English."""
        return bool(self.model.model.is_multilingual)

    def language_token(self, language: str) -> str:
        """Return the language as Whisper names it; `InputError` for one that the model does not know."""
        return language_token(self.model, language)

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        """Return the probability of every language (ISO 639-1), for each chunk."""

        def hear(chunk: Chunk, _check: Callable[[], None]) -> dict[str, float]:
            return self._votes(self._encode([chunk]))[0]

        return list(side_by_side(hear, chunks, self.lanes, lambda _done: tick(), self.lanes_now))

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        """Return what is said in each chunk, by beam search."""
        return self._generate(batch, options, decoding, penalty=1.0)

    def _generate(
        self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding, *, penalty: float
    ) -> list[Heard]:
        from faster_whisper.transcribe import get_suppressed_tokens

        tokens = self._tokenizer(options)
        encoded = self._encode(batch)
        results = self.model.model.generate(
            encoded,
            [self._prompt(tokens, options, decoding)] * len(batch),
            beam_size=options.beam_size,
            repetition_penalty=penalty,
            no_repeat_ngram_size=decoding.no_repeat,
            suppress_tokens=sorted({*get_suppressed_tokens(tokens, [-1]), *decoding.forbidden}),
            max_length=self.model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
        )
        guesses = [_read(result, tokens) for result in results]
        votes = self._votes_of(batch, encoded, options)
        return [
            Heard(chunk=chunk, guess=guess, languages=votes.get(place, {}))
            for place, (chunk, guess) in enumerate(zip(batch, guesses, strict=True))
        ]

    def _votes_of(
        self, batch: Sequence[Chunk], encoded: Any, options: RecognitionOptions
    ) -> dict[int, dict[str, float]]:
        """Return what those of the batch say of their language that are asked, by place."""
        places = [place for place, chunk in enumerate(batch) if chunk.start_ms in options.voters]
        if len(places) < len(batch) and places:
            import ctranslate2
            import numpy as np

            encoded = ctranslate2.StorageView.from_array(np.asarray(encoded)[places])
        return dict(zip(places, self._votes(encoded), strict=True)) if places else {}

    def _votes(self, encoded: Any) -> list[dict[str, float]]:
        """Return the probability of every language for each chunk that was encoded: one step of decoding."""
        windows = self.model.model.detect_language(encoded)
        return [{token[2:-2]: probability for token, probability in window} for window in windows]

    def vary(
        self, chunks: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding
    ) -> Iterator[Sequence[Heard]]:
        """Yield for each chunk its texts with several penalties on what was written before.

        CTranslate2 can sample, but only the first samples of a thread follow the seed: a film would give
        another text the second time.
        """
        for chunk in chunks:
            yield [self._generate([chunk], options, decoding, penalty=penalty)[0] for penalty in _PENALTIES]

    def second_try(self, first: Heard, options: RecognitionOptions) -> SecondTry:
        """Return the chunk in pieces; text in a wrong script gets a prompt in the right one."""
        prompt: str | None = None
        forbidden: tuple[int, ...] = ()
        if not in_script(first.guess.text, options.written):
            prompt = _PROMPTS.get(options.written)
            forbidden = foreign_tokens(self._token_texts(options), options.written)
        pieces = pack(first.chunk.spans, AGAIN_MS, first.chunk.heard)
        echo = " ".join(part for part in (prompt, BETWEEN.join(options.hotwords)) if part) or None
        return SecondTry(pieces=pieces, forbidden=forbidden, prompt=prompt, echo=echo)

    def prompt_length(self, text: str) -> int:
        """Return how many tokens a text has in a prompt."""
        return len(self.model.hf_tokenizer.encode(f" {text}", add_special_tokens=False).ids) if text else 0

    def forget_before(self, start_ms: int) -> None:
        """Do nothing: the stage align needs what is encoded."""

    def _tokenizer(self, options: RecognitionOptions) -> Any:
        return tokenizer(self.model, options.language, options.task)

    def _token_texts(self, options: RecognitionOptions) -> list[str]:
        tokens = self._tokenizer(options)
        texts: list[str] = tokens.tokenizer.decode_batch([[number] for number in range(tokens.eot)])
        return texts

    def _prompt(self, tokens: Any, options: RecognitionOptions, decoding: Decoding) -> Any:
        written = " ".join(part.strip() for part in (options.initial_prompt, decoding.prompt) if part)
        return self.model.get_prompt(
            tokens,
            tokens.encode(f" {written}") if written else [],
            without_timestamps=True,
            hotwords=BETWEEN.join(options.hotwords) or None,
        )

    def _encode(self, batch: Sequence[Chunk]) -> Any:
        return self.film.encode([chunk.heard for chunk in batch])


def _read(result: Any, tokens: Any) -> Guess:
    ids = result.sequences_ids[0]
    return Guess(
        text=tokens.decode(ids).replace("\ufffd", "").strip(),
        # CTranslate2 divides by the length without the end token (faster-whisper corrects that too).
        avg_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
        no_speech=result.no_speech_prob,
        cut_short=len(ids) >= FULL_TOKENS,
    )
