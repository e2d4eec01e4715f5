"""A model's config.json, read as untrusted input: only known keys with sane values are used.

The layout is timm's: `architecture`, `num_classes`, `model_args`, `pretrained_cfg`. Our own block
`perturb` stands beside them and is ignored by timm.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.card import ModelError

# Constructor arguments. What could name a file or an address (checkpoint_path, cache_dir, ...) is not here.
MODEL_ARGS = frozenset({
    "width", "depth", "batch_norm", "head", "in_chans", "global_pool", "drop_rate", "drop_path_rate", "drop_block_rate",
    "pad_type", "act_layer", "norm_layer", "aa_layer", "stem_type", "stem_width", "base_width", "cardinality",
    "output_stride", "layers", "channels", "depths", "dims", "img_size", "patch_size", "embed_dim", "num_heads",
    "mlp_ratio", "qkv_bias", "class_token", "no_embed_class", "reg_tokens", "pre_norm", "final_norm", "fc_norm",
    "dynamic_img_size", "window_size", "channel_multiplier", "depth_multiplier", "fix_stem", "stem_size",
    "num_features", "head_conv", "init_values", "ls_init_value", "conv_mlp", "kernel_sizes",
})  # fmt: skip
# Never url, file, hf_hub_id, hf_hub_filename, source, custom_load or state_dict: they name other weights.
PRETRAINED = frozenset({
    "tag", "input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std", "num_classes",
    "pool_size", "first_conv", "classifier", "label_names", "label_descriptions", "license", "description",
})  # fmt: skip
DEFAULTS = {"input_size": [3, 224, 224], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
MAX_BYTES = 1_000_000
MAX_SIDE = 1024


@dataclass(frozen=True)
class Plan:
    """A checked config: all that is needed to build the net and its Classifier."""

    architecture: str
    num_classes: int
    model_args: dict[str, Any]
    pretrained_cfg: dict[str, Any]
    class_names: tuple[str, ...]
    input_size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    perturb: dict[str, Any]


def read_config(path: Path, name: str) -> Plan:
    """The plan in a config.json; ModelError, with `name` in it, where something is missing or odd."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"The config.json of {name} has more than {MAX_BYTES / 1e6:.0f} MB, so it was not read.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The config.json of {name} is not JSON, so the model cannot be built.") from error
    if not isinstance(config, dict):
        raise ModelError(f"The config.json of {name} is not a JSON object, so the model cannot be built.")
    architecture = config.get("architecture")
    if not isinstance(architecture, str) or not re.fullmatch(r"[a-z0-9_]{1,80}", architecture):
        raise ModelError(f"The config.json of {name} names no architecture: only models in timm's layout are read.")
    inner = _object(config, "pretrained_cfg", name)
    # Older repositories keep these keys at top level.
    cfg = {**DEFAULTS, **{key: value for key, value in {**config, **inner}.items() if key in PRETRAINED}}
    classes = config.get("num_classes", cfg.get("num_classes"))
    if type(classes) is not int or not 2 <= classes <= 100_000:
        raise ModelError(f"{name} says num_classes = {classes!r}; a classifier has 2 or more.")
    return Plan(
        architecture,
        classes,
        checked_args(_object(config, "model_args", name), name),
        {**cfg, "num_classes": classes},
        _class_names(cfg, classes, name),
        _input_size(cfg, name),
        _numbers(cfg, "mean", name),
        _numbers(cfg, "std", name),
        _object(config, "perturb", name),
    )


def _object(config: dict[str, Any], key: str, name: str) -> dict[str, Any]:
    value = config.get(key) or {}
    if not isinstance(value, dict):
        raise ModelError(f"{key} in the config.json of {name} is not a JSON object.")
    return value


def checked_args(args: dict[str, Any], name: str) -> dict[str, Any]:
    """Constructor arguments, all of them known ones with sane values; ModelError otherwise."""
    args = {key: value for key, value in args.items() if key != "num_classes"}
    if strange := sorted(set(args) - MODEL_ARGS):
        raise ModelError(f"{name} wants to be built with {', '.join(strange)}, which the lab does not pass on.")
    for key, value in args.items():
        for one in value if isinstance(value, list) else [value]:
            if not (one is None or isinstance(one, bool | str) or (isinstance(one, int | float) and abs(one) <= 8192)):
                raise ModelError(f"{name} wants to be built with {key} = {str(value)[:40]}, which is no sane value.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in args.items()}


def _input_size(cfg: dict[str, Any], name: str) -> tuple[int, int, int]:
    size = cfg["input_size"]
    if not isinstance(size, list) or len(size) != 3 or any(type(side) is not int for side in size):
        raise ModelError(f"{name} has input_size {size!r}; three whole numbers (3, height, width) are needed.")
    if size[0] != 3 or not all(8 <= side <= MAX_SIDE for side in size[1:]):
        raise ModelError(f"{name} takes images of {size}; the lab works on 3 channels and 8 to {MAX_SIDE} pixels.")
    return size[0], size[1], size[2]


def _numbers(cfg: dict[str, Any], key: str, name: str) -> tuple[float, ...]:
    values = cfg[key]
    sane = isinstance(values, list) and len(values) == 3 and all(isinstance(value, int | float) for value in values)
    if not sane or not all(abs(value) < 1000 for value in values) or (key == "std" and min(values) <= 0):
        raise ModelError(f"{name} has {key} {values!r}; three numbers, one per channel, are needed.")
    return tuple(float(value) for value in values)


def _class_names(cfg: dict[str, Any], classes: int, name: str) -> tuple[str, ...]:
    """Names by class: `label_names` (a list, or a dict whose ids may have gaps), described where possible."""
    given, described = cfg.get("label_names"), cfg.get("label_descriptions")
    described = described if isinstance(described, dict) else {}
    if isinstance(given, list) and len(given) != classes:
        raise ModelError(f"{name} has {classes} classes but {len(given)} class names, so one of them is wrong.")
    if isinstance(given, dict):
        found = {int(key): value for key, value in given.items() if str(key).isdecimal()}
        if found and max(found) >= classes:
            raise ModelError(f"{name} has {classes} classes but names a class {max(found)}, so one of them is wrong.")
    elif isinstance(given, list):
        found = dict(enumerate(given))
    else:
        found = {int(key): value for key, value in described.items() if key.isdecimal()} or _imagenet(classes)
    return tuple(str(described.get(found[i], found[i])) if i in found else f"class {i}" for i in range(classes))


def _imagenet(classes: int) -> dict[int, str]:
    """timm's own repositories leave out the names of the 1,000 ImageNet classes."""
    if classes != 1000:
        return {}
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return {i: info.index_to_description(i) for i in range(classes)}
