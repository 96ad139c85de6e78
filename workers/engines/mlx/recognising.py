"""What mlx-whisper does in its own way: encoding, decoding, sampling, and when words are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.timeline import Span
from workers.engines.mlx.models import language_token, tokenizer
from workers.engines.mlx.pauses import MOMENT_MS, leave_pauses
from workers.engines.mlx.repeating import NoRepeat
from workers.speech.fitting import fit
from workers.speech.judging import Guess
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.spans import Chunk, pack, within
from workers.speech.whisper import (
    AGAIN_MS,
    FULL_TOKENS,
    LAG_MS,
    SEED,
    TRIES,
    Decoding,
    Heard,
    RecognitionOptions,
    SecondTry,
    foreign_tokens,
)
from workers.speech.word_times import AttendedPiece, TimedWord, correct_word_times, join_attended
from workers.text.glossary.hot_words import BETWEEN
from workers.text.scripts import in_script

__all__ = ["MlxRecogniser", "prompt_of", "warm_up"]

_AROUND_MS = 500
"""Each piece is heard with so much of the pauses around it (`workers.speech.spans.pack`)."""
_FRAMES_PER_MS = 0.1
"""A mel frame is 10 ms."""


def prompt_of(options: RecognitionOptions) -> str | None:
    """Return the prompt with the hot words after it: mlx-whisper has no other place for them."""
    said = (options.initial_prompt or "", BETWEEN.join(options.hotwords))
    return " ".join(part.strip() for part in said if part.strip()) or None


@dataclass
class MlxRecogniser:
    """One `mlx_whisper.whisper.Whisper` on the sound of one film."""

    model: Any
    sound: Sound
    batch_size: int
    lanes: int = 0
    """MLX computes in the thread that loaded the model."""
    _encoded: dict[Span, Any] = field(default_factory=dict)
    """What the encoder made of the sound between two times."""

    def lanes_now(self) -> int:
        """Return how many of the lanes the call may keep busy now."""
        return self.lanes

    @property
    def is_multilingual(self) -> bool:
        """Return whether the model knows more languages than English."""
        return bool(self.model.is_multilingual)

    @property
    def dtype(self) -> Any:
        """Return the type of the model's numbers."""
        return self.model.decoder.positional_embedding.dtype

    def language_token(self, language: str) -> str:
        """Return the language as Whisper names it; `InputError` for one that the model does not know."""
        return language_token(self.model, language)

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        """Return the probability of every language, by Whisper's code, for each chunk."""
        import mlx.core as mx

        encoded = []
        for chunk in chunks:
            tick()
            encoded += self._encode([chunk])
        _, found = self.model.detect_language(mx.stack(encoded))
        return list(found)

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        """Return what is said in each chunk: the likeliest text, or a sample above temperature 0."""
        import mlx.core as mx
        from mlx_whisper.decoding import DecodingOptions, DecodingTask

        asked = DecodingOptions(
            language=options.language,
            temperature=decoding.temperature,
            prompt=prompt_of(options),
            without_timestamps=True,
            suppress_tokens=[-1, *decoding.forbidden],
            fp16=self.dtype == mx.float16,
        )
        task = DecodingTask(self.model, asked)
        if decoding.no_repeat:
            task.logit_filters.append(NoRepeat(decoding.no_repeat, task.sample_begin))
        encoded = mx.stack(self._encode(batch))
        results = task.run(encoded)
        votes: dict[int, dict[str, float]] = {}
        if places := [place for place, chunk in enumerate(batch) if chunk.start_ms in options.voters]:
            _, found = self.model.detect_language(mx.stack([encoded[place] for place in places]))
            votes = dict(zip(places, found, strict=True))
        return [
            Heard(
                chunk=chunk,
                guess=_guess(result),
                tokens=tuple(result.tokens),
                languages=votes.get(place, {}),
            )
            for place, (chunk, result) in enumerate(zip(batch, results, strict=True))
        ]

    def vary(
        self, chunks: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding
    ) -> Iterator[Sequence[Heard]]:
        """Yield for each chunk `TRIES` samples."""
        import mlx.core as mx

        mx.random.seed(SEED)
        for chunk in chunks:
            yield self.decode([chunk] * TRIES, options, decoding)

    def second_try(self, first: Heard, options: RecognitionOptions) -> SecondTry:
        """Return the chunk in pieces, none of which is too long."""
        forbidden: tuple[int, ...] = ()
        if not in_script(first.guess.text, options.written):
            forbidden = foreign_tokens(self._token_texts(options.language), options.written)
        short = fit(first.chunk.spans, self.sound, AGAIN_MS - _AROUND_MS)
        pieces = pack(short, AGAIN_MS, first.chunk.heard)
        return SecondTry(pieces=pieces, forbidden=forbidden, echo=prompt_of(options))

    def prompt_length(self, text: str) -> int:
        """Return how many tokens a text has in a prompt."""
        return len(tokenizer(self.model, "en").encode(f" {text}")) if text else 0

    def forget_before(self, start_ms: int) -> None:
        """Drop what is encoded of the sound before this time."""
        self._encoded = {heard: found for heard, found in self._encoded.items() if heard.start_ms >= start_ms}

    def words(self, heard: Heard, speech: Sequence[Span], language: str) -> list[TimedWord]:
        """Return the words and when they are said, by cross-attention and by where the speech is."""
        from mlx_whisper.timing import find_alignment

        if not heard.tokens:
            return []
        start_ms, end_ms = heard.chunk.heard.start_ms, heard.chunk.heard.end_ms
        pieces = find_alignment(
            _CrossAttention(self.model),
            tokenizer(self.model, language),
            list(heard.tokens),
            self._encode([heard.chunk])[0],
            max(2, round((end_ms - start_ms) * _FRAMES_PER_MS)),
        )
        words = join_attended([_attended(piece, start_ms + LAG_MS) for piece in pieces], language)
        if speech:
            return correct_word_times(words, within(speech, start_ms, end_ms), language)
        return leave_pauses(correct_word_times(words, (), language), self._loudness, language)

    def _encode(self, chunks: Sequence[Chunk]) -> list[Any]:
        """Return what the encoder makes of each chunk, shape (1500, width).

        Encoding is most of the work, and the language, the text and the times need the same: it is kept.
        """
        import mlx.core as mx

        new = [chunk for chunk in chunks if chunk.heard not in self._encoded]
        if new:
            mels = mx.stack([self._mel(chunk.heard) for chunk in new])
            encoded = self.model.embed_audio(mels)
            mx.eval(encoded)
            self._encoded.update({chunk.heard: encoded[index] for index, chunk in enumerate(new)})
        return [self._encoded[chunk.heard] for chunk in chunks]

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

    def _token_texts(self, language: str) -> Iterator[str]:
        tokens = tokenizer(self.model, language)
        return (tokens.decode([number]) for number in range(tokens.eot))


@dataclass(frozen=True)
class _CrossAttention:
    """What `mlx_whisper.timing.find_alignment` asks of a model, for sound that is encoded already."""

    model: Any

    @property
    def alignment_heads(self) -> Any:
        return self.model.alignment_heads

    def forward_with_cross_qk(self, encoded: Any, tokens: Any) -> tuple[Any, Any]:
        """Return the logits, and the cross-attention of each layer."""
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
    find_alignment(_CrossAttention(model), tokens, tokens.encode(" Hello there."), encoded[0], 100)


def _attended(piece: Any, offset_ms: int) -> AttendedPiece:
    return AttendedPiece(
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
        cut_short=len(result.tokens) >= FULL_TOKENS,
    )
