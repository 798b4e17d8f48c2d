"""Two people adopting a new journal on its own machine, as `branchgate journal adopt --config` asks them (ORD-12).

Knows what they must say and how it is asked back and told; who they are is proven by `together`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from central_scheduler.console import lines
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, harmless
from commands.kit import T
from commands.people_here import hello, house_of, standing
from commands.secrets import Secrets
from commands.together import Together, two


def adopt_here(
    screen: Screen,
    config: Path,
    by: Sequence[str],
    counted: Sequence[str],
    note: str,
    secrets: Secrets,
    *,
    yes: bool,
) -> int:
    """Its exit code. Raises Problem."""
    people, found = two(by, "count"), _found(counted)
    house = house_of(config)
    journal = standing(house)
    if missing := [device for device in hello(house).holding if device not in found]:
        raise Problem(Exit.USAGE, "not_counted", devices=", ".join(missing))
    for device, what in found.items() if not yes else ():
        screen.say(T("console.counted", device=device, what=harmless(what)))
    for device, attempt in journal.lost.items() if not yes else ():
        screen.say(T("console.was_in_it", device=device, attempt=attempt))
    together = Together(screen, house, people, secrets)
    told = {"people": lines.people(people), "branch": house.branch, "journal": journal.journal}
    if not together.agreed(T("console.confirm_adopt", **told), yes=yes):
        return Exit.FAILED
    count = [{"device": device, "found": what} for device, what in found.items()]
    said = together.say("journal.adopt", {"journal": journal.journal, "note": note, "counted": count})
    return said.tell(T("console.adopted_here", journal=journal.journal, branch=house.branch))


def _found(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        device, equals, what = one.partition("=")
        if not equals or not device.strip() or not what.strip() or device in found:
            raise Problem(Exit.USAGE, "bad_count", given=one)
        found[device] = what.strip()
    return found
