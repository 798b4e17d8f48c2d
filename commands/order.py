"""`branchgate order`: what a scheduler asks and is told of orders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console import order_resolve, order_show, orders
from central_scheduler.console.desk import Desk
from central_scheduler.console.problem import Exit, Problem
from cloud_bridge.messages.words import Choice
from commands.kit import By, Note, Reason, T, Yes, at_desk, confirm, group
from commands.resolve_here import resolve_here
from commands.secrets import FromStdin, Secrets

app = group("help.order")
Order = Annotated[str, typer.Argument(help=T("help.a_order"))]


@app.command("submit", help=T("help.order_submit"))
@at_desk
async def order_submit(
    desk: Desk,
    scene: Annotated[str, typer.Argument(help=T("help.a_scene"))],
    param: Annotated[list[str] | None, typer.Option("--param", help=T("help.o_param"))] = None,
    document: Annotated[list[str] | None, typer.Option("--document", help=T("help.o_document"))] = None,
    copy: Annotated[list[str] | None, typer.Option("--document-file", help=T("help.o_document_file"))] = None,
    customer: Annotated[str, typer.Option("--customer", help=T("help.o_customer"))] = "",
    priority: Annotated[int, typer.Option("--priority", min=-100, max=100, help=T("help.o_priority"))] = 0,
    deadline: Annotated[str | None, typer.Option("--deadline", help=T("help.o_deadline"))] = None,
    not_before: Annotated[str | None, typer.Option("--not-before", help=T("help.o_not_before"))] = None,
    order: Annotated[str | None, typer.Option("--id", help=T("help.o_id"))] = None,
    code: Annotated[str | None, typer.Option("--code", help=T("help.o_code"))] = None,
    wait: Annotated[bool, typer.Option("--wait", help=T("help.o_wait"))] = False,
) -> int:
    wanted = orders.Wanted(
        scene, param or (), customer, priority, deadline, not_before, order, document or (), copy or (), code
    )
    return await orders.submit(desk, wanted, wait=wait)


@app.command("cancel", help=T("help.order_cancel"))
@at_desk
async def order_cancel(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.cancel(desk, order, reason)


@app.command("hold", help=T("help.order_hold"))
@at_desk
async def order_hold(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.hold(desk, order, reason)


@app.command("release", help=T("help.order_release"))
@at_desk
async def order_release(
    desk: Desk,
    order: Order,
    reason: Reason = "",
) -> int:
    return await orders.release(desk, order, reason)


@app.command("by-code", help=T("help.order_by_code"))
@at_desk
async def order_by_code(
    desk: Desk,
    scan: Annotated[str, typer.Argument(help=T("help.a_scan"))],
    order: Annotated[str | None, typer.Option("--order", help=T("help.o_by_code"))] = None,
) -> int:
    return await orders.by_code(desk, scan, order)


@app.command("list", help=T("help.order_list"))
@at_desk
async def order_list(
    desk: Desk,
    ended_too: Annotated[bool, typer.Option("--all", help=T("help.o_all"))] = False,
) -> int:
    return await orders.show_list(desk, ended_too=ended_too)


@app.command("show", help=T("help.order_show"))
@at_desk
async def order_shown(
    desk: Desk,
    order: Order,
) -> int:
    return await order_show.show(desk, order)


@app.command("resolve", help=T("help.order_resolve"))
@at_desk
async def order_resolved(
    desk: Desk,
    order: Order,
    step: Annotated[str, typer.Option("--step", help=T("help.o_step"))],
    choice: Annotated[Choice, typer.Option("--choice", help=T("help.o_choice"))],
    by: By,
    device: Annotated[str | None, typer.Option("--device", help=T("help.o_again_device"))] = None,
    attempt: Annotated[str | None, typer.Option("--attempt", help=T("help.o_attempt"))] = None,
    note: Note = "",
    yes: Yes = False,
    config: Annotated[Path | None, typer.Option("--config", help=T("help.o_on_site"))] = None,
    remote: Annotated[bool, typer.Option("--second-at-centre", help=T("help.o_remote"))] = False,
    stdin: FromStdin = False,
) -> int:
    decision = order_resolve.Decision(order, step, choice, by, attempt, note, device)
    if config is not None:
        return resolve_here(desk.screen, decision, config, Secrets(stdin), remote=remote)
    if remote or stdin:
        raise Problem(Exit.USAGE, "on_site_only", what="--second-at-centre" if remote else "--password-stdin")
    return await order_resolve.resolve(desk, decision, confirm=None if yes else confirm)
