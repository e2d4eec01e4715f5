"""What a method says about the model it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")


def with_report(model: nn.Module, report: Mapping[str, Tensor | float]) -> nn.Module:
    """`model` carrying `report`, a plain attribute that is not in its state dict, on top of what it says already."""
    vars(model)["report"] = {**report_of(model), **report}
    return model


def report_of(model: nn.Module | None) -> dict[str, Any]:
    """What `model` carries as its report, {} where no method has said anything about it."""
    return getattr(model, "report", {})


def by_layer(entries: Mapping[str, T], kind: str) -> dict[str, T]:
    """The entries "<kind>/<layer>" of a report, or of anything named alike, by layer."""
    head = f"{kind}/"
    return {name.removeprefix(head): value for name, value in entries.items() if name.startswith(head)}
