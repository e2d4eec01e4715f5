"""An autoencoder as detector of outliers."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.anomaly.shared.epochs import Epochs, calibrated
from core.anomaly.shared.outlier_model import check_pictures
from core.anomaly.shared.reconstruction import Reconstruction, drawn
from core.data.imageset import ImageSet
from core.knobs import Method, knob
from core.runs import Run


@dataclass(frozen=True)
class Autoencoder(Method):
    """The baseline of Beggel, Pfeiffer and Bischl, "Robust Anomaly Detection in Images using Adversarial
    Autoencoders", ECML-PKDD 2019 (arXiv 1901.06355), as a summary of the paper gives it; no code was released.

    Encoder D-width-width-latent with ReLU, a mirrored decoder with a sigmoid; L(x) = ||x - g(f(x))||^2, summed over
    the pixels, is minimised. A picture is rejected where L(x) exceeds the 90th percentile over the training pictures.
    A long training learns the outliers among these, too. Learning rate and batch size are the lab's choice.
    """

    epochs: int = knob(300, low=1, high=10_000, step=10, paper=4000, primary=True, help="passes over the pictures")
    width: int = knob(256, low=8, high=2000, step=8, paper=1000, help="units in each hidden layer")
    latent: int = knob(32, low=1, high=512, step=1, paper=32, help="numbers in a code")
    lr: float = knob(1e-3, low=1e-5, high=0.1, symbol="η", help="of Adam")
    batch_size: int = knob(32, low=4, high=1000, step=4, help="pictures per step")

    def run(self, train: ImageSet, *, seed: int = 0) -> Run[Reconstruction]:
        """Train on pictures of any shape, of which some may be outliers. Labels are not looked at.

        Closing the run leaves the model as it is then, with thresholds. Raises ValueError for fewer than 10 pictures,
        or pictures that are all alike.
        """
        check_pictures("Autoencoder", train)
        device, shape = train.images.device, tuple(train.images.shape[1:])
        model = drawn(seed, lambda: Reconstruction(shape, self.width, self.latent), device)
        training = Epochs(
            model, model.error, torch.optim.Adam(model.parameters(), lr=self.lr), self.batch_size,
            torch.Generator().manual_seed(seed),
        )  # fmt: skip
        return (yield from calibrated(model, training.run(train, None, self.epochs), train))
