"""Detectors: defenses that look for what carries a trigger."""

from __future__ import annotations

from ui.texts.text import Text

TEXTS = {
    "STRIP": Text(
        r"\begin{gathered}H(x) = -\tfrac{1}{n} \textstyle\sum_i \sum_k p_k(x_i) \ln p_k(x_i) \\ "
        r"x_i = \mathrm{clip}(x + \alpha\, c_i)\end{gathered}",
        "cᵢ are n clean pictures laid over the input x with weight α, p the model's shares of the classes. Flagged is "
        "what has a lower H than all but a share q of clean pictures.",
        "Gao et al., ACSAC 2019, [arXiv 1902.06531](https://arxiv.org/abs/1902.06531)",
        "Lay other pictures over an input. A model in doubt changes its answer with each of them; one that sees its "
        "trigger **goes on saying the target**, and such stubbornness is suspicious. It presumes that the trigger is "
        "the same on every picture and outlives the overlay: a white square does, as long as it stays white. Mix the "
        "pictures instead of adding them, and the square turns grey; or take a warp, which hardly outlives anything.",
    ),
    "ActivationClustering": Text(
        r"\begin{gathered}\{\phi(x) : y = c\} \;\to\; \text{ICA} \;\to\; \text{2-means} \\ "
        r"s = (b - a) \,/\, \max(a, b)\end{gathered}",
        "φ(x) are the features before the last layer, c a class as labelled, a and b the distances to the own and the "
        "other centre. The score has the sign of the cluster: above 0 in the smaller one.",
        "Chen et al., 2018, [arXiv 1811.03728](https://arxiv.org/abs/1811.03728)",
        "Pictures that were relabelled as the target reach that class by another road, and their features lie apart "
        "from those of its own pictures: a poisoned class **falls into two heaps**. Which one is the poison? The "
        "smaller, says the method. With 10 % of all pictures led to one of ten classes it is not: the trigger is "
        "the majority there, and the own pictures are the smaller heap. Lower the poisoned share and look again.",
    ),
    "SpectralSignatures": Text(
        r"s_i = \left((\phi(x_i) - \bar\phi) \cdot v\right)^2",
        "φ̄ is the mean of the features of one class as labelled, v the top right singular vector of the centred "
        "features. Of every class the 1.5 ε share with the highest scores is thrown out.",
        "Tran, Li, Madry, NeurIPS 2018, [arXiv 1811.00636](https://arxiv.org/abs/1811.00636)",
        "A few pictures with something in common that the rest has not pull the features of their class along one "
        "direction: the direction of largest variance. Far out along it stand the poisoned ones, **as long as they are "
        "few**. When half of a class is poison, its own pictures stand just as far out on the other side, and 15 % is "
        "all that is thrown out.",
    ),
}
