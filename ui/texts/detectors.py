"""Detectors: defenses that look for triggered pictures."""

from __future__ import annotations

from ui.texts.steps import detectors as steps
from ui.texts.text import Text

TEXTS = {
    "STRIP": Text(
        r"\begin{gathered}H(x) = -\tfrac{1}{n} \textstyle\sum_i \sum_k p_k(x_i) \ln p_k(x_i) \\ "
        r"x_i = \mathrm{clip}(x + \alpha\, c_i)\end{gathered}",
        "cᵢ are n clean pictures laid over the input x with weight α, p are the model's class probabilities. An input "
        "is flagged if its H is lower than that of all but a share q of the clean pictures.",
        "Gao et al., ACSAC 2019, [arXiv 1902.06531](https://arxiv.org/abs/1902.06531)",
        "Other pictures are laid over an input. On a clean one the answer changes with the overlay; a model that still "
        "sees its trigger **keeps answering with the target**, and such low entropy is suspicious. This assumes that "
        "the trigger is the same on every picture and survives the overlay. A white square does, as long as it stays "
        "white: mix the pictures instead of adding them, and it turns grey. A warp may not.",
        steps=steps.strip,
    ),
    "ActivationClustering": Text(
        r"\begin{gathered}\{\phi(x) : y = c\} \;\to\; \text{ICA} \;\to\; \text{2-means} \\ "
        r"s = (b - a) \,/\, \max(a, b)\end{gathered}",
        "φ(x) are the features before the last layer, c is a class as labelled, a and b are the distances to the "
        "centre of the own and of the other cluster. The score is above 0 in the smaller cluster.",
        "Chen et al., 2018, [arXiv 1811.03728](https://arxiv.org/abs/1811.03728)",
        "Pictures that were relabelled as the target are assigned to it because of the trigger, not of what they show, "
        "so their features tend to lie apart: a poisoned class **splits into two clusters**. Which one is the poison? "
        "The method takes the smaller. With 10 % of all pictures relabelled as one of ten classes that is wrong: they "
        "are 53 % of the class, and its own pictures are the smaller cluster. Lower the poisoned share and look again.",
        steps=steps.clustering,
    ),
    "SpectralSignatures": Text(
        r"s_i = \left((\phi(x_i) - \bar\phi) \cdot v\right)^2",
        "φ̄ is the mean of the features of one class as labelled, v the top right singular vector of the centred "
        "features. Of every class the share 1.5 ε with the highest scores is removed.",
        "Tran, Li, Madry, NeurIPS 2018, [arXiv 1811.00636](https://arxiv.org/abs/1811.00636)",
        "A few pictures with something in common that the rest lack stretch the features of their class along one "
        "direction, that of the largest variance. The poisoned ones lie far out along it **as long as they are few**. "
        "When half of a class is poison, its own pictures lie just as far out on the other side, and with ε = 0.1 only "
        "15 % of the class is removed.",
        steps=steps.spectral,
    ),
}
