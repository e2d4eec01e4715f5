"""Recipe: one experiment as data.

The same object is the page's state, the link, the cache key, the unit of a sweep, the row in the history and the
JSON file one downloads.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.data import Scenes
from core.knobs import Method
from core.runs import Run
from lab import links, methods, run_names
from lab.inputs import SEED, checked
from lab.kinds import kind_of

if TYPE_CHECKING:
    from lab.kinds.kind import Kind
    from lab.results import Result
    from lab.running.curve import Curve

FORMAT = 1
"""The version of the JSON and of the link; a reader of another version must be told."""

LONGEST = 16
"""Runs in a chain, at most: a link written by hand may nest hundreds, too many to run."""


@dataclass(frozen=True)
class Recipe:
    """`method` applied to `model` and `data`.

    Parameters
    ----------
    method : any registered method
    model : what `models.load` takes ("zoo:scenes-badnets"), another Recipe ("the result of that run"), also by its
        name ("run:…") or, to train from scratch, a fresh network: "arch:preact_resnet18?width=16"
    data : what `load_data` takes: a name, `Scenes(...)` or "hf:owner/name@sha"
    inputs : what else the run is given, JSON values, all optional: those that the method's kind reads
        (`lab.kinds`), such as "n", how many test images are scored, or "trigger", a method as JSON
    seed : of everything random in the run
    """

    method: Method
    model: str | Recipe
    data: str | Scenes = "scenes"
    inputs: dict[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        kind = kind_of(self.method)
        if run_names.is_run(self.model):
            object.__setattr__(self, "model", Recipe.from_dict(run_names.decode(str(self.model))[0]))
        if not isinstance(self.model, str | Recipe) or not self.model:
            raise ValueError(f'model = {self.model!r} must be a name such as "zoo:scenes-badnets" or a recipe.')
        if not isinstance(self.data, str | Scenes) or not self.data:
            raise ValueError(f'data = {self.data!r} must be a name such as "scenes", or Scenes(...).')
        SEED.check(self.seed)
        object.__setattr__(self, "inputs", checked(kind.inputs, self.inputs, kind.name))

    def __hash__(self) -> int:
        return hash(self.to_json())

    @property
    def kind(self) -> Kind:
        """What is done with the method: how it runs, what it reads, how it is scored."""
        return kind_of(self.method)

    @property
    def chain(self) -> list[Recipe]:
        """The recipe and those whose results it builds on, outermost first."""
        return [self, *([] if isinstance(self.model, str) else self.model.chain)]

    def replace(self, **changes: Any) -> Recipe:
        """The same recipe with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """JSON data, with every knob written out."""
        return {
            "v": FORMAT,
            "method": methods.to_dict(self.method),
            "model": self.model if isinstance(self.model, str) else self.model.to_dict(),
            "data": self.data if isinstance(self.data, str) else methods.to_dict(self.data),
            "inputs": self.inputs,
            "seed": self.seed,
        }

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """The recipe that `to_dict` wrote; ValueError in one sentence where it is not one."""
        if not isinstance(data, dict):
            raise ValueError("A recipe must be a JSON object with at least a method and a model.")
        if _links(data) > LONGEST:
            raise ValueError(f"This recipe is a chain of more than {LONGEST} runs; shorten it.")
        if data.get("v", FORMAT) != FORMAT:
            raise ValueError(f"This recipe has version {data['v']!r}, and this lab reads version {FORMAT}.")
        unknown = sorted(set(data) - {"v", *(f.name for f in dataclasses.fields(cls))})
        if unknown:
            raise ValueError(f"A recipe has no field {unknown[0]!r}; it has method, model, data, inputs and seed.")
        for name in ("method", "model"):
            if name not in data:
                raise ValueError(f"The recipe says no {name}.")
        fields = {name: value for name, value in data.items() if name != "v"}
        fields["method"] = methods.from_dict(data["method"])
        if isinstance(data["model"], dict):
            fields["model"] = cls.from_dict(data["model"])
        if isinstance(data.get("data"), dict):
            fields["data"] = methods.from_dict(data["data"])
        return cls(**fields)

    def to_json(self, indent: int | None = None) -> str:
        """JSON text, the same for the same recipe."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The recipe in a JSON text."""
        return cls.from_dict(_loaded(text))

    def to_query(self) -> dict[str, str]:
        """The link: flat and method-prefixed, or one `recipe=` where something is nested."""
        return links.to_query(self)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Recipe:
        """The recipe of a link; ValueError in one sentence says what is wrong with it."""
        return cls.from_dict(links.to_data(query))

    def key(self) -> str:
        """SHA-256 of everything the result depends on: JSON, code, model, data commit, kind of device."""
        from lab.cache_key import key

        return key(self)

    def run(self, curve: Curve | None = None) -> Run[Result]:
        """The experiment: watch it, finish it (`core.runs.finish`) or close it. Its moments go into `curve`."""
        from lab.running.experiment import run

        return run(self, curve)

    def python(self) -> str:
        """A script that reproduces the run with `core` and `models` alone."""
        return self.kind.python(self)


def _links(data: Any) -> int:
    """How many recipes a recipe's JSON data hold, one inside the other; counting stops beyond LONGEST."""
    count = 0
    while isinstance(data, dict) and count <= LONGEST:
        data, count = data.get("model"), count + 1
    return count


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"The recipe is not valid JSON{where}.") from None
