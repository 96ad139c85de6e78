"""What whisperx does in its own way, through CTranslate2: encoding, decoding, sampling, the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.engines.whisperx.models import language_token, tokenizer
from workers.speech.judging import Guess
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack
from workers.speech.whisper import (
    AGAIN_MS,
    FULL_TOKENS,
    SEED,
    TRIES,
    Decoding,
    Heard,
    RecognitionOptions,
    SecondTry,
    batches_of,
    foreign_tokens,
)
from workers.text.scripts import in_script

__all__ = ["WhisperxRecogniser", "features"]

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


def features(model: Any, sounds: Sequence[Any]) -> Any:
    """Return log-mel features, float32 (n, mels, 3000), of float32 samples of at most 30 s each."""
    import numpy as np
    from whisperx.audio import N_SAMPLES, log_mel_spectrogram

    mels = model.feat_kwargs.get("feature_size") or 80
    cut = [sound[:N_SAMPLES] for sound in sounds]
    return np.stack(
        [log_mel_spectrogram(sound, mels, padding=N_SAMPLES - len(sound)).numpy() for sound in cut]
    )


@dataclass
class WhisperxRecogniser:
    """One `whisperx.asr.WhisperModel` on the sound of one film."""

    model: Any
    sound: Sound
    batch_size: int
    _encoded: tuple[tuple[Chunk, ...], Any] = field(default=((), None))
    """The last batch, and what the encoder made of it."""

    @property
    def is_multilingual(self) -> bool:
        """Return whether the model knows more languages than English."""
        return bool(self.model.model.is_multilingual)

    def language_token(self, language: str) -> str:
        """Return the language as Whisper names it; `InputError` for one that the model does not know."""
        return language_token(self.model, language)

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        """Return the probability of every language (ISO 639-1), for each chunk."""
        found: list[dict[str, float]] = []
        for batch in batches_of(chunks, self.batch_size):
            tick()
            windows = self.model.model.detect_language(self._encode(tuple(batch)))
            found.extend({token[2:-2]: probability for token, probability in window} for window in windows)
        return found

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        """Return what is said in each chunk, by beam search; by sampling above temperature 0."""
        import ctranslate2
        from faster_whisper.transcribe import get_suppressed_tokens

        tokens = self._tokenizer(options)
        search = {"beam_size": options.beam_size}
        if decoding.temperature > 0:
            ctranslate2.set_random_seed(SEED)
            search = {"beam_size": 1, "num_hypotheses": TRIES, "sampling_topk": 0}
        results = self.model.model.generate(
            self._encode(tuple(batch)),
            [self._prompt(tokens, options, decoding)] * len(batch),
            sampling_temperature=decoding.temperature or 1.0,
            no_repeat_ngram_size=decoding.no_repeat,
            suppress_tokens=sorted({*get_suppressed_tokens(tokens, [-1]), *decoding.forbidden}),
            max_length=self.model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            **search,
        )
        guesses = [_read(result, tokens) for result in results]
        return [Heard(chunk=chunk, guess=guess) for chunk, guess in zip(batch, guesses, strict=True)]

    def sample(
        self, chunks: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding
    ) -> Iterator[Sequence[Heard]]:
        """Yield for each chunk the most probable of `TRIES` samples: CTranslate2 compares them itself."""
        for batch in batches_of(chunks, self.batch_size):
            for heard in self.decode(batch, options, decoding):
                yield (heard,)

    def second_try(self, first: Heard, options: RecognitionOptions) -> SecondTry:
        """Return the chunk in pieces; text in a wrong script gets a prompt in the right one."""
        prompt: str | None = None
        forbidden: tuple[int, ...] = ()
        if not in_script(first.guess.text, options.written):
            prompt = _PROMPTS.get(options.written)
            forbidden = foreign_tokens(self._token_texts(options), options.written)
        pieces = pack(first.chunk.spans, AGAIN_MS, first.chunk.heard)
        return SecondTry(pieces=pieces, forbidden=forbidden, prompt=prompt, echo=prompt)

    def forget_before(self, start_ms: int) -> None:
        """Do nothing: no more than one batch is kept."""

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
            hotwords=", ".join(options.hotwords) or None,
        )

    def _encode(self, batch: tuple[Chunk, ...]) -> Any:
        """Encode the batch, or return the last encoding: hearing the language often needs the same."""
        if self._encoded[0] != batch:
            sounds = [self.sound.between(chunk.heard.start_ms, chunk.heard.end_ms) for chunk in batch]
            self._encoded = (batch, self.model.encode(features(self.model, sounds)))
        return self._encoded[1]


def _read(result: Any, tokens: Any) -> Guess:
    ids = result.sequences_ids[0]
    return Guess(
        text=tokens.decode(ids).replace("\ufffd", "").strip(),
        # CTranslate2 divides by the length without the end token (faster-whisper corrects that too).
        avg_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
        no_speech=result.no_speech_prob,
        cut_short=len(ids) >= FULL_TOKENS,
    )
