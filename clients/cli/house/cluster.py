"""`cpw cluster`: several machines with one queue."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import click

from clients.cli.envs import SPOKEN
from clients.cli.house.machine import start_everything
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.cluster.alone import alone_here
from clients.cluster.certificates import check_certificates
from clients.cluster.checking import check_head
from clients.cluster.here import check_own_address, cluster_here, free_block, own_name, refuse_override
from clients.cluster.joining import check_told
from clients.cluster.probing import TASK, Probe, check_reachable
from clients.cluster.waiting import GOES_ON, wait_for_ray, wait_without_ray
from clients.desk import Desk
from clients.screen.cluster import nodes_table
from clients.supervisor import check_built, running_supervisor, why_outdated
from clients.supervisor import stop as stop_supervisor
from envspecs.__main__ import Terminal
from envspecs.builds.build import build
from envspecs.builds.installed import build_state
from envspecs.choosing import program_for
from envspecs.cluster.ray import PORTS
from envspecs.cluster.settings import (
    DEFAULT_PORT,
    ClusterSettings,
    forget_settings,
    join_address,
    parse_address,
    parse_shares,
    write_settings,
)
from envspecs.cluster.token import forget_token, keep_token, make_token, parse_token, read_token, token_path
from envspecs.layout import state_directory
from envspecs.setup.defaults import is_off
from protocol.clock import now_ms
from protocol.cluster.probing import ProbeAnswer, newest_nodes
from protocol.errors import ExitCode, MissingError, NotRunningError, UsageError
from protocol.schema import to_plain

__all__ = ["cluster_group"]

_SIZE = "210 MB"
_END_SECONDS = 15.0
_MOST_BYTES = 4_096
_WAIT = click.option(
    "--wait",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=180,
    show_default=True,
    help="How long to wait.",
)
_NAME = click.option(
    "--name", default="", metavar="NAME", help="This machine's name. Default: its host name."
)


@click.group(context_settings=CONTEXT)
def cluster_group() -> None:
    """Let several machines work at one queue."""


@cluster_group.command(context_settings=CONTEXT)
@click.option(
    "--address", default="127.0.0.1", show_default=True, help="This machine's IP address, as nodes reach it."
)
@click.option("--port", type=click.IntRange(1, 65_535), default=DEFAULT_PORT, show_default=True)
@_NAME
@_WAIT
@pass_desk
def start(desk: Desk, address: str, port: int, name: str, seconds: float) -> ExitCode:
    """Make this machine the head of a cluster, which has the queue and all jobs."""
    refuse_override()
    _hold(desk)
    here = cluster_here(desk.home)
    wanted = join_address(address, port)
    if here.role != "off" and (here.role, here.head) != ("head", wanted):
        raise _is_member(here)
    _need_environment(desk)
    if here.role == "off":
        check_own_address(address, port)
        check_certificates(os.environ, address)
        first = free_block(port)
        here = ClusterSettings(
            role="head", head=wanted, address=address, name=own_name(name), first_port=first
        )
    token = make_token(state_directory(desk.home))
    write_settings(state_directory(desk.home), here)
    answer = _begin(desk, here, seconds)
    if answer is None:
        return ExitCode.INTERRUPTED
    desk.report.lines(_head_lines(here, token))
    _show_nodes(desk, answer)
    return ExitCode.DONE


def _begin(desk: Desk, settings: ClusterSettings, seconds: float) -> ProbeAnswer | None:
    """Have Ray started beside what runs, or everything where nothing does; None: Ctrl-C ended the wait."""
    running = running_supervisor(desk)
    if running is None:
        if start_everything(desk, seconds) == ExitCode.INTERRUPTED:
            return None
    elif (outdated := why_outdated(desk)) is not None:
        raise NotRunningError(outdated.sentence, outdated.remedy)
    else:
        os.kill(running.pid, signal.SIGUSR1)
    try:
        return wait_for_ray(desk, settings, seconds)
    except KeyboardInterrupt:
        desk.report.remark(GOES_ON)
        return None


def _head_lines(settings: ClusterSettings, token: Path) -> list[str]:
    _, port = parse_address(settings.head)
    last = settings.first_port + PORTS - 1
    return [
        f"this machine, {settings.name}, is the head of the cluster at {settings.head}",
        f"Ray listens on all interfaces of this machine: ports {port} and {settings.first_port} to {last}.",
        "Everyone who reaches them and has the token owns every machine of the cluster: see docs/cluster.md",
        f"the token: {token}",
        f"on each node: cpw cluster join {settings.head} --token-file FILE",
    ]


@cluster_group.command(context_settings=CONTEXT)
@click.argument("head", metavar="ADDRESS")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A copy of the head's. Default: stdin.",
)
@click.option(
    "--address", default="", help="This machine's IP address. Default: that which reaches the head."
)
@_NAME
@_WAIT
@pass_desk
def join(
    desk: Desk, /, head: str, *, token_file: Path | None, address: str, name: str, seconds: float
) -> ExitCode:
    """Make this machine a node of the cluster whose head is at ADDRESS.

    Jobs of its own wait until cpw cluster leave.
    """
    refuse_override()
    _hold(desk)
    here = cluster_here(desk.home)
    if here.role != "off":
        raise _is_member(here)
    token = read_token(token_file) if token_file is not None else _token_on_stdin()
    host, port = parse_address(head)
    _need_environment(desk)
    settings = ClusterSettings(
        role="node",
        head=join_address(host, port),
        address=address or check_reachable(host, port),
        name=own_name(name),
        first_port=free_block(port),
        shares=parse_shares(os.environ.get("CPW_SHARES", "")),
    )
    check_own_address(settings.address)
    check_certificates(os.environ, settings.address)
    check_head(desk.home, settings, token)
    # Before anything is written: a Ctrl-C meanwhile leaves a machine of its own.
    if (running := running_supervisor(desk)) is not None:
        desk.report.remark(f"stopping the supervisor, process {running.pid}; it starts again as a node")
        stop_supervisor(desk, _END_SECONDS * 2)
    state = state_directory(desk.home)
    keep_token(state, token)
    write_settings(state, settings)
    return start_everything(desk, seconds)


def _token_on_stdin() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("token", hide_input=True, default="", show_default=False)
        return parse_token(typed.encode(), "What was typed")
    return parse_token(sys.stdin.buffer.read(_MOST_BYTES), "stdin")


@cluster_group.command(context_settings=CONTEXT)
@click.option(
    "--wait",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    help="How long its calls may take to end. What is cut off is done again on another machine.",
)
@pass_desk
def leave(desk: Desk, seconds: float) -> ExitCode:
    """End this node's part in the cluster, when its workers have finished their calls."""
    refuse_override()
    _hold(desk)
    here = cluster_here(desk.home)
    if here.role == "head":
        raise UsageError("This machine is the head.", "cpw cluster stop")
    if here.role == "off":
        raise _no_member()
    state = state_directory(desk.home)
    write_settings(state, replace(here, leaves_within_s=seconds))
    desk.report.remark(f"{here.name} takes no more steps; it stops when its calls have ended")
    try:
        # The agent reads that the supervisor is stopping, and has the workers drain.
        how = stop_supervisor(desk, seconds + _END_SECONDS)
    except BaseException:
        write_settings(state, here)
        raise
    if how == "killed":
        desk.report.remark("it did not stop and was killed; the head does its calls again")
    forget_settings(state)
    forget_token(state)
    desk.report.line(f"{here.name} has left the cluster at {here.head}; on its own again: cpw up")
    return ExitCode.DONE


@cluster_group.command(context_settings=CONTEXT)
@pass_desk
def stop(desk: Desk) -> ExitCode:
    """End the cluster, on its head; the nodes keep their models and wait for it."""
    refuse_override()
    _hold(desk)
    here = cluster_here(desk.home)
    if here.role == "node":
        raise UsageError(f"This machine is a node of the cluster at {here.head}.", "cpw cluster leave")
    if here.role == "off":
        raise _no_member()
    forget_settings(state_directory(desk.home))
    if (running := running_supervisor(desk)) is not None:
        os.kill(running.pid, signal.SIGUSR1)
        wait_without_ray(desk, _END_SECONDS)
    desk.report.line("the cluster has ended; the jobs go on here alone")
    desk.report.line(
        "its nodes keep their models, and come back after cpw cluster start with the same address"
    )
    return ExitCode.DONE


@cluster_group.command(context_settings=CONTEXT)
@json_option
@pass_desk
def status(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show the machines of the cluster.

    The exit code is 0 when the head answers, else 4.
    """
    here = cluster_here(desk.home)
    if here.role == "off":
        if as_json:
            desk.report.json({"role": here.role, "nodes": []})
            return ExitCode.NOT_RUNNING
        raise _no_member()
    check_reachable(*parse_address(here.head))
    answer = Probe(desk.home, here.head, token_path(state_directory(desk.home))).answer()
    check_told(answer, here.head)
    if as_json:
        nodes = to_plain(newest_nodes(answer.nodes))
        desk.report.json({"role": here.role, "head": here.head, "name": here.name, "nodes": nodes})
        return ExitCode.DONE
    if here.role == "head":
        desk.report.lines(_head_lines(here, token_path(state_directory(desk.home))))
    else:
        desk.report.line(f"this machine, {here.name}, is a node of the cluster at {here.head}")
    _show_nodes(desk, answer)
    return ExitCode.DONE


def _show_nodes(desk: Desk, answer: ProbeAnswer) -> None:
    desk.report.table(nodes_table(newest_nodes(answer.nodes), now_ms()))


def _hold(desk: Desk) -> None:
    """Keep other such commands out until this one has ended; `UsageError` where one is at work."""
    click.get_current_context().with_resource(alone_here(state_directory(desk.home)))


def _is_member(here: ClusterSettings) -> UsageError:
    end = "stop" if here.role == "head" else "leave"
    return UsageError(f"This machine is the {here.role} of the cluster at {here.head}.", f"cpw cluster {end}")


def _no_member() -> NotRunningError:
    remedy = "cpw cluster start, or: cpw cluster join ADDRESS --token-file FILE"
    return NotRunningError("This machine belongs to no cluster.", remedy)


def _need_environment(desk: Desk) -> None:
    """Build what asks Ray, and Ray itself, where it is missing; raise where anything else is."""
    check_built(desk.home)
    spec, _ = program_for(TASK, desk.home)
    if build_state(spec, desk.home) != "missing":
        return
    if is_off(os.environ):
        message = f"The environment {spec.name} is not built."
        raise MissingError(message, f"cpw envs build {spec.name} ({_SIZE})")
    desk.report.remark(f"{spec.name} has Ray; it is built now, once ({_SIZE})")
    build(spec, Terminal(SPOKEN), desk.home)
