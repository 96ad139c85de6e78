"""The documents say what is so: links lead somewhere, names exist, the program has what they describe."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import envspecs
from clients.cli.main import cpw
from clients.desk import desk_here
from clients.settings import parse_settings
from protocol.errors import ExitCode, UsageError
from protocol.stages import STAGES
from tests.chaos.places import PLACES
from tests.contract.source import MADE_HERE, ROOMS, ROOT, documents, modules

README_LINES = 130

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_MODULE = re.compile(rf"(?:{'|'.join(ROOMS)}|tests)(?:\.\w+)+")
_EXAMPLE = re.compile(r"(^|/)(x|\w*phrasebook\w*|(test_)?mask)(\.|/|$)|^my-models/")
_FILE = re.compile(r"[\w.-]*\w\.(?:py|md|toml|sql|svg|png|hex)")


def _anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", document.read_text()), re.MULTILINE):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        again = sum(anchor == slug or re.fullmatch(rf"{slug}-\d+", anchor) is not None for anchor in found)
        found.add(f"{slug}-{again}" if again else slug)
    return found


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_its_anchor_to_a_heading(document: Path) -> None:
    lost = []
    for link in _LINK.findall(_CODE.sub("", _FENCE.sub("", document.read_text()))):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (document.parent / place).resolve() if place else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)
    assert lost == []


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    missing = [path.name for path in (ROOT / "docs").glob("*.md") if f"]({path.name})" not in index]
    assert missing == ["README.md"]
    decisions = (ROOT / "docs" / "adr" / "README.md").read_text()
    pages = [path.name for path in (ROOT / "docs" / "adr").glob("0*.md")]
    assert [name for name in pages if f"]({name})" not in decisions] == []


def test_the_readme_is_short(figure) -> None:
    text = (ROOT / "README.md").read_text()
    figure(f"README: {len(text.splitlines())} lines, {len(text.split())} words")
    assert len(text.splitlines()) <= README_LINES
    assert "](docs/terminal.svg)" in text
    assert "](docs/review.png)" in text
    assert (ROOT / "docs" / "review.png").stat().st_size < 200_000


# --- names of files and modules ---------------------------------------------------------------------


def _named(document: Path) -> Iterator[str]:
    """Yield what stands in backticks and looks like a file, a folder or a module; examples are left out."""
    for code in _CODE.findall(_FENCE.sub("", document.read_text())):
        name = code.removesuffix("()").removesuffix("/*.py")
        if name in PLACES or _EXAMPLE.search(name) or not re.fullmatch(r"[\w.-][\w./-]+", name):
            continue
        if _MODULE.fullmatch(name) or _FILE.fullmatch(name) or "/" in name.strip("/."):
            yield name


def _exists(name: str, beside: Path) -> bool:
    if _MODULE.fullmatch(name) and not _FILE.fullmatch(name):
        return _is_importable(name)
    if name.partition("/")[0] in MADE_HERE | {"jobs", ".scratch", "export", "preview"}:
        return True
    if (ROOT / name).exists() or (beside.parent / name).exists():
        return True
    # A file without its folder, in a sentence or a row that names the room.
    return "/" not in name and any(next((ROOT / top).rglob(name), None) for top in (*ROOMS, "docs", "tests"))


def _is_importable(name: str) -> bool:
    """Tell whether there is such a module, or such a name in one."""
    parts = name.split(".")
    for stop in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:stop])
        if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
            found = importlib.import_module(".".join(parts[:stop]))
            for part in parts[stop:]:
                if not hasattr(found, part):
                    return False
                found = getattr(found, part)
            return True
    return ROOT.joinpath(*parts).is_dir()


@pytest.mark.parametrize(
    "document",
    [path for path in documents() if path.name != "CHANGELOG.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_file_and_module_that_a_document_names_is_there(document: Path) -> None:
    assert [name for name in dict.fromkeys(_named(document)) if not _exists(name, document)] == []


def test_every_folder_of_the_product_has_its_row_in_the_architecture() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("\n## Folders\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)/` \|", table, re.MULTILINE)
    folders = {
        str(module.path.parent.relative_to(ROOT)) for module in modules() if module.path.parent != ROOT
    }
    # Environments' own folders share one row; `common` has several subjects, each with a folder.
    engines = {folder for folder in folders if re.fullmatch(r"workers/engines(/(?!common)\w+)?", folder)}
    assert sorted(rows) == sorted(folders - engines)


# --- commands, exit codes, variables ----------------------------------------------------------------

CLI = (ROOT / "docs" / "cli.md").read_text()


def _help(*words: str) -> str:
    """Return what a command says of itself, `cpw envs` and `cpw models` of `python3 -m envspecs` too."""
    runner = CliRunner(env={"COLUMNS": "200"})
    answer = runner.invoke(cpw, [*words, "--help"], prog_name="cpw", obj=desk_here())
    assert answer.exit_code == ExitCode.DONE, words
    return answer.output


def _commands(*above: str) -> Iterator[tuple[str, ...]]:
    """Yield every command that does something, as the help of `cpw` and `python3 -m envspecs` lists them."""
    text = _help(*above)
    below = re.findall(r"^ {2}(\w+)", text.partition("\nCommands:\n")[2], re.MULTILINE)
    # Of argparse, under the line `VERB`; `python3 -m envspecs models` is `cpw models`.
    below += [verb for verb in re.findall(r"^ {4}(\w+) ", text, re.MULTILINE) if verb != "models"]
    for name in below:
        yield from _commands(*above, name)
    if not below:
        yield above


def _sections() -> dict[tuple[str, ...], str]:
    """Return command to its section of docs/cli.md."""
    parts = re.split(r"^### cpw (.+)$", CLI, flags=re.MULTILINE)
    texts = (text.partition("\n## ")[0] for text in parts[2::2])
    return {tuple(name.split()): text for name, text in zip(parts[1::2], texts, strict=True)}


def _documented_options(section: str) -> set[str]:
    """Return the options of the section's usage (its indented lines) and of its table's first column."""
    usage = re.findall(r"^ {4}cpw .*$", section, re.MULTILINE)
    cells = [row.replace("\\|", "").split("|")[1] for row in re.findall(r"^\| `-.*$", section, re.MULTILINE)]
    return set(_OPTION.findall("\n".join(usage + cells)))


def _options(*words: str) -> set[str]:
    """Return the options that the program has, from the left of its help's columns."""
    lines = re.findall(r"^ {2}(-\S.*?)(?: {2}|$)", _help(*words), re.MULTILINE)
    return set(_OPTION.findall("\n".join(lines))) - {"-h", "--help"}


def test_every_command_has_its_section_and_there_is_no_other() -> None:
    listed = set(_commands())
    extra = set(_sections()) - listed
    # `ps` is answered by cpw itself and not by envspecs, whose help is shown for `cpw models`.
    assert extra <= {("models", "ps")}
    assert listed - set(_sections()) == set()


@pytest.mark.parametrize("command", _sections(), ids=" ".join)
def test_the_options_of_a_command_are_those_that_it_has(command: tuple[str, ...]) -> None:
    assert _documented_options(_sections()[command]) == _options(*command)


def test_exit_codes_are_the_programs() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", CLI.partition("## Exit codes")[2], re.MULTILINE)
    assert rows == [(str(code.value), code.name) for code in ExitCode]


def test_the_settings_of_a_stage_are_those_that_it_takes() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.*) \|$", CLI.partition("## Settings of")[2], re.MULTILINE)
    written = {stage: set(_CODE.findall(names)) for stage, names in rows}
    known = {}
    for stage in STAGES:
        with pytest.raises(UsageError) as refusal:
            parse_settings([f"{stage}.nonsense=1"])
        known[stage] = set(re.findall(r"\w+", refusal.value.remedy.removeprefix("One of these settings:")))
    assert written == known


def test_every_environment_has_its_row() -> None:
    table = (ROOT / "docs" / "environments.md").read_text().partition("\n\n    cpw")[0]
    specs = [spec for spec in envspecs.read_all() if (spec.worker or spec.programs) and not spec.copied_from]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == {spec.name for spec in specs}


def test_environment_variables_are_those_that_the_source_names() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    written = set(re.findall(r"`(CPW_[A-Z_]*[A-Z])(?:_<ENV>)?`", text))
    files = (ROOT / "supervisor.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py")))
    named = {name for path in files for name in re.findall(r"CPW_[A-Z_]*[A-Z]", path.read_text())}
    # Each environment has one of these.
    of_each = ("CPW_MEMORY", "CPW_WORKERS")
    assert written == {
        next((prefix for prefix in of_each if name.startswith(prefix)), name) for name in named
    }


def test_a_word_of_the_glossary_has_one_meaning() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Glossary")[2].partition("\n## ")[0]
    words = re.findall(r"^\| ([a-z ]+) \|(?! meaning \|)", text, re.MULTILINE)
    assert len(words) > 40
    assert sorted(set(words)) == sorted(words)
