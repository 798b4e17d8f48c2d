"""`branchgate device`: the machines of a branch as the centre sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console import devices
from central_scheduler.console.desk import Desk
from central_scheduler.console.screen import Screen
from commands.at_box import BOX, Device, ThisBox, place_of
from commands.kit import By, Json, Speak, T, Yes, at_desk, group
from commands.secrets import FromStdin, Secrets

app = group("help.device")


@app.command("list", help=T("help.device_list"))
@at_desk
async def device_list(desk: Desk) -> int:
    return await devices.show_list(desk)


@app.command("show", help=T("help.device_show"))
@at_desk
async def device_show(
    desk: Desk,
    device: Annotated[str, typer.Argument(help=T("help.a_device"))],
) -> int:
    return await devices.show(desk, device)


@app.command("probe", help=T("help.device_probe"))
def device_probe(device: Device, config: ThisBox = BOX, as_json: Json = False, lang: Speak = None) -> int:
    from commands.hands_on import probe

    return probe(Screen(T, as_json=as_json), place_of(config, device))


@app.command("watch", help=T("help.device_watch"))
def device_watch(device: Device, config: ThisBox = BOX, as_json: Json = False, lang: Speak = None) -> int:
    from commands.hands_on import watch

    return watch(Screen(T, as_json=as_json), place_of(config, device))


@app.command("exercise", help=T("help.device_exercise"))
def device_exercise(
    device: Device,
    act: Annotated[str, typer.Argument(help=T("help.a_act"))],
    by: By,
    config: ThisBox = BOX,
    yes: Yes = False,
    stdin: FromStdin = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from commands.hands_on import exercise

    return exercise(Screen(T, as_json=as_json), place_of(config, device), act, by, Secrets(stdin), yes=yes)


@app.command("commission", help=T("help.device_commission"))
def device_commission(
    config: Annotated[Path, typer.Argument(help=T("help.a_config"))],
    device: Annotated[str, typer.Argument(help=T("help.a_device"))],
    by: By,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from commands.commission import commission_device

    return commission_device(Screen(T, as_json=as_json), config, device, by)
