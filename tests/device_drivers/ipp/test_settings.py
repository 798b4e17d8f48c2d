"""The settings of document printers and stamps: the manual has each with its default; an act fits into its round."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from device_drivers.ipp.kind import KIND
from device_drivers.ipp.profile import IppProfile
from device_drivers.sealed.kind import KIND as SEALED
from device_drivers.sealed.profile import SealedProfile, StampProfile
from edge_agent.fleet.lane import LANE_ROUND_S

MANUAL = Path(__file__).parents[3] / "docs" / "configuration.md"


def _example(kind: str) -> str:
    blocks: list[str] = re.findall(r"```toml\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if f'kind = "{kind}"' in block)


def test_the_manual_has_every_setting_of_a_printer_at_its_default() -> None:
    text = _example("ipp")
    (device,) = tomllib.loads(text)["device"]
    assert device["profile"] == {k: v for k, v in IppProfile().model_dump().items() if v is not None}
    assert [name for name in IppProfile.model_fields if name not in text] == []


def test_the_manual_has_every_setting_of_a_stamp() -> None:
    (device,) = tomllib.loads(_example("sealed_printer"))["device"]
    stamp = SealedProfile.model_validate(device["profile"]).stamp
    assert set(device["profile"]["stamp"]) == set(StampProfile.model_fields)
    defaults = StampProfile(address=stamp.address, channel=stamp.channel)
    assert stamp == defaults


def test_an_act_and_the_asking_after_it_fit_into_a_round_of_the_lane() -> None:
    with pytest.raises(ValidationError):
        IppProfile(act_max_s=50.1)
    longest = IppProfile(act_max_s=50.0)
    assert 2 * longest.act_max_s + longest.settle_s + 2 * longest.answer_s <= LANE_ROUND_S


def test_the_kinds_offer_what_scenes_ask_for() -> None:
    assert KIND.acts == {"print_document"}
    assert SEALED.acts == {"print_document", "stamp"}
    assert KIND.lines == SEALED.lines == {"ipp"}
