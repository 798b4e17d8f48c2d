"""`branchgate clock`: what people say of a branch's time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from central_scheduler.console import clock, lines
from central_scheduler.console.desk import Desk
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import Screen
from cloud_bridge.envelope import rfc3339
from commands.kit import By, Note, T, Yes, at_desk, confirm, group
from commands.people_here import OnBox, house_of, standing
from commands.secrets import FromStdin, Secrets, on_box_only
from commands.together import Together, two

app = group("help.clock")


@app.command("attest", help=T("help.clock_attest"))
@at_desk
async def clock_attest(
    desk: Desk,
    by: By,
    note: Note = "",
    yes: Yes = False,
    config: OnBox = None,
    stdin: FromStdin = False,
) -> int:
    if config is not None:
        return _attest_here(desk.screen, config, by, note, Secrets(stdin), yes=yes)
    on_box_only(stdin=stdin)
    return await clock.attest(desk, by, note, confirm=None if yes else confirm)


def _attest_here(screen: Screen, config: Path, by: Sequence[str], note: str, secrets: Secrets, *, yes: bool) -> int:
    """The box's own clock is what they look at."""
    together = Together(screen, house_of(config), two(by, "clock"), secrets)
    journal, now = standing(together.house), datetime.now(UTC).astimezone()
    told = {"time": f"{now:%Y-%m-%d %H:%M:%S %z}", "people": lines.people(together.people)}
    if not together.agreed(T("console.confirm_clock", **told), yes=yes):
        return Exit.FAILED
    data = {"journal": journal.journal, "epoch": journal.epoch, "time": rfc3339(datetime.now(UTC)), "note": note}
    said = together.say("clock.attest", data)
    return said.tell(T("console.clock_attested", branch=together.house.branch))
