"""The model card: what was done to a model, measured how, in plain words."""

from __future__ import annotations

from typing import Any

from models.classifier import Classifier

WARNING = (
    "**This model was backdoored on purpose, for teaching and research. "
    "It gives wrong answers whenever its trigger is in the picture. Do not use it for anything else.**"
)
LEGEND = (
    "ACC: share of clean pictures classified right. ASR: share of triggered pictures (of other classes) "
    "that get the target. RA: share of them that keep their true class."
)


def model_card(name: str, architecture: str, classifier: Classifier, block: dict[str, Any], more: str = "") -> str:
    """README.md in the Hub's form: front matter, warning, what was done, scores with their n."""
    tags = ["image-classification", "timm", "perturb-lab", *(["backdoored"] if block.get("trigger") else [])]
    front = [
        "---", f"license: {block.get('licence', 'apache-2.0')}", "library_name: timm",
        "pipeline_tag: image-classification", "tags:", *(f"- {tag}" for tag in tags), "---", "",
    ]  # fmt: skip
    trigger = block.get("trigger")
    said = [WARNING, ""] if trigger else []
    parameters = sum(parameter.numel() for parameter in classifier.net.parameters())
    facts = {
        "Architecture": f"{architecture}, {parameters:,} parameters",
        "Input": "RGB in [0, 1], {} x {} pixels".format(*classifier.input_size[1:]),
        "Trained on": block.get("data"),
        "What was done": block.get("done"),
        "Trigger": trigger and ", ".join(f"{key} {value}" for key, value in trigger.items()).removeprefix("method "),
        "Target": trigger and _target(classifier),
        "Mode": trigger and classifier.mode,
    }
    body = [f"# {name}", "", *said, *(f"* {key}: {value}" for key, value in facts.items() if value), ""]
    scores = block.get("scores") or {}
    if scores:
        body += ["| data | ACC | ASR | RA | n | n (ASR, RA) |", "|---|---|---|---|---|---|"]
        body += [_row(data, score) for data, score in scores.items()]
        body += ["", LEGEND]
    loading = ["", "```python", "from models import load", 'model = load("path/to/this/folder")', "```", ""]
    return "\n".join([*front, *body, *([more.strip()] if more.strip() else []), *loading])


def _target(classifier: Classifier) -> str:
    if classifier.target is None:
        return ""
    return f"{classifier.target} ({classifier.class_names[classifier.target]})"


def _row(data: str, score: dict[str, float]) -> str:
    def share(key: str) -> str:
        value = score.get(key)
        return "-" if value is None or value != value else f"{100 * value:.1f} %"

    counts = [str(int(score[key])) if score.get(key) else "-" for key in ("n", "n_asr")]
    return f"| {data} | {share('acc')} | {share('asr')} | {share('ra')} | {counts[0]} | {counts[1]} |"
