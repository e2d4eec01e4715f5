"""Neural Cleanse: find the class that an unusually small patch leads to, and unlearn that patch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.neural_cleanse.inversion import Inversion, Triggers, stamped
from core.defenses.repairs.neural_cleanse.mad import FEWEST, abnormally_small, anomaly_index
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import RULES, Choice, accuracy, fit_and_validation
from core.device import device_of
from core.knobs import Method, knob
from core.networks.layout import training_copy
from core.networks.model_state import working_copy
from core.networks.report import with_report
from core.optim.schedules import SCHEDULES
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Progress, Run

TOGETHER = 20
"""Classes that are inverted in one batch; with more of them one group follows the other."""


@dataclass(frozen=True)
class NeuralCleanse(Method):
    """Trigger inversion, an outlier test, and unlearning (Wang et al., IEEE S&P 2019).

    For every class c the mask m and pattern p that minimise CE(f((1 - m) x + m p), c) +
    cost ||m||_1 are sought; the cost rises while nearly all images go to c and falls while
    they do not. A class whose norm lies below the median M of all norms with
    abs(norm - M) / (1.4826 MAD) > `limit` is flagged: its trigger is stamped on a share of the
    clean images, which keep their true labels, and the model is fine-tuned. When no class is
    flagged the model comes back unchanged, as it does for triggers that no small patch can
    imitate, and always with fewer than five classes, where no norm can be told to be an outlier.
    The learning rate of the fine-tuning is chosen as in FineTuning.
    `success` is a share of the images of an epoch: in the lab's 7 steps of 8, 55 of 56. On
    `zoo:scenes-badnets` the target is then flagged and ASR falls from 99.6 to between 1.0 and 1.3 %
    (seeds 0, 1, 2; with seed 1 a second class is flagged); the inversion takes 44 s of one core.
    `NeuralCleanse.paper()` is the setting of the BackdoorBench comparison (Wu et al., 2022) in steps: an
    epoch of its 2,500 images are 10 steps of 256.
    """

    epochs: int = knob(60, low=1, high=500, step=5, help="epochs of trigger inversion, at most", paper=80, primary=True)
    epoch_steps: int = knob(7, low=1, high=100, step=1, help="steps per epoch; costs move once per epoch", paper=10)
    invert_batch: int = knob(8, low=4, high=1024, step=4, help="images per class and step of inversion", paper=256)
    invert_lr: float = knob(0.1, low=1e-3, high=1.0, help="learning rate of inversion", paper=0.1)
    cost: float = knob(1e-3, low=0.0, high=1.0, help="weight of the mask's norm at the start", paper=1e-3)
    success: float = knob(
        0.98, low=0.0, high=1.0, step=0.01, help="share of images a trigger must send to its class", paper=0.98
    )
    patience: int = knob(5, low=1, high=50, step=1, help="epochs before the cost moves", paper=5)
    limit: float = knob(
        2.0, low=0.0, high=10.0, step=0.1, help="anomaly index that flags a class", paper=2.0, primary=True
    )
    stamp_ratio: float = knob(
        0.2, low=0.0, high=1.0, step=0.05, help="share of images that carry the trigger found", paper=0.2
    )
    steps: int = knob(160, low=0, high=5000, step=10, help="gradient steps of unlearning", paper=1000, primary=True)
    lr: float = knob(0.03, low=1e-5, high=1.0, symbol="η", help="learning rate of unlearning, at most", paper=0.01)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step of unlearning", paper=256)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    schedule: str = knob("cosine", choices=SCHEDULES, help="learning rate over time", paper="cosine")
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=RULES, help="how the learning rate is chosen", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(4, low=1, high=11, step=1, help="learning rates to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """A repaired copy of `model`, in eval mode, or an unchanged copy when no class is flagged.

        `report`: "norms" (K,), "masks" (K, H, W), "patterns" (K, C, H, W), "success" (K,) of the
        triggers, "index" (K,) and "flagged" (bool (K,)) by class, "anomaly_index" (that of the
        smallest norm), "repaired" (1, or 0 where nothing was flagged), "meaningful" (0 where there
        are fewer than 5 classes, too few for an outlier test: then none is flagged), "validation/before",
        "validation/floor" and "validation/after", and where something was flagged "lr" and "validation/lr=…" as
        `FineTuning.run`. A class whose trigger never had the success that is asked for is not flagged. Raises
        ValueError as FineTuning does.
        """
        check("NeuralCleanse", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        before = accuracy(original, validation)
        generator = torch.Generator().manual_seed(seed)
        found = yield from self._invert(original, fit, generator)
        meaningful = len(found.norms) >= FEWEST
        flagged = abnormally_small(found.norms, self.limit) & (found.success >= self.success) & meaningful
        index = anomaly_index(found.norms)
        smallest = index[found.norms.argmin()].item()
        yield Progress("flag", 1, 1, {"index": smallest, "flagged": float(flagged.sum())}, model=original)
        report = {
            "norms": found.norms,
            "masks": found.masks,
            "patterns": found.patterns,
            "success": found.success,
            "index": index,
            "flagged": flagged,
            "anomaly_index": smallest,
            "repaired": float(flagged.any()),
            "meaningful": float(meaningful),
        }
        if not flagged.any():
            same = Choice(original, 0.0, before, (1 - self.tau) * before)
            return with_report(original, report | same.figures(before))
        marked = with_triggers(fit, found, flagged, self.stamp_ratio, generator)
        start = generator.get_state()

        def tune(lr: float) -> Run[nn.Module]:
            student = working_copy(original)
            generator.set_state(start)
            yield from train_with_sgd(student, marked, SGDConfig.of(self, lr=lr), generator=generator)
            return student

        chosen = yield from tuned(self, tune, validation, before)
        return with_report(chosen.model, report | lr_report(before, chosen))

    def _invert(self, model: nn.Module, fit: ImageSet, generator: torch.Generator) -> Run[Triggers]:
        """The triggers of all classes, found on a frozen copy."""
        frozen = working_copy(model).requires_grad_(False)
        how = Inversion(
            self.epochs, self.epoch_steps, self.invert_batch, self.invert_lr, self.cost, self.success, self.patience
        )
        groups = []
        for classes in torch.arange(len(fit.class_names), device=fit.images.device).split(TOGETHER):
            groups.append((yield from how.run(frozen, fit, classes, generator)))
        return Triggers(*(torch.cat(parts) for parts in zip(*map(tensors, groups), strict=True)))


def tensors(found: Triggers) -> Iterator[Tensor]:
    """Masks, patterns and success."""
    return (getattr(found, field.name) for field in dataclasses.fields(found))


def with_triggers(
    data: ImageSet, found: Triggers, flagged: Tensor, share: float, generator: torch.Generator
) -> ImageSet:
    """`data` with the triggers of the flagged classes on a share of the images, which keep their labels.

    The images are drawn by `generator` and divided among the triggers.
    """
    chosen = torch.randperm(len(data), generator=generator)[: round(share * len(data))].to(data.images.device)
    classes = torch.nonzero(flagged)[:, 0]
    images = data.images.clone()
    for c, index in zip(classes, chosen.tensor_split(len(classes)), strict=True):
        marked = stamped(data.images[index].float().div_(255), found.masks[c, None, None], found.patterns[c, None])
        images[index] = marked.mul_(255).round_().to(torch.uint8)
    return dataclasses.replace(data, images=images)
