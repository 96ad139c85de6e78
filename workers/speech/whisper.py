"""Recognising speech with Whisper: what every engine that runs Whisper does in the same way.

An engine brings a `Recogniser`: what its library does in its own way. The rest is here: how much Whisper
hears at once, which chunks are doubtful, and how those are decoded again. No model library is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from workers.lanes import batches_for, batches_of, side_by_side
from workers.speech.judging import MENDABLE, Guess, is_doubtful, nothing_said, worth_of
from workers.speech.sound import Sound
from workers.speech.spans import Chunk
from workers.text.glossary.hot_words import is_echo
from workers.text.scripts import is_foreign

__all__ = [
    "AGAIN_MS",
    "FULL_TOKENS",
    "HOT_WORD_TOKENS",
    "LAG_MS",
    "LONGEST_MS",
    "SEED",
    "TRIES",
    "WINDOW_MS",
    "Decoding",
    "Heard",
    "HeardChunk",
    "Recogniser",
    "RecognitionOptions",
    "SecondTry",
    "foreign_tokens",
    "recognise",
    "recognise_chunks",
]

WINDOW_MS = 30_000
"""Whisper hears so much at once; shorter sound is padded (openai/whisper, audio.py: CHUNK_LENGTH)."""
LONGEST_MS = 29_000
"""No stretch of speech is longer, so that Whisper hears some of the pauses around it too."""
AGAIN_MS = 10_000
"""A doubtful chunk is decoded again in pieces of this length. A loop, or a text that has no room (Indic
scripts take several tokens a letter), then costs one piece and not half a minute."""
FULL_TOKENS = 220
"""Whisper writes at most 224 tokens for a window: a text with this many was cut short."""
TRIES = 5
"""So often a piece that is still spoilt is sampled, by an engine that can. openai/whisper and faster-whisper
try five temperatures, and each costs as much."""
SEED = 1
"""The seed of sampling, so that a film gives the same text every time."""
HOT_WORD_TOKENS = 223
"""What Whisper is told before a window has so much room, with the initial prompt: half of its context."""
LAG_MS = 60
"""The decoder attends to a word so long before it is spoken. Median against four recordings whose words were
timed by hand or by an aligner: 49 to 82 ms."""
_TEMPERATURE = 0.5
_NO_REPEAT = 4
"""In a doubtful chunk no run of so many tokens comes twice."""


@dataclass(frozen=True, kw_only=True)
class RecognitionOptions:
    """What a call asks of the recogniser, for the whole film."""

    language: str
    task: str = "transcribe"
    """`transcribe`, or `translate` into English."""
    beam_size: int = 5
    initial_prompt: str | None = None
    hotwords: tuple[str, ...] = ()
    voters: frozenset[int] = frozenset()
    """The starts of the chunks that say of their language, too."""

    @property
    def written(self) -> str:
        """Return the language of the text that comes out."""
        return "en" if self.task == "translate" else self.language


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How one batch is decoded. As it is made here: the likeliest text, without limits."""

    temperature: float = 0.0
    """0: the likeliest text. Above it the tokens are drawn at random."""
    prompt: str | None = None
    """A text that the model is given after the prompt of the call."""
    forbidden: tuple[int, ...] = ()
    """Tokens that the text may not have."""
    no_repeat: int = 0
    """No run of so many tokens comes twice; 0: any may."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A chunk and what is said in it."""

    chunk: Chunk
    guess: Guess
    tokens: tuple[int, ...] = ()
    """The tokens of the text, where the engine needs them again."""
    languages: Mapping[str, float] = field(default_factory=dict)
    """The probability of every language, where `RecognitionOptions.voters` asks for it."""


@dataclass(frozen=True, kw_only=True)
class HeardChunk:
    """A chunk, and what is said in it: in one part, or where it was doubtful in several."""

    chunk: Chunk
    parts: Sequence[Heard]
    languages: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class SecondTry:
    """How an engine decodes a doubtful chunk again."""

    pieces: Sequence[Chunk]
    forbidden: tuple[int, ...]
    """Tokens that the text may not have."""
    prompt: str | None = None
    """A text that the model is given after the prompt of the call."""
    echo: str | None = None
    """A text that says nothing but words of this one is worth little: the model repeats its prompt."""


class Recogniser(Protocol):
    """What an engine's library does in its own way: one Whisper model on the sound of one film."""

    @property
    def sound(self) -> Sound:
        """Return the film's sound."""

    @property
    def batch_size(self) -> int:
        """Return how many chunks are decoded at once."""

    @property
    def lanes(self) -> int:
        """Return how many batches may be decoded side by side; 0: only by the thread that asks."""

    def lanes_now(self) -> int:
        """Return how many of the lanes the call may keep busy now."""

    @property
    def is_multilingual(self) -> bool:
        """Return whether the model knows more languages than English."""

    def language_token(self, language: str) -> str:
        """Return the language as Whisper names it; `InputError` for one that the model does not know."""

    def languages(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> list[dict[str, float]]:
        """Return the probability of every language, for each chunk; call `tick` before each step."""

    def decode(self, batch: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding) -> list[Heard]:
        """Return what is said in each chunk of one batch."""

    def vary(
        self, chunks: Sequence[Chunk], options: RecognitionOptions, decoding: Decoding
    ) -> Iterator[Sequence[Heard]]:
        """Yield for each chunk some texts that are not the likeliest; the same ones for the same film."""

    def second_try(self, first: Heard, options: RecognitionOptions) -> SecondTry:
        """Return how a chunk is decoded again whose first text is doubtful."""

    def prompt_length(self, text: str) -> int:
        """Return how many tokens a text has in a prompt."""

    def forget_before(self, start_ms: int) -> None:
        """Drop what is kept of the sound before this time: nothing asks for it again."""


def recognise(
    recogniser: Recogniser,
    chunks: Sequence[Chunk],
    options: RecognitionOptions,
    progress: Callable[[float], None],
) -> Iterator[Heard]:
    """Yield what is said in each chunk, in order; a doubtful one may come back in pieces.

    A chunk is doubtful where its text repeats itself, is improbable, was cut short, or is in a script that
    its language does not use. `progress` is called with 0 to 1, in the caller's thread.
    """
    for heard in recognise_chunks(recogniser, chunks, options, progress):
        yield from heard.parts


def recognise_chunks(
    recogniser: Recogniser,
    chunks: Sequence[Chunk],
    options: RecognitionOptions,
    progress: Callable[[float], None],
) -> Iterator[HeardChunk]:
    """Yield each chunk with what is said in it, as `recognise` finds it."""
    batches = batches_for(chunks, recogniser.batch_size, recogniser.lanes)

    def decode(batch: Sequence[Chunk], check: Callable[[], None]) -> list[HeardChunk]:
        return [
            HeardChunk(
                chunk=heard.chunk,
                parts=_improved(recogniser, heard, again, check),
                languages=heard.languages,
            )
            for heard in recogniser.decode(batch, options, Decoding())
        ]

    # What is decoded again has voted.
    again = replace(options, voters=frozenset())
    decoded = side_by_side(
        decode,
        batches,
        recogniser.lanes,
        lambda done: progress(done / len(batches)),
        recogniser.lanes_now,
    )
    for batch, found in zip(batches, decoded, strict=True):
        yield from found
        recogniser.forget_before(batch[-1].heard.end_ms)


def _improved(
    recogniser: Recogniser, heard: Heard, options: RecognitionOptions, check: Callable[[], None]
) -> Sequence[Heard]:
    """Return the chunk, or where it is doubtful its pieces; `check` is called before each step.

    Hot words can be what spoils a chunk: one that is doubtful with them, or has them as they stand in the
    prompt, is decoded as if there were none.
    """
    check()
    spoilt = is_echo(heard.guess.text, options.hotwords) or _is_to_mend(heard, options)
    if options.hotwords and spoilt:
        options = replace(options, hotwords=())
        heard = recogniser.decode([heard.chunk], options, Decoding())[0]
        check()
    if _is_to_mend(heard, options):
        return _again(recogniser, heard, options, check)
    return [heard]


def _is_to_mend(heard: Heard, options: RecognitionOptions) -> bool:
    return is_doubtful(heard.guess, options.written) and not nothing_said(heard.guess)


def _again(
    recogniser: Recogniser, first: Heard, options: RecognitionOptions, tick: Callable[[], None]
) -> list[Heard]:
    """Return the chunk decoded again in pieces, or as it was where the pieces are worth no more.

    For what is spoilt even then, other texts than the likeliest are tried.
    """
    plan = recogniser.second_try(first, options)

    def worth(heard: Heard) -> float:
        return worth_of(heard.guess, options.written, plan.echo)

    decoding = Decoding(prompt=plan.prompt, forbidden=plan.forbidden, no_repeat=_NO_REPEAT)
    found: list[Heard] = []
    for batch in batches_of(plan.pieces, recogniser.batch_size):
        tick()
        found += recogniser.decode(batch, options, decoding)
    spoilt = [index for index, heard in enumerate(found) if worth(heard) < MENDABLE]
    varying = Decoding(temperature=_TEMPERATURE, forbidden=plan.forbidden, no_repeat=_NO_REPEAT)
    others = recogniser.vary([found[index].chunk for index in spoilt], options, varying)
    for index, tries in zip(spoilt, others, strict=True):
        tick()
        found[index] = max((found[index], *tries), key=worth)
    average = sum(map(worth, found)) / len(found)
    return found if average > worth(first) else [first]


def foreign_tokens(texts: Iterable[str], language: str) -> tuple[int, ...]:
    """Return the numbers of the tokens that have a letter of a script which the language does not use.

    `texts` are the texts of all tokens, in order. It takes 0.1 s; only a chunk in a wrong script needs it.
    """
    return tuple(number for number, text in enumerate(texts) if is_foreign(text, language))
