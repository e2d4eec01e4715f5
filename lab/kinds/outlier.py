"""Detectors of outliers, trained on pictures of which some are outliers and nothing says which; and who finds them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.anomaly import OUTLIERS
from core.data.contamination import NORMAL, OBSERVED, UNOBSERVED
from core.knobs import Method
from core.metrics import bacc, bacc_ceiling, precision_recall, roc
from core.runs import Progress, Run, mapped
from lab import methods, outliers
from lab.inputs import N, taking
from lab.kinds.kind import Kind, Question, Score
from lab.kinds.shared import outlier_outcomes as outcomes
from lab.kinds.shared.outlier_lines import lines
from lab.kinds.shared.script import Snippet
from lab.kinds.shared.setting import model_of
from lab.outliers import Setting
from lab.results import Result

if TYPE_CHECKING:
    from lab.recipes import Recipe

LOOKED, LOOKS = 200, 25
"""Training pictures of each kind whose errors are followed, and how often, about, in each training."""
STRANGEST, FOLLOWED, EXAMPLES = 10, 12, 4
"""Pictures that a detector ranks first; that are followed through the rounds; that are shown reconstructed."""


def run(recipe: Recipe) -> Run[Result]:
    """Train the recipe's detector and those of its input "detectors", and score all of them on the same test pictures.

    The recipe's model is the backbone of PaDiM and PatchCore; no other detector asks it.

    figures : bacc, ceiling, area (AUROC), unobserved, ratio of the recipe's own detector, and of every one
        <name>/bacc (rule, on normal pictures and outliers of the kind that was trained on), /ceiling, /auroc, /ap,
        /tpr, /tnr, /unobserved (bacc on other kinds), /unobserved/auroc, /train (bacc on the training pictures); of
        those that reconstruct <name>/ratio, how many times as large the error of training outliers is as that of
        normal ones, and /ratio/most, its highest along the training; with two alarms <name>/bacc/reconstruction and
        /likelihood; outliers, the number trained on
    images : truth (N,), kinds (M,); <name>/scores (M,); <name>/errors (P, 3): epoch, mean error of normal training
        pictures and of outliers; <name>/strangest (10, C, H, W); examples (8, C, H, W), normal ones first, and
        <name>/reconstructed; of adversarial autoencoders <name>/codes (N, 2) and /radius; of ITSR /history (R, N),
        moved (12, C, H, W) and moved/weights (R, 12)
    per_image : <name>/strangest, the kind of each; moved, whether each is an outlier
    notes : detectors, those that ran
    """
    backbone = yield from model_of(recipe)
    yield Progress("load", 1, 2)
    setting = outliers.setting(recipe, recipe.inputs.get("n", outliers.TESTED_FIRST))
    yield Progress("load", 2, 2)
    result = Result(recipe, figures={"outliers": float(setting.truth.sum())}, notes={"detectors": ""})
    result.images |= {"truth": setting.truth, "kinds": setting.kinds}
    shown = _shown(setting)
    result.images["examples"] = setting.train.images[shown]
    for method in detectors(recipe):
        name = type(method).__name__
        given = {"backbone": backbone} if hasattr(type(method), "BACKBONE") else {}
        looks: list[list[float]] = []
        training: Run[Any] = method.run(setting.train, seed=recipe.seed, **given)
        model = yield from mapped(training, _Look(setting, name, looks))
        _write(result, name, model, setting)
        if looks:
            _errors(result, name, torch.tensor(looks))
        if hasattr(model, "reconstructed"):
            result.images[f"{name}/reconstructed"] = model.reconstructed(setting.train.images[shown])
        if hasattr(model, "radius"):
            _codes(result, name, model, setting)
        result.notes["detectors"] = ",".join(filter(None, [result.notes["detectors"], name]))
        yield Progress("score", 1, 1, {})
    own = type(recipe.method).__name__
    for key in ("bacc", "ceiling", "auroc", "unobserved", "ratio"):
        if f"{own}/{key}" in result.figures:
            own_key = "area" if key == "auroc" else key
            result.figures[own_key] = result.figures[f"{own}/{key}"]
            result.counts[own_key] = result.counts.get(f"{own}/{key}", int(result.figures["outliers"]))
    return result


def detectors(recipe: Recipe) -> list[Any]:
    """Those that run beside the recipe's, with their defaults, and the recipe's own as the last."""
    names = recipe.inputs.get("detectors", outliers.DETECTORS_FIRST).split(",")
    own = type(recipe.method).__name__
    beside: list[Method] = [methods.find(name)() for name in names if name not in (own, "none")]
    return [*beside, recipe.method]


class _Look:
    """Adds the errors of normal training pictures and of outliers to the progress of a training, now and then."""

    def __init__(self, setting: Setting, name: str, looks: list[list[float]]):
        index = [torch.nonzero(truth)[:LOOKED, 0] for truth in (~setting.truth, setting.truth)]
        self.groups = [setting.train.images[each.to(setting.train.images.device)] for each in index]
        self.name, self.looks, self.next = name, looks, 0.0

    def __call__(self, progress: Progress) -> Progress:
        stage = f"{self.name}: {progress.stage}"
        model: Any = progress.model
        epoch = progress.metrics.get("epoch", 0.0)
        if not hasattr(model, "errors") or not len(self.groups[1]) or epoch < self.next:
            return dataclasses.replace(progress, stage=stage)
        self.next = epoch + max(1.0, epoch / 8)
        normal, strange = (model.errors(group).mean().item() for group in self.groups)
        self.looks.append([epoch, normal, strange])
        told = {"ratio": strange / max(normal, 1e-12), "n": float(len(self.groups[1]))}
        return dataclasses.replace(progress, stage=stage, metrics=progress.metrics | told)


def _write(result: Result, name: str, model: Any, setting: Setting) -> None:
    scores, own = model.score(setting.test.images).cpu(), model.score(setting.train.images).cpu()
    kinds, share = setting.kinds, setting.truth.double().mean().item()
    seen = (kinds == NORMAL) | (kinds == OBSERVED)
    outlying, rejected = kinds[seen] == OBSERVED, scores > 1
    figures = {
        "bacc": bacc(scores[seen], outlying), "auroc": roc(scores[seen], outlying).auroc,
        "ap": precision_recall(scores[seen], outlying).ap,
        "tpr": rejected[kinds == OBSERVED].double().mean().item(),
        "tnr": (~rejected[kinds == NORMAL]).double().mean().item(),
        "ceiling": bacc_ceiling((own > 1).double().mean().item(), share),
    }  # fmt: skip
    counts = dict.fromkeys(figures, int(seen.sum())) | {"ceiling": len(own)}
    if bool(setting.truth.any()):
        figures["train"], counts["train"] = bacc(own, setting.truth), len(own)
    if bool((kinds == UNOBSERVED).any()):
        new = (kinds == NORMAL) | (kinds == UNOBSERVED)
        truth = kinds[new] == UNOBSERVED
        figures |= {"unobserved": bacc(scores[new], truth), "unobserved/auroc": roc(scores[new], truth).auroc}
        counts |= dict.fromkeys(("unobserved", "unobserved/auroc"), int(new.sum()))
    if hasattr(model, "alarms"):
        for rule, alarm in model.alarms(setting.test.images[seen.to(setting.test.images.device)]).items():
            figures[f"bacc/{rule}"], counts[f"bacc/{rule}"] = bacc(alarm.cpu(), outlying), int(seen.sum())
    result.figures |= {f"{name}/{key}": value for key, value in figures.items()}
    result.counts |= {f"{name}/{key}": value for key, value in counts.items()}
    top = scores.argsort(descending=True)[:STRANGEST]
    result.images |= {
        f"{name}/scores": scores, f"{name}/strangest": setting.test.images[top.to(setting.test.images.device)]
    }  # fmt: skip
    result.per_image[f"{name}/strangest"] = kinds[top].tolist()


def _errors(result: Result, name: str, looks: Tensor) -> None:
    ratios = looks[:, 2] / looks[:, 1].clamp_min(1e-12)
    result.images[f"{name}/errors"] = looks
    result.figures |= {f"{name}/ratio": ratios[-1].item(), f"{name}/ratio/most": ratios.max().item()}


def _codes(result: Result, name: str, model: Any, setting: Setting) -> None:
    codes = model.codes(setting.train.images)
    if codes.shape[1] == 2:
        result.images |= {f"{name}/codes": codes, f"{name}/radius": model.radius.clone()}
    if not model.history:
        return
    history = torch.stack(model.history)
    result.images[f"{name}/history"] = history
    candidates = history[-1] <= 0
    # Outliers first, then normal pictures that became candidates: those that move, or should.
    order = (2 * setting.truth.int() + candidates.int()).argsort(descending=True, stable=True)
    moved = torch.cat([order[: FOLLOWED // 2], order[setting.truth[order].logical_not()][: FOLLOWED // 2]])
    result.images |= {
        "moved": setting.train.images[moved.to(setting.train.images.device)], "moved/weights": history[:, moved]
    }  # fmt: skip
    result.per_image["moved"] = setting.truth[moved].tolist()


def _shown(setting: Setting) -> Tensor:
    """Numbers of training pictures that are shown reconstructed: normal ones, then outliers."""
    parts = [torch.nonzero(truth)[:EXAMPLES, 0] for truth in (~setting.truth, setting.truth)]
    return torch.cat(parts).to(setting.train.images.device)


KIND = Kind(
    "outlier", OUTLIERS, run, Snippet(lines, loads_model=False),
    taking(outliers.NORMAL, outliers.OUTLIER, outliers.CONTAMINATION, outliers.PICTURES, outliers.DETECTORS, N),
    scores=(
        Score(
            "bacc", "Balanced accuracy", short="BAcc", better="up",
            help="Mean of the share of outliers that the rule rejects and the share of normal test pictures that it "
            "keeps. 50 % is chance.",
        ),
        Score(
            "ceiling", "Ceiling of its rule",
            help="The highest balanced accuracy that the rule can have, given the share of training pictures that it "
            "rejects by construction. Exact on the training pictures, approximate on others.",
        ),
        Score("area", "AUROC", unit="", better="up",
              help="How often an outlier scores above a normal picture, whatever the threshold."),
        Score("unobserved", "BAcc, other kinds", better="up",
              help="Balanced accuracy on outliers of kinds that the training pictures do not hold."),
        Score("ratio", "Error of outliers / normal", unit="", better="up", live=True,
              help="How many times as large the mean error of training outliers is as that of normal training "
              "pictures, in the training that runs. At 1 they are reconstructed alike."),
    ),
    conclude=outcomes.conclude, outcomes=("ahead", "level", "behind", "alone"),
    questions={
        "learned": Question(outcomes.learned, ("closed", "narrowed", "open", "no outliers")),
        "candidates": Question(outcomes.candidates, ("most", "some", "few", "no outliers", "not refined")),
    },
)  # fmt: skip
"""The input `n` is the number of test pictures of each kind, at most."""

