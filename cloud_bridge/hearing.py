"""Reading what branches publish: topic and bytes into a typed message.

Knows the catalogue and the topics; must not know connections or what is done with a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import ValidationError

from cloud_bridge.envelope import BadMessage, Envelope, explain, read_envelope
from cloud_bridge.messages.catalogue import CATALOGUE
from cloud_bridge.messages.words import Message
from cloud_bridge.topics import NAME

Kind = Literal["replies", "events", "session", "devices", "readings"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of a branch; `data` has the model of its type, or the bare base for a type that we do not know."""

    kind: Kind
    branch: str
    retained: bool
    envelope: Envelope
    data: Message

    @property
    def type(self) -> str:
        """The CloudEvents type, `branchgate.<noun>.<verb>.v1`."""
        return self.envelope.type


def subscription(root: str, branch: str | None, kind: Kind) -> str:
    """The topic filter of one kind, of one branch or of all."""
    return f"{root}/{branch or '+'}/{kind}" + ("/+" if kind in ("devices", "readings") else "")


def hear(root: str, topic: str, payload: bytes, *, retained: bool = False) -> Heard:
    """Raises BadMessage for a topic or a payload that is not a branch's."""
    branch, _, rest = topic.removeprefix(f"{root}/").partition("/")
    kind = next((kind for kind in KINDS if kind == rest.partition("/")[0]), None)
    if kind is None or not NAME.match(branch) or not topic.startswith(f"{root}/"):
        raise BadMessage(f"{topic} is not a topic of a branch")
    envelope = read_envelope(payload)
    row = CATALOGUE.get(envelope.type)
    try:
        data = (row.model if row else Message).model_validate(envelope.data)
    except ValidationError as error:
        raise BadMessage(explain(error), envelope.id) from error
    return Heard(kind, branch, retained, envelope, data)
