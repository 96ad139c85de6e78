"""`cpw web`: the page for browsers, and the keys that programs need."""

from __future__ import annotations

import webbrowser

import click

from clients.api.door.keys import make_once, read_keys
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.supervisor import live_supervisor, server_address, why_no_server
from envspecs.layout import state_directory
from protocol.errors import ExitCode, NotRunningError
from protocol.supervisor import HTTP

__all__ = ["web"]


@click.command(context_settings=CONTEXT)
@click.option("--no-open", is_flag=True, help="Only show the address.")
@click.option("--token", "show_token", is_flag=True, help="Show the token that programs send.")
@click.option("--hooks", "show_hooks", is_flag=True, help="Show the addresses for media servers.")
@json_option
@pass_desk
def web(desk: Desk, *, no_open: bool, show_token: bool, show_hooks: bool, as_json: bool) -> ExitCode:
    """Open the page for browsers, or show what programs need.

    The address that is shown lets one browser in, once, within ten minutes.
    """
    address = _address(desk)
    state = state_directory(desk.home)
    keys = read_keys(state)
    if show_token or show_hooks:
        hooks = f"{address}/hooks/{keys.hooks}"
        if as_json:
            desk.report.json({"address": address, "token": keys.token, "hooks": hooks})
        else:
            desk.report.line(keys.token if show_token else hooks)
        return ExitCode.DONE
    page = f"{address}/?token={make_once(state)}"
    opened = not (no_open or as_json) and webbrowser.open(page)
    if as_json:
        desk.report.json({"address": address, "page": page})
    else:
        desk.report.line(page)
        desk.report.remark("it lets one browser in, once, within ten minutes")
        if not (opened or no_open):
            desk.report.remark("no browser could be started; open the address yourself")
    return ExitCode.DONE


def _address(desk: Desk) -> str:
    """Return where the server listens; `NotRunningError` says why it does not."""
    if (address := server_address(desk)) is not None:
        return address
    if (problem := why_no_server(desk)) is not None:
        raise NotRunningError(problem.sentence, problem.remedy)
    state = live_supervisor(desk.runtime)
    if state is None:
        raise NotRunningError("Nothing is running.", "make up")
    if HTTP not in state.children:
        message = "The HTTP server is off."
        raise NotRunningError(message, "cpw down; unset CPW_HTTP; make up")
    raise NotRunningError("The HTTP server is starting.", "Wait a moment, then: cpw web")
