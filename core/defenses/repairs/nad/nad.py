"""NAD: distil the attention maps of a briefly fine-tuned copy into the backdoored model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from core.data.imageset import ImageSet
from core.defenses.repairs.nad.attention import Distillation
from core.defenses.shared.checks import check
from core.defenses.shared.learning_rate import lr_report, tuned
from core.defenses.shared.selection import RULES, accuracy, fit_and_validation
from core.device import device_of
from core.knobs import Method, knob
from core.networks.feature_maps import feature_maps
from core.networks.layout import training_copy
from core.networks.model_state import working_copy
from core.networks.report import report_of, with_report
from core.optim.schedules import SCHEDULES
from core.optim.sgd import SGDConfig, train_with_sgd
from core.runs import Run


@dataclass(frozen=True)
class NAD(Method):
    """Neural attention distillation (Li et al., ICLR 2021, arXiv 2101.05930).

    The teacher is the model after short fine-tuning on clean images. The student, which starts
    from the model, minimises on the same images

        CE + sum over l of beta_l MSE(A(F_l^s), A(F_l^t)),    A(F) = sum_c abs(F_c)^p / || · ||_2

    over the feature maps F of the last three stages, the teacher in eval mode. Stages are found in
    the net (see core/networks/feature_maps.py); maps of one position, as after global pooling, are never
    taken: their attention is always 1, and beta would weigh nothing. Where a net has fewer than
    three maps, the betas of the earlier ones are unused. Teacher and student learn at one rate, which is chosen as in
    FineTuning by the student's accuracy.

    `NAD.paper()` is the setting of the BackdoorBench comparison (Wu et al., 2022) in steps: ten
    epochs of 2,500 images for the teacher and ten for the student, at a constant learning rate: there the
    student's stays at 0.01 and the teacher's nearly so. The student goes forward once a
    step, so that its batch-norm statistics move once, and its last step is kept.
    """

    teacher_steps: int = knob(
        60, low=0, high=5000, step=10, help="fine-tuning steps of the teacher", paper=100, primary=True
    )
    steps: int = knob(100, low=0, high=5000, step=10, help="steps of the student", paper=100, primary=True)
    lr: float = knob(0.03, low=1e-5, high=1.0, symbol="η", help="learning rate of both, at most", paper=0.01)
    beta_low: float = knob(500.0, low=0.0, high=1e5, symbol="β₁", help="weight of the third last stage", paper=500.0)
    beta_middle: float = knob(
        1000.0, low=0.0, high=1e5, symbol="β₂", help="weight of the second last stage", paper=1000.0
    )
    beta_high: float = knob(1000.0, low=0.0, high=1e5, symbol="β₃", help="weight of the last stage", paper=1000.0)
    power: float = knob(2.0, low=1.0, high=4.0, step=0.5, symbol="p", help="power of the activations", paper=2.0)
    batch_size: int = knob(64, low=8, high=1024, step=8, help="images per step", paper=256)
    momentum: float = knob(0.9, low=0.0, high=0.99, step=0.01, help="momentum of SGD", paper=0.9)
    weight_decay: float = knob(5e-4, low=0.0, high=0.1, help="weight decay", paper=5e-4)
    schedule: str = knob("cosine", choices=SCHEDULES, help="learning rate over time", paper="constant")
    flip: bool = knob(True, help="mirror half of the pictures (not for digits or signs)")
    pad: int = knob(2, low=0, high=8, step=1, help="largest shift in pixels", paper=4)
    selection: str = knob("clean", choices=RULES, help="how the learning rate is chosen", paper="fixed")
    tau: float = knob(0.04, low=0.0, high=0.5, step=0.01, symbol="τ", help="share of validation accuracy to give up")
    candidates: int = knob(4, low=1, high=11, step=1, help="learning rates to try, at most")

    def run(self, model: nn.Module, clean: ImageSet, *, seed: int = 0) -> Run[nn.Module]:
        """The student, in eval mode; 80 % of `clean` are trained on.

        `report` as that of `FineTuning.run`, "validation/teacher", and by stage "attention/…", MSE between
        the maps of both at the last step. Raises ValueError as it does, and for a model without feature maps.
        """
        check("NAD", model, clean)
        fit, validation = fit_and_validation(clean.to(device_of(model)), seed)
        original = training_copy(model, clean.images)
        before = accuracy(original, validation)
        places = feature_maps(original, fit.images)
        betas = (self.beta_low, self.beta_middle, self.beta_high)[-len(places) :]

        def tune(lr: float) -> Run[nn.Module]:
            generator = torch.Generator().manual_seed(seed)
            teacher, student = working_copy(original), working_copy(original)
            config = SGDConfig.of(self, lr=lr, steps=self.teacher_steps)
            yield from train_with_sgd(teacher, fit, config, generator=generator, stage="teacher")
            distil = Distillation(teacher.requires_grad_(False), dict(zip(places, betas, strict=True)), self.power)
            config = SGDConfig.of(self, lr=lr)
            yield from train_with_sgd(student, fit, config, generator=generator, objective=distil, stage="distil")
            attention = {f"attention/{name}": term for name, term in distil.terms.items()}
            return with_report(student, attention | {"validation/teacher": accuracy(teacher, validation)})

        chosen = yield from tuned(self, tune, validation, before)
        return with_report(chosen.model, lr_report(before, chosen) | report_of(chosen.model))
