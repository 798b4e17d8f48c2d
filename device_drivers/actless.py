"""What a driver says whose device acts on nothing: a counter, a scanner, the inputs of a site.

Knows the half of `device.Driver` that is about acts; the other half is its subclass's.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.device import ActSpec, Arming, Json, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused


class Actless:
    """Base of drivers without acts. No scene can ask one for an act; what is left of a device before it is refused."""

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """None."""
        return {}

    @property
    def settle_s(self) -> float:
        """Nothing of it moves; a protocol in which a late answer could be taken for another's says otherwise."""
        return 0.0

    async def recover(self) -> None:
        """It has no errors that would have to be cleared."""

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Raises DeviceRefused, for good."""
        raise DeviceRefused("invalid_act", f"it does not {act}: it only observes", waits_for="never")

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Raises DeviceRefused, for good."""
        raise DeviceRefused("invalid_act", f"it does not {act}: it only observes", waits_for="never")

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Raises DeviceRefused, for good."""
        raise DeviceRefused("invalid_act", f"it does not {act}: it only observes", waits_for="never")

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """An attempt of a machine that had this name before cannot be asked about here: a person looks at it."""
        return Verdict(Outcome.UNKNOWN, "invalid_act", Whereabouts.UNKNOWN, lane_shut=True)
