"""All pages joined: handed to the panel as its `more`.

Knows the groups of pages and nothing of what they show.
"""

from __future__ import annotations

from fastapi import FastAPI

from edge_agent.panel.branch import House
from edge_agent.panel.build import API, More
from edge_agent.panel.gate import Gate, Table
from edge_agent.panel.pages import (
    branch_pages,
    door,
    exercising,
    loading,
    probing,
    record_pages,
    settling,
    tapping,
    vouching,
    wall_pages,
)
from edge_agent.panel.pages.gatekeeping import PageGate, refusals


def pages(*, tls: bool) -> More:
    """`tls`: whether the session's cookie goes over HTTPS alone."""

    def more(app: FastAPI, gate: Gate, house: House) -> None:
        table = Table(app, PageGate(gate.staff, gate.sessions), "")
        door.routes(table, gate, house, tls=tls)
        settling.routes(table, house)  # before the verbs of an order, of which `settle` is none
        branch_pages.routes(table, house)
        loading.routes(table, house)
        exercising.routes(table, house)
        probing.routes(table, house)
        tapping.routes(table, gate, house)
        vouching.routes(table, house)
        record_pages.routes(table, house)
        wall_pages.routes(app, gate, house, tls=tls)
        refusals(app, gate, house, API)

    return more
