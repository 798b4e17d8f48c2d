"""What an order may give a scene: each parameter's type and bounds, and what is wrong with a value that does not fit.

Knows single values; must not know what a scene does with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud_bridge.rejection import sentence
from edge_agent.findings import Saying
from edge_agent.texts import Texts

USUAL_TEXT = 500
MAX_TEXT = 8000  # two metres of receipt paper
MAX_NUMBER = 1e15  # an integer without bounds does not fit a float; infinity and NaN are no numbers either


class Part(BaseModel):
    """Base of what is read from a recipe: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Part):
    zh: str
    en: str


class Parameter(Part):
    """One value that an order may give."""

    type: Literal["number", "text", "flag", "choice"]
    default: float | str | bool | None = None
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False, description="of a number; of a text its length")
    options: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=32, description="of a choice"
    )
    title: Title | None = None


class DoesNotFit(ValueError):
    """What an order gives is not what its scene takes: a case of a rejection, and what belongs into its sentence."""

    def __init__(self, reason: str, /, **facts: Any) -> None:
        super().__init__(sentence(Texts("en"), reason, facts))
        self.reason = reason
        self.facts = facts


def mistake(parameter: Parameter) -> tuple[str, Saying] | None:
    """The key of a parameter that cannot be meant, and why."""
    if (parameter.type == "choice") != bool(parameter.options):
        return "options", Saying("options_and_choice")
    if parameter.type == "text" and parameter.max is not None and not 1 <= parameter.max <= MAX_TEXT:
        return "max", Saying("text_bound", {"bound": MAX_TEXT})
    if parameter.min is not None and parameter.max is not None and parameter.min > parameter.max:
        return "min", Saying("bounds_upside_down")
    if parameter.default is not None and (why := misfit(parameter, parameter.default)):
        return "default", why
    return None


def misfit(parameter: Parameter, value: Any) -> Saying | None:
    """Why a value does not fit; None when it does."""
    if parameter.type == "flag":
        return None if isinstance(value, bool) else Saying("no_flag")
    if parameter.type == "choice":
        return None if value in parameter.options else Saying("no_such_choice", {"choices": _quoted(parameter.options)})
    if parameter.type == "text":
        return _text_misfit(parameter, value)
    return _number_misfit(parameter, value)


def _text_misfit(parameter: Parameter, value: Any) -> Saying | None:
    if not isinstance(value, str):
        return Saying("no_text")
    bound = int(parameter.max or USUAL_TEXT)
    return None if len(value) <= bound else Saying("no_text_of_length", {"bound": bound})


def _number_misfit(parameter: Parameter, value: Any) -> Saying | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_NUMBER <= value <= MAX_NUMBER:
        return Saying("no_number")
    if parameter.min is not None and value < parameter.min:
        return Saying("too_small", {"bound": parameter.min})
    if parameter.max is not None and value > parameter.max:
        return Saying("too_large", {"bound": parameter.max})
    return None


def _quoted(options: list[str]) -> tuple[str, ...]:
    return tuple(map(repr, options))


def fill(scene: str, parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """An order's parameters with defaults. Raises DoesNotFit."""
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        raise DoesNotFit("parameter_unknown", scene=scene, parameter=unknown[0], known=list(parameters))
    filled: dict[str, Any] = {}
    for name, parameter in parameters.items():
        value = given.get(name, parameter.default)
        if value is None:
            raise DoesNotFit("parameter_missing", scene=scene, parameter=name)
        if why := misfit(parameter, value):
            raise DoesNotFit("parameter_misfit", parameter=name, why=why.as_fact())
        filled[name] = value
    return filled
