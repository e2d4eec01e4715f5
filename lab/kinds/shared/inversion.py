"""A trigger inversion told: which class has the smallest mask, whether it was flagged, and whether it is the target.

The defense does not know the target. It is looked up here, where the repair is scored.
"""

from __future__ import annotations

from typing import Any

from core.data.modes import single_target
from lab.kinds.shared.no_backdoor import NOTE, TRAINED_WITHOUT
from lab.kinds.shared.setting import Backdoor
from lab.results import Result
from models import Classifier


def write(result: Result, model: Classifier, report: dict[str, Any], backdoor: Backdoor) -> None:
    """Put what an inversion reports into the result; nothing where the repair inverted no trigger.

    figures : "inversion/classes", "inversion/flagged" (how many), "inversion/index" (of the smallest norm), and where
        the backdoor has one target "inversion/right" (1 where that class has the smallest norm) and "inversion/caught"
        (1 where it was flagged)
    notes : "inversion", the class with the smallest norm
    """
    if not {"norms", "index", "flagged"} <= report.keys():
        return
    norms, flagged = report["norms"], report["flagged"]
    smallest = int(norms.argmin())
    result.notes["inversion"] = model.class_names[smallest]
    result.figures |= {
        "inversion/classes": float(len(norms)), "inversion/flagged": float(flagged.sum()),
        "inversion/index": report["index"][smallest].item(),
    }  # fmt: skip
    if backdoor.trigger is not None and backdoor.target is not None and single_target(backdoor.mode):
        result.figures["inversion/right"] = float(smallest == backdoor.target)
        result.figures["inversion/caught"] = float(flagged[backdoor.target])


def nothing_flagged(result: Result) -> bool:
    """Whether the repair inverted triggers, flagged no class, and so left the model as it was."""
    return result.figures.get("inversion/flagged") == 0


def sentence(result: Result) -> str:
    """The class with the smallest mask, its index and the limit, and whether it is the target; "" without inversion."""
    found = result.figures
    if "inversion/flagged" not in found:
        return ""
    method: Any = result.recipe.method
    index, flagged = found["inversion/index"], round(found["inversion/flagged"])
    smallest = f"The smallest mask is that of {result.notes['inversion']} (index {index:.2f}, limit {method.limit:g})"
    right = {1.0: ", which is the backdoor's target", 0.0: ", which is not the backdoor's target"}
    smallest += right.get(found.get("inversion/right", -1.0), "")
    if flagged:
        caught = {1.0: ", the target among them", 0.0: ", but not the target"}
        told = caught.get(found.get("inversion/caught", -1.0), "")
        if result.notes.get(NOTE) == TRAINED_WITHOUT:
            told = ", a false alarm"
        return f"{smallest}; {flagged} of {found['inversion/classes']:.0f} classes flagged{told}."
    if not found.get("report/meaningful", 1.0):
        return f"{smallest}; {found['inversion/classes']:.0f} classes are too few for an outlier test: none is flagged."
    if index > method.limit:
        return f"{smallest}; above the limit, but the mask sends too few pictures there to be flagged."
    if found.get("inversion/right"):
        return f"{smallest}: the right class, but not flagged."
    return f"{smallest}."
