"""A template travels as parameters of an act and comes out as it went in, whatever it leaves to defaults."""

from __future__ import annotations

import json

from device_drivers.receipts.template import Template, template_of


def test_a_template_with_blocks_of_defaults_only_survives_the_way_through_json() -> None:
    members = {"block": [{"rule": "-"}, {"text": "x", "align": "left"}, {"columns": [{"text": "y", "share": 1}]}]}
    template = template_of(members, "t.zh.toml")
    assert Template.model_validate(json.loads(json.dumps(template.as_params()))) == template
