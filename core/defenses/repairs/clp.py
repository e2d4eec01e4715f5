"""CLP: without any data, prune the channels that may amplify their input far more than others of their layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.channel_masks import share
from core.defenses.shared.checks import check
from core.defenses.shared.selection import accuracy, fit_and_validation
from core.device import device_of
from core.knobs import Method, knob
from core.networks.bn_conv_pairs import bn_conv_pairs, channel_names
from core.networks.layout import training_copy
from core.networks.model_state import folded, require_batch_statistics
from core.networks.report import with_report
from core.runs import Progress, Run


@dataclass(frozen=True)
class CLP(Method):
    """Channel Lipschitzness pruning (Zheng et al., ECCV 2022, arXiv 2208.03111).

    For each convolution with its batch norm, the upper bound of the Lipschitz constant of channel k:

        UCLC_k = sigma_max(W_k as (C_in, kh kw)) abs(gamma_k) / sqrt(var_k + eps_BN)

    Channels of a layer above mean + u std (sample standard deviation over its C channels) get
    gamma_k = beta_k = 0. Nothing is random and no image has a say: the clean ones are only
    checked and used for the validation figures of the report.

    Pairs are found by following one grey picture (see core/networks/bn_conv_pairs.py): the norm's input
    must be the convolution's output itself. In a pre-activation net that pairs conv1 with bn2
    inside a block; a norm after a residual sum has no convolution, its UCLC is not defined, and it
    is left alone, as is a folded one. `CLP.paper()` is u = 3. The largest possible deviation among
    C channels is (C - 1) / sqrt(C) of them, 3.75 at C = 16, so at u = 3 a narrow layer almost
    never loses a channel: choose 2 to 2.5 there, as the lab does for its own small nets.
    """

    u: float = knob(
        2.0,
        low=0.0,
        high=20.0,
        step=0.1,
        symbol="u",
        help="standard deviations above the mean",
        paper=3.0,
        primary=True,
    )

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """A pruned copy of `model`, in eval mode; `seed` draws the validation images only.

        `report`: "pruned" (share of the channels that were ranked), "validation/before",
        "validation/after", and by name of the convolution "uclc/…" (C,) and "masks/…" (bool (C,),
        channels pruned); where a convolution feeds two norms, the second is named after the norm.
        Raises ValueError for weights that are not finite, too few images, classes that do not
        match, and a model without batch-norm statistics or without a norm right after a convolution.
        """
        check("CLP", model, clean)
        require_batch_statistics(model, "CLP")
        _, validation = fit_and_validation(clean.to(device_of(model)), seed)
        student = training_copy(model, clean.images)
        grey = torch.full_like(clean.images[:1], 127)
        ranked = {norm: conv for norm, conv in bn_conv_pairs(student, grey).items() if can_be_ranked(student, norm)}
        if not ranked:
            raise ValueError(
                "CLP needs batch norms that stand right after a convolution, and this model has none; choose another."
            )
        before = accuracy(student, validation)
        bounds, channels = {}, {}
        for step, (norm, conv) in enumerate(ranked.items(), start=1):
            bounds[norm] = uclc(student.get_submodule(conv), student.get_submodule(norm))
            channels[norm] = outliers(bounds[norm], self.u)
            silence(student.get_submodule(norm), channels[norm])
            yield Progress("prune", step, len(ranked), {"pruned": share(channels)}, model=student)
        names = channel_names(student, grey, list(ranked))
        report: dict[str, Tensor | float] = {
            "pruned": share(channels),
            "validation/before": before,
            "validation/after": accuracy(student, validation),
        }
        report |= {f"uclc/{names[norm]}": bound for norm, bound in bounds.items()}
        return with_report(student, report | {f"masks/{names[norm]}": marked for norm, marked in channels.items()})


def can_be_ranked(model: nn.Module, norm: str) -> bool:
    """Whether a batch norm has a scale, running statistics, and they are its own (not folded)."""
    module = model.get_submodule(norm)
    assert isinstance(module, nn.BatchNorm2d)
    return module.affine and module.running_var is not None and not folded(module)


@torch.no_grad()
def uclc(conv: nn.Module, norm: nn.Module) -> Tensor:
    """The bound of each channel (C,), all singular values in one batch."""
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None
    kernels = conv.weight.float().flatten(2)  # (C, C_in, kh kw)
    sigma = torch.linalg.matrix_norm(kernels, ord=2)
    return sigma * norm.weight.float().abs() / (norm.running_var.float() + norm.eps).sqrt()


def outliers(bounds: Tensor, u: float) -> Tensor:
    """Bool (C,): bounds above mean + u std; a single channel is never one."""
    if len(bounds) < 2:
        return torch.zeros_like(bounds, dtype=torch.bool)
    return bounds > bounds.mean() + u * bounds.std()


@torch.no_grad()
def silence(norm: nn.Module, marked: Tensor) -> None:
    """gamma = beta = 0 in the marked channels."""
    assert isinstance(norm, nn.BatchNorm2d)
    norm.weight.masked_fill_(marked, 0.0)
    norm.bias.masked_fill_(marked, 0.0)
