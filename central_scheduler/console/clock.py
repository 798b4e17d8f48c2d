"""People confirming the time of a branch that no time service reaches (INS-5), recorded with declared names.

Knows the retained birth, where journal and start stand; whether the branch's clock agrees the branch decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, answered, branch_line, within_contract
from central_scheduler.console.orders import reply_json
from central_scheduler.console.problem import Exit, Problem
from cloud_bridge.messages.instructions import ClockAttest
from cloud_bridge.messages.reports import Session

NEEDED = 2


async def attest(desk: Desk, by: Sequence[str], note: str, *, confirm: Callable[[str], bool] | None) -> int:
    """`confirm` shows the time of this machine and asks whether it is right; None: somebody said so beforehand."""
    words = desk.words
    people = values.people(by, words("label.by"))
    if len(people) < NEEDED:
        raise Problem(Exit.USAGE, "people_needed", choice=words("label.clock"), count=NEEDED, given=len(people))
    if confirm is not None and (not desk.screen.is_terminal or desk.screen.as_json):
        raise Problem(Exit.USAGE, "not_tty")
    async with branch_line(desk, {"session"}) as scheduler:
        sessions = [heard.data for heard in await scheduler.kept() if isinstance(heard.data, Session)]
        if not sessions:
            raise Problem(Exit.NOT_FOUND, "no_adoption", branch=scheduler.branch)
        now = datetime.now(UTC).astimezone()
        question = words("console.confirm_clock", time=f"{now:%Y-%m-%d %H:%M:%S %z}", people=lines.people(people))
        if confirm is not None and not confirm(question):
            desk.screen.say(words("console.not_confirmed"))
            return Exit.FAILED
        told = sessions[-1]
        now = datetime.now(UTC)
        with within_contract(desk):
            data = ClockAttest(journal=told.journal, epoch=told.epoch, time=now, people=list(people), note=note)
        reply = await answered(desk, scheduler, scheduler.instruct("clock.attest", data, **desk.how()))
        desk.screen.say(words("console.clock_attested", branch=scheduler.branch))
    desk.screen.say(words("console.declared", people=lines.people(people)))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply) | {"by": people, "authenticated": False})
    return Exit.OK
