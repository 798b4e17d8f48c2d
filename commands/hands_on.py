"""`device probe`, `watch` and `exercise`: one machine of this box, looked at and moved by whoever stands beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from central_scheduler.console import lines, values
from central_scheduler.console.problem import Exit, Problem
from central_scheduler.console.screen import Screen, painted
from commands.at_box import told_of
from commands.kit import T, confirm, door_problem
from commands.people_here import hello, wish
from commands.secrets import Secrets
from commands.together import accepted

if TYPE_CHECKING:
    from edge_agent.console.at_device import Asked, Place
    from edge_agent.console.exercise import Wanted

POLL_S = 1.0
ORDER_S = 120.0  # longer than any act that ships; an order goes on without whoever watches it


def probe(screen: Screen, place: Place) -> int:
    """By the agent that works here, else by the device's own driver. Moves nothing."""
    with told_of(place):
        twin = _of_agent(place) if place.agent_works() else asyncio.run(_asked(screen, place))
    if screen.as_json:
        screen.json(twin)
    else:
        screen.pairs(_pairs(twin))
    return Exit.OK if twin["state"] in ("online", "deviceBusy") else Exit.FAILED


async def _asked(screen: Screen, place: Place) -> dict[str, Any]:
    from edge_agent.console.at_device import ask

    def settling(seconds: float) -> None:
        screen.say(T("console.tap_here", device=place.device.id, settle=f"{seconds:g}"))

    return _members(place, await ask(place, settling=settling))


def _members(place: Place, asked: Asked) -> dict[str, Any]:
    twin, part = asked.twin, place.device
    members: dict[str, Any] = {"device": part.id, "kind": part.kind, "role": part.role, "state": twin.device}
    members |= {"reason": twin.reason, "media": twin.media, "identity": dict(twin.identity), "noted": asked.noted}
    members |= {"storage": {unit: dict(one) for unit, one in twin.storage.items()}, "counters": dict(twin.counters)}
    return members | ({"auxiliaries": dict(twin.auxiliaries)} if twin.auxiliaries else {})


def _of_agent(place: Place) -> dict[str, Any]:
    twin = place.at_door("box.look").get("devices", {}).get(place.device.id)
    if twin is None:
        raise Problem(Exit.FAILED, "not_exercised", why=T("exercise.not_there", detail="-"))
    return dict(twin)


def _pairs(twin: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        T("label.device"): str(twin["device"]),
        T("label.state"): painted(T.word("device_state", twin["state"]), twin["state"]),
        T("label.reason"): T.word("reason", twin["reason"]) if twin["reason"] else "",
        T("label.media"): lines.media(twin["media"], T),
        T("label.lane"): T.word("lane", twin["lane"]) if "lane" in twin else "",
        T("label.order"): str(twin.get("order") or ""),
        T("label.storage"): _storage(twin["storage"]),
        T("label.identity"): lines.facts(twin["identity"]),
        T("label.counters"): lines.facts(twin["counters"]),
    }
    return told | {T("label.facts"): lines.facts(twin.get("auxiliaries", {}))}


def _storage(units: Mapping[str, Mapping[str, Any]]) -> str:
    return "; ".join(f"{unit}: {lines.facts(members)}" for unit, members in units.items())


def watch(screen: Screen, place: Place) -> int:
    """What changes, until Ctrl-C: by the agent that works here."""
    before: dict[str, str] = {}
    with told_of(place):
        while True:
            twin = _of_agent(place)
            now = {str(name): str(value) for name, value in _pairs(twin).items()}
            if now != before:
                _changed(screen, twin, before, now)
            before = now
            try:
                time.sleep(POLL_S)
            except KeyboardInterrupt:  # Ctrl-C is how watching ends
                return Exit.OK


def _changed(screen: Screen, twin: dict[str, Any], before: Mapping[str, str], now: Mapping[str, str]) -> None:
    moment = time.strftime("%H:%M:%S")
    if screen.as_json:
        screen.json_line({"time": moment, **twin})
        return
    for name, value in now.items():
        if value and value != before.get(name):
            screen.say(f"{moment}  {name}: {value}")


def exercise(screen: Screen, place: Place, act: str, by: Sequence[str], secrets: Secrets, *, yes: bool) -> int:
    """Asks first, and hands an order in at the agent's own door. Raises Problem."""
    from edge_agent.console import exercise as exercises
    from edge_agent.orders.exercising import in_words

    people = values.people(by, T("label.by"))
    with told_of(place):
        try:
            wanted = exercises.wanted(place, act)
        except exercises.NotExercised as no:
            raise Problem(Exit.FAILED, "not_exercised", why=in_words(T, no.why, no.detail)) from no
        if not people:
            raise Problem(Exit.USAGE, "commission_by")
        if not yes and not _agreed(screen, place, act, people):
            screen.say(T("console.not_confirmed"))
            return Exit.FAILED
        person = people[0].removeprefix("/people/")
        reply = _asked_for(wanted, people, secrets)
        if "problem" in reply:
            raise door_problem(reply)
        accepted(reply)
        order = reply["order"]
        screen.say(T("console.accepted", order=order))
        if step := wanted.exercise.released:
            screen.say(T("console.exercise_two", order=order, step=step))
        return _followed(screen, wanted, order, person)


def _asked_for(wanted: Wanted, people: Sequence[str], secrets: Secrets) -> dict[str, Any]:
    """Each with their own password, where this branch has people; else as the first of them says."""
    if not hello(wanted.house).wants_proof:
        return wanted.declare(people[0].removeprefix("/people/"))
    proofs = [{"name": name, "password": secrets.of(name)} for name in people]
    return wish(wanted.house, "device.exercise", device=wanted.place.device.id, act=wanted.act, people=proofs)


def _agreed(screen: Screen, place: Place, act: str, people: Sequence[str]) -> bool:
    if not screen.is_terminal or screen.as_json:
        raise Problem(Exit.USAGE, "not_tty")
    told = {"device": place.device.id, "act": T.word("act", act), "people": lines.people(list(people))}
    return confirm(T("console.confirm_exercise", **told))


def _followed(screen: Screen, wanted: Any, order: str, person: str) -> int:
    """Until it has ended, or waits for people; watched no longer than any act takes."""
    from edge_agent.console.exercise import ENDED

    until_s, story = time.monotonic() + ORDER_S, dict[str, Any]()
    while time.monotonic() < until_s:
        story = wanted.story(order, person)
        if story.get("state") in ENDED or story.get("waiting_for") == "staff":
            break
        time.sleep(POLL_S)
    state = str(story.get("state", "-"))
    screen.say(T("console.ended", order=order, state=T.word("order_state", state)))
    if screen.as_json:
        screen.json(story)
    return Exit.OK if state == "completed" or story.get("waiting_for") == "staff" else Exit.FAILED
