"""FT-SAM: fine-tune with sharpness-aware minimisation, so that large weights are perturbed most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch.nn.functional as F
from torch import nn

from core.data.imageset import ImageSet
from core.defenses.repairs.fine_tuning import fine_tuned
from core.defenses.shared.selection import RULES
from core.knobs import Method, knob
from core.optim.objectives import Loss, supervised
from core.optim.sam import SAM
from core.optim.schedules import SCHEDULES
from core.runs import Run


@dataclass(frozen=True)
class FTSAM(Method):
    """Fine-tuning with adaptive sharpness-aware minimisation (Zhu et al., ICCV 2023, arXiv 2304.11823).

    Backdoor neurons have larger weights. With g = grad L(w), e = rho w^2 g / || |w| g ||_2 (one
    norm over all weights) moves large weights most; SGD follows g' = grad L(w + e) from w. L is
    the cross-entropy with label smoothing. Plain SAM (`adaptive=False`), e = rho g / ||g||_2, asks
    for a much smaller rho. The learning rate is chosen as in FineTuning. `FTSAM.paper()` is the setting of the
    authors' release on BackdoorBench in steps: 100 epochs of 2,500 images. The release runs through its cosine once
    per hundred batches, so that its learning rate falls and climbs again; here it falls once, over all steps.
    """

    steps: int = knob(160, low=0, high=5000, step=10, help="gradient steps", paper=1000, primary=True)
    rho: float = knob(
        2.0, low=0.0, high=10.0, step=0.1, symbol="ρ", help="radius of the step uphill", paper=2.0, primary=True
    )
    adaptive: bool = knob(True, help="measure the radius in units of each weight", paper=True)
    lr: float = knob(0.03, low=1e-5, high=1.0, symbol="η", help="learning rate, at most", paper=0.01, primary=True)
    smoothing: float = knob(0.1, low=0.0, high=0.5, step=0.05, help="share of a label for other classes", paper=0.1)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step", paper=256)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    schedule: str = knob("cosine", choices=SCHEDULES, help="learning rate over time", paper="cosine")
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=RULES, help="how the learning rate is chosen", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(4, low=1, high=11, step=1, help="learning rates to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """A fine-tuned copy of `model`, in eval mode; 80 % of `clean` are trained on.

        `report` and errors as `FineTuning.run`.
        """
        objective = supervised(smoothed(self.smoothing, len(clean.class_names)))
        return fine_tuned(self, model, clean, seed, objective=objective, perturbation=SAM(self.rho, self.adaptive))


def smoothed(share: float, classes: int) -> Loss:
    """Cross-entropy with labels of 1 - share, and share / (K - 1) for each other class.

    PyTorch counts the label's own class among those that get a share, hence the factor.
    """
    return partial(F.cross_entropy, label_smoothing=share * classes / max(1, classes - 1))
