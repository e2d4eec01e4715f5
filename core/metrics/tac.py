"""Trigger-activated change (TAC): how far a trigger moves each channel, the oracle among rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.data.modes import ALL_TO_ONE, Trigger, goal, stamped, trigger_per_class
from core.device import in_batches
from core.knobs import Method, knob
from core.networks.channels import leaving, neuron_layers
from core.networks.layout import as_input
from core.networks.model_state import frozen, working_copy
from core.runs import Progress, Run, finish

PAIRS = 2200
"""Pairs of a clean and a triggered image that are enough to rank channels."""


FORMS = ("l2", "l1")
"""How a change of a feature map becomes one number, see `trigger_activated_change`."""


@dataclass(frozen=True)
class TAC(Method):
    """Trigger-activated change of every channel, the oracle ranking (Zheng et al., ECCV 2022, arXiv 2208.03111).

    See `trigger_activated_change` for both forms. It needs the trigger: a defense may
    be compared with it and must not use it.
    """

    form: str = knob("l2", choices=FORMS, help="how a change of a feature map becomes one number")

    def run(self, model: nn.Module, images: Tensor, triggered: Tensor, *, seed: int = 0) -> Run[dict[str, Tensor]]:
        """TAC by layer name, (channels,). `images` and `triggered` (N, C, H, W) are the same pictures without and with
        the trigger, none of the target class; nothing is random. Raises ValueError where they do not pair."""
        return (yield from self.measured(model, images, triggered))[0]

    def measured(
        self, model: nn.Module, images: Tensor, triggered: Tensor
    ) -> Run[tuple[dict[str, Tensor], dict[str, Tensor]]]:
        """As `run`, and what the changes were divided by, by layer: Z of form "l2", nothing of form "l1"."""
        private = working_copy(model)  # it is hooked, and the model may be shared
        return (yield from _measured(private, images, triggered, neuron_layers(private), self.form))


RANKINGS = [TAC]


def trigger_activated_change(
    model: nn.Module, images: Tensor, triggered: Tensor, *, form: str = "l2"
) -> dict[str, Tensor]:
    """TAC: how far each channel moves when the trigger is added, (channels,) by layer name.

    Introduced by Zheng et al., ECCV 2022 (https://arxiv.org/abs/2208.03111). With h_c the feature
    map of channel c, in eval mode, and N pairs (x_n, T(x_n)):

    "l2" : mean_n ||h_c(T(x_n)) - h_c(x_n)||_2 / Z, where Z is the mean L2 norm of the whole layer's
        output over clean and triggered images: comparable between layers (the form of Zhu et al.,
        NeurIPS 2024, https://arxiv.org/abs/2405.16134)
    "l1" : sum over pixels of mean_n abs(h_c(T(x_n)) - h_c(x_n)), not normalised (BackdoorBench)

    Parameters
    ----------
    images, triggered : (N, C, H, W), float in [0, 1] or uint8; `triggered` are the same pictures
        with the trigger. Leave out pictures of the target class; a thousand or two are enough.

    Returns
    -------
    One value per output channel of every layer of `neuron_layers`. The trigger is needed, so this
    is an oracle: a defense may be compared with it and must not use it.
    Raises ValueError where the two do not pair, or a model has no channels.
    """
    return finish(channel_change(model, images, triggered, neuron_layers(model), form=form))


def channel_change(
    model: nn.Module, images: Tensor, triggered: Tensor, layers: Sequence[str], *, form: str = "l2", size: int = 100
) -> Run[dict[str, Tensor]]:
    """`trigger_activated_change` of some layers as a run, `size` pairs a step."""
    return (yield from _measured(model, images, triggered, layers, form, size))[0]


def _measured(
    model: nn.Module, images: Tensor, triggered: Tensor, layers: Sequence[str], form: str, size: int = 100
) -> Run[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """The changes by layer, and what those of form "l2" were divided by."""
    if form not in FORMS:
        raise ValueError(f"form = {form!r} is not one of {', '.join(FORMS)}.")
    require_pairs(images, triggered)
    moved: dict[str, Tensor] = {}
    scale: dict[str, Tensor] = {}
    starts = range(0, len(images), size)
    for step, start in enumerate(starts, start=1):
        part = slice(start, start + size)
        for name, (change, whole) in _changes(model, images[part], triggered[part], layers, form).items():
            moved[name] = moved.get(name, torch.zeros_like(change)) + change
            scale[name] = scale.get(name, torch.zeros_like(whole)) + whole
        yield Progress("channels", step, len(starts))
    if form == "l1":
        return {name: change / len(images) for name, change in moved.items()}, {}
    found = {name: change / scale[name].clamp_min(1e-12) for name, change in moved.items()}
    return found, {name: whole / len(images) for name, whole in scale.items()}


def require_pairs(images: Tensor, triggered: Tensor) -> None:
    """Raise ValueError unless there are images, and as many triggered ones of the same shape."""
    if images.shape != triggered.shape or images.ndim != 4 or not len(images):
        raise ValueError(
            f"A trigger's change needs the same pictures without and with it, each (N, C, H, W), not "
            f"{tuple(images.shape)} and {tuple(triggered.shape)}."
        )


def _changes(
    model: nn.Module, images: Tensor, triggered: Tensor, layers: Sequence[str], form: str
) -> dict[str, tuple[Tensor, Tensor]]:
    """By layer: the change of each channel (channels,) and the norm of the whole output (), summed over a batch."""
    widths: list[int] = []

    with leaving(model, layers) as seen, frozen(model):

        @torch.no_grad()
        def forward(clean: Tensor, stamped: Tensor) -> Tensor:
            model(as_input(model, clean))
            before = {name: seen[name].float() for name in layers}
            model(as_input(model, stamped))
            rows: list[Tensor] = []
            for name, h in before.items():
                change = (seen[name].float() - h).flatten(2)
                norms = change.norm(dim=2) if form == "l2" else change.abs().sum(2)
                whole = (h.flatten(1).norm(dim=1) + seen[name].float().flatten(1).norm(dim=1)) / 2
                rows += [norms, whole[:, None]]
            widths[:] = [row.shape[1] for row in rows]
            return torch.cat(rows, 1)

        sums = in_batches(forward, images, triggered, size=len(images)).sum(0).split(widths)
    return {name: (sums[2 * i], sums[2 * i + 1][0]) for i, name in enumerate(layers)}


def pairs(data: ImageSet, *, trigger: Trigger, target: int | None, mode: str) -> tuple[Tensor, Tensor]:
    """The pictures whose class is not the one the backdoor asks for, without (uint8) and with the trigger (float).

    Of an any-to-any backdoor the trigger of one class is taken, `target` or the first. Raises ValueError where no
    picture is left.
    """
    per_class = trigger_per_class(mode)
    wanted = goal(data.labels, ALL_TO_ONE if per_class else mode, target or 0, len(data.class_names))
    others = data[wanted != data.labels]
    if not len(others):
        raise ValueError("Every picture is of the target class already; give pictures of other classes.")
    targets = torch.full_like(others.labels, target or 0) if per_class else None
    return others.images, stamped(trigger, others, targets)
