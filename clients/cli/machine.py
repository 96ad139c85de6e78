"""Showing the machine: what hardware it has, which models are loaded where."""

from __future__ import annotations

from clients.desk import Desk
from clients.screen.machine import budget_sentences, hardware_table, loaded_json, loaded_table
from clients.supervisor import why_silent
from protocol.clock import now_iso, parse_iso_ms
from protocol.errors import ExitCode, NotRunningError
from protocol.messages import HealthQuery, HealthReport

__all__ = ["hardware", "loaded_models"]


def hardware(desk: Desk, *, refresh: bool, as_json: bool) -> ExitCode:
    """Show what this machine has; nothing needs to run for it."""
    from envspecs.hardware import known

    found = known(refresh=refresh, root=desk.home)
    if as_json:
        desk.report.json(vars(found))
    else:
        desk.report.table(hardware_table(found))
    return ExitCode.DONE


def loaded_models(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show every loaded model: where, since when, last used, how large, how often loaded."""
    try:
        with desk.connect(desk.runtime) as asker:
            answer: HealthReport = asker.ask(HealthQuery())
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error
    if as_json:
        desk.report.json(loaded_json(answer))
        return ExitCode.DONE
    table = loaded_table(answer, parse_iso_ms(now_iso()) / 1000)
    if table.rows:
        desk.report.table(table)
    else:
        desk.report.line("no model is loaded; it is, with the first job that needs it")
    desk.report.lines(budget_sentences(answer))
    return ExitCode.DONE
