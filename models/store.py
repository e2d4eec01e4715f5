"""Writing a model as a folder in timm's hub layout, and a trigger beside it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from core.knobs import Method
from core.method_json import from_dict, to_dict
from models.card import ModelError
from models.classifier import Classifier
from models.config import checked_args
from models.readme import model_card

MAX_STATE = 200_000_000


def save(classifier: Classifier, folder: str | Path, *, perturb: dict[str, Any], readme: str = "") -> Path:
    """Write `config.json`, `model.safetensors` (float16), `README.md` and, where due, `trigger.safetensors`.

    Parameters
    ----------
    classifier : a Classifier around a net made by `timm.create_model` (or `models.create`)
    folder : made if it is not there; its files are overwritten
    perturb : the block of config.json: "data", "training" (a recipe as JSON, also written to
        recipe.json, or words), "scores" (data name -> {"acc", "asr", "ra", "n", "n_asr"}), "done"
        (plain words), "licence". Trigger, target and mode come from the classifier.
    readme : Markdown that goes below what the model card says by itself

    Returns the folder. The loaded model is the float16-rounded one, computed in float32.
    """
    net, folder = classifier.net, Path(folder)
    cfg = getattr(net, "pretrained_cfg", None)
    if cfg is None:
        raise ModelError("Only nets made by models.create (or timm) can be saved: no other could be rebuilt.")
    block = {**perturb, **_backdoor(classifier)}
    config = {
        "architecture": cfg["architecture"] if isinstance(cfg, dict) else cfg.architecture,
        "num_classes": len(classifier.class_names),
        "num_features": getattr(net, "num_features", None),
        "model_args": checked_args(getattr(net, "_model_args", {}), folder.name),
        "pretrained_cfg": _pretrained(classifier, cfg, block),
        "perturb": block,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(halved(net.state_dict()), folder / "model.safetensors")
    state = getattr(classifier.trigger, "state", None)
    if state:
        learned = {key: value.detach().cpu().contiguous() for key, value in state.items()}
        save_file(learned, folder / "trigger.safetensors")
    else:
        (folder / "trigger.safetensors").unlink(missing_ok=True)
    _write(folder / "config.json", config)
    if isinstance(block.get("training"), dict):
        _write(folder / "recipe.json", block["training"])
    card = model_card(folder.name, config["architecture"], classifier, block, readme)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def halved(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Floating tensors in float16; one that would overflow keeps its precision."""

    def halve(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.detach().cpu().contiguous()
        if not tensor.is_floating_point():
            return tensor
        half = tensor.half()
        return half if bool(half.isfinite().all()) else tensor

    return {key: halve(tensor).clone() for key, tensor in state.items()}


def _backdoor(classifier: Classifier) -> dict[str, Any]:
    if classifier.trigger is None:
        return {"trigger": None, "target": None, "mode": None}
    return {"trigger": trigger_json(classifier.trigger), "target": classifier.target, "mode": classifier.mode}


def _pretrained(classifier: Classifier, cfg: Any, block: dict[str, Any]) -> dict[str, Any]:
    known = cfg if isinstance(cfg, dict) else cfg.to_dict()
    return {
        "input_size": list(classifier.input_size),
        "fixed_input_size": False,
        "interpolation": "bilinear",
        "crop_pct": known.get("crop_pct") if classifier.input_size[1] > 64 else 1.0,
        "mean": [round(value, 6) for value in classifier.mean.flatten().tolist()],
        "std": [round(value, 6) for value in classifier.std.flatten().tolist()],
        "num_classes": len(classifier.class_names),
        "first_conv": known.get("first_conv"),
        "classifier": known.get("classifier"),
        "license": block.get("licence", "apache-2.0"),
        "label_names": list(classifier.class_names),
    }


def trigger_json(trigger: Any) -> dict[str, Any]:
    """{"method": "WaNet", knob: value, ...}; what was learned is not in it."""
    if not isinstance(trigger, Method):
        raise ModelError("Only a trigger of core.triggers can be saved with a model: any other could not be rebuilt.")
    return to_dict(trigger)


def read_trigger(block: Any, state: Path | None, name: str) -> Any:
    """The trigger a `perturb` block describes, with what it learned; None where there is none."""
    if not block:
        return None
    try:
        trigger: Any = from_dict(block, _trigger_class)
    except ValueError as error:
        raise ModelError(f"{name} describes its trigger in a way that cannot be read: {str(error)[:200]}") from error
    if state is None:
        return trigger
    if state.stat().st_size > MAX_STATE:
        raise ModelError(f"The trigger of {name} has more than {MAX_STATE / 1e6:.0f} MB, so it was not loaded.")
    try:
        return trigger.with_state(load_file(state))
    except (SafetensorError, AttributeError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(f"trigger.safetensors of {name} does not hold what a {block['method']} learns.") from error


def _trigger_class(name: str) -> type[Method]:
    """The registered trigger of this name; ValueError where there is none."""
    from core.triggers import TRIGGERS

    for trigger in TRIGGERS:
        if trigger.__name__ == name:
            return trigger
    raise ValueError(f"{name[:60]!r} is a trigger that the lab does not know.")


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
