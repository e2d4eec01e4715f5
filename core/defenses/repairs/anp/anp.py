"""ANP: prune the channels that are most sensitive to adversarial noise on their weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses.repairs.anp.channel_noise import Noisy, UnderNoise
from core.defenses.shared.channel_masks import maskable
from core.defenses.shared.checks import check
from core.defenses.shared.selection import SELECTIONS, Oracle, fit_and_validation, require_oracle
from core.defenses.shared.threshold import mask_report, prune_by_threshold
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import training_copy
from core.networks.report import with_report
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Run


@dataclass(frozen=True)
class ANP(Method):
    """Adversarial neuron pruning (Wu, Wang, NeurIPS 2021, arXiv 2110.14430).

    A batch norm computes (m + d) gamma x_hat + (1 + xi) beta. The masks m in [0, 1]^C are learned:

        min over m of  alpha CE(m, 0, 0) + (1 - alpha) max over d, xi in [-eps, eps]^C of CE(m, d, xi)

    by SGD on clean images in training mode; all other weights are fixed. In the original model
    gamma is then set to 0 (beta is kept) in the channels with m <= threshold, which `selection`
    chooses (see core/defenses/shared/selection.py); `threshold` is the upper bound. The masks are learned
    once, so many candidates are cheap.

    `ANP.paper()` is the setting of the authors' release, with threshold 0.2 as it is. The release
    lets the noise leave [-eps, eps] by its last step; here it is kept inside, as in the formula.
    The lab's upper bound is higher since it learns for fewer steps: on `zoo:scenes-badnets`, the one
    model it was tuned on, the backdoor is gone once masks up to about 0.55 are pruned.
    """

    threshold: float = knob(
        0.6, low=0.0, high=1.0, step=0.01, help="masks up to here are pruned, at most", paper=0.2, primary=True
    )
    steps: int = knob(100, low=0, high=5000, step=10, help="steps of learning masks", paper=2000, primary=True)
    eps: float = knob(
        0.4, low=0.0, high=2.0, step=0.05, symbol="ε", help="size of the noise on weights", paper=0.4, primary=True
    )
    noise_steps: int = knob(1, low=1, high=20, step=1, help="steps of the noise uphill", paper=1)
    alpha: float = knob(
        0.2, low=0.0, high=1.0, step=0.05, symbol="α", help="weight of the loss without noise", paper=0.2
    )
    lr: float = knob(0.2, low=1e-4, high=10.0, symbol="η", help="learning rate of the masks", paper=0.2)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step", paper=128)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=SELECTIONS, help="how the threshold is chosen", paper="fixed")
    tau: float = knob(0.05, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(8, low=1, high=19, step=1, help="thresholds to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0, oracle: Oracle | None = None) -> Run[nn.Module]:
        """A pruned copy of `model`, in eval mode.

        `oracle(model) -> ASR` is called by selection="oracle" only. `report`: "threshold" (chosen),
        "pruned" (share of the channels), "validation/before", "validation/after",
        "validation/threshold=…" for each one tried, and by layer "anp/…" (the masks (C,) in [0, 1])
        and "masks/…" (bool (C,), channels pruned). A layer is named after the convolution whose
        output enters the batch norm; a norm after a residual sum has none and keeps its own name.
        Raises ValueError for weights that are not finite, too few images, classes that do not
        match, a model without batch-norm statistics, a loss that diverges, or a missing oracle.
        """
        require_oracle("ANP", self.selection, oracle)
        check("ANP", model, clean)
        norms = maskable(model, "ANP")
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        noisy = Noisy(original, norms)
        config = SGDConfig.of(self, weight_decay=0.0, schedule="constant")
        generator = torch.Generator().manual_seed(seed)
        noise = UnderNoise(self.eps, self.noise_steps, self.alpha, generator)
        yield from train_with_sgd(
            noisy, fit, config, generator=generator, perturbation=noise, after_step=noisy.clamp, stage="mask"
        )
        masks = noisy.learned()
        chosen = yield from prune_by_threshold(
            original, masks, validation, rule=self.selection, threshold=self.threshold, tau=self.tau,
            candidates=self.candidates, oracle=oracle,
        )  # fmt: skip
        return with_report(chosen.model, mask_report("anp", original, masks, validation, chosen))
