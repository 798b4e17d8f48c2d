from __future__ import annotations

import uuid
from datetime import UTC, datetime

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.catalogue import BEAT, BORN, DIED
from cloud_bridge.presence import Presence


def say(journal: str, session: int, kind: str = BORN.type) -> bytes:
    data = {"journal": journal, "session": session}
    now = datetime.now(UTC)
    return Envelope(id=str(uuid.uuid4()), source="/branches/b1", type=kind, time=now, branch="b1", data=data).to_bytes()


def test_our_own_words_are_no_stranger_also_those_of_sessions_before() -> None:
    presence = Presence()
    presence.said(say("j", 7))
    for heard in (say("j", 6), say("j", 7), say("j", 7, BEAT.type), say("j", 5, BEAT.type)):
        assert not presence.is_stranger(heard)


def test_a_journal_that_ours_replaced_is_no_stranger_before_our_birth_came_back() -> None:
    presence = Presence()
    presence.said(say("new", 1))
    assert not presence.is_stranger(say("old", 90))
    assert not presence.is_stranger(say("new", 1))
    assert presence.is_stranger(say("old", 90)), "after our birth it can only be another agent"


def test_another_agent_shows_live_or_as_what_it_left_retained() -> None:
    presence = Presence()
    presence.said(say("a", 1))
    assert not presence.is_stranger(say("a", 1))
    presence.said(say("a", 2))
    assert presence.is_stranger(say("b", 1)), "heard before the second birth came back"
    assert presence.is_stranger(say("a", 3)), "the same journal twice"


def test_what_was_queued_or_retained_is_not_taken_for_what_is_said_now() -> None:
    presence = Presence()
    presence.said(say("a", 1))
    presence.is_stranger(say("a", 1))
    heard = [presence.is_heard]
    presence.said(say("a", 2))
    assert presence.is_stranger(say("b", 1))
    heard.append(presence.is_heard)
    presence.is_stranger(say("a", 2))
    assert [*heard, presence.is_heard] == [True, False, True], "between two births a stranger may be long gone"


def test_deaths_and_rubbish_are_not_births() -> None:
    presence = Presence()
    presence.said(say("a", 1))
    presence.is_stranger(say("a", 1))
    assert not presence.is_stranger(say("b", 1, DIED.type))
    assert not presence.is_stranger(b"\xff")
    assert not presence.is_stranger(b"{}")
