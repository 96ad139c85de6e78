"""`cpw setup`: choose the models for this machine, fetch them, say what it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import click

from clients.cli.envs import SPOKEN, RunningWorkers
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.setup_report import NO_HUB, advice, setup_sentences, setup_table
from envspecs.__main__ import Terminal
from envspecs.__main__ import main as envspecs_main
from envspecs.models.fetch import fetch
from envspecs.models.hub import hub_answers
from envspecs.setup.outlook import Outlook, Piece, look
from envspecs.setup.pins import Pins, read_pins, write_pins
from protocol.errors import CpwError, DiskFullError, ExitCode, UsageError
from protocol.languages import find_tag
from protocol.schema import from_plain

__all__ = ["setup"]

_TOLD_LINES = 3
"""What was fetched, from where, and the first line of what its tool said."""


@click.command(context_settings=CONTEXT)
@click.option(
    "--for",
    "languages",
    multiple=True,
    metavar="LANG,...",
    help="Languages of your films and subtitles: what they need is added. Kept.",
)
@click.option(
    "--set",
    "name",
    type=click.Choice(["auto", "draft", "good", "best"]),
    help="Another set than the one for this machine. Kept.",
)
@click.option(
    "--commercial/--any-licence",
    "commercial",
    default=None,
    help="Leave out models whose licence forbids commercial use. Kept.",
)
@click.option("--check", is_flag=True, help="Only show what would be done; change nothing.")
@click.option("--background", is_flag=True, hidden=True, help="As the supervisor runs it.")
@json_option
@pass_desk
def setup(desk: Desk, /, *, check: bool, background: bool, as_json: bool, **words: object) -> ExitCode:
    """Choose the models for this machine and fetch them.

    Once a model is here, jobs use it by themselves. `setup.toml` in the model store holds what you decide.
    """
    before = read_pins()
    pins = _changed(before, from_plain(_SetupWords, words, path="setup", strict=True))
    outlook = look(pins)
    if not check and pins != before:
        desk.report.remark(f"written: {write_pins(pins)}")
    if as_json:
        desk.report.json(_document(outlook))
        return _standing(outlook)
    desk.report.lines([*setup_sentences(outlook), *advice(outlook)])
    if check:
        desk.report.table(setup_table(outlook.pieces))
        return _standing(outlook)
    return _fetch_all(desk, outlook, background=background)


@dataclass(frozen=True, kw_only=True)
class _SetupWords:
    """What a person wrote to change what is chosen."""

    languages: tuple[str, ...] = ()
    name: Literal["auto", "draft", "good", "best"] | None = None
    commercial: bool | None = None


def _changed(pins: Pins, written: _SetupWords) -> Pins:
    words = [word.strip() for entry in written.languages for word in entry.split(",") if word.strip()]
    if written.languages and not words:
        raise UsageError("--for names no language.", "Write for example --for hi,ta")
    codes = tuple(find_tag(word).language for word in words)
    return replace(
        pins,
        languages=tuple(dict.fromkeys((*pins.languages, *codes))),
        set=written.name or pins.set,
        commercial=pins.commercial if written.commercial is None else written.commercial,
    )


def _standing(outlook: Outlook) -> ExitCode:
    return ExitCode.MISSING if outlook.missing else ExitCode.DONE


def _fetch_all(desk: Desk, outlook: Outlook, *, background: bool) -> ExitCode:
    """Fetch what is missing, one after the other; what cannot be had keeps nobody from the rest.

    In the background nobody waits for the code: what is wrong is in the log, and the next start tries again.
    """
    if not outlook.missing:
        return ExitCode.DONE
    alone = outlook.needs_hub and not hub_answers(desk.home)
    if alone:
        desk.report.remark(NO_HUB)
    fetched = [_is_fetched(desk, piece) for piece in outlook.missing if not (alone and piece.needs_hub)]
    whole = all(fetched) and not alone
    if whole:
        desk.report.line("every chosen model is here; the next job uses it")
    return ExitCode.DONE if whole or background else ExitCode.MISSING


def _is_fetched(desk: Desk, piece: Piece) -> bool:
    try:
        return _fetch(desk, piece)
    except DiskFullError:
        raise
    except CpwError as error:
        # All that the hub's tool has said is told to who fetches that model alone.
        desk.report.error(" ".join(error.message.splitlines()[:_TOLD_LINES]), error.remedy)
        return False


def _fetch(desk: Desk, piece: Piece) -> bool:
    """Build its environment where that is needed, and fetch the model.

    A worker that runs is not started again: the next job that uses the model has it loaded, sooner than a new
    worker could import its libraries.
    """
    name = piece.need.environment
    if not piece.built and envspecs_main(["build", "--no-models", name], SPOKEN, RunningWorkers(desk)):
        # It has said what is wrong.
        return False
    if piece.here:
        return True
    fetch(piece.need.model.id, Terminal(SPOKEN))
    return True


def _document(outlook: Outlook) -> dict[str, object]:
    return {
        "set": outlook.chosen.name,
        "pinned": outlook.chosen.pinned,
        "recogniser": outlook.chosen.recogniser,
        "into_english": outlook.chosen.into_english,
        "languages": outlook.pins.languages,
        "missing_bytes": outlook.missing_bytes,
        "models": [
            {
                "id": piece.need.model.id,
                "what": piece.need.what,
                "environment": piece.need.environment,
                "bytes": piece.need.model.size_bytes,
                "licence": piece.need.model.licence,
                "in_store": piece.here,
                "came_bytes": piece.came_bytes,
                "built": piece.built,
            }
            for piece in outlook.pieces
        ],
        "advice": advice(outlook),
    }
