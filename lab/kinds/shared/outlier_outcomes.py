"""What came out of a run of outlier detectors: who finds them, what was learned by heart, whom ITSR rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.kinds.kind import Conclusion
from lab.kinds.shared.words import percent

if TYPE_CHECKING:
    from lab.results import Result

LEVEL = 0.02
"""Balanced accuracies that differ by less are called level."""
CALLED = {"Autoencoder": "AE", "AdversarialAutoencoder": "AAE", "VariationalAutoencoder": "VAE"}


def called(name: str) -> str:
    """A detector's name as sentences and charts write it."""
    return CALLED.get(name, name)


def names(result: Result) -> list[str]:
    """The detectors that ran, in their order."""
    return [name for name in result.notes["detectors"].split(",") if name]


def conclude(result: Result) -> Conclusion:
    """How the recipe's detector stands among the others, by balanced accuracy, and how far below its ceiling."""
    own, found = type(result.recipe.method).__name__, result.figures
    others = [name for name in names(result) if name != own]
    n = result.counts[f"{own}/bacc"]
    order = sorted([own, *others], key=lambda name: -found[f"{name}/bacc"])
    told = ", ".join(f"{called(name)} {percent(found[f'{name}/bacc'])}" for name in order)
    few = int(found["outliers"])
    held = f"{few} outliers among {len(result.images['truth'])}" if few else "no outlier among the"
    text = (
        f"Balanced accuracy on {n} test pictures, after training with {held} training pictures: {told}. The rule of "
        f"{called(own)} keeps {percent(found[f'{own}/tnr'])} of the normal test pictures and rejects "
        f"{percent(found[f'{own}/tpr'])} of the outliers; its ceiling is {percent(found[f'{own}/ceiling'])}. "
    )
    turned = [f"{called(name)} {found[f'{name}/auroc']:.2f}" for name in order if found[f"{name}/auroc"] < 0.5]
    if turned:
        text += f"By an AUROC below .5 outliers rank below normal pictures: {', '.join(turned)}; another"
    text += f"{'' if turned else 'Another'} seed may order the detectors otherwise."
    if not others:
        return Conclusion("alone", text)
    ahead = found[f"{own}/bacc"] - max(found[f"{name}/bacc"] for name in others)
    if abs(ahead) <= LEVEL:
        return Conclusion("level", text)
    return Conclusion("ahead" if ahead > 0 else "behind", text)


def learned(result: Result) -> Conclusion:
    """Whether the autoencoder, or else the run's own detector, ends up reconstructing outliers like normal pictures."""
    own = type(result.recipe.method).__name__
    name = next((each for each in ("Autoencoder", own) if f"{each}/ratio" in result.figures), None)
    if name is None:
        return Conclusion("no outliers", "No error of outliers among the training pictures was followed in this run.")
    last, most = result.figures[f"{name}/ratio"], result.figures[f"{name}/ratio/most"]
    text = (
        f"In {called(name)} the mean error of the {int(result.figures['outliers'])} training outliers was at most "
        f"{most:.1f} times that of normal training pictures, and {last:.1f} times at the end."
    )
    left = (last - 1) / max(most - 1, 1e-9)
    if left < 0.25:
        return Conclusion("closed", text)
    return Conclusion("narrowed" if left < 0.75 else "open", text)


def candidates(result: Result) -> Conclusion:
    """How many of the training outliers ITSR took out, and how many normal pictures with them."""
    if "ITSR/history" not in result.images:
        return Conclusion("not refined", "ITSR did not run, so no training picture was taken out.")
    truth, weights = result.images["truth"], result.images["ITSR/history"][-1]
    out = weights <= 0
    hits, all_of_them, rejected = int((out & truth).sum()), int(truth.sum()), int(out.sum())
    pushed, right = int((weights < 0).sum()), int(((weights < 0) & truth).sum())
    text = (
        f"ITSR took {rejected} of {len(truth)} training pictures out, {hits} of the {all_of_them} outliers among them; "
        f"{pushed} were pushed away, {right} of those outliers."
    )
    if not all_of_them:
        return Conclusion("no outliers", text)
    share = hits / all_of_them
    return Conclusion("most" if share > 0.75 else "some" if share > 0.25 else "few", text)
