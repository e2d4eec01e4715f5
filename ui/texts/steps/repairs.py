"""Repairs step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.networks.report import by_layer
from ui.texts.steps.channels import nwc
from ui.texts.steps.numbers import ends, loss_fell, method_of, report, tex, validation
from ui.texts.text import Place, Step

if TYPE_CHECKING:
    from torch import Tensor

    from lab.results import Result


def tsbd(result: Result, place: Place | None) -> list[Step]:
    """NWC of one channel as a sum, the weights that n and m set to zero, and the fine-tuning after it."""
    steps = nwc(result, place)
    found, method = report(result), method_of(result)
    masks = by_layer(found, "masks")
    if "neuron_ratio" in found and masks:
        steps += _zeroed(masks, float(found["neuron_ratio"]), method.weight_ratio)
    if hasattr(method, "alpha") and result.model is not None:
        steps.append(Step(
            "The second stage weighs the plain gradient with 1 - α and the gradient r uphill with α.",
            rf"g = {tex(1 - method.alpha)}\, g_1 + {tex(method.alpha)}\, \nabla L(\theta + {tex(method.r)}\, "
            r"g_1 / \lVert g_1 \rVert)",
        ))  # fmt: skip
    return steps + validation(result)


def _zeroed(masks: dict[str, Tensor], n: float, m: float) -> list[Step]:
    """How many channels n takes, and how many of their weights m sets to zero."""
    neurons, total = sum(len(mask) for mask in masks.values()), sum(mask.numel() for mask in masks.values())
    touched = sum(int(mask.flatten(1).any(1).sum()) for mask in masks.values())
    zero = sum(int(mask.sum()) for mask in masks.values())
    taken = rf"\lfloor n \cdot {neurons} \rfloor = \lfloor {tex(n)} \cdot {neurons} \rfloor = {int(n * neurons + 1e-9)}"
    return [
        Step(f"The share n of all {neurons} channels, those with the largest NWC.", taken),
        Step(f"Of the weights of these channels, the share m = {m:g} that changed most is set to zero, in {touched} "
             "channels; of all weights of the ranked layers that is",
             rf"\frac{{{zero}}}{{{total}}} = {tex(zero / total)}"),
    ]  # fmt: skip


def fine_tuning(result: Result, place: Place | None) -> list[Step]:
    """The steps, and what they did to the loss."""
    method = method_of(result)
    what = Step(f"{method.steps} steps, the first of length η times the gradient.", rf"\eta = {tex(method.lr)}")
    fell = loss_fell(result, "Cross-entropy ℓ on the clean batches, at the first and the last step that was looked at.")
    return [what, *fell, *validation(result)]


def fine_pruning(result: Result, place: Place | None) -> list[Step]:
    """The least active features, and how many were pruned."""
    found = report(result)
    if "activation" not in found or "mask" not in found:
        return validation(result)
    values, mask = found["activation"], found["mask"]
    first = values.argsort()[:3].tolist()
    shown = r",\; ".join(rf"a_{{{k}}} = {tex(float(values[k]))}" for k in first)
    return [
        Step("The least active features on clean pictures, which are pruned first.", shown),
        Step("Features pruned, of all before the last layer.", rf"\frac{{{int(mask.sum())}}}{{{len(mask)}}}"),
        *validation(result),
    ]  # fmt: skip


def nad(result: Result, place: Place | None) -> list[Step]:
    """The loss of the student, and the term of each stage."""
    terms = by_layer(report(result), "attention")
    fell = loss_fell(result, "The whole loss, at the first and the last step that was looked at.")
    steps = [Step(f"Stage {stage}: β times the distance of the attention maps, at the last step.", tex(float(value)))
             for stage, value in terms.items()]  # fmt: skip
    return [*steps, *fell, *validation(result)]


def neural_cleanse(result: Result, place: Place | None) -> list[Step]:
    """The smallest mask's norm against the median of all, in MAD."""
    found = report(result)
    if "norms" not in found:
        return validation(result)
    norms = found["norms"].float()
    median = norms.quantile(0.5)
    mad, least = float((norms - median).abs().quantile(0.5)), int(norms.argmin())
    index = (float(median) - float(norms[least])) / max(1.4826 * mad, 1e-6)
    limit = method_of(result).limit
    flagged = bool(found["flagged"][least])
    return [
        Step(f"Class {least} needs the smallest mask.", rf"\lVert m \rVert_1 = {tex(float(norms[least]))}"),
        Step("The median over all classes, and the median distance from it (MAD).",
             rf"M = {tex(float(median))}, \quad \mathrm{{MAD}} = {tex(mad)}"),
        Step(f"How far it lies below the median. {'Flagged' if flagged else 'Not flagged'}: the limit is "
             f"{limit:g}.", rf"\frac{{{tex(float(median))} - {tex(float(norms[least]))}}}{{1.4826 \cdot {tex(mad)}}} = "
             rf"{tex(index)}"),
        *validation(result),
    ]  # fmt: skip


def ibau(result: Result, place: Place | None) -> list[Step]:
    """The perturbation's norm and the loss under it."""
    found = report(result)
    steps = [] if "delta/norm" not in found else [Step(
        "The norm of the last perturbation, which is the same for all pictures.",
        rf"\lVert \delta \rVert_2 = {tex(float(found['delta/norm']))}",
    )]  # fmt: skip
    fell = loss_fell(result, "The loss while unlearning, first and last.", "unlearn", "outer loss")
    return [*steps, *fell, *validation(result)]


def ft_sam(result: Result, place: Place | None) -> list[Step]:
    """The radius, the steps, and what they did to the loss."""
    method = method_of(result)
    how = Step(f"{method.steps} steps, each with the gradient a radius ρ uphill.",
               rf"\rho = {tex(method.rho)}, \quad \eta = {tex(method.lr)}")  # fmt: skip
    return [how, *loss_fell(result, "The loss with smoothed labels, first and last."), *validation(result)]


def sau(result: Result, place: Place | None) -> list[Step]:
    """How many of the last batch's pictures were shared adversarial examples, and the loss."""
    method, steps = method_of(result), []
    if (found := ends(result, "shared")) is not None:
        steps.append(Step(
            "Pictures whose perturbation, within ε, leads both models to the same wrong class: share of the first and "
            "of the last batch that was looked at.",
            rf"\varepsilon = {tex(method.eps)}: \quad {tex(found[0])} \to {tex(found[1])}",
        ))  # fmt: skip
    return [*steps, *loss_fell(result, "The whole loss, first and last."), *validation(result)]
