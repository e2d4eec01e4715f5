"""Detectors of outliers step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.texts.steps.numbers import counted, tex
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from lab.results import Result


def autoencoder(result: Result, place: Place | None) -> list[Step]:
    """The errors at the end of the training, and what the rule does."""
    return [*_errors(result, "Autoencoder"), *_rule(result, "Autoencoder")]


def adversarial(result: Result, place: Place | None) -> list[Step]:
    """Errors, the circle, and what the rule does."""
    return [*_errors(result, "AdversarialAutoencoder"), *_circle(result, "AdversarialAutoencoder"),
            *_rule(result, "AdversarialAutoencoder")]  # fmt: skip


def itsr(result: Result, place: Place | None) -> list[Step]:
    """How many pictures have which weight in the last phase, then as the adversarial autoencoder."""
    if "ITSR/history" not in result.images:
        return []
    weights = result.images["ITSR/history"][-1]
    counts = [int((weights > 0).sum()), int((weights == 0).sum()), int((weights < 0).sum())]
    return [
        Step("Training pictures with w = 1, with w = 0, and with a negative weight.",
             rf"{counts[0]},\quad {counts[1]},\quad {counts[2]}"),
        *_errors(result, "ITSR"), *_circle(result, "ITSR"), *_rule(result, "ITSR"),
    ]  # fmt: skip


def scores(result: Result, place: Place | None) -> list[Step]:
    """How often an outlier scores above a normal picture, in the run's own detector."""
    own = type(result.recipe.method).__name__
    if f"{own}/auroc" not in result.figures:
        return []
    return [Step("How often an outlier scores above a normal test picture.", tex(result.figures[f"{own}/auroc"]))]


def bacc(result: Result, place: Place | None) -> list[Step]:
    """TPR and TNR of the run's own detector, and their mean."""
    return _rule(result, type(result.recipe.method).__name__)


def ceiling(result: Result, place: Place | None) -> list[Step]:
    """r and α, and what follows."""
    own = type(result.recipe.method).__name__
    if f"{own}/ceiling" not in result.figures or "truth" not in result.images:
        return []
    value, truth = result.figures[f"{own}/ceiling"], result.images["truth"]
    return [
        Step("The share of outliers among the training pictures.",
             rf"\alpha = {counted(float(truth.double().mean()), len(truth))}"),
        Step("What the rule cannot exceed.", tex(value)),
    ]  # fmt: skip


def unobserved(result: Result, place: Place | None) -> list[Step]:
    """The figure itself."""
    return [Step("On outliers of other kinds.", tex(result.figures["unobserved"]))] * ("unobserved" in result.figures)


def ratio(result: Result, place: Place | None) -> list[Step]:
    """The errors of the run's own detector, and their ratio."""
    return _errors(result, type(result.recipe.method).__name__)


def _errors(result: Result, name: str) -> list[Step]:
    if f"{name}/errors" not in result.images:
        return []
    epoch, normal, strange = (float(value) for value in result.images[f"{name}/errors"][-1])
    return [
        Step(f"Mean errors after {epoch:.0f} epochs.",
             rf"\bar L_\text{{normal}} = {tex(normal)}, \quad \bar L_\text{{outliers}} = {tex(strange)}"),
        Step("Their ratio.", tex(strange / max(normal, 1e-12))),
    ]  # fmt: skip


def _circle(result: Result, name: str) -> list[Step]:
    if f"{name}/radius" not in result.images:
        return []
    return [Step("The radius beyond which a code is unlikely; codes that follow the prior exactly have 2.146.",
                 rf"T_z = {tex(float(result.images[f'{name}/radius']))}")]  # fmt: skip


def _rule(result: Result, name: str) -> list[Step]:
    found = result.figures
    if f"{name}/tpr" not in found or "kinds" not in result.images:
        return []
    kinds = result.images["kinds"]
    strange, normal = int((kinds == 1).sum()), int((kinds == 0).sum())
    return [
        Step("Outliers that are rejected.", rf"\mathrm{{TPR}} = {counted(found[f'{name}/tpr'], strange)}"),
        Step("Normal test pictures that are kept.", rf"\mathrm{{TNR}} = {counted(found[f'{name}/tnr'], normal)}"),
        Step("Their mean.", tex(found[f"{name}/bacc"])),
    ]
