"""TSBD: zero the weights that unlearning moves most, then fine-tune with the gradient norm penalised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.tsbd.affordable import SHORT, affordable
from core.defenses.repairs.tsbd.gradient_norm import GradientNormAware
from core.defenses.repairs.tsbd.weight_change import (
    largest_changes,
    marked,
    neuron_weight_change,
    reinitialise,
    weight_changes,
)
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import between, unless_failing
from core.defenses.shared.selection import (
    SELECTIONS,
    Choice,
    Oracle,
    accuracy,
    choose,
    fit_and_validation,
    require_oracle,
)
from core.defenses.shared.unlearning import Unlearned, unlearn
from core.device import device_of
from core.knobs import Method, knob
from core.networks.channels import neuron_layers
from core.networks.layout import training_copy
from core.networks.report import with_report
from core.optim.schedules import SCHEDULES
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Progress, Run


@dataclass(frozen=True)
class TSBD(Method):
    """Two-stage backdoor defense (Lin et al., NeurIPS 2024, arXiv 2405.20291).

    Stage 1, neuron weight change: a copy of the model unlearns clean images. NWC(l, i) = sum over
    j of abs(w_u[l, i, j] - w_o[l, i, j]) ranks the channels of all convolutions together. Of the
    weights of the top fraction n, the fraction m that moved most is set to zero in a copy of the
    original model. Stage 2, activeness-aware fine-tuning (Aa-FT): SGD along
    g = (1 - alpha) grad L(theta) + alpha grad L(theta + r g1 / ||g1||), norm by parameter tensor.

    n and the learning rate of stage 2 are chosen by `selection` (see core/defenses/shared/selection.py);
    `neuron_ratio` and `lr` are upper bounds, tried first. Where validation accuracy falls too far, "clean" chooses n
    once, by short recoveries (core/defenses/repairs/tsbd/affordable.py), and then the rate, as in FineTuning. "oracle"
    varies n alone.
    `TSBD.paper()` is the setting of the released code in steps (an epoch of its 2,500 images are 10
    steps of 256); that the paper's n is 0.15 was not checked against its text. The lab's defaults
    differ because a thousand images on two cores allow few steps: unlearning ranks the weights
    long before it reaches its stop. The lr is the paper's: on the development networks a higher one cost more accuracy.
    A lower one can leave more of a backdoor, though: an ASR of 29 % on zoo:scenes-sig, seed 0, where the former
    defaults with 0.03 left 13 %.

    Unlearning ends here when the accuracy on one training batch, in training mode, is `unlearn_until` or less. The
    release asks for the accuracy on the whole clean set in eval mode, which falls earlier or later: in one
    comparison it stopped after 96 steps, where the batch says 120.
    """

    neuron_ratio: float = knob(
        0.15,
        low=0.0,
        high=1.0,
        step=0.01,
        symbol="n",
        help="share of channels to reinitialise, at most",
        paper=0.15,
        primary=True,
    )
    weight_ratio: float = knob(
        0.7, low=0.0, high=1.0, step=0.05, symbol="m", help="share of their weights to set to zero", paper=0.7
    )
    unlearn_lr: float = knob(1e-3, low=1e-5, high=0.1, help="learning rate of unlearning", paper=1e-4)
    unlearn_steps: int = knob(
        60, low=0, high=10000, step=10, help="unlearning steps, at most", paper=10000, primary=True
    )
    unlearn_until: float = knob(
        0.1, low=0.0, high=1.0, step=0.05, help="unlearning ends at this accuracy on a batch", paper=0.1
    )
    steps: int = knob(
        160, low=0, high=5000, step=10, help="steps of activeness-aware fine-tuning", paper=200, primary=True
    )
    lr: float = knob(0.01, low=1e-5, high=1.0, symbol="η", help="learning rate of fine-tuning, at most", paper=0.01)
    r: float = knob(0.05, low=0.0, high=1.0, step=0.01, symbol="r", help="length of the step uphill", paper=0.05)
    alpha: float = knob(0.7, low=0.0, high=1.0, step=0.05, symbol="α", help="weight of the uphill gradient", paper=0.7)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step", paper=256)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=0.0)
    schedule: str = knob("cosine", choices=SCHEDULES, help="learning rate over time", paper="constant")
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=SELECTIONS, help="how n and η are chosen; oracle peeks", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(3, low=1, high=11, step=1, help="values of n (oracle) or η (clean) to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0, oracle: Oracle | None = None) -> Run[nn.Module]:
        """A repaired copy of `model`, in eval mode.

        `oracle(model) -> ASR` is called by selection="oracle" only. `report`: "neuron_ratio" (n
        chosen), "zeroed" (share of the ranked weights set to zero), "unlearn/steps",
        "unlearn/accuracy", "lr" (chosen), "validation/before", "validation/floor" and "validation/after" (below the
        floor where nothing that was tried kept it), "validation/share=…" for each share of the upper bounds tried to
        the end, "activeness/mean" and "activeness/variance" (channels of the last layer ranked), and by layer name
        "nwc/…" (out,), "nwc_largest/…" (out, 3: its largest terms) and "masks/…" (bool, the weights set to zero).
        Raises ValueError for weights that are not finite, too few images, classes that do not match, a model
        without neurons to rank, a loss that diverges at every rate, or a missing oracle.
        """
        require_oracle("TSBD", self.selection, oracle)
        check("TSBD", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        before = accuracy(original, validation)
        unlearned = yield from self._unlearn(original, fit, seed)
        changes = weight_changes(original, unlearned.model)

        floor = (1 - self.tau) * before
        used: dict[float, tuple[float, float]] = {}
        spared: list[float] = []  # the n that was chosen, once the upper bound has failed

        def tune(n: float, lr: float, steps: int) -> Run[nn.Module]:
            return self._tune(original, fit, marked(changes, n, self.weight_ratio), lr, steps, seed)

        def guarded(n: float, share: float, steps: int) -> Run[nn.Module | None]:
            return unless_failing(tune(n, share * self.lr, steps), share, validation, floor)

        def repair(share: float) -> Run[nn.Module | None]:
            if self.selection != "clean":
                used[share] = share * self.neuron_ratio, self.lr
                return (yield from tune(*used[share], self.steps))
            model: nn.Module | None = None
            if share == 1:
                used[share] = self.neuron_ratio, self.lr
                model = yield from guarded(self.neuron_ratio, share, self.steps)
                if model is not None and score(model) >= floor:
                    return model
            if not spared:
                short = partial(guarded, share=share, steps=self.steps // SHORT)
                n = yield from affordable(short, self.neuron_ratio, validation)
                if n is None:
                    return model
                spared.append(n)
            if share == 1 and spared[0] == self.neuron_ratio:
                return model
            used[share] = spared[0], share * self.lr
            return (yield from guarded(spared[0], share, self.steps))

        def score(repaired: nn.Module) -> float:
            return accuracy(repaired, validation)

        chosen = yield from choose(
            self.selection, 1.0, repair, score, floor=floor, candidates=self.candidates, oracle=oracle, between=between
        )
        return with_report(chosen.model, self._report(before, unlearned, changes, chosen, *used[chosen.strength]))

    def _unlearn(self, model: nn.Module, fit: ImageSet, seed: int) -> Run[Unlearned]:
        return unlearn(
            model, fit, lr=self.unlearn_lr, steps=self.unlearn_steps, stop=self.unlearn_until,
            batch_size=self.batch_size, flip=self.flip, pad=self.pad, watched=neuron_layers(model)[-1],
            generator=torch.Generator().manual_seed(seed),
        )  # fmt: skip

    def _tune(
        self, original: nn.Module, fit: ImageSet, masks: dict[str, Tensor], lr: float, steps: int, seed: int
    ) -> Run[nn.Module]:
        """What follows the ranking, for one n and learning rate; each sees the same batches."""
        student = reinitialise(original, masks)
        yield Progress("reinitialise", 1, 1, {"zeroed": zeroed(masks)}, model=student)
        generator = torch.Generator().manual_seed(seed)
        config = SGDConfig.of(self, lr=lr, steps=steps)
        aware = GradientNormAware(self.r, self.alpha)
        yield from train_with_sgd(student, fit, config, generator=generator, perturbation=aware)
        return student

    def _report(
        self, before: float, unlearned: Unlearned, changes: dict[str, Tensor], chosen: Choice, n: float, lr: float
    ) -> dict[str, Tensor | float]:
        masks = marked(changes, n, self.weight_ratio)
        report: dict[str, Tensor | float] = {
            "neuron_ratio": n,
            "lr": lr,
            "zeroed": zeroed(masks),
            "unlearn/steps": float(unlearned.steps),
            "unlearn/accuracy": unlearned.accuracy,
        }
        report |= chosen.figures(before)
        report |= {f"validation/share={share:g}": score for share, score in chosen.tried.items()}
        if len(unlearned.activeness) > 1:
            report["activeness/mean"] = unlearned.activeness.mean(0)
            report["activeness/variance"] = unlearned.activeness.var(0)
        report |= {f"nwc/{name}": nwc for name, nwc in neuron_weight_change(changes).items()}
        report |= {f"nwc_largest/{name}": terms for name, terms in largest_changes(changes).items()}
        return report | {f"masks/{name}": mask for name, mask in masks.items()}


def zeroed(masks: dict[str, Tensor]) -> float:
    """Share of the weights of all ranked layers that are marked."""
    return sum(int(mask.sum()) for mask in masks.values()) / sum(mask.numel() for mask in masks.values())
