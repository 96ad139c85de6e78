"""Draws subtitles into the picture (libass), for players that show no tracks: an mp4 that everything plays.

The picture is H.264 in yuv420p, which every browser, phone and television has. `crf 18` is x264's "as good as
the source to the eye": this is the second loss that the picture suffers. The preset is `medium`: on the films
beside the project, `slow` takes a quarter to a half longer for 1-3 % fewer bytes, and `fast` saves a tenth of
the time. High dynamic range becomes standard, as white letters would be too bright in it. AAC sound is
copied, and other sound becomes AAC. Subtitle tracks are left out: people would see each line twice.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.artefacts import written_aside
from protocol.errors import InputError, MissingError, UsageError
from protocol.languages import language_name
from protocol.timeline import Cue
from workers.engines.common.film import ffmpeg as program
from workers.engines.common.film.libass import ass_file, ass_filter, choose_fonts, is_text, undrawable
from workers.engines.common.film.probe import Film, open_film
from workers.engines.common.formats.ass import fonts_of, to_ass
from workers.engines.common.formats.lines import script_of
from workers.engines.common.names import safe_stem, shown

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["Burning", "Picture", "burn", "burned_name", "draw", "prepare"]

_EVEN = "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
"""yuv420p has one colour for two by two pixels: an odd last row or column is cut off."""
_TO_STANDARD = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv"
)
_HIGH_RANGE = frozenset({16, 18})
"""SMPTE ST 2084 and HLG, by H.273's numbers of transfer characteristics."""
_PACKETS_TO_A_FRAME = 500
_SHOWN_LETTERS = 5
_CJK = frozenset({"CJK", "HIRAGANA", "HANGUL"})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The film's moving picture: width and height as seen, upright and in square pixels."""

    index: int
    size: tuple[int, int]
    is_high_range: bool


@dataclass(frozen=True, kw_only=True)
class Burning:
    """A film and what to draw into it, checked: every letter has a font."""

    film: Film
    picture: Picture
    ass: str
    language: str


def burned_name(title: str, language: str) -> str:
    """Return `<title>_burned.<language>.mp4`, safe to write."""
    return f"{safe_stem(title)}_burned.{language}.mp4"


def burn(
    film: Film, cues: Sequence[Cue], language: str, path: Path, context: program.ReportsProgress
) -> None:
    """Write the film with the cues in its picture to `path`, an mp4, whole or not at all.

    Cues are on the film's clock; `language` is ISO 639-1, or `und`. See `prepare` and `draw` for errors.
    """
    draw(prepare(film, cues, language), path, context)


def prepare(
    film: Film, cues: Sequence[Cue], language: str, languages: Sequence[str] | None = None
) -> Burning:
    """Choose fonts and check everything that can be checked before hours of encoding.

    `languages` are those of the cues, where some are not in `language`. Signs that are not text (emoji) are
    left out if no font has them. Raises `UsageError` if the film has no
    picture or there is no cue, `MissingError` if no font has a letter, or if ffmpeg lacks libass or libx264.
    """
    picture = _read_picture(film)
    if not any(cue.lines for cue in cues):
        message = f"There is no {language_name(language)} subtitle to draw into {shown(film.path)}."
        raise UsageError(message, "Name a language in which something is said.")
    fonts = choose_fonts(cues)
    boxes = undrawable(cues, language, fonts)
    if letters := sorted(filter(is_text, boxes)):
        raise _no_font(letters, language)
    ass = to_ass(_without(cues, boxes), languages or language, picture=picture.size, fonts=fonts)
    return Burning(film=film, picture=picture, ass=ass, language=language)


def draw(burning: Burning, path: Path, context: program.ReportsProgress) -> None:
    """Encode the film with its subtitles into `path`; nothing is left there if it fails or is cancelled.

    Raises `InputError` if the film cannot be decoded, and all that `ffmpeg.run` and `context` raise.
    """
    film = burning.film
    note = f"drawing {language_name(burning.language)} into the picture"
    with written_aside(path) as aside:
        with ass_file(burning.ass) as ass:
            command = _command(burning, ass, aside)
            outcome = program.run(command, context, duration_ms=film.facts.duration_ms, note=note)
        if outcome.returncode:
            raise program.failure(outcome, film.path, "draw subtitles into")


def _command(burning: Burning, ass: Path, target: Path) -> list[str]:
    import ffmpeg

    film, picture = burning.film, burning.picture
    # As mux does: add times that a container leaves out, and open nothing but the film itself.
    source = program.open_source(film.path, fflags="+genpts")
    filters = [_EVEN, *([_TO_STANDARD] if picture.is_high_range else []), "format=yuv420p"]
    options: dict[str, Any] = {"c:v": "libx264", "preset": "medium", "crf": 18, "pix_fmt": "yuv420p"}
    for place, sound in enumerate(film.sounds):
        options[f"c:a:{place}"] = "copy" if sound.codec == "aac" else "aac"
    output = ffmpeg.output(
        source[str(picture.index)],
        *(source[str(sound.index)] for sound in film.sounds),
        program.file_url(target),
        format="mp4",
        vf=",".join([*filters, ass_filter(ass, picture.size)]),
        map_metadata=0,
        map_chapters=0,
        # The index goes to the front: a browser can begin before it has the whole film.
        movflags="+faststart",
        fflags="+bitexact",
        flags="+bitexact",
        **options,
    )
    return program.build_command(output)


def _read_picture(film: Film) -> Picture:
    if film.picture is None:
        message = f"{shown(film.path)} has no picture to draw subtitles into."
        raise UsageError(message, "Use its subtitle files, or the tracks that mux adds.")
    with open_film(film.path) as container:
        stream = next(stream for stream in container.streams.video if stream.index == film.picture.index)
        frame = _first_frame(container, stream)
        if frame is None:
            message = f"The picture of {shown(film.path)} cannot be decoded."
            raise InputError(message, "Check that the film plays, or copy it again.")
        width, height = (max(2, side - side % 2) for side in (frame.width, frame.height))
        seen = max(1, round(width * (stream.sample_aspect_ratio or 1))), height
        # ffmpeg turns the picture upright before any filter.
        lies = frame.rotation % 180 == 90
        return Picture(
            index=film.picture.index,
            size=(seen[1], seen[0]) if lies else seen,
            is_high_range=frame.color_trc in _HIGH_RANGE,
        )


def _first_frame(container: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Return the first frame that can be decoded: only a frame says how the picture is turned."""
    import av

    # PyAV raises AttributeError if it knows no decoder for the stream.
    with contextlib.suppress(av.FFmpegError, AttributeError):
        for packet in itertools.islice(container.demux(stream), _PACKETS_TO_A_FRAME):
            with contextlib.suppress(av.FFmpegError):
                if frames := packet.decode():
                    return frames[0]
    return None


def _without(cues: Sequence[Cue], characters: Collection[str]) -> list[Cue]:
    if not characters:
        return list(cues)
    gone = str.maketrans(dict.fromkeys(characters, ""))
    kept = ([" ".join(line.translate(gone).split()) for line in cue.lines] for cue in cues)
    return [replace(cue, lines=tuple(filter(None, lines))) for cue, lines in zip(cues, kept, strict=True)]


def _no_font(characters: Sequence[str], language: str) -> MissingError:
    letters = [character for character in characters if character.isalpha()] or list(characters)
    scripts = Counter(map(script_of, letters))
    script = max(scripts, key=lambda candidate: scripts[candidate])
    font = next((name for name in fonts_of(script) if name.startswith("Noto")), "Noto Sans")
    package = "fonts-noto-cjk" if script in _CJK else "fonts-noto-core"
    some = " ".join(letters[:_SHOWN_LETTERS]) + (" and more" if len(letters) > _SHOWN_LETTERS else "")
    message = f"No installed font can draw the {language_name(language)} subtitles: none has {some}."
    return MissingError(message, f"Install {font} (Debian, Ubuntu: apt install {package}), then try again.")
