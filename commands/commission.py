"""One person at one machine, as `branchgate device commission` asks them: what to do, what was seen, what may move.

Knows a terminal and the catalogue; the procedure is the kind's, and `edge_agent.console.commission` keeps what it saw.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from central_scheduler.console import values
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from commands.at_box import locked
from commands.kit import T, by_system, confirm, refused

if TYPE_CHECKING:
    from edge_agent.console.commission import Candidate


class Terminal:
    """A `device_drivers.commissioning.Guide` on a terminal."""

    def __init__(self, screen: Screen, candidate: Candidate, by: Sequence[str]) -> None:
        self._screen, self._candidate, self._by = screen, candidate, by

    def tell(self, key: str, **places: object) -> None:
        self._screen.say("  " + T(f"commission.{key}", **places))

    async def have_done(self, key: str, **places: object) -> None:
        from device_drivers.commissioning import StoppedByHandError

        self._screen.say("")
        self._screen.say(T(f"commission.{key}", **places))
        if not confirm(T("console.commission_done")):
            raise StoppedByHandError

    async def may_move(self, key: str, **places: object) -> bool:
        from edge_agent.console import commission

        self._screen.say("")
        asked = T(f"commission.{key}", **places)
        agreed = confirm(asked)
        commission.note(self._candidate, self._by, asked, agreed=agreed)
        return agreed


def commission_device(screen: Screen, config: Path, device: str, by: Sequence[str]) -> int:
    """Its exit code. Raises Problem."""
    people = values.people(by, T("label.by"))
    if not people:
        raise Problem(Exit.USAGE, "commission_by")
    candidate = _find(config, device)
    if not screen.is_terminal or screen.as_json:
        raise Problem(Exit.USAGE, "commission_not_tty")
    screen.say(T("console.commission_begin", device=device, address=candidate.device.address))
    record = asyncio.run(_commission(screen, candidate, people))
    screen.say("")
    for line in record.splitlines():
        screen.say(line)
    screen.say(T("console.commissioned", file=candidate.record, config=config))
    return Exit.OK


def _find(config: Path, device: str) -> Candidate:
    from edge_agent.console import commission
    from edge_agent.settings import BadConfig

    try:
        return commission.find(config, device)
    except BadConfig as bad:
        raise refused(config, bad) from bad
    except commission.NotToCommission as none:
        known = ", ".join(none.known) or "-"
        raise Problem(Exit.NOT_FOUND, "not_to_commission", device=device, known=known) from none


async def _commission(screen: Screen, candidate: Candidate, by: Sequence[str]) -> str:
    from device_drivers.commissioning import NotAsMeantError, StoppedByHandError
    from device_drivers.errors import DeviceError
    from device_drivers.links.address import AddressError
    from edge_agent.console import commission
    from edge_agent.console.at_device import AgentWorks, OpenAct
    from edge_agent.findings import Detail, Saying, shown
    from edge_agent.settings import BadConfig

    try:
        _, record = await commission.commission(candidate, Terminal(screen, candidate, by), by)
        return record
    except NotAsMeantError as otherwise:
        raise Problem(Exit.FAILED, "not_as_meant", what=T(f"commission.{otherwise.key}", **otherwise.places)) from None
    except StoppedByHandError as stopped:
        raise typer.Abort from stopped
    except AgentWorks as works:
        raise locked(works.folder) from works
    except OpenAct as act:
        raise Problem(Exit.FAILED, "open_act", device=candidate.device.id, attempt=act.attempt) from act
    except DeviceError as error:
        why = T.word("reason", error.reason)
        raise Problem(
            Exit.FAILED, "commission_machine", why=why, detail=shown(Detail(error.detail, error), T)
        ) from error
    except AddressError as error:
        raise Problem(
            Exit.CONFIG, "commission_machine", why=Saying(error.code, error.places).words(T), detail=""
        ) from None
    except BadConfig as bad:
        raise refused(candidate.config, bad) from bad
    except OSError as error:
        raise Problem(Exit.FAILED, "commission_file", file=candidate.record.parent, why=by_system(error)) from error
