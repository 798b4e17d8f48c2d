"""The AsyncAPI 3 document of the contract, seen from the branch: it receives instructions and sends all else.

Knows AsyncAPI's form and the contract's topics; the messages' schemas are handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from cloud_bridge.envelope import CONTENT_TYPE
from cloud_bridge.examples import EXAMPLES
from cloud_bridge.messages.catalogue import CATALOGUE, MessageType
from cloud_bridge.ports import READING_EXPIRY_S
from cloud_bridge.topics import DEFAULT_ROOT, Topics

CHANNELS = {
    "session": "Retained: the birth, heartbeats, and the death as the will. Who is there, and how far the journal is.",
    "instructions": "One instruction each, to one branch.",
    "replies": "One reply to each instruction, correlated by data.instruction.",
    "events": "Everything that happened, gap-free by data.seq.",
    "devices": "Retained: the twin of one device.",
    "readings": "What one device observes; may be shed on the way.",
}
RETAINED = frozenset({"session", "devices"})
_TOPICS = Topics("{branch}", DEFAULT_ROOT)
_ADDRESS = {
    "session": _TOPICS.session,
    "instructions": _TOPICS.instructions,
    "replies": _TOPICS.replies,
    "events": _TOPICS.events,
    "devices": _TOPICS.device("{device}"),
    "readings": _TOPICS.readings("{device}"),
}


def _short(row: MessageType) -> str:
    return row.type.removeprefix("branchgate.").removesuffix(".v1")


def _rows(channel: str) -> list[MessageType]:
    return [row for row in CATALOGUE.values() if row.topic == channel]


def _channel(name: str) -> dict[str, Any]:
    parameters = {"branch": {"description": "the branch's id: letters, digits, dots, dashes, underscores"}}
    if name in ("devices", "readings"):
        parameters["device"] = {"description": "the device's id"}
    return {
        "address": _ADDRESS[name],
        "description": CHANNELS[name],
        "parameters": parameters,
        "messages": {_short(row): {"$ref": f"#/components/messages/{_short(row)}"} for row in _rows(name)},
    }


def _operation(name: str) -> dict[str, Any]:
    down = name == "instructions"
    operation: dict[str, Any] = {
        "action": "receive" if down else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": CHANNELS[name],
        "messages": [{"$ref": f"#/channels/{name}/messages/{_short(row)}"} for row in _rows(name)],
        "bindings": {"mqtt": _binding(name)},
    }
    if down:
        operation["reply"] = {"channel": {"$ref": "#/channels/replies"}}
    return operation


def _binding(name: str) -> dict[str, Any]:
    if name == "readings":
        return {"qos": 0, "retain": False, "messageExpiryInterval": READING_EXPIRY_S, "bindingVersion": "0.2.0"}
    return {"qos": 1, "retain": name in RETAINED, "bindingVersion": "0.2.0"}


def _message(row: MessageType, schema: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": row.type,
        "title": _short(row),
        "summary": cleandoc(row.model.__doc__ or "").splitlines()[0],
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "examples": [{"name": _short(row), "payload": EXAMPLES[row.type]}],
    }
    if row.authority is not None:
        message["x-authority"] = row.authority
        message["correlationId"] = {"location": "$message.payload#/id", "description": "data.instruction of the reply"}
    if row.topic == "replies":
        message["correlationId"] = {"location": "$message.payload#/data/instruction"}
    return message


def asyncapi(names: Mapping[str, str], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document. `names`: type -> name of its schema in `schemas`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "branchgate: the branch contract",
            "version": "1.0.0",
            "description": "What passes between a bank branch and any central scheduler over MQTT 5, seen from the "
            "branch. The rules behind it, with their ids, stand in contract.md.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "127.0.0.1:1883",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "Any MQTT 5 broker; only on loopback until instructions are signed.",
            }
        },
        "channels": {name: _channel(name) for name in CHANNELS},
        "operations": {
            ("receive" if name == "instructions" else "send") + name.capitalize(): _operation(name) for name in CHANNELS
        },
        "components": {
            "messages": {_short(row): _message(row, names[row.type]) for row in CATALOGUE.values()},
            "schemas": dict(schemas),
        },
    }
