"""A detector: suspects of which some carry the trigger, what it says about them, and how right it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from core.data import ImageSet, suspects
from core.defenses import DETECTORS
from core.defenses.shared.detection import Detection
from core.metrics import roc
from core.networks.predictions import predict
from core.runs import Run
from core.triggers import Poison
from lab import loading
from lab.inputs import BACKDOOR, RATE, N, taking
from lab.kinds.kind import Conclusion, Kind, Score
from lab.kinds.shared import no_backdoor
from lab.kinds.shared.script import SIZE, Script, Snippet
from lab.kinds.shared.setting import Backdoor, backdoor_to_try, clean_model, model_of, require_classes, size_of
from lab.kinds.shared.snippet_lines import backdoor_line, test_images
from lab.kinds.shared.words import of_all, share
from lab.results import Result
from models import Classifier

if TYPE_CHECKING:
    from lab.recipes import Recipe

INPUTS, TRAINING = 400, 5000
"""Suspects that are judged where the recipe says no n: test images, or training images with their given labels."""

BLENDS = 3
"""Overlays under which a result of STRIP shows a picture."""


def run(recipe: Recipe) -> Run[Result]:
    """Judge suspects by the recipe's model, and by a clean model as control.

    An input-time detector (STRIP) is given test images, half of them triggered, against clean images of the
    defender; one on training data a poisoned training set with its given labels, whose share of poison is that of the
    model's own training unless the input "rate" says otherwise. A model without trigger is tried with BadNets. What
    is still found on a clean model in a training set are its wrong labels, not the trigger.

    figures : auroc; tpr/5 and tpr/10, the true positive rate at 5 % and 10 % false positives; own/flagged, own/tpr
        and own/fpr, the shares of all, of the triggered and of the clean suspects that the method itself flags; the
        same with clean_model/…
    images : original and triggered examples; on training data "projection" (M, 2), the features of the class that
        holds most poison along their two main directions, with "projection/truth" and "projection/flagged", and
        "by_class" (K,), silhouette or explained variance; of STRIP "blends" (2, B, C, H, W), without and with trigger,
        and "blends/entropy" (2, B) in nats
    per_image : label (as given), score, truth, flagged, clean_model/score; of STRIP "blends/answer", of each of the
        two pictures and its blends
    """
    model = yield from model_of(recipe)
    result, backdoor, method = Result(recipe), backdoor_to_try(recipe, model), _detector(recipe)
    no_backdoor.note(result, model)
    defender = loading.images(recipe.data, "defender", seed=0, size=size_of(model))
    require_classes(recipe, model, defender)
    data, truth = (_inputs if method.suspects == "inputs" else _training)(recipe, model, backdoor)
    found: Detection = yield from method.run(model, data, clean=defender, seed=recipe.seed)
    _write(result, "", found, truth)
    _pictures(result, data, truth, found)
    if method.suspects == "inputs":
        _blends(result, model, defender)
    twin = clean_model(model, data)
    if twin is None or twin is model:
        result.notes["controls"] = "There is no other, clean model of these data to compare with."
    else:
        control = yield from method.run(twin, data, clean=defender, seed=recipe.seed)
        _write(result, "clean_model/", control, truth)
    if model.trigger is None and "trigger" not in recipe.inputs:
        result.notes["trigger"] = "The model has none of its own, so BadNets is stamped."
    return result


def _detector(recipe: Recipe) -> Any:
    """The method; mypy knows no detector among methods."""
    return recipe.method


def _inputs(recipe: Recipe, model: Classifier, backdoor: Backdoor) -> tuple[ImageSet, Tensor]:
    test = loading.images(recipe.data, "test", limit=recipe.inputs.get("n", INPUTS), size=size_of(model))
    assert backdoor.trigger is not None
    return suspects.inputs(test, backdoor.trigger, target=backdoor.target, mode=backdoor.mode, seed=recipe.seed)


def _training(recipe: Recipe, model: Classifier, backdoor: Backdoor) -> tuple[ImageSet, Tensor]:
    """The first training images, poisoned as those of the model's own training were."""
    train = loading.images(recipe.data, "train", limit=recipe.inputs.get("n", TRAINING), size=size_of(model))
    own = model.card.recipe.get("method", {}).get("poison") or {}
    rate = recipe.inputs.get("rate", own.get("rate", 0.1))
    trigger: Any = backdoor.trigger
    poison = Poison(trigger, backdoor.target or 0, rate, backdoor.mode, own.get("clean_label", False))
    return suspects.training(train, poison, seed=recipe.seed)


def _write(result: Result, head: str, found: Detection, truth: Tensor) -> None:
    curve, poison, clean = roc(found.scores, truth), int(truth.sum()), int((~truth).sum())
    figures = {
        "auroc": (curve.auroc, len(truth)),
        "tpr/5": (curve.tpr_at(0.05), poison),
        "tpr/10": (curve.tpr_at(0.10), poison),
        "own/flagged": (found.flagged.float().mean().item(), len(truth)),
        "own/tpr": (found.flagged[truth].float().mean().item(), poison),
        "own/fpr": (found.flagged[~truth].float().mean().item(), clean),
    }
    for name, (value, n) in figures.items():
        result.figures[head + name], result.counts[head + name] = value, n
    result.per_image[f"{head}score"] = found.scores.tolist()
    result.images[f"{head}threshold"] = torch.tensor(found.threshold)


def _pictures(result: Result, data: ImageSet, truth: Tensor, found: Detection) -> None:
    """An example of each kind, and what the detector found in the classes."""
    report = found.report
    result.per_image |= {
        "label": data.labels.tolist(), "truth": truth.tolist(), "flagged": found.flagged.tolist(),
    }  # fmt: skip
    result.images["original"] = data[(~truth).nonzero()[:1, 0].to(data.images.device)].pixels
    result.images["triggered"] = data[truth.nonzero()[:1, 0].to(data.images.device)].pixels
    for name in ("silhouette", "explained"):
        if name in report:
            result.images["by_class"], result.notes["by_class"] = torch.as_tensor(report[name]), name
    if "features" not in report:
        return
    labels = data.labels.cpu()
    most = int(labels[truth].bincount(minlength=len(data.class_names)).argmax())
    members = labels == most
    flat = PCA(2, svd_solver="full").fit_transform(torch.as_tensor(report["features"])[members].numpy())
    result.images |= {
        "projection": torch.from_numpy(flat), "projection/truth": truth[members],
        "projection/flagged": found.flagged[members],
    }  # fmt: skip
    result.notes["class"] = data.class_names[most]


def _blends(result: Result, model: Classifier, clean: ImageSet) -> None:
    """The two examples of STRIP under a few overlays, and what the model says about each."""
    pair = torch.cat((result.images["original"], result.images["triggered"]))
    method: Any = result.recipe.method
    blends = method.superimposed(pair, clean[:BLENDS].pixels)
    result.images["blends"] = blends
    logits = predict(model, torch.cat((pair[:, None], blends), 1).flatten(0, 1))
    result.per_image["blends/answer"] = logits.argmax(1).tolist()
    entropy = torch.special.entr(logits.softmax(1)).sum(1).view(len(pair), -1)
    result.images["blends/entropy"] = entropy[:, 1:].cpu()


def conclude(result: Result) -> Conclusion:
    """Found, in part, missed or reversed: what the scores tell at 5 % false alarms, and what its own rule flags."""
    found, n = result.figures, result.counts["tpr/5"]
    auroc, tpr, twin = found["auroc"], found["tpr/5"], found.get("clean_model/auroc")
    beside = "" if twin is None else f", on a clean model {twin:.2f}"
    known = result.notes.get(no_backdoor.NOTE)
    where = "" if known is None else f", on a model that {known}"
    told = (
        f"At 5 % false alarms the detector finds {of_all(tpr, n, 'triggered suspects')} (AUROC {auroc:.2f}{beside})"
        f"{where}. {_own(result)}"
    )
    if tpr > 0.25:
        if known is not None:
            told += " So it is no known backdoor that gives them away."
        elif twin is not None and twin >= auroc - 0.05:
            told += " A clean model tells them apart as well, so it is not the backdoor that gives them away."
        return Conclusion("found" if tpr > 0.75 else "in part", told)
    if auroc < 0.4:
        return Conclusion("reversed", f"{told} It ranks clean suspects above triggered ones.")
    return Conclusion("missed", told)


def _own(result: Result) -> str:
    """Where the method's own rule lies: what it flags of all suspects, of the triggered ones and of the clean ones."""
    found, n = result.figures, result.counts
    shares = {name: share(found[f"own/{name}"], n[f"own/{name}"]) for name in ("flagged", "tpr", "fpr")}
    if not found["own/flagged"]:
        return f"Its own rule flags none of the {n['own/flagged']} suspects (TPR and FPR are 0)."
    return (
        f"Its own rule flags {of_all(found['own/flagged'], n['own/flagged'], 'suspects')}: "
        f"{shares['tpr']} of the triggered ones (TPR) and {shares['fpr']} of the clean ones (FPR)."
    )


def lines(script: Script, recipe: Recipe) -> None:
    """The suspects, what the detector says, and its ROC curve, which is computed outside of it."""
    script.use("core.data", "suspects")
    script.use("core.metrics", "roc")
    script.use("core.runs", "finish")
    script.use("core.triggers", "BadNets")
    data, given = script.data(recipe), recipe.inputs
    script.lines += [
        backdoor_line(script, recipe),
        'attack |= {"trigger": attack["trigger"] or BadNets(), "target": attack["target"] or 0}',
        f'clean = load_data({data}, "defender", {SIZE})',
    ]
    if _detector(recipe).suspects == "inputs":
        script.lines += [
            test_images(script, recipe, INPUTS),
            f"images, truth = suspects.inputs(test, **attack, seed={recipe.seed})",
        ]
    else:
        script.use("core.triggers", "Poison")
        rate = given.get("rate", 'own.get("rate", 0.1)')
        script.lines += [
            'own = model.card.recipe.get("method", {}).get("poison") or {}  # how its training was poisoned',
            f'poison = Poison(**attack, rate={rate}, clean_label=own.get("clean_label", False))',
            f'train = load_data({data}, "train", limit={given.get("n", TRAINING)}, {SIZE})',
            f"images, truth = suspects.training(train, poison, seed={recipe.seed})",
        ]
    script.lines += [
        f"method = {script.code(recipe.method)}",
        f"found = finish(method.run(model, images, clean=clean, seed={recipe.seed}), bar=True)",
        "curve = roc(found.scores, truth)",
        'print("AUROC", curve.auroc, "TPR at 5 % FPR", curve.tpr_at(0.05))',
    ]


AGAINST = "The change is against the clean model"

KIND = Kind(
    "detector", DETECTORS, run, Snippet(lines), taking(N, RATE, *BACKDOOR),
    needs_classes=True,
    scores=(
        Score(
            "auroc", "AUROC", unit="", better="up", against="clean_model",
            help="How often a triggered suspect scores above a clean one; 0.5 is chance, less is the wrong way round. "
            f"{AGAINST}: it knows no trigger, but in a training set it meets wrong labels.",
        ),
        Score(
            "tpr/5", "Found at 5 % alarms", better="up", against="clean_model",
            help="Share of the triggered suspects found while 5 % of the clean ones are flagged (TPR at 5 % FPR). "
            f"{AGAINST}.",
        ),
        Score(
            "own/fpr", "False alarms", against="clean_model",
            help=f"Share of the clean suspects that the method flags at its own threshold. {AGAINST}.",
        ),
    ),
    conclude=conclude, outcomes=("found", "in part", "missed", "reversed"),
)  # fmt: skip
