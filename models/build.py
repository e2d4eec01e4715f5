"""From a plan to a net: built with random weights, then filled from a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from models.card import Card, ModelError
from models.classifier import Classifier
from models.config import Plan, checked_args
from models.register import register
from models.shelf import tensor_shapes

MAX_BYTES = 1_000_000_000
UNKNOWN = "{name} is a {architecture!r}, an architecture that timm {version} does not know."
COUNTER = "num_batches_tracked"  # left out by early PyTorch, harmless


def is_known(architecture: str) -> bool:
    """Whether timm, with our architectures registered, can build it."""
    register()
    return timm.is_model(architecture)


def create(
    architecture: str,
    class_names: tuple[str, ...],
    *,
    input_size: tuple[int, int, int] = (3, 32, 32),
    mean: tuple[float, ...] = (0.5, 0.5, 0.5),
    std: tuple[float, ...] = (0.25, 0.25, 0.25),
    **model_args: Any,
) -> Classifier:
    """A new, untrained Classifier; random weights come from torch's global seed.

    `architecture` is a name that timm knows, `model_args` are arguments of its constructor. Raises
    ModelError when they are unknown or make a net of more than a quarter of a billion parameters.
    """
    args, classes = checked_args(model_args, architecture), len(class_names)
    if not is_known(architecture):
        raise ModelError(UNKNOWN.format(name="A new model", architecture=architecture, version=timm.__version__))
    cfg = {"input_size": input_size, "mean": mean, "std": std, "num_classes": classes}
    plan = Plan(architecture, classes, args, cfg, class_names, input_size, mean, std, {})
    if sum(tensor.numel() for tensor in (_sketch(plan, architecture) or {}).values()) > MAX_BYTES / 4:
        raise ModelError(f"{architecture} with {args} has more than {MAX_BYTES // 4_000_000} million parameters.")
    net = _empty(plan, architecture)
    parameters = sum(parameter.numel() for parameter in net.parameters())
    card = Card("", "made here", architecture=architecture, parameters=parameters, num_classes=classes)
    return Classifier(net, mean=mean, std=std, class_names=tuple(class_names), input_size=input_size, card=card)


def build(plan: Plan, weights: Path, name: str) -> nn.Module:
    """The net of a plan with the weights of a file, float32, in eval mode, without gradients.

    Raises ModelError: unknown architecture, file too large, names or shapes that do not fit, NaN.
    """
    if not is_known(plan.architecture):
        raise ModelError(UNKNOWN.format(name=name, architecture=plan.architecture, version=timm.__version__))
    if weights.stat().st_size > MAX_BYTES:
        raise ModelError(f"The weights of {name} have more than {MAX_BYTES / 1e9:.0f} GB, so they were not loaded.")
    _check_shapes(_sketch(plan, name), tensor_shapes(weights), name)
    with torch.random.fork_rng(devices=[]):  # the random weights it starts from are nobody's business
        net = _empty(plan, name)
    try:
        state = load_file(weights)
    except SafetensorError as error:
        raise ModelError(f"The weights of {name} are broken ({error}): download them again.") from error
    for key, tensor in state.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ModelError(f"The weights of {name} hold NaN or infinite values (in {key}), so they were not loaded.")
    missing = _check_shapes(net.state_dict(), {key: tuple(tensor.shape) for key, tensor in state.items()}, name)
    net.load_state_dict({**state, **missing}, strict=True)
    return net.eval().requires_grad_(False)


def _empty(plan: Plan, name: str) -> nn.Module:
    try:
        cfg, args = plan.pretrained_cfg, {"num_classes": plan.num_classes, **plan.model_args}
        net = timm.create_model(plan.architecture, pretrained_cfg_overlay=cfg, **args)
    except (TypeError, ValueError, RuntimeError, AssertionError, KeyError) as error:
        raise ModelError(f"{name} cannot be built as {plan.architecture}: {str(error)[:200]}") from error
    vars(net)["_model_args"] = dict(plan.model_args)  # older versions of timm leave it out, and saving needs it
    return net


def _sketch(plan: Plan, name: str) -> dict[str, torch.Tensor] | None:
    """The state dict of the net without memory behind it, so that an absurd width costs nothing.

    None for the few architectures that compute while they are built and cannot be sketched.
    """
    try:
        with torch.device("meta"):
            return _empty(plan, name).state_dict()
    except (ModelError, NotImplementedError):
        return None


def _check_shapes(
    expected: dict[str, torch.Tensor] | None, found: dict[str, tuple[int, ...]], name: str
) -> dict[str, torch.Tensor]:
    """Raise ModelError unless names and shapes agree; what may be missing is returned."""
    if expected is None:
        return {}
    absent = {key: tensor for key, tensor in expected.items() if key not in found}
    if lost := [key for key in absent if not key.endswith(COUNTER)]:
        raise ModelError(f"The weights of {name} do not fit its architecture: {_few(lost)} missing.")
    if extra := sorted(set(found) - set(expected)):
        raise ModelError(f"The weights of {name} do not fit its architecture: {_few(extra)} too many.")
    for key, shape in found.items():
        if tuple(expected[key].shape) != shape:
            raise ModelError(
                f"The weights of {name} do not fit its architecture: {key} is {list(shape)}, "
                f"not {list(expected[key].shape)}."
            )
    return absent


def _few(names: list[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(names[:2])}{more} {'are' if len(names) > 1 else 'is'}"
