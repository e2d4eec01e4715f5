"""An adversarial autoencoder as detector of outliers."""

from __future__ import annotations

from dataclasses import dataclass

from core.anomaly.shared.adversarial import BOTH, RULES, AdversarialModel, AdversarialTraining
from core.anomaly.shared.epochs import calibrated
from core.anomaly.shared.outlier_model import check_pictures
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Run


@dataclass(frozen=True)
class AdversarialAutoencoder(Method):
    """The adversarial autoencoder (Makhzani et al., 2015, arXiv 1511.05644) as Beggel et al. use it (ECML-PKDD 2019,
    arXiv 1901.06355), as a summary of their paper gives it.

    A discriminator learns to tell codes z from draws of N(0, I), and the encoder to deceive it. A picture is rejected
    where its error L exceeds the 90th percentile over the training pictures, or its likelihood p(z) falls below the
    10th; the score is max(L / T_rec, ||z|| / T_z). In how many dimensions codes lie matters: the likelihood says
    little in 32, which the autoencoder has. Place of the batch norms, losses' form and learning rates are the lab's.
    """

    epochs: int = knob(300, low=1, high=10_000, step=10, paper=1000, primary=True, help="passes over the pictures")
    rule: str = knob(BOTH, choices=RULES, primary=True, help="what rejects: a large error, an unlikely code, or either")
    width: int = knob(256, low=8, high=2000, step=8, paper=1000, help="units in each hidden layer")
    latent: int = knob(2, low=1, high=64, step=1, paper=2, help="numbers in a code")
    lr: float = knob(1e-3, low=1e-5, high=0.1, symbol="η", help="of Adam, for the reconstruction")
    lr_adversarial: float = knob(2e-4, low=1e-6, high=0.1, help="of Adam, for discriminator and encoder")
    batch_size: int = knob(32, low=4, high=1000, step=4, help="pictures per step")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[AdversarialModel]:
        """Train on pictures of any shape, as `Autoencoder.run`."""
        check_pictures("AdversarialAutoencoder", train)
        training = AdversarialTraining(
            train, self.width, self.latent, self.rule, self.lr, self.lr_adversarial, self.batch_size, seed
        )
        return (yield from calibrated(training.model, training.run(train, None, self.epochs), train))
