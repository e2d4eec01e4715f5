"""Fine-tuning: go on training on clean data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import RULES, accuracy, fit_and_validation
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import training_copy
from core.networks.model_state import working_copy
from core.networks.report import with_report
from core.optim.objectives import Objective, cross_entropy
from core.optim.schedules import SCHEDULES
from core.optim.sgd import SGDConfig, train_with_sgd
from core.optim.weight_perturbation import Perturbation, unperturbed
from core.runs import Run


@dataclass(frozen=True)
class FineTuning(Method):
    """SGD on the cross-entropy of clean images, all layers: the baseline of every defense.

    The learning rate decides how much is forgotten, of the backdoor and of the rest: the higher, the
    more. So `selection="clean"` takes the largest one up to `lr` that keeps 1 - tau of the validation accuracy (see
    core/defenses/shared/learning_rate.py); "fixed" takes `lr` as it is. `FineTuning.paper()` is the setting of the
    BackdoorBench comparison (Wu et al., 2022): 100 epochs of 2,500 images, that is 1,000 steps.
    """

    steps: int = knob(160, low=0, high=5000, step=10, help="gradient steps", paper=1000, primary=True)
    lr: float = knob(0.03, low=1e-5, high=1.0, symbol="η", help="learning rate, at most", paper=0.01, primary=True)
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

        `report`: "lr" (chosen), "validation/before", "validation/floor" and "validation/after", accuracies on the
        other 20 %, and "validation/lr=…" for each rate tried to the end; an accuracy after below the floor means that
        no rate kept it. Raises ValueError for weights that are not finite, too few images, classes that do not
        match, or a loss that diverges at every rate.
        """
        return fine_tuned(self, model, clean, seed)


def fine_tuned(
    method: Method, model: nn.Module, clean: ImageSet, seed: int, *,
    objective: Objective = cross_entropy, perturbation: Perturbation = unperturbed,
) -> Run[nn.Module]:  # fmt: skip
    """A copy of `model`, trained by SGD with the knobs of `method` on 80 % of `clean`, judged on the rest."""
    check(type(method).__name__, model, clean)
    fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
    original = training_copy(model, clean.images)
    before = accuracy(original, validation)

    def tune(lr: float) -> Run[nn.Module]:
        student = working_copy(original)
        yield from train_with_sgd(
            student, fit, SGDConfig.of(method, lr=lr), generator=torch.Generator().manual_seed(seed),
            objective=objective, perturbation=perturbation,
        )  # fmt: skip
        return student

    chosen = yield from tuned(method, tune, validation, before)
    return with_report(chosen.model, lr_report(before, chosen))
