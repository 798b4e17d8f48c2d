"""A simulated machine from the command line: the simulators' arguments, asked for and refused in the reader's language.

Knows what they are and how what is wrong with them is told; what they mean is `simulators.serve`'s affair.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from central_scheduler.console.problem import Exit, Problem
from commands.kit import Json, Speak, T

_LISTEN = re.compile(r"pty:.+|(?:tcp|usb):[^:]*(?::[^:]+)*:\d{1,5}")
_CONTROL = re.compile(r"unix:.+|tcp:.+:\d{1,5}")


def simulate(
    kind: Annotated[str, typer.Argument(help=T("help.a_simulated"))],
    listen: Annotated[str, typer.Option("--listen", help=T("help.o_simulated_at"))],
    ledger: Annotated[Path, typer.Option("--ledger", help=T("help.o_ledger"))],
    state: Annotated[Path, typer.Option("--state", help=T("help.o_state"))],
    device: Annotated[list[str], typer.Option("--device", help=T("help.o_simulated"))],
    unit: Annotated[list[int] | None, typer.Option("--unit", help=T("help.o_units"))] = None,
    control: Annotated[str | None, typer.Option("--control", help=T("help.o_control"))] = None,
    options: Annotated[str, typer.Option("--options", help=T("help.o_options"))] = "{}",
    fault_plan: Annotated[Path | None, typer.Option("--fault-plan", help=T("help.o_fault_plan"))] = None,
    as_json: Json = False,
    lang: Speak = None,
) -> int:
    from simulators.kinds import KINDS

    if kind not in KINDS:
        raise Problem(Exit.USAGE, "simulated_kind", given=kind, known=", ".join(sorted(KINDS)))
    if control is not None and not _CONTROL.fullmatch(control):
        raise Problem(Exit.USAGE, "simulated_control", given=control)
    if fault_plan is not None and not fault_plan.is_file():
        raise Problem(Exit.USAGE, "not_read", file=fault_plan, why=T.word("os", "ENOENT"))
    return run(kind, listen, ledger, state, device, unit or [], control, options, fault_plan)


def run(
    kind: str,
    listen: str,
    ledger: Path,
    state: Path,
    device: Sequence[str],
    unit: Sequence[int] = (),
    control: str | None = None,
    options: str = "{}",
    fault_plan: Path | None = None,
) -> int:
    """Until it is stopped. Raises Problem."""
    from simulators import serve
    from simulators.ledger import LedgerError
    from simulators.machine import ControlError
    from simulators.state import StateError

    if not _LISTEN.fullmatch(listen):
        raise Problem(Exit.USAGE, "simulated_at", given=listen)
    if len(set(device)) != len(device) or (unit and len(unit) != len(device)):
        raise Problem(Exit.USAGE, "simulated_units")
    if not _is_object(options):
        raise Problem(Exit.USAGE, "simulated_options", given=options)
    try:
        asyncio.run(serve.serve(serve.wanted(kind, listen, ledger, state, device, unit, control, options, fault_plan)))
    except (ControlError, LedgerError, StateError) as error:
        raise Problem(Exit.USAGE, "simulator", english=str(error)) from error
    except OSError as error:
        raise Problem(Exit.USAGE, "simulator_system", why=error) from error
    return Exit.OK


def _is_object(options: str) -> bool:
    try:
        return isinstance(json.loads(options), dict)
    except ValueError:
        return False
