"""`branchgate serial`, `modbus` and `usb`: lines looked at by hand, without a branch; nothing here writes to a machine.

Asking a Modbus unit is the most that is said.
"""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.at_box import BOX, ThisBox, hex_of, in_use, locked
from commands.kit import Json, Speak, T, by_system, group

if TYPE_CHECKING:
    from device_drivers.modbus.asking import Heard

serial, modbus, usb = group("help.serial"), group("help.modbus"), group("help.usb")
Address = Annotated[str, typer.Argument(help=T("help.a_address"))]
Seconds = Annotated[float, typer.Option("--seconds", min=1, max=86400, help=T("help.o_seconds"))]
Answer = Annotated[float, typer.Option("--answer-s", min=0.05, max=10, help=T("help.o_answer_s"))]
TABLES = ("coils", "inputs", "holding", "input")


@contextmanager
def _line(config: Path, address: str) -> Iterator[None]:
    """What can go wrong with a line, as problems; refused while the agent works with it."""
    from device_drivers.links.address import AddressError
    from device_drivers.links.link import LinkError
    from edge_agent.console.spare import held_by_agent
    from edge_agent.findings import Saying

    try:
        if held := held_by_agent(config, address):
            raise locked(held.folder, device=held.device)
        yield
    except AddressError as bad:
        raise Problem(Exit.USAGE, "bad_address", why=Saying(bad.code, bad.places).words(T)) from bad
    except LinkError as error:
        raise _unopened(address) or Problem(Exit.FAILED, "line_fails", why=error) from error


def _unopened(address: str) -> Problem | None:
    """Of a serial port, what stands in the way where that can be seen: it is away, another's, or in use."""
    from device_drivers.links.address import parse_address
    from device_drivers.links.serial import SerialAddress
    from edge_agent.upkeep.doctor.world import group_name

    parsed = parse_address(address)
    if not isinstance(parsed, SerialAddress):
        return None
    path = Path(parsed.path)
    try:
        there = path.stat()
    except OSError as error:
        return Problem(Exit.FAILED, "port_missing", path=path, why=by_system(error))
    if not os.access(path, os.R_OK | os.W_OK):
        return Problem(Exit.FAILED, "port_rights", path=path, group=group_name(there.st_gid), user=_login())
    return in_use(Exit.LOCKED, "port_busy", path, path=path)


def _login() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account of a directory that does not answer
        return str(os.geteuid())


@serial.command("listen", help=T("help.serial_listen"))
def serial_listen(
    address: Address, config: ThisBox = BOX, seconds: Seconds = 3600, as_json: Json = False, lang: Speak = None
) -> int:
    screen = Screen(T, as_json=as_json)
    with _line(config, address):
        asyncio.run(_listen(screen, address, seconds))
    return Exit.OK


async def _listen(screen: Screen, address: str, seconds: float) -> None:
    from device_drivers.links.address import open_address
    from device_drivers.links.listening import listen

    link = open_address(address)
    screen.say(T("console.listening", address=link.describe()))
    try:
        async for t_s, data in listen(link, seconds):
            if screen.as_json:
                screen.json_line({"t": round(t_s, 6), "hex": data.hex(" ").upper()})
                continue
            text = "".join(chr(byte) if 0x20 <= byte <= 0x7E else "." for byte in data)
            screen.say(f"{t_s:9.3f}  {hex_of(data, everything=True)}")
            screen.say(Text(f"{'':9}  {text}", style="dim"))
    except asyncio.CancelledError:  # Ctrl-C is how listening ends
        return


@modbus.command("read", help=T("help.modbus_read"))
def modbus_read(
    address: Address,
    unit: Annotated[int, typer.Option("--unit", min=1, max=247, help=T("help.o_unit"))],
    table: Annotated[str, typer.Option("--table", help=T("help.o_table"))] = "holding",
    first: Annotated[int, typer.Option("--from", min=0, max=65535, help=T("help.o_from"))] = 0,
    count: Annotated[int, typer.Option("--count", min=1, max=125, help=T("help.o_count"))] = 1,
    answer_s: Answer = 1.0,
    config: ThisBox = BOX,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen = Screen(T, as_json=as_json)
    if table not in TABLES or first + count > 65536:
        raise Problem(Exit.USAGE, "bad_table", given=table, known=", ".join(TABLES))
    with _line(config, address):
        heard = asyncio.run(_read(address, answer_s, unit, table, first, count))
    _say(screen, heard)
    for offset, value in enumerate(heard.values):
        screen.say(f"{first + offset:6}  {value:6}  {value:04X}")
    if as_json:
        screen.json(_json(heard) | {"table": table, "from": first})
    return Exit.OK if heard.state == "answers" else Exit.FAILED


async def _read(address: str, answer_s: float, unit: int, table: str, first: int, count: int) -> Heard:
    from device_drivers.modbus.asking import asking

    async with asking(address, answer_s) as line:
        return await line.read(unit, table, first, count)


@modbus.command("scan", help=T("help.modbus_scan"))
def modbus_scan(
    address: Address,
    first: Annotated[int, typer.Option("--from", min=1, max=247, help=T("help.o_unit"))] = 1,
    last: Annotated[int, typer.Option("--to", min=1, max=247, help=T("help.o_unit"))] = 247,
    answer_s: Answer = 0.2,
    config: ThisBox = BOX,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen = Screen(T, as_json=as_json)
    with _line(config, address):
        found = asyncio.run(_scan(screen, address, answer_s, range(first, last + 1)))
    screen.say(T("console.scanned", units=", ".join(str(one.unit) for one in found) or "-"))
    if as_json:
        screen.json([_json(one) for one in found])
    return Exit.OK if found else Exit.NOT_FOUND


async def _scan(screen: Screen, address: str, answer_s: float, units: range) -> list[Heard]:
    from device_drivers.modbus.asking import asking

    found: list[Heard] = []
    async with asking(address, answer_s) as line:
        with screen.err.status("") as status:
            async for heard in line.scan(units):
                if heard.there:
                    found.append(heard)
                    _say(screen, heard)
                status.update(T("console.scanning", unit=heard.unit, last=units[-1] if units else 0))
    return found


def _say(screen: Screen, heard: Heard) -> None:
    screen.say(T("console.unit_state", unit=heard.unit, state=T(f"unit_state.{heard.state}"), detail=heard.detail))


def _json(heard: Heard) -> dict[str, Any]:
    return {"unit": heard.unit, "state": heard.state, "values": list(heard.values), "detail": heard.detail}


@usb.command("list", help=T("help.usb_list"))
def usb_list(
    bus: Annotated[str, typer.Option("--bus", help=T("help.o_bus"))] = "", as_json: Json = False, lang: Speak = None
) -> int:
    from device_drivers.links.usb_errors import UsbTrouble
    from device_drivers.links.usb_list import plugged

    screen = Screen(T, as_json=as_json)
    try:
        found = plugged(bus)
    except UsbTrouble as trouble:
        raise Problem(Exit.FAILED, "usb_fails", why=trouble) from trouble
    if as_json:
        members = ("address", "maker", "name", "serial", "printer", "trouble")
        screen.json([{name: getattr(one, name) for name in members} for one in found])
        return Exit.OK
    rows = [
        (one.address, f"{one.maker} {one.name}".strip(), T("console.printer") if one.printer else "", one.trouble)
        for one in found
    ]
    screen.table([T("label.address"), T("label.device"), T("label.kind"), T("label.reason")], rows)
    return Exit.OK
