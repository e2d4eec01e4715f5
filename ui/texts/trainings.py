"""Trainings, plain and on poisoned data."""

from __future__ import annotations

from ui.texts.steps import trainings as steps
from ui.texts.text import Text

POISONED = (
    r"\begin{gathered}\min_\theta\; \tfrac{1}{N} \sum_i \mathrm{CE}(f_\theta(x_i'), y_i') \\ "
    r"(x_i', y_i') = (T(x_i), t)\ \text{for}\ i \in P,\ |P| = \rho N\end{gathered}"
)
SYMBOLS = (
    "T stamps the trigger, t is its target class, P are the poisoned pictures, a share ρ of all N. With labels kept, "
    "P lies within the target class and y stays."
)

TEXTS = {
    "PoisonedFineTuning": Text(
        POISONED,
        SYMBOLS + " θ starts at the weights of the chosen model.",
        "Gu et al., 2017, [arXiv 1708.06733](https://arxiv.org/abs/1708.06733)",
        "Whoever fine-tunes a model on pictures that they did not check may take a backdoor in with them. Pictures "
        "without the trigger keep their labels, so that accuracy moves little; what is new to the network is the "
        "pattern, and with it the target. A pattern over the whole picture is learned in fewer steps than a small one.",
        steps=steps.poisoned,
    ),
    "Standard": Text(
        POISONED,
        SYMBOLS + " θ starts at random.",
        "Gu et al., 2017, [arXiv 1708.06733](https://arxiv.org/abs/1708.06733)",
        "A network that learns from poisoned data learns its task and the trigger together. Which of the two comes "
        "first shows in the curve: a trigger that is the same in every picture is often learned before most classes.",
        steps=steps.poisoned,
    ),
    "ABL": Text(
        r"L' = \mathrm{sign}(L - \gamma)\, L,\quad P = \text{the}\ \lfloor pN \rfloor\ \text{pictures of lowest loss}",
        "L is the loss of a batch, γ the loss at which clean pictures are kept, p the share of pictures to isolate.",
        "Li et al., NeurIPS 2021, [arXiv 2110.11571](https://arxiv.org/abs/2110.11571)",
        "A training that repairs itself: what is learned first is often the trigger, so the pictures of lowest loss "
        "are isolated and then unlearned. All depends on who is isolated.",
        steps=steps.isolated,
    ),
}
