"""Re-activation: a small universal perturbation that re-activates a backdoor which a defense left dormant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.attacks.reactivation.reactivation_controls import score_controls
from core.attacks.reactivation.square_universal import square_delta
from core.attacks.shared.universal_delta import (
    ENSEMBLES,
    OPTIMISERS,
    Ball,
    Loss,
    rival,
    targeted,
    uniform,
    universal_delta,
)
from core.data.imageset import ImageSet
from core.data.modes import Trigger, stamped
from core.device import device_of
from core.knobs import Method, knob
from core.networks.checks import class_indices, classes_of
from core.optim.batches import batches
from core.runs import Run

THREATS = ("white-box", "query", "transfer")


@dataclass(frozen=True)
class Reactivation:
    """What a re-activation found, and what it is worth.

    delta : (C, H, W), max abs(delta) <= eps
    asr : attack success rate by control: "trigger", "noise", "reactivated", "clean_universal",
        "delta_only" (see reactivation_controls.py), and "clean_model/…" for each on the clean model
    ra : robust accuracy, under the same names
    n : test images behind each share, none of the target class
    report : "queries" and "calls" (queries x images) of the query threat
    """

    delta: Tensor
    asr: dict[str, float]
    ra: dict[str, float] = field(default_factory=dict)
    n: int = 0
    report: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ReActivation(Method):
    """Re-activation attack (Zhu, Liang, Wu, NeurIPS 2024, https://arxiv.org/abs/2405.16134).

    One delta, max abs(delta) <= eps, for all triggered pictures brings the target t back:

        min mean of l1 CE(f(clip(T(x) + delta)), t) + l2 (-log(1.0001 - p_j + 1e-12)),

    p_j the largest probability of a class other than t. Eval mode throughout; found on `fit`, scored
    on `test`. Threats:

    white-box : gradients of the defended model. Plain SGD in the paper; sign steps with momentum
        here, which need far fewer.
    query : scores only, Square Attack with one delta (square_universal.py), CE alone. One
        query asks about `query_images` images at once.
    transfer : gradients of `surrogates`, other defended models of the same backdoored one, CE alone.

    A universal perturbation of this size may fool a small network without any trigger, a clean one too.
    Evidence of a dormant backdoor is therefore the gap between "reactivated" and "clean_universal", beside
    the same gap of the clean model, not the first alone.
    """

    threat: str = knob("white-box", choices=THREATS, help="what the attacker knows", primary=True)
    eps: float = knob(
        8 / 255,
        low=0.0,
        high=0.5,
        step=1 / 255,
        symbol="ε",
        help="largest change of a value",
        paper=12.75 / 255,
        primary=True,
    )
    images: int = knob(1000, low=1, high=50_000, step=10, help="pictures to learn from, at most", paper=1000)
    steps: int = knob(60, low=1, high=10_000, step=10, symbol="T", help="gradient steps", paper=1750)
    batch_size: int = knob(32, low=1, high=512, step=8, help="pictures per gradient step", paper=128)
    optimiser: str = knob("sign", choices=OPTIMISERS, help="how a gradient becomes a step", paper="sgd")
    alpha: float = knob(0.2, low=0.0, high=2.0, step=0.05, symbol="α", help="length of a sign step, as a share of ε")
    lr: float = knob(0.05, low=1e-5, high=10.0, symbol="η", help="learning rate of sgd and momentum", paper=0.05)
    target_weight: float = knob(1.0, low=0.0, high=10.0, step=0.1, symbol="λ₁", help="weight of the target's loss")
    rival_weight: float = knob(
        1.0, low=0.0, high=10.0, step=0.1, symbol="λ₂", help="weight of the rival's loss (white-box only)"
    )
    ensemble: str = knob("avg", choices=ENSEMBLES, help="transfer: all surrogates in each step, or one by one")
    iterations: int = knob(200, low=1, high=10_000, step=10, help="query: moves tried", paper=10_000)
    query_images: int = knob(50, low=1, high=1000, step=10, help="query: pictures asked at once", paper=500)
    p: float = knob(0.1, low=0.01, high=1.0, step=0.01, symbol="p", help="query: share of pixels of the first squares")

    def run(
        self,
        model: nn.Module,
        fit: ImageSet,
        *,
        test: ImageSet,
        trigger: Trigger,
        target: int,
        clean_model: nn.Module | None = None,
        surrogates: Sequence[nn.Module] = (),
        seed: int = 0,
    ) -> Run[Reactivation]:
        """Attack a defended model.

        fit : clean pictures to find delta on, stamped with `trigger` here; labels are not used
        test : pictures to score on; those of the target class are left out
        trigger, target : the backdoor's own, all-to-one
        clean_model : a model that never was backdoored, which gets deltas of its own found in the
            same way (with "transfer": the same deltas) and the same five controls
        surrogates : models to find delta on, for the transfer threat

        eps, optimiser, steps and pictures are the same for every control. Raises ValueError for no
        pictures, a target that is not a class, no surrogates where they are needed, or logits that are
        not finite.
        """
        self._check(fit, surrogates)
        others = [*surrogates, *([] if clean_model is None else [clean_model])]
        scored = _scored(test, target, [model, *others])
        fit = fit.sample(self.images, seed).to(device_of(model))
        report: dict[str, float] = {}
        asr: dict[str, float] = {}
        ra: dict[str, float] = {}
        deltas: list[Tensor] = []
        for net, head in ((model, ""), (clean_model, "clean_model/")):
            if net is None:
                continue
            if not deltas or self.threat != "transfer":
                sources = surrogates if self.threat == "transfer" else [net]
                found = yield from self._find(sources, fit, trigger, target, seed, head + "reactivate", report)
                plain = yield from self._find(sources, fit, None, target, seed, head + "universal", {})
                deltas += [found, plain]
            shares, own = yield from score_controls(
                net, scored, trigger, target, delta=deltas[-2], clean_delta=deltas[-1], eps=self.eps, seed=seed,
                stage=head + "score",
            )  # fmt: skip
            asr |= {head + name: share for name, share in shares.items()}
            ra |= {head + name: share for name, share in own.items()}
        return Reactivation(deltas[0], asr, ra, len(scored), report)

    def _find(
        self,
        models: Sequence[nn.Module],
        fit: ImageSet,
        trigger: Trigger | None,
        target: int,
        seed: int,
        stage: str,
        report: dict[str, float],
    ) -> Run[Tensor]:
        """delta for pictures with the trigger, or without; both see the same pictures from the same start."""
        if self.threat == "query":
            asked = fit[: self.query_images]
            pictures = asked.pixels if trigger is None else stamped(trigger, asked)
            found = yield from square_delta(
                models[0], pictures, targeted(target), eps=self.eps, iterations=self.iterations, p=self.p,
                target=target, seed=seed, stage=stage,
            )  # fmt: skip
            if not report:
                report |= {"queries": float(found.queries), "calls": float(found.queries * len(asked))}
            return found.delta
        ball = Ball(self.eps, self.steps, self.optimiser, self.alpha, self.lr)
        start = uniform(fit.images.shape[1:], self.eps, seed).to(fit.images.device)
        return (
            yield from universal_delta(
                models, self._stream(fit, trigger, seed), self._loss(target), ball, start=start, target=target,
                ensemble=self.ensemble, stage=stage,
            )
        )  # fmt: skip

    def _stream(self, fit: ImageSet, trigger: Trigger | None, seed: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        for images, _ in batches(fit, self.batch_size, generator, flip=False, pad=0):
            yield images if trigger is None else trigger(images)

    def _loss(self, target: int) -> Loss:
        """l1 CE + l2 rival; the transfer threat has the first alone."""
        reach, suppress = targeted(target), rival(target)
        if self.threat == "transfer" or self.rival_weight == 0:
            return lambda logits: self.target_weight * reach(logits)
        return lambda logits: self.target_weight * reach(logits) + self.rival_weight * suppress(logits)

    def _check(self, fit: ImageSet, surrogates: Sequence[nn.Module]) -> None:
        if not len(fit):
            raise ValueError("ReActivation got no pictures to find a perturbation on; give it a few hundred.")
        if self.threat == "transfer" and not surrogates:
            raise ValueError(
                "ReActivation with threat='transfer' needs surrogates=, other defended models of the backdoored one."
            )


def _scored(test: ImageSet, target: int, models: Sequence[nn.Module]) -> ImageSet:
    """The test images that are not of the target class; ValueError unless each model knows that class."""
    scored = test[test.labels != target].to(device_of(models[0]))
    if not len(scored):
        raise ValueError(f"ReActivation got no test pictures of a class other than {target}, so nothing is scored.")
    for net in models:
        class_indices(target, "target", 1, classes_of(net, scored.images[:1]), device_of(net))
    return scored
