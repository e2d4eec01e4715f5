"""SAU: find perturbations that lead the backdoored and the repaired model to the same wrong class, and unlearn them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.data.imageset import ImageSet
from core.defenses.repairs.sau.shared_examples import shared_examples, shared_risk
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import RULES, accuracy, fit_and_validation
from core.device import autocast, device_of
from core.knobs import Method, knob
from core.networks.layout import laid_out, training_copy
from core.networks.model_state import working_copy
from core.networks.predictions import predict
from core.networks.report import report_of, with_report
from core.optim.batches import batches
from core.optim.gradients import fit_of, mean_in_parts
from core.optim.objectives import Metrics, Pass
from core.optim.schedules import constant
from core.optim.train import train_steps
from core.runs import Run


@dataclass(frozen=True)
class SAU(Method):
    """Shared adversarial unlearning (Wei et al., NeurIPS 2023, arXiv 2307.10562).

    f starts as the backdoored f_A, which stays as it is. Each step takes a batch of clean images
    without augmentation, finds shared adversarial examples x + delta
    (core/defenses/repairs/sau/shared_examples.py), and moves f by Adam along the gradient of
    l1 CE(f(x), y) + l2 CE(f(x + delta), y) + l3 L_sh, where L_sh = (1/N) sum -log(1 - p_f(ytilde))
    over images where f_A is fooled: ytilde = f_A(x + delta) is neither y nor f_A(x).

    Here f is in eval mode throughout: perturbed images are far from clean ones and would spoil
    the running statistics of its batch norms. The learning rate is chosen as in FineTuning. `SAU.paper()` is the
    setting of the authors' release on BackdoorBench in steps: 100 rounds of 2,500 images are 1,000 steps of 256.
    """

    steps: int = knob(50, low=0, high=5000, step=10, help="gradient steps", paper=1000, primary=True)
    lr: float = knob(
        5e-4, low=1e-6, high=1.0, symbol="η", help="learning rate of Adam, at most", paper=1e-4, primary=True
    )
    eps: float = knob(
        0.2,
        low=0.0,
        high=1.0,
        step=0.01,
        symbol="ε",
        help="largest change of a value, and of one step",
        paper=0.2,
        primary=True,
    )
    attack_steps: int = knob(5, low=0, high=100, step=1, help="steps of the attack on a batch", paper=5)
    b1: float = knob(0.01, low=0.0, high=10.0, symbol="β₁", help="attack: weight of fooling", paper=0.01)
    b2: float = knob(1.0, low=0.0, high=10.0, symbol="β₂", help="attack: weight of agreeing", paper=1.0)
    l1: float = knob(1.0, low=0.0, high=10.0, symbol="λ₁", help="weight of clean images", paper=1.0)
    l2: float = knob(0.0, low=0.0, high=10.0, symbol="λ₂", help="weight of perturbed images' labels", paper=0.0)
    l3: float = knob(1.0, low=0.0, high=10.0, symbol="λ₃", help="weight of the shared risk", paper=1.0)
    batch_size: int = knob(48, low=8, high=1024, step=8, help="images per step", paper=256)
    selection: str = knob("clean", choices=RULES, help="how the learning rate is chosen", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(4, low=1, high=11, step=1, help="learning rates to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """A repaired copy of `model`, in eval mode; 80 % of `clean` are trained on.

        Metrics of a step: "loss", "fooled" (share of the batch that f_A takes for a new class) and
        "shared" (share that f then takes for the same). `report`: "fooled" and "shared" of the
        last step, and what `FineTuning.run` reports. Raises ValueError as it does.
        """
        check("SAU", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        reference = training_copy(model, clean.images).requires_grad_(False)
        before = accuracy(reference, validation)

        def tune(lr: float) -> Run[nn.Module]:
            student = working_copy(reference)
            generator = torch.Generator().manual_seed(seed)
            metrics = yield from train_steps(
                student,
                batches(fit, self.batch_size, generator, flip=False, pad=0),
                torch.optim.Adam(student.parameters(), lr),
                constant(lr),
                self.steps,
                generator=torch.Generator().manual_seed(seed),
                objective=SharedRisk(self, reference),
                training=False,
                stage="unlearn",
            )
            return with_report(student, {name: metrics.get(name, 0.0) for name in ("fooled", "shared")})

        chosen = yield from tuned(self, tune, validation, before)
        return with_report(chosen.model, lr_report(before, chosen) | report_of(chosen.model))


@dataclass(frozen=True)
class SharedRisk:
    """The objective of SAU with these knobs: attack the batch once, then the three losses in one pass.

    Metrics: "loss", and "fooled" and "shared" as `SAU.run` says.
    """

    knobs: SAU
    reference: nn.Module

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Pass:
        k, reference = self.knobs, self.reference
        perturbed = shared_examples(model, reference, images, labels, eps=k.eps, steps=k.attack_steps, b1=k.b1, b2=k.b2)
        answers, plain = predict(reference, torch.cat([perturbed, images])).argmax(1).chunk(2)
        fooled = (answers != labels) & (answers != plain)
        weights, fit = list(model.parameters()), fit_of(model, images)

        def gradients(x: Tensor, disturbed: Tensor, y: Tensor, answer: Tensor, counted: Tensor) -> list[Tensor]:
            with autocast(x.device):
                clean, wrong = model(laid_out(model, torch.cat([x, disturbed]))).float().chunk(2)
            loss = k.l1 * F.cross_entropy(clean, y) + k.l2 * F.cross_entropy(wrong, y)
            loss = loss + k.l3 * shared_risk(wrong, answer, counted)
            shared = (counted & (wrong.argmax(1) == answer)).float().mean()
            found = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
            return [loss, shared, *found]

        def one_pass() -> Metrics:
            loss, shared, *found = mean_in_parts(gradients, images, perturbed, labels, answers, fooled, fit=fit)
            for weight, gradient in zip(weights, found, strict=True):
                weight.grad = gradient
            return {"loss": loss, "fooled": fooled.float().mean(), "shared": shared}

        return one_pass
