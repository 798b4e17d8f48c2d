"""`branchgate tap`: what passes on a device's line, kept, told in words, and played back."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.at_box import BOX, Device, ThisBox, hex_of, place_of, told_of, told_of_file
from commands.kit import Json, Speak, T, by_system, group
from commands.simulate import run

if TYPE_CHECKING:
    from edge_agent.console.at_device import Place
    from edge_agent.console.tap import Counted, Line

app = group("help.tap")
ARROWS = {"write": "→", "read": "←"}
Recording = Annotated[Path, typer.Argument(help=T("help.a_recording"))]
POLL_S = 1.0


@app.command("record", help=T("help.tap_record"))
def tap_record(
    device: Device,
    config: ThisBox = BOX,
    out: Annotated[Path | None, typer.Option("--out", help=T("help.o_tap_out"))] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=3600, help=T("help.o_seconds"))] = 60.0,
    max_kib: Annotated[int, typer.Option("--max-kib", min=1, max=16384, help=T("help.o_max_kib"))] = 4096,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    screen, place = Screen(T, as_json=as_json), place_of(config, device)
    file = out or Path(f"{device}.tap")
    with told_of(place), told_of_file(file):
        work = _by_agent if place.agent_works() else _here
        found = asyncio.run(work(screen, place, file, seconds, max_kib * 1024))
    screen.say(T("console.tap_done", file=file, pieces=found.pieces, bytes=found.bytes))
    if found.dropped:
        screen.warn(T("console.tap_dropped", count=found.dropped))
    screen.say(T("console.tap_personal"))
    if as_json:
        screen.json({"file": str(file), "pieces": found.pieces, "bytes": found.bytes, "dropped": found.dropped})
    return Exit.OK


async def _by_agent(screen: Screen, place: Place, out: Path, seconds: float, max_bytes: int) -> Counted:
    from edge_agent.console import tap

    try:
        file = await asyncio.to_thread(tap.begin, place, seconds, max_bytes)
    except tap.NotRecorded as why:
        raise Problem(Exit.FAILED, "not_recorded", why=T.word(why.word.family, why.word.code)) from why
    screen.say(T("console.tap_agent", device=place.device.id, seconds=f"{seconds:g}"))
    try:
        while await asyncio.to_thread(tap.goes_on, place):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(min(POLL_S, seconds))
    except asyncio.CancelledError:  # Ctrl-C: enough was seen
        tap.end(place)
    return tap.fetch(file, out)


async def _here(screen: Screen, place: Place, out: Path, seconds: float, max_bytes: int) -> Counted:
    from edge_agent.console import tap

    def settling(settle_s: float) -> None:
        screen.say(T("console.tap_here", device=place.device.id, settle=f"{settle_s:g}"))

    return await tap.record_here(place, out, seconds, max_bytes, settling)


def _bad_line(error: ValueError) -> str:
    from device_drivers.links.tap import BadRecordingError

    return T("console.bad_line", line=error.line) if isinstance(error, BadRecordingError) else T("console.bad_text")


@app.command("show", help=T("help.tap_show"))
def tap_show(
    file: Recording,
    kind: Annotated[str, typer.Option("--kind", help=T("help.o_kind"))] = "",
    everything: Annotated[bool, typer.Option("--all", help=T("help.o_all_bytes"))] = False,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from edge_agent.console import tap

    screen = Screen(T, as_json=as_json)
    try:
        about = tap.told_by(file)
        lines = list(tap.lines(file, kind or about.get("kind", "")))
    except OSError as error:
        raise Problem(Exit.NOT_FOUND, "not_read", file=file, why=by_system(error)) from error
    except ValueError as error:
        raise Problem(Exit.FAILED, "no_recording", file=file, why=_bad_line(error)) from error
    if as_json:
        screen.json({"about": about, "lines": [line.as_json(T) for line in lines]})
        return Exit.OK
    if about:
        screen.say(T("console.tap_head", **{"device": "-", "kind": "-", "address": "-", **about}))
    for line in lines:
        show_line(screen.say, line, everything=everything)
    return Exit.OK


def show_line(say: Callable[[str | Text], None], line: Line, *, everything: bool) -> None:
    """A piece, and below it what it says."""
    time = f"{line.t_s:9.3f}"
    if line.direction not in ARROWS:
        say(Text(f"{time}  -- {T(f'console.tap_{line.direction}', why=line.why)}", style="dim"))
        return
    say(f"{time}  {ARROWS[line.direction]} {hex_of(line.data, everything=everything)}")
    for words in line.words(T):
        say(Text(f"{'':9}    {words}", style="cyan"))


@app.command("replay", help=T("help.tap_replay"))
def tap_replay(
    file: Recording,
    listen: Annotated[str, typer.Option("--listen", help=T("help.o_listen"))] = "tcp:127.0.0.1:0",
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    import json

    from edge_agent.console import tap

    try:
        device = tap.told_by(file).get("device", "") or "recorded"
        tap.counted(file)
    except OSError as error:
        raise Problem(Exit.NOT_FOUND, "not_read", file=file, why=by_system(error)) from error
    except ValueError as error:
        raise Problem(Exit.FAILED, "no_recording", file=file, why=_bad_line(error)) from error
    with tempfile.TemporaryDirectory(prefix="branchgate-replay-") as folder:
        kept = (Path(folder, "ledger.jsonl"), Path(folder, "state.json"))
        options = json.dumps({"recording": str(file.absolute()), "tell": True})
        sys.stdout.flush()
        return run("replay", listen, *kept, [device], options=options)
