"""Errors of devices, sorted by the only question that matters: did anything happen?

Knows the four answers; must not know any device's codes (drivers map those) nor what an order does with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DeviceError(Exception):
    """Something is wrong with a device.

    `reason` is a stable snake_case code that the text catalogue explains (for example `card_jam`); `detail` is English
    for logs; `item` says where the article is, if known (a `device.Whereabouts` value); `facts` what else the device
    or its driver knows of it, JSON without personal data (under `storage` the members of units as they are by it).
    """

    def __init__(
        self, reason: str, detail: str = "", *, item: str = "unknown", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.item = item
        self.facts: Mapping[str, Any] = dict(facts or {})


class DeviceUnavailable(DeviceError):
    """Nothing was sent: the line is closed, the port is held by another, the device does not answer questions."""


class DeviceRefused(DeviceError):
    """The device (or a precondition read from it) said no; nothing happened. `waits_for`: what would change that.

    "device" (hands), "stock" (replenishment), "remote" (the centre), or "never": the same request will always be
    refused (a text that the printer cannot print), so the step is given up instead of waiting.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        item: str = "unknown",
        facts: Mapping[str, Any] | None = None,
        waits_for: str = "device",
    ) -> None:
        super().__init__(reason, detail, item=item, facts=facts)
        self.waits_for = waits_for


class DeviceFault(DeviceError):
    """The act began and went wrong; a person's hands are needed. `item` says where the article is."""


class OutcomeUnknown(DeviceError):
    """A frame that may act was sent and its outcome was not told. Never followed by a resend."""
