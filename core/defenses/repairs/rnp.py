"""RNP: unlearn clean images, recover by masks alone, prune the channels whose masks are low."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.channel_masks import Masked, maskable
from core.defenses.shared.checks import check
from core.defenses.shared.selection import SELECTIONS, Oracle, fit_and_validation, require_oracle
from core.defenses.shared.threshold import mask_report, prune_by_threshold
from core.defenses.shared.unlearning import Unlearned, unlearn
from core.device import device_of
from core.knobs import Method, knob
from core.networks.channels import neuron_layers
from core.networks.layout import training_copy
from core.networks.report import with_report
from core.optim.objectives import supervised
from core.optim.schedules import stepped
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Run


@dataclass(frozen=True)
class RNP(Method):
    """Reconstructive neuron pruning (Li et al., ICML 2023, arXiv 2305.14876).

    (a) Unlearn: a copy of the model climbs the cross-entropy of clean images until its accuracy on
    a batch is `unlearn_until` or less; what it keeps is the backdoor. (b) Recover: its weights
    are fixed, and masks m in [0, 1]^C on the scales gamma of its batch norms, from 1, minimise
    alpha CE on the same images. Masks of channels that hurt clean accuracy fall. (c) Prune:
    in the original model, not in the unlearned one, gamma is set to 0 (beta is kept) where
    m <= threshold, which `selection` chooses (see core/defenses/shared/selection.py).

    `RNP.paper()` is the setting of the authors' release in steps (an epoch of its 500 images are 4
    steps of 128) with the threshold 0.7 as it is. Its learning rate of unlearning falls tenfold after
    10 of at most 20 epochs, and again after the 20th, when no step is left: `unlearn_schedule`
    "steps". The release's weight decay during unlearning is left out; its gradient clipping is called
    before the backward pass and does nothing there.
    The lab's defaults unlearn and recover more gently, and for fewer steps: a mask that has reached
    0 is pruned at every threshold, so that the masks must be spread for a threshold to choose by.
    """

    threshold: float = knob(
        0.9, low=0.0, high=1.0, step=0.01, help="masks up to here are pruned, at most", paper=0.7, primary=True
    )
    unlearn_lr: float = knob(0.003, low=1e-5, high=0.1, help="learning rate of unlearning", paper=0.01)
    unlearn_steps: int = knob(60, low=0, high=10000, step=10, help="unlearning steps, at most", paper=80, primary=True)
    unlearn_schedule: str = knob(
        "constant", choices=("constant", "steps"), paper="steps",
        help="learning rate of unlearning over time; steps: a tenth in the second half",
    )  # fmt: skip
    unlearn_until: float = knob(
        0.2, low=0.0, high=1.0, step=0.05, help="unlearning ends at this accuracy on a batch", paper=0.2
    )
    steps: int = knob(30, low=0, high=5000, step=10, help="steps of recovering by masks", paper=80, primary=True)
    lr: float = knob(0.05, low=1e-4, high=10.0, symbol="η", help="learning rate of the masks", paper=0.2)
    alpha: float = knob(
        0.2, low=0.01, high=10.0, step=0.01, symbol="α", help="weight of the recovery's loss", paper=0.2
    )
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
        "pruned" (share of the channels), "unlearn/steps", "unlearn/accuracy", "validation/before",
        "validation/after", "validation/threshold=…" for each one tried, and by layer "rnp/…" (the
        masks (C,) in [0, 1]) and "masks/…" (bool (C,), channels pruned). A layer is named after the
        convolution whose output enters the batch norm; a norm after a residual sum has none and
        keeps its own name. Raises ValueError for weights that are not finite, too few images,
        classes that do not match, a model without batch-norm statistics, a loss that diverges, or a
        missing oracle.
        """
        require_oracle("RNP", self.selection, oracle)
        check("RNP", model, clean)
        norms = maskable(model, "RNP")
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        generator = torch.Generator().manual_seed(seed)
        unlearned = yield from self._unlearn(original, fit, generator)
        masks = yield from self._recover(unlearned.model, norms, fit, generator)
        chosen = yield from prune_by_threshold(
            original, masks, validation, rule=self.selection, threshold=self.threshold, tau=self.tau,
            candidates=self.candidates, oracle=oracle,
        )  # fmt: skip
        report = mask_report("rnp", original, masks, validation, chosen)
        report |= {"unlearn/steps": float(unlearned.steps), "unlearn/accuracy": unlearned.accuracy}
        return with_report(chosen.model, report)

    def _unlearn(self, model: nn.Module, fit: ImageSet, generator: torch.Generator) -> Run[Unlearned]:
        half = self.unlearn_steps // 2
        schedule = stepped(self.unlearn_lr, [half] if self.unlearn_schedule == "steps" else [])
        return unlearn(
            model, fit, lr=self.unlearn_lr, steps=self.unlearn_steps, stop=self.unlearn_until,
            batch_size=self.batch_size, flip=self.flip, pad=self.pad, watched=neuron_layers(model)[-1],
            generator=generator, schedule=schedule,
        )  # fmt: skip

    def _recover(
        self, unlearned: nn.Module, norms: list[str], fit: ImageSet, generator: torch.Generator
    ) -> Run[dict[str, Tensor]]:
        """The masks by name of the batch norm."""
        masked = Masked(unlearned, norms)
        config = SGDConfig.of(self, weight_decay=0.0, schedule="constant")

        def loss(logits: Tensor, labels: Tensor) -> Tensor:
            return self.alpha * F.cross_entropy(logits, labels)

        yield from train_with_sgd(
            masked, fit, config, generator=generator, objective=supervised(loss), after_step=masked.clamp,
            stage="recover",
        )  # fmt: skip
        return masked.learned()
