"""Iterative training set refinement: an adversarial autoencoder that stops learning its likely outliers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.anomaly.shared.adversarial import BOTH, RULES, AdversarialModel, AdversarialTraining
from core.anomaly.shared.epochs import calibrated
from core.anomaly.shared.outlier_model import check_pictures
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Run

TOLERANCE = 1e-6
LEAST = 0.5
"""The share of the pictures that is always trained on: outliers are the fewer ones by definition."""


@dataclass(frozen=True)
class ITSR(Method):
    """Iterative training set refinement: Beggel, Pfeiffer and Bischl, ECML-PKDD 2019 (arXiv 1901.06355), as a summary
    of the paper gives it; no code was released.

    An adversarial autoencoder is trained in three phases on sum_i w_i L(x_i), and the same w_i weight its adversarial
    losses. *Pretrain*: w = 1. *Refine*, d rounds: a one-class SVM (RBF, nu) is fitted to the codes, and what lies
    outside is a candidate with w = 0. *Retrain*: those candidates whose error exceeds the 80th percentile of all
    candidates' get w < 0 and are pushed away, the other candidates have w = 0.

    `cumulative` fits each round to what is still kept and collects all candidates, at most about 1 - (1 - nu)^d of
    the pictures; otherwise each round judges all pictures anew, and about nu of them are candidates. The paper's
    summary leaves open which is meant, and what the negative weight is: both defaults are the lab's.
    """

    pretrain: int = knob(90, low=1, high=10_000, step=10, paper=500, primary=True, help="epochs before the first round")
    rounds: int = knob(5, low=1, high=50, step=1, paper=10, symbol="d", primary=True, help="of detecting and refining")
    refine: int = knob(24, low=1, high=1000, step=1, paper=100, help="epochs in each round")
    retrain: int = knob(90, low=1, high=10_000, step=10, paper=1000, help="epochs after the last round")
    nu: float = knob(0.02, low=0.001, high=0.5, step=0.001, paper=0.02, symbol="ν", primary=True,
                     help="share of the pictures that the one-class SVM leaves outside")  # fmt: skip
    weight: float = knob(-0.1, low=-1.0, high=0.0, step=0.05, symbol="w", primary=True,
                         help="of the candidates that are pushed away; 0 only leaves them out")  # fmt: skip
    quantile: float = knob(0.8, low=0.0, high=1.0, step=0.05, paper=0.8,
                           help="of the candidates' errors; those above are pushed away")  # fmt: skip
    cumulative: bool = knob(True, help="whether a candidate of one round stays one")
    rule: str = knob(BOTH, choices=RULES, help="what rejects: a large error, an unlikely code, or either")
    width: int = knob(256, low=8, high=2000, step=8, paper=1000, help="units in each hidden layer")
    latent: int = knob(2, low=1, high=64, step=1, paper=2, help="numbers in a code")
    lr: float = knob(1e-3, low=1e-5, high=0.1, symbol="η", help="of Adam, for the reconstruction")
    lr_adversarial: float = knob(2e-4, low=1e-6, high=0.1, help="of Adam, for discriminator and encoder")
    batch_size: int = knob(32, low=4, high=1000, step=4, help="pictures per step")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[AdversarialModel]:
        """Train on pictures of any shape, as `Autoencoder.run`; the model's `history` has the weights by round.

        Thresholds are those over all training pictures, candidates included. A run that is closed in any phase leaves
        the model as it is then.
        """
        check_pictures("ITSR", train)
        training = AdversarialTraining(
            train, self.width, self.latent, self.rule, self.lr, self.lr_adversarial, self.batch_size, seed
        )
        return (yield from calibrated(training.model, self._phases(training, train), train))

    def _phases(self, training: AdversarialTraining, train: ImageSet) -> Run[None]:
        """Pretrain, refine, retrain."""
        model, weights = training.model, torch.ones(len(train), device=train.images.device)
        yield from training.run(train, weights, self.pretrain, "pretrain")
        for step in range(1, self.rounds + 1):
            weights = (~self.candidates(model.codes(train.images), weights == 0)).float()
            model.history.append(weights.cpu())
            yield from training.run(train, weights, self.refine, f"refine {step} of {self.rounds}")
        weights = retrain_weights(model.errors(train.images), weights == 0, self.quantile, self.weight)
        model.history.append(weights.cpu())
        yield from training.run(train, weights, self.retrain, "retrain")

    def candidates(self, codes: Tensor, before: Tensor) -> Tensor:
        """Which pictures, bool (N,), are candidates after one more round; `before` are those of the rounds so far."""
        fitted = ~before if self.cumulative else torch.ones_like(before)
        found = torch.zeros_like(before)
        found[fitted] = outside(codes[fitted], self.nu)
        found = found | before if self.cumulative else found
        return before if found.float().mean() > 1 - LEAST else found


def outside(codes: Tensor, nu: float) -> Tensor:
    """What a one-class SVM (RBF, gamma "scale") that is fitted to codes (N, d) leaves outside, bool (N,).

    With scikit-learn's usual tolerance of 1e-3 the margin is so rough that half as many again lie outside.
    """
    from sklearn.svm import OneClassSVM

    points = codes.double().cpu().numpy()
    svm = OneClassSVM(nu=nu, gamma="scale", tol=TOLERANCE).fit(points)
    return torch.from_numpy(svm.decision_function(points) < 0).to(codes.device)


def retrain_weights(errors: Tensor, candidates: Tensor, quantile: float, weight: float) -> Tensor:
    """The weights (N,) of the last phase: 1, of candidates 0, and `weight` for those with the largest errors."""
    weights = (~candidates).float()
    if bool(candidates.any()):
        weights[candidates & (errors > errors[candidates].quantile(quantile))] = weight
    return weights
