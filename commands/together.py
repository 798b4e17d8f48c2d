"""What two people do on the branch's own box, each with their own password: `--config` instead of a broker.

Knows how they are asked and how the answer is told; a branch without people takes names as they are declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from central_scheduler.console import lines, values
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen
from cloud_bridge.rejection import told
from commands.kit import T, confirm
from commands.people_here import asked, hello, wish
from commands.secrets import Secrets

if TYPE_CHECKING:
    from edge_agent.console.people import House

NEEDED = 2


@dataclass(frozen=True, slots=True)
class Together:
    """The people of one decision, at one box."""

    screen: Screen
    house: House
    people: Sequence[str]
    secrets: Secrets

    def agreed(self, question: str, *, yes: bool) -> bool:
        """Whether they want it; `yes`: they said so beforehand. Raises Problem."""
        if yes:
            return True
        if not self.screen.is_terminal or self.screen.as_json:
            raise Problem(Exit.USAGE, "not_tty")
        if confirm(question):
            return True
        self.screen.say(T("console.not_confirmed"))
        return False

    def say(self, noun: str, data: dict[str, Any], subject: str | None = None) -> Said:
        """What the branch answers to all of them. Raises Problem."""
        if not hello(self.house).wants_proof:
            return Said(self, asked(lambda: self.house.declare(noun, data, self.people, subject), self.house), False)
        proofs = [{"name": name, "password": self.secrets.of(name)} for name in self.people]
        more = {"subject": subject} if subject else {}
        return Said(self, wish(self.house, noun, data=data, people=proofs, **more), True)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the branch, and whether those who asked were proven."""

    by: Together
    reply: dict[str, Any]
    proven: bool

    def tell(self, *told: str) -> int:
        """Its exit code. Raises Problem: the branch said no."""
        accepted(self.reply)
        for line in told:
            self.by.screen.say(line)
        self.by.screen.say(
            T("console.said_proven" if self.proven else "console.declared", people=lines.people(self.by.people))
        )
        if self.by.screen.as_json:
            self.by.screen.json({**self.reply, "by": list(self.by.people), "authenticated": self.proven})
        return Exit.OK


def accepted(reply: dict[str, Any]) -> None:
    """Raises Problem: the branch said no."""
    if reply["status"] != "rejected":
        return
    code = str(reply["code"])
    problem = Problem(Exit.FAILED, "rejected", remedy="rejected_once", code=code, sentence=T.word("code", code))
    if sentence := told(T, reply):
        problem.more.append(T("error.branch_says", message=sentence))
    raise problem


def two(by: Sequence[str], what: str) -> list[str]:
    """The distinct people named. Raises Problem: fewer than two."""
    people = values.people(by, T("label.by"))
    if len(people) < NEEDED:
        raise Problem(Exit.USAGE, "people_needed", choice=T(f"label.{what}"), count=NEEDED, given=len(people))
    return people
