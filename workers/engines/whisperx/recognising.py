"""Chunks of sound to text: encoded and decoded in batches, what is doubtful done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.engines.whisperx.models import tokenizer
from workers.speech.judging import MENDABLE, Guess, is_doubtful, nothing_said, worth_of
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack
from workers.text.scripts import in_script, is_foreign

__all__ = ["LONGEST_MS", "WINDOW_MS", "Listener", "Wishes", "features"]

WINDOW_MS = 30_000
"""What Whisper hears at once; shorter sound is padded."""
LONGEST_MS = 29_000
"""No stretch of speech is longer, so that it can be heard with the pauses around it."""
_AGAIN_MS = 10_000
"""A doubtful chunk is done again in pieces of this length: a loop or the end of the room for tokens
(224; Indic scripts take several a letter) costs one piece then, not half a minute."""
_TEMPERATURE = 0.5
"""What is spoilt even then is sampled, five times. faster-whisper tries five temperatures, each as dear."""
_ROOM = 220
"""Whisper writes at most 224 tokens a window: who gets this far was cut short."""
_SEED = 1
"""Sampling draws from it, so that a film gives the same text twice."""

# A sentence in the language's own script, where Whisper's small models write Latin letters. It says what is
# so ("this is in Hindi") because what stands in the prompt can come out as text, and then does least harm.
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
    "ur": "یہ اردو میں ہے۔",  # noqa: RUF001
}


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to decode."""

    language: str
    task: str = "transcribe"
    beam_size: int = 5
    initial_prompt: str | None = None
    hotwords: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """Return the language of the text that comes out."""
        return "en" if self.task == "translate" else self.language


@dataclass(frozen=True, kw_only=True)
class _Manner:
    """One way to decode: `temperature` 0 is beam search, above it is sampling."""

    temperature: float = 0.0
    prompt: str | None = None
    forbidden: tuple[int, ...] = ()
    no_repeat: int = 0


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
class Listener:
    """One Whisper model on one film's sound."""

    model: Any
    sound: Sound
    batch_size: int
    _heard: tuple[tuple[Chunk, ...], Any] = field(default=((), None))

    def languages(self, chunks: Sequence[Chunk]) -> list[dict[str, float]]:
        """Return each chunk's language probabilities, ISO 639-1 to 0..1."""
        found: list[dict[str, float]] = []
        for batch in self._batches(chunks):
            windows = self.model.model.detect_language(self._encode(batch))
            found.extend({token[2:-2]: probability for token, probability in window} for window in windows)
        return found

    def recognise(
        self, chunks: Sequence[Chunk], wishes: Wishes, progress: Callable[[float], None]
    ) -> list[tuple[Chunk, Guess]]:
        """Return what is said in each chunk, in order; a doubtful one may come back in pieces.

        A chunk is doubtful where its text repeats itself, is improbable, was cut short, or is in a script
        its language is not written in. `progress` is called before each batch with 0 to 1.
        """
        found: list[tuple[Chunk, Guess]] = []
        for batch in self._batches(chunks):
            progress(len(found) / len(chunks))
            found.extend(zip(batch, self._decode(batch, wishes, _Manner()), strict=True))
        settled = []
        for number, (chunk, guess) in enumerate(found):
            if is_doubtful(guess, wishes.written) and not nothing_said(guess):
                progress(number / len(found))
                settled.extend(self._again(chunk, guess, wishes))
            else:
                settled.append((chunk, guess))
        return settled

    def _again(self, chunk: Chunk, first: Guess, wishes: Wishes) -> list[tuple[Chunk, Guess]]:
        """Return better guesses for the chunk's pieces, or its first where they are no better."""
        prompt = None
        forbidden: tuple[int, ...] = ()
        if not in_script(first.text, wishes.written):
            prompt = _PROMPTS.get(wishes.written)
            forbidden = _foreign_tokens(self._tokenizer(wishes), wishes.written)
        manners = (
            _Manner(prompt=prompt, forbidden=forbidden, no_repeat=4),
            _Manner(temperature=_TEMPERATURE, forbidden=forbidden, no_repeat=4),
        )

        def worth(guess: Guess) -> float:
            return worth_of(guess, wishes.written, prompt)

        pieces = pack(chunk.spans, _AGAIN_MS, chunk.heard)
        best: dict[Chunk, Guess] = {}
        for manner in manners:
            rest = [piece for piece in pieces if piece not in best or worth(best[piece]) < MENDABLE]
            for batch in self._batches(rest):
                for piece, guess in zip(batch, self._decode(batch, wishes, manner), strict=True):
                    if piece not in best or worth(guess) > worth(best[piece]):
                        best[piece] = guess
        average = sum(map(worth, best.values())) / len(best)
        return list(best.items()) if average > worth(first) else [(chunk, first)]

    def _tokenizer(self, wishes: Wishes) -> Any:
        return tokenizer(self.model, wishes.language, wishes.task)

    def _batches(self, chunks: Sequence[Chunk]) -> list[tuple[Chunk, ...]]:
        return [tuple(chunks[at : at + self.batch_size]) for at in range(0, len(chunks), self.batch_size)]

    def _encode(self, batch: tuple[Chunk, ...]) -> Any:
        """Encode the batch, or return the last encoding: detecting the language often needs the same."""
        if self._heard[0] != batch:
            sounds = [self.sound.between(chunk.heard.start_ms, chunk.heard.end_ms) for chunk in batch]
            self._heard = (batch, self.model.encode(features(self.model, sounds)))
        return self._heard[1]

    def _decode(self, batch: tuple[Chunk, ...], wishes: Wishes, manner: _Manner) -> list[Guess]:
        import ctranslate2
        from faster_whisper.transcribe import get_suppressed_tokens

        tokens = self._tokenizer(wishes)
        written = " ".join(part.strip() for part in (wishes.initial_prompt, manner.prompt) if part)
        prompt = self.model.get_prompt(
            tokens,
            tokens.encode(f" {written}") if written else [],
            without_timestamps=True,
            hotwords=", ".join(wishes.hotwords) or None,
        )
        search = {"beam_size": wishes.beam_size}
        if manner.temperature > 0:
            ctranslate2.set_random_seed(_SEED)
            search = {"beam_size": 1, "num_hypotheses": 5, "sampling_topk": 0}
        results = self.model.model.generate(
            self._encode(batch),
            [prompt] * len(batch),
            sampling_temperature=manner.temperature or 1.0,
            no_repeat_ngram_size=manner.no_repeat,
            suppress_tokens=sorted({*get_suppressed_tokens(tokens, [-1]), *manner.forbidden}),
            max_length=self.model.max_length,
            return_scores=True,
            return_no_speech_prob=True,
            **search,
        )
        return [_read(result, tokens) for result in results]


def _read(result: Any, tokens: Any) -> Guess:
    ids = result.sequences_ids[0]
    return Guess(
        text=tokens.decode(ids).replace("\ufffd", "").strip(),
        # CTranslate2 divides by the length without the end token (faster-whisper undoes that too).
        avg_logprob=result.scores[0] * len(ids) / (len(ids) + 1),
        no_speech=result.no_speech_prob,
        cut_short=len(ids) >= _ROOM,
    )


def _foreign_tokens(tokens: Any, language: str) -> tuple[int, ...]:
    """Return the tokens with a letter of another script. 0.1 s, and only for a chunk in the wrong one."""
    pieces = tokens.tokenizer.decode_batch([[number] for number in range(tokens.eot)])
    return tuple(number for number, piece in enumerate(pieces) if is_foreign(piece, language))
