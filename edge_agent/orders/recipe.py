"""A scene as a recipe: its head, its parameters and its steps, and that these fit together.

Knows the recipe language only; must not know files, templates, or whether a branch has the devices that it asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from edge_agent.findings import Saying, refusal
from edge_agent.orders.parameters import Parameter, Part, Title, fill, mistake
from edge_agent.spellings import ROLE, WORD

SHEET_ACTS = frozenset({"print_receipt", "print_ticket"})  # they print what a template lays out
CELL_ACTS = frozenset({"open_cell"})  # they open the cell that holds what the order asks for
DOCUMENT_ACTS = frozenset({"print_document"})  # they print what the order brings
_TYPES = {"limit": "number", "when": "flag", "article": "text"}


class SceneStep(Part):
    """One act by the device that has the role."""

    name: str = Field(pattern=WORD)
    role: str = Field(pattern=ROLE)
    act: str = Field(pattern=WORD)
    undo: str | None = Field(
        default=None, pattern=WORD, description="the act that undoes it if the order does not finish"
    )
    undo_always: bool = Field(default=False, description="undone even when its item left the device")
    no_return: bool = Field(default=False, description="once armed, the order cannot be cancelled")
    limit: str | None = Field(default=None, description="name of the number parameter that limits a watch, in seconds")
    waits_for: Literal["customer", "staff", "remote"] | None = None
    template: str | None = Field(default=None, pattern=WORD, description="the layout of the sheet that it prints")
    document: str | None = Field(default=None, pattern=WORD, description="the order's document that it prints")
    article: str | None = Field(default=None, description="name of the text parameter: what its cell must hold")
    two_people: bool = Field(default=False, description="armed only once two people released it")
    awaits_code: bool = Field(default=False, description="it begins when the customer's code was scanned")
    when: str | None = Field(default=None, description="name of the flag parameter without which it is left out")
    optional: bool = Field(default=False, description="left out where no device has the role")
    title: Title | None = Field(default=None, description="what people call it; what its act is called unless given")
    may_lack: bool = Field(default=False, description="the order goes on without it where its device is away")
    place: str | None = Field(
        default=None, pattern=WORD, description="name of the parameter that says where the device must be: a window"
    )


class Head(Part):
    name: str = Field(pattern=WORD)
    version: int = Field(ge=1)
    authority: Literal["service", "physical"] = Field(alias="class")
    title: Title


class Scene(Part):
    """A recipe, ready to be stored with an order as it was when the order was accepted."""

    scene: Head
    parameters: dict[Annotated[str, Field(pattern=WORD)], Parameter] = Field(default_factory=dict)
    step: list[SceneStep] = Field(min_length=1, max_length=32)

    @model_validator(mode="after")
    def _fits_together(self) -> Scene:
        names = [s.name for s in self.step]
        for number, step in enumerate(self.step):
            if step.name in names[:number]:
                raise refusal(("step", number, "name"), Saying("step_name_twice", {"name": repr(step.name)}))
            if step.article and any(other.article for other in self.step[:number]):
                raise refusal(("step", number, "article"), Saying("article_twice"))
            for key, saying in (*_prints(step), *self._asks(step), *self._awaits(number)):
                raise refusal(("step", number, key), saying)
        for name, parameter in self.parameters.items():
            if wrong := mistake(parameter):
                raise refusal(("parameters", name, wrong[0]), wrong[1])
        return self

    def _asks(self, step: SceneStep) -> Iterator[tuple[str, Saying]]:
        """The parameters that a step names must be there, and of the type that it needs."""
        if step.place and (step.place not in self.parameters or self.parameters[step.place].type == "flag"):
            yield "place", Saying("place_no_parameter", {"place": repr(step.place)})
        for key, type_ in _TYPES.items():
            name = getattr(step, key)
            parameter = self.parameters.get(name) if name else None
            if name and (parameter is None or parameter.type != type_):
                places = {key: repr(name), "table": f"[parameters.{name}]"}
                yield key, _misfit(key, places)

    def _awaits(self, number: int) -> Iterator[tuple[str, Saying]]:
        """One scan opens one step, which is always there: else those behind it would begin without the customer."""
        step = self.step[number]
        if step.awaits_code and any(s.awaits_code for s in self.step[:number]):
            yield "awaits_code", Saying("code_awaited_twice")
        if step.awaits_code and (step.optional or step.when):
            yield "awaits_code", Saying("code_step_left_out")

    @property
    def awaits_code(self) -> bool:
        """Whether a step of it waits for its customer's code."""
        return any(s.awaits_code for s in self.step)

    @property
    def name(self) -> str:
        return self.scene.name

    @property
    def roles(self) -> list[str]:
        """Each role that it asks for, once, in order."""
        return list(dict.fromkeys(s.role for s in self.step))

    @property
    def needed_roles(self) -> list[str]:
        """Each role without which it cannot be done at all."""
        return list(dict.fromkeys(s.role for s in self.step if not s.optional))

    def fill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The order's parameters with defaults. Raises ValueError naming the parameter and the remedy."""
        return fill(self.name, self.parameters, given)


def _misfit(key: str, places: Mapping[str, str]) -> Saying:
    if key == "article":
        return Saying("article_no_text", places)
    return Saying("limit_no_number" if key == "limit" else "when_no_flag", places)


def _prints(step: SceneStep) -> Iterator[tuple[str, Saying]]:
    """A step that prints says what, and only such a step does."""
    if step.act in SHEET_ACTS and step.template is None:
        yield "act", Saying("template_missing", {"act": repr(step.act)})
    if step.act in DOCUMENT_ACTS and step.document is None:
        yield "act", Saying("document_missing", {"act": repr(step.act)})
    if step.document is not None and step.act not in DOCUMENT_ACTS:
        yield "document", Saying("document_not_printed", {"act": repr(step.act)})
    if step.template is not None and step.act not in SHEET_ACTS:
        yield "template", Saying("template_not_printed", {"act": repr(step.act)})
    if (step.article is None) != (step.act not in CELL_ACTS):
        yield "act", Saying("article_and_cell", {"act": repr(step.act)})
    if step.undo_always and step.undo is None:
        yield "undo_always", Saying("nothing_to_undo")
