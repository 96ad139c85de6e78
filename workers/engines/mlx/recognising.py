"""Chunks of sound to text and word times: encoded once, decoded in batches, what is doubtful done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from protocol.timeline import Span
from workers.engines.mlx.models import tokenizer
from workers.engines.mlx.pauses import MOMENT_MS, leave_pauses
from workers.engines.mlx.repeating import NoRepeat
from workers.speech.fitting import fit
from workers.speech.judging import MENDABLE, Guess, is_doubtful, nothing_said, worth_of
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.spans import Chunk, pack, within
from workers.speech.word_times import Attended, TimedWord, join_attended, settle
from workers.text.scripts import in_script, is_foreign

__all__ = ["LONGEST_MS", "WINDOW_MS", "Heard", "Listener", "Wishes", "warm_up"]

WINDOW_MS = 30_000
"""What Whisper hears at once; shorter sound is padded."""
LONGEST_MS = 29_000
"""No stretch of speech is longer, so that it can be heard with the pauses around it."""
_AGAIN_MS = 10_000
"""A doubtful chunk is done again in pieces of this length: a loop costs one piece then, not half a minute."""
_AROUND_MS = 500
"""So much of the pauses is heard around each piece (`workers.speech.spans.pack`)."""
_TEMPERATURE = 0.5
_TRIES = 5
"""What is spoilt even then is sampled, five times. openai/whisper tries five temperatures, each as dear."""
_NO_REPEAT = 4
"""A doubtful chunk may not say the same so many tokens twice."""
_ROOM = 220
"""Whisper writes at most 224 tokens a window: who gets this far was cut short."""
_SEED = 1
"""Sampling draws from it, so that a film gives the same text twice."""
_LAG_MS = 60
"""The decoder attends to a word before it is spoken; so measured with the same heads under CTranslate2."""
_FRAMES_PER_MS = 0.1
"""A mel frame is 10 ms."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to decode."""

    language: str
    prompt: str | None = None

    @classmethod
    def of(cls, language: str, initial_prompt: str | None, hotwords: Sequence[str]) -> Wishes:
        """Put the hot words behind the prompt: mlx-whisper has no other way to be told of them."""
        said = (initial_prompt or "", ", ".join(hotwords))
        return cls(language=language, prompt=" ".join(part.strip() for part in said if part.strip()) or None)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A chunk and what is said in it; `tokens` are the text's."""

    chunk: Chunk
    guess: Guess
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Manner:
    """How to decode what is doubtful: `temperature` 0 is the likeliest, above it is sampling."""

    temperature: float = 0.0
    forbidden: tuple[int, ...] = ()


@dataclass
class Listener:
    """One Whisper model on one film's sound."""

    model: Any
    sound: Sound
    batch_size: int
    _features: dict[Span, Any] = field(default_factory=dict)

    @property
    def dtype(self) -> Any:
        """Return the type of the model's numbers."""
        return self.model.decoder.positional_embedding.dtype

    def languages(self, chunks: Sequence[Chunk], progress: Callable[[], None]) -> list[dict[str, float]]:
        """Return each chunk's language probabilities, by Whisper's code; `progress` is called before each."""
        import mlx.core as mx

        encoded = []
        for chunk in chunks:
            progress()
            encoded += self._encode([chunk])
        _, found = self.model.detect_language(mx.stack(encoded))
        return list(found)

    def recognise(
        self, chunks: Sequence[Chunk], wishes: Wishes, progress: Callable[[float], None]
    ) -> Iterator[Heard]:
        """Yield what is said in each chunk, in order; a doubtful one may come back in pieces.

        A chunk is doubtful where its text repeats itself, is improbable, was cut short, or is in a script
        its language is not written in. `progress` is called before each step with 0 to 1.
        """
        for at in range(0, len(chunks), self.batch_size):
            batch = chunks[at : at + self.batch_size]
            progress(at / len(chunks))
            for number, heard in enumerate(self._decode(batch, wishes)):
                progress((at + number) / len(chunks))
                if is_doubtful(heard.guess, wishes.language) and not nothing_said(heard.guess):
                    yield from self._again(heard, wishes, partial(progress, (at + number) / len(chunks)))
                else:
                    yield heard
            self._forget(batch[-1].heard.end_ms)

    def words(self, heard: Heard, speech: Sequence[Span], language: str) -> list[TimedWord]:
        """Return the words and when the decoder attended to them, put right by where the speech is."""
        from mlx_whisper.timing import find_alignment

        if not heard.tokens:
            return []
        start_ms, end_ms = heard.chunk.heard.start_ms, heard.chunk.heard.end_ms
        pieces = find_alignment(
            _Attention(self.model),
            tokenizer(self.model, language),
            list(heard.tokens),
            self._encode([heard.chunk])[0],
            max(2, round((end_ms - start_ms) * _FRAMES_PER_MS)),
        )
        words = join_attended([_attended(piece, start_ms + _LAG_MS) for piece in pieces], language)
        if speech:
            return settle(words, within(speech, start_ms, end_ms))
        return leave_pauses(settle(words, ()), self._loudness)

    def _again(self, first: Heard, wishes: Wishes, progress: Callable[[], None]) -> list[Heard]:
        """Return better guesses for the chunk's pieces, or its first where they are no better."""
        import mlx.core as mx

        foreign = () if in_script(first.guess.text, wishes.language) else self._foreign(wishes.language)

        def worth(heard: Heard) -> float:
            return worth_of(heard.guess, wishes.language, wishes.prompt)

        short = fit(first.chunk.spans, self.sound, _AGAIN_MS - _AROUND_MS)
        pieces = pack(short, _AGAIN_MS, first.chunk.heard)
        found: list[Heard] = []
        mx.random.seed(_SEED)
        for at in range(0, len(pieces), self.batch_size):
            progress()
            found += self._decode(pieces[at : at + self.batch_size], wishes, _Manner(forbidden=foreign))
        sampling = _Manner(forbidden=foreign, temperature=_TEMPERATURE)
        for number, heard in enumerate(found):
            if worth(heard) < MENDABLE:
                progress()
                tries = self._decode([heard.chunk] * _TRIES, wishes, sampling)
                found[number] = max((heard, *tries), key=worth)
        average = sum(map(worth, found)) / len(found)
        return found if average > worth(first) else [first]

    def _decode(
        self,
        batch: Sequence[Chunk],
        wishes: Wishes,
        manner: _Manner | None = None,
    ) -> list[Heard]:
        import mlx.core as mx
        from mlx_whisper.decoding import DecodingOptions, DecodingTask

        options = DecodingOptions(
            language=wishes.language,
            temperature=manner.temperature if manner else 0.0,
            prompt=wishes.prompt,
            without_timestamps=True,
            suppress_tokens=[-1, *(manner.forbidden if manner else ())],
            fp16=self.dtype == mx.float16,
        )
        task = DecodingTask(self.model, options)
        if manner:
            task.logit_filters.append(NoRepeat(_NO_REPEAT, task.sample_begin))
        results = task.run(mx.stack(self._encode(batch)))
        return [
            Heard(chunk=chunk, guess=_guess(result), tokens=tuple(result.tokens))
            for chunk, result in zip(batch, results, strict=True)
        ]

    def _encode(self, chunks: Sequence[Chunk]) -> list[Any]:
        """Return what the encoder makes of each chunk, (1500, width).

        It is most of the work, and language, text, and times need the same: kept until the batch is done.
        """
        import mlx.core as mx

        new = [chunk for chunk in chunks if chunk.heard not in self._features]
        if new:
            mels = mx.stack([self._mel(chunk.heard) for chunk in new])
            encoded = self.model.embed_audio(mels)
            mx.eval(encoded)
            self._features.update({chunk.heard: encoded[index] for index, chunk in enumerate(new)})
        return [self._features[chunk.heard] for chunk in chunks]

    def _forget(self, until_ms: int) -> None:
        self._features = {key: feature for key, feature in self._features.items() if key.start_ms >= until_ms}

    def _mel(self, heard: Span) -> Any:
        from mlx_whisper.audio import N_SAMPLES, log_mel_spectrogram

        samples = self.sound.between(heard.start_ms, heard.end_ms)[:N_SAMPLES]
        mel = log_mel_spectrogram(samples, n_mels=self.model.dims.n_mels, padding=N_SAMPLES - len(samples))
        return mel.astype(self.dtype)

    def _loudness(self, start_ms: int, end_ms: int) -> list[float]:
        import numpy as np

        samples = np.abs(self.sound.between(start_ms, end_ms))
        moment = MOMENT_MS * SAMPLE_RATE // 1000
        return [float(samples[at : at + moment].max()) for at in range(0, len(samples), moment)]

    def _foreign(self, language: str) -> tuple[int, ...]:
        """Return the tokens with a letter of another script. 0.1 s, and only for a chunk in the wrong one."""
        tokens = tokenizer(self.model, language)
        return tuple(number for number in range(tokens.eot) if is_foreign(tokens.decode([number]), language))


@dataclass(frozen=True)
class _Attention:
    """What `mlx_whisper.timing.find_alignment` asks of a model, for sound that is encoded already."""

    model: Any

    @property
    def alignment_heads(self) -> Any:
        return self.model.alignment_heads

    def forward_with_cross_qk(self, encoded: Any, tokens: Any) -> tuple[Any, Any]:
        """Return the logits and each layer's cross-attention."""
        logits, _, cross_qk = self.model.decoder(tokens, encoded)
        return logits, cross_qk


def warm_up(model: Any) -> None:
    """Put silence through every step, so that the first film is as fast as the second."""
    import mlx.core as mx
    from mlx_whisper.audio import N_FRAMES
    from mlx_whisper.decoding import DecodingOptions
    from mlx_whisper.timing import find_alignment

    dtype = model.decoder.positional_embedding.dtype
    encoded = model.embed_audio(mx.zeros((1, N_FRAMES, model.dims.n_mels), dtype=dtype))
    model.decode(encoded, DecodingOptions(language="en", sample_len=2, fp16=dtype == mx.float16))
    tokens = tokenizer(model, "en")
    find_alignment(_Attention(model), tokens, tokens.encode(" Hello there."), encoded[0], 100)


def _attended(piece: Any, offset_ms: int) -> Attended:
    return Attended(
        text=piece.word.replace("\ufffd", ""),
        start_ms=offset_ms + round(float(piece.start) * 1000),
        end_ms=offset_ms + round(float(piece.end) * 1000),
        probability=float(piece.probability),
    )


def _guess(result: Any) -> Guess:
    return Guess(
        text=result.text.replace("\ufffd", "").strip(),
        avg_logprob=float(result.avg_logprob),
        no_speech=float(result.no_speech_prob),
        cut_short=len(result.tokens) >= _ROOM,
    )
