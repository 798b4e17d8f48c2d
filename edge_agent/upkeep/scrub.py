"""What leaves a box in an engineer's bag: codes, counts and states by name; nothing that is a secret or a person's.

Knows which members may go (everything else stays), and what is masked wherever it stands; must not know files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"
_SECRET = re.compile(r"pass|secret|token|pin\b|credential|community|username|private", re.IGNORECASE)
_USER_INFO = re.compile(r"//[^/@\s\"']+@")
_PERSON = re.compile(r"/people/[^\s\"',;\])]+")  # who works here, as log and findings name them
_QUERY = re.compile(r"(https?://[^\s\"'?]+)\?[^\s\"']*")
_NUMBER = re.compile(r"(?<![0-9A-Fa-f.-])\d{12,19}(?![0-9A-Fa-f-])")  # cards and accounts; no uuid, no fraction
_NOTE = re.compile(r"\b[A-Z]{2}\d{8}\b|\b[A-Z]\d[A-Z]\d{7}\b")  # serial numbers of banknotes 冠字号
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+-]{0,119}")
EVENT = (
    *("order", "scene", "step", "attempt", "act", "device", "state", "reason", "outcome", "what", "waiting_for"),
    *("item", "lane", "priority", "held", "choice", "kind", "hour"),
)
TWIN = ("device", "kind", "role", "state", "reason", "lane", "media", "order")
UNIT = ("type", "count", "capacity", "replenishmentStatus", "status", "article")


class Scrub:
    """`secrets`: texts that must not stand anywhere, such as what is in the password file."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= 3}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Without what opens or names anything."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        text = _USER_INFO.sub(f"//{MASK}@", text)
        text = _PERSON.sub(f"/people/{MASK}", text)
        text = _QUERY.sub(rf"\1?{MASK}", text)
        return _NOTE.sub(MASK, _NUMBER.sub(MASK, text))

    def config(self, value: Any, key: str = "") -> Any:
        """Members of a branch.toml as they were parsed: comments are gone, secrets are masked; paths of files stay."""
        if _SECRET.search(key) and not key.endswith("_file") and not isinstance(value, Mapping):
            return MASK
        if isinstance(value, Mapping):
            return {name: self.config(member, name) for name, member in value.items()}
        if isinstance(value, list):
            return [self.config(one, key) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def event(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """An event without what an order is for, who it is for, and what was proven."""
        data = row.get("data") or {}
        return {
            "seq": row.get("seq"),
            "type": row.get("type"),
            "time": row.get("time"),
            "data": self.members(data, EVENT),
        }

    def twin(self, twin: Mapping[str, Any]) -> dict[str, Any]:
        """A twin; of its units the counts, of what lies in them no serial numbers."""
        told = self.members(twin, TWIN)
        told["identity"] = {name: self.text(str(one)) for name, one in dict(twin.get("identity", {})).items()}
        told["counters"] = {name: one for name, one in dict(twin.get("counters", {})).items() if isinstance(one, int)}
        told["auxiliaries"] = self.members(dict(twin.get("auxiliaries", {})), tuple(twin.get("auxiliaries", {})))
        units = dict(twin.get("storage", {}))
        told["storage"] = {unit: self.members(members, UNIT) for unit, members in units.items()}
        return told

    def members(self, of: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        """Those that may go, and only where they are numbers, flags or codes."""
        told: dict[str, Any] = {}
        for name in names:
            value = of.get(name)
            if isinstance(value, bool | int | float):
                told[name] = value
            elif isinstance(value, str) and (not value or _CODE.fullmatch(value)):
                told[name] = self.text(value)
        return told

    def tree(self, value: Any) -> Any:
        """Any JSON with each of its texts scrubbed."""
        if isinstance(value, Mapping):
            return {str(name): self.tree(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(one) for one in value]
        return self.text(value) if isinstance(value, str) else value
