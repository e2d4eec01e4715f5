"""Fine-Pruning: prune the features that are inactive on clean images, then fine-tune."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import SELECTIONS, Oracle, accuracy, choose, fit_and_validation, require_oracle
from core.device import device_of
from core.knobs import Method, knob
from core.metrics import correct
from core.networks.layout import training_copy
from core.networks.model_state import working_copy
from core.networks.penultimate import classifier_of, penultimate
from core.networks.report import report_of, with_report
from core.optim.schedules import SCHEDULES
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Progress, Run


@dataclass(frozen=True)
class FinePruning(Method):
    """Pruning by mean activation, then fine-tuning (Liu, Dolan-Gavitt, Garg, RAID 2018, arXiv 1805.12185).

    The features before the last linear layer are ranked by their mean on clean images. In
    ascending order their columns of that layer are set to zero, `prune_step` of them at a time,
    until validation accuracy has lost more than the share `tau`; the last state within the limit
    is fine-tuned with the columns held at zero, at a learning rate chosen as in FineTuning. `FinePruning.paper()` is
    the setting of the BackdoorBench comparison (Wu et al., 2022), with validation images in place of its test images.
    """

    prune_ratio: float = knob(
        0.99, low=0.0, high=0.99, step=0.01, help="share of features to prune, at most", primary=True
    )
    prune_step: float = knob(0.01, low=0.01, high=0.5, step=0.01, help="share pruned at a time", paper=0.01)
    steps: int = knob(160, low=0, high=5000, step=10, help="gradient steps after pruning", paper=1000, primary=True)
    lr: float = knob(0.03, low=1e-5, high=1.0, symbol="η", help="learning rate, at most", paper=0.01)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step", paper=256)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    schedule: str = knob("cosine", choices=SCHEDULES, help="learning rate over time", paper="cosine")
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=SELECTIONS, help="how the share is chosen; oracle peeks at the attack")
    tau: float = knob(
        0.05, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up", paper=0.1
    )
    candidates: int = knob(
        3, low=1, high=11, step=1, help="learning rates to try, at most; shares that the oracle tries", paper=1
    )

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0, oracle: Oracle | None = None) -> Run[nn.Module]:
        """A pruned and fine-tuned copy of `model`, in eval mode.

        `oracle(model) -> ASR` is called by selection="oracle" only. `report`: "pruned" (share),
        "mask" (bool (d,), features pruned), "activation" (d,), "curve/share" and "curve/accuracy"
        (validation accuracy after each step of pruning), "validation/pruned", and what `FineTuning.run` reports.
        Raises ValueError as FineTuning does, and for a model whose output is not that of a linear layer.
        """
        require_oracle("FinePruning", self.selection, oracle)
        check("FinePruning", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        head = classifier_of(original, fit.images[:2])
        activation = penultimate(original, head, fit.images).mean(0)
        order = activation.argsort(stable=True)
        shares, scores = self._curve(original, head, validation, order)
        before, floor = scores[0], (1 - self.tau) * scores[0]
        share = within(shares, scores, floor) if self.selection == "clean" else self.prune_ratio

        def repair(share: float) -> Run[nn.Module]:
            def tune(lr: float) -> Run[nn.Module]:
                return self._repair(original, head, order, share, fit, lr, seed)

            chosen = yield from tuned(self, tune, validation, before)
            return with_report(chosen.model, lr_report(before, chosen))

        def score(repaired: nn.Module) -> float:
            return accuracy(repaired, validation)

        rule = "oracle" if self.selection == "oracle" else "fixed"
        chosen = yield from choose(rule, share, repair, score, floor=floor, candidates=self.candidates, oracle=oracle)
        mask = first(order, chosen.strength)
        report = {
            "pruned": mask.float().mean().item(),
            "mask": mask,
            "activation": activation,
            "curve/share": torch.tensor(shares),
            "curve/accuracy": torch.tensor(scores),
            "validation/pruned": scores[max(i for i, s in enumerate(shares) if s <= chosen.strength + 1e-9)],
        }
        return with_report(chosen.model, report | report_of(chosen.model))

    def _curve(
        self, model: nn.Module, head: str, validation: ImageSet, order: Tensor
    ) -> tuple[list[float], list[float]]:
        """Shares pruned (0, one step, two steps, … up to `prune_ratio`) and the accuracy at each.

        Only the last layer changes, so the features are computed once.
        """
        count = int(self.prune_ratio / self.prune_step + 1e-9)
        shares = [step * self.prune_step for step in range(count + 1)]
        features = penultimate(model, head, validation.images)
        layer = model.get_submodule(head)
        with torch.no_grad():
            scores = [correct(layer(features * ~first(order, share)), validation.labels) for share in shares]
        return shares, scores

    def _repair(
        self, original: nn.Module, head: str, order: Tensor, share: float, fit: ImageSet, lr: float, seed: int
    ) -> Run[nn.Module]:
        """A copy with the first `share` of the features pruned, fine-tuned with them held at zero."""
        student = working_copy(original)
        weight = student.get_parameter(f"{head}.weight")
        mask = first(order, share)

        def prune() -> None:
            with torch.no_grad():
                weight.masked_fill_(mask, 0.0)

        prune()
        yield Progress("prune", 1, 1, {"pruned": mask.float().mean().item()}, model=student)
        generator = torch.Generator().manual_seed(seed)
        yield from train_with_sgd(student, fit, SGDConfig.of(self, lr=lr), generator=generator, after_step=prune)
        return student


def first(order: Tensor, share: float) -> Tensor:
    """Bool mask (d,) of the first floor(share x d) entries of `order`: nested in `share`."""
    mask = torch.zeros(len(order), dtype=torch.bool, device=order.device)
    mask[order[: int(share * len(order) + 1e-9)]] = True
    return mask


def within(shares: list[float], scores: list[float], floor: float) -> float:
    """The last share before the accuracy first falls below `floor`."""
    kept = 0.0
    for share, score in zip(shares, scores, strict=True):
        if score < floor:
            break
        kept = share
    return kept
