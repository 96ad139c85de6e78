"""Addresses among the words of a submission, made to files before anything is submitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clients.addresses.program import TASK, fetch
from clients.addresses.words import FetchOptions, check_address, is_address, parse_size, without_password
from clients.desk import Desk
from clients.screen.fetching import FetchScreen, film_facts, open_fetch_screen
from clients.sending import check_running
from clients.submission import Reading, Written, read_submissions
from envspecs.builds.installed import build_state
from envspecs.choosing import program_for
from envspecs.layout import films_directory
from protocol.errors import CpwError, InputError, MissingError, TransientError, UsageError, error_from_info
from protocol.jobs.fetching import FetchedFilm, FetchLine, FetchOrder
from protocol.languages import find_language, language_name
from protocol.messages import Submit

__all__ = ["Fetched", "fetch_written"]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A submission whose addresses are files now, and what the sites say of these."""

    written: Written
    films: Mapping[str, FetchedFilm] = field(default_factory=dict)
    """By the path of the file."""
    looked_up: tuple[tuple[str, FetchedFilm], ...] = ()
    """Address and film of what would have to be fetched."""
    refused: tuple[tuple[str, CpwError], ...] = ()
    """Addresses that gave no film, and why. The person was told."""

    def apply(self, reading: Reading) -> Reading:
        """Return the submissions with the sites' titles, years and languages, where none were written."""
        pairs = [_told(submission, self.films.get(submission.media)) for submission in reading.submissions]
        notes = tuple(note for _, note in pairs if note)
        submissions = tuple(submission for submission, _ in pairs)
        return replace(reading, submissions=submissions, notes=(*reading.notes, *notes))

    def refusals(self, workflow: str) -> tuple[tuple[Submit, CpwError], ...]:
        """Return the refused addresses in a submission's form, for what lists those."""
        return tuple(
            (Submit(media=address, workflow=workflow, user="", out=""), error)
            for address, error in self.refused
        )


def fetch_written(
    desk: Desk, written: Written, options: FetchOptions, *, beside: bool, look_only: bool
) -> Fetched:
    """Fetch every address of the words; with `look_only` only look them up.

    What else is wrong is found before: nobody waits an hour for a film to be told of a misspelt option.
    Raises the error of an address that was the only word; `MissingError` where the environment is not built.
    """
    addresses = [word for word in written.media if is_address(word)]
    if not addresses:
        if option := options.used():
            raise UsageError(f"{option} is for web addresses, and you named none.")
        return Fetched(written=written)
    for address in addresses:
        check_address(address)
    files = tuple(word for word in written.media if word not in addresses)
    if read_submissions(replace(written, media=files), desk.out).problems:
        return Fetched(written=replace(written, media=files))
    _check(desk, written, options)
    with desk.connect(desk.runtime) as asker:
        check_running(desk, asker)
    work = _Work(desk, options, look_only=look_only)
    with open_fetch_screen(desk.report, beside=beside) as screen:
        words = [path for word in written.media for path in _files_of(word, work, screen)]
    if work.refused and not words and len(work.refused) == 1:
        raise work.refused[0][1]
    for address, error in work.refused:
        desk.report.error(_named(address, error), error.remedy)
    return Fetched(
        written=replace(written, media=tuple(dict.fromkeys(words))),
        films=work.films,
        looked_up=tuple(work.looked_up),
        refused=tuple(work.refused),
    )


def _check(desk: Desk, written: Written, options: FetchOptions) -> None:
    if written.title is not None and (len(written.media) > 1 or options.playlist):
        raise UsageError("--title is for one film, and you named several.", "Submit that film alone.")
    parse_size(options.max_size)
    spec, _ = program_for(TASK, desk.home)
    if build_state(spec, desk.home) == "missing":
        message = f"Films from web addresses need the environment {spec.name}, which is not built."
        raise MissingError(message, f"python3 -m envspecs build {spec.name}")


def _files_of(word: str, work: _Work, screen: FetchScreen) -> Sequence[str]:
    return work.fetch(word, screen) if is_address(word) else [word]


def _named(address: str, error: CpwError) -> str:
    return error.message if address in error.message else f"{address}: {error.message}"


class _Work:
    """Fetches addresses one after the other and keeps what came of them."""

    def __init__(self, desk: Desk, options: FetchOptions, *, look_only: bool) -> None:
        self._desk = desk
        self._options = options
        self._look_only = look_only
        self.films: dict[str, FetchedFilm] = {}
        self.looked_up: list[tuple[str, FetchedFilm]] = []
        self.refused: list[tuple[str, CpwError]] = []

    def fetch(self, address: str, screen: FetchScreen) -> list[str]:
        """Return the files of the address."""
        paths: list[str] = []
        shown = without_password(address)

        def see(line: FetchLine) -> None:
            if line.progress is not None:
                screen.show(line.progress)
            elif line.film is not None:
                paths.extend(self._keep(shown, line.film))
            elif line.error is not None:
                told = replace(
                    line.error,
                    message=without_password(line.error.message),
                    remedy=without_password(line.error.remedy),
                )
                self.refused.append((shown, _of_title(error_from_info(told), line.title)))

        try:
            fetch(self._desk.home, self._order(address), see)
        except KeyboardInterrupt:
            if not self._look_only:
                kept = f"stopped; what came of it stays in {self._folder()}"
                self._desk.report.remark(f"{kept}: the same command goes on where this one stopped")
            raise
        return paths

    def _folder(self) -> Path:
        return films_directory(self._desk.home)

    def _order(self, address: str) -> FetchOrder:
        cookies = self._options.cookies
        return FetchOrder(
            address=address,
            folder=str(self._folder().absolute()),
            playlist=self._options.playlist,
            allow_local=self._options.allow_local,
            cookies="" if cookies is None else str(Path(cookies).absolute()),
            most_bytes=parse_size(self._options.max_size),
            look_only=self._look_only,
        )

    def _keep(self, address: str, film: FetchedFilm) -> list[str]:
        if not film.path:
            self.looked_up.append((address, film))
            return []
        self.films[film.path] = film
        happened = "fetched" if film.new else "is there already"
        self._desk.report.remark(f"{film_facts(film)}: {happened}: {film.path}")
        return [film.path]


def _of_title(error: CpwError, title: str) -> CpwError:
    if not title:
        return error
    kind = TransientError if isinstance(error, TransientError) else InputError
    return kind(f"{title}: {error.message}", error.remedy)


def _told(submission: Submit, film: FetchedFilm | None) -> tuple[Submit, str]:
    """Return the submission with what the site says of its film, and a note of what follows from that."""
    if film is None:
        return submission, ""
    titled = replace(
        submission,
        title=submission.title or film.title.strip() or None,
        year=submission.year or film.year,
    )
    language = _language(film.language)
    # A person who chose a track knows better; and a film in the language that it is to be translated into
    # may be dubbed: then it is listened to.
    chosen = submission.source_language or submission.audio_track
    if chosen or language is None or language in submission.target_languages:
        return titled, ""
    note = f"{film.title}: its site says that {language_name(language)} is spoken; -s LANG says otherwise."
    return replace(titled, source_language=language), note


def _language(written: str | None) -> str | None:
    for word in (written or "", (written or "").partition("-")[0]):
        try:
            return find_language(word).code
        except UsageError:
            continue
    return None
