"""Every registered method on networks that nobody had in mind: it works, or says in one sentence what it needs."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from core.attacks import ATTACKS, CURVES, REACTIVATIONS, REPORTS, UNIVERSALS, WEIGHT_ATTACKS, Regional
from core.data.imageset import ImageSet
from core.defenses import DEFENSES, DETECTORS
from core.explain import CONCEPTS, EXPLAINERS
from core.flatness import FLATNESS, LANDSCAPES, Rescaling
from core.knobs import Method, knobs_of
from core.metrics import RANKINGS
from core.optim.weight_perturbation import WeightPerturbation
from core.runs import finish
from core.training import CONSISTENT, MIXERS, PARTS, ROBUST, TRAININGS, Adversarial, Standard
from core.triggers import TRIGGERS, BadNets, Poison
from core.triggers.shared.offline import OfflineTrigger
from tests.conftest import TinyNet, colour_set
from tests.core.defenses.test_contract import SHORT as SHORT_REPAIR
from tests.core.defenses.test_contract import assert_same, snapshot

SHORT = SHORT_REPAIR | {
    "isolate_epochs": 1, "unlearn_epochs": 1, "share": 0.2, "overlays": 4, "iterations": 4, "query_images": 8,
    "images": 32, "pictures": 20, "passes": 1, "mask_epochs": 1, "dimensions": 4, "attack_steps": 1, "warmup": 0,
    "heldout": 4, "samples": 4, "masks": 60, "queries": 8, "targets": 2,
}  # fmt: skip
TRIGGER = BadNets(side=4)


class Viewing(nn.Module):
    """Flattens its maps with `.view`, which memory in channels-last order does not allow."""

    def __init__(self, classes: int = 4):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.pool, self.linear = nn.MaxPool2d(2), nn.Linear(8 * 4 * 4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        return self.linear(x.view(x.size(0), -1))


def sequential(norm: Callable[[int], nn.Module]) -> nn.Module:
    """Two convolutions, each with a norm."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1), norm(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), norm(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 4),
    )  # fmt: skip


def transformer() -> nn.Module:
    return timm.create_model(
        "vit_tiny_patch16_224", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4
    )


def fold(net: nn.Module) -> None:
    """Move each batch norm's scale and statistics into the convolution before it; the bias stays in the norm."""
    modules = list(net.modules())
    for conv, norm in itertools.pairwise(modules):
        if isinstance(norm, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            scale = norm.weight.data / (norm.running_var + norm.eps).sqrt()
            conv.weight.data *= scale[:, None, None, None]
            norm.bias.data += scale * ((conv.bias.data if conv.bias is not None else 0) - norm.running_mean)
            if conv.bias is not None:
                conv.bias.data.zero_()
            norm.weight.data.fill_((1 + norm.eps) ** 0.5)
            norm.running_mean.zero_()
            norm.running_var.fill_(1)


NETS: dict[str, Callable[[], nn.Module]] = {
    "view": Viewing,
    "no norm": lambda: sequential(lambda _: nn.Identity()),
    "folded": lambda: sequential(nn.BatchNorm2d),
    "group norm": lambda: sequential(lambda width: nn.GroupNorm(4, width)),
    "transformer": transformer,
    "43 classes": lambda: TinyNet(classes=43),
}


@functools.cache
def data_for(name: str, seed: int = 0) -> ImageSet:
    classes = 43 if name == "43 classes" else 4
    return colour_set(86 if classes == 43 else 64, classes=classes, seed=seed)


@functools.cache
def trained(name: str) -> nn.Module:
    """The net after a few steps on its data, in eval mode."""
    torch.manual_seed(0)
    net, data = NETS[name](), data_for(name)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(25):
        loss = nn.functional.cross_entropy(net(data.pixels), data.labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    if name == "folded":
        fold(net)
    return net.eval().requires_grad_(False)


def short(cls: type[Method], **values: Any) -> Any:
    names = {knob.name for knob in knobs_of(cls)}
    return cls(**{name: value for name, value in (SHORT | values).items() if name in names})


def finite(*tensors: Tensor) -> None:
    assert all(bool(tensor.isfinite().all()) for tensor in tensors)


def a_model(net: nn.Module, data: ImageSet) -> None:
    """Another model in eval mode with finite logits of the same shape."""
    logits = net(data.pixels)
    assert not net.training and logits.shape == (len(data), len(data.class_names))
    finite(logits)


def repair(cls: Any, net: nn.Module, data: ImageSet) -> None:
    repaired = finish(short(cls).run(net, data))
    a_model(repaired, data)
    finite(*(value for value in repaired.report.values() if isinstance(value, Tensor) and value.is_floating_point()))


def detector(cls: Any, net: nn.Module, data: ImageSet) -> None:
    found = finish(short(cls).run(net, data, clean=data[:40]))
    assert found.scores.shape == (len(data),)
    finite(found.scores)


def attack(cls: Any, net: nn.Module, data: ImageSet) -> None:
    some = data[:6]
    given = {"judge": copy.deepcopy(net)} if cls is Regional else {}
    found = finish(short(cls).run(net, some.pixels, some.labels, **given))
    assert found.images.shape == some.images.shape
    finite(found.images)


def explainer(cls: Any, net: nn.Module, data: ImageSet) -> None:
    maps = short(cls)(net, data.pixels[:3], data.labels[:3])
    assert maps.shape == (3, 16, 16)
    finite(maps)


def training(cls: Any, net: nn.Module, data: ImageSet) -> None:
    a_model(finish(short(cls, epochs=1).run(net, data)), data)


def part(cls: Any, net: nn.Module, data: ImageSet) -> None:
    """A mixer or a perturbation of the weights in a plain training, an attack in a robust one."""
    plain = {"mix": cls()} if cls in MIXERS else {"weight_perturbation": cls()}
    if cls in MIXERS or issubclass(cls, WeightPerturbation):
        method: Any = Standard(epochs=1, batch_size=16, lr=0.01, **plain)
    else:
        method = short(Adversarial, attack=cls())
    a_model(finish(method.run(net, data)), data)


def trigger(cls: Any, net: nn.Module, data: ImageSet) -> None:
    """Fitted where it is fitted, then trained in; what is trained along shows in the model."""
    stamp = short(cls)
    if isinstance(stamp, OfflineTrigger):
        stamp = finish(stamp.fit(net, data, target=1))
    poison = Poison(stamp, target=1, rate=0.3, mode=cls.modes[0])
    student = finish(Standard(epochs=1, batch_size=16, lr=0.01, poison=poison).run(net, data))
    a_model(student, data)
    stamped = student.trigger(data.pixels, data.labels)
    assert stamped.shape == data.pixels.shape
    finite(stamped)


def weight_attack(cls: Any, net: nn.Module, data: ImageSet) -> None:
    a_model(finish(short(cls).run(net, data, trigger=TRIGGER, target=1)), data)


def reactivation(cls: Any, net: nn.Module, data: ImageSet) -> None:
    for threat in ("white-box", "query", "transfer"):
        given = {"surrogates": [copy.deepcopy(net)]} if threat == "transfer" else {}
        method = short(cls, threat=threat)
        found = finish(method.run(net, data, test=data[:40], trigger=TRIGGER, target=1, clean_model=net, **given))
        finite(found.delta)
        assert found.delta.shape == data.images.shape[1:] and all(0 <= share <= 1 for share in found.asr.values())


def universal(cls: Any, net: nn.Module, data: ImageSet) -> None:
    found = finish(short(cls).run(net, data, test=data[:8], target=1))
    finite(found.change, found.on(data.pixels[:2]))


def curve(cls: Any, net: nn.Module, data: ImageSet) -> None:
    found = finish(short(cls, levels=2).run(net, data[:8]))
    assert found.right.shape == (3, 8)
    finite(found.robust)


def report(cls: Any, net: nn.Module, data: ImageSet) -> None:
    found = finish(short(cls, levels=1, attacked=2, version="quick").run(net, data[:8]))
    assert len(found.cascade) == 2 and set(found.regions) == {"square", "frame", "random", "everywhere"}


def ranking(cls: Any, net: nn.Module, data: ImageSet) -> None:
    others = data[data.labels != 1].pixels
    found = finish(cls().run(net, others, TRIGGER(others)))
    assert found
    finite(*found.values())


def flatness(cls: Any, net: nn.Module, data: ImageSet) -> None:
    found = finish(short(cls, draws=2, restarts=1, probes=1).run(net, data[:8]))
    for each in found.relative if cls is Rescaling else (found,):
        assert isinstance(each.value, float) and each.reference > 0
        finite(torch.tensor(each.draws))


def landscape(cls: Any, net: nn.Module, data: ImageSet) -> None:
    finite(finish(short(cls, points=2, steps=1).run(net, data[:8], others=[net])).loss)


def concept(cls: Any, net: nn.Module, data: ImageSet) -> None:
    holds = data.images.float().mean((1, 2, 3)) > 128
    holds[:10], holds[10:20] = True, False
    found = finish(short(cls, draws=2, controls=1, average=2).run(net, data, holds))
    finite(found.vectors, found.recalls.recall_at_5, found.moved(net, data.images[:2], torch.tensor([1.0])))


METHODS = [
    (check, cls)
    for check, registry in (
        (repair, DEFENSES), (detector, DETECTORS), (attack, ATTACKS), (explainer, EXPLAINERS), (training, TRAININGS),
        (training, ROBUST), (training, CONSISTENT), (part, PARTS), (trigger, TRIGGERS), (weight_attack, WEIGHT_ATTACKS),
        (reactivation, REACTIVATIONS), (ranking, RANKINGS), (flatness, FLATNESS), (landscape, LANDSCAPES),
        (concept, CONCEPTS), (universal, UNIVERSALS), (curve, CURVES), (report, REPORTS),
    )
    for cls in registry
]  # fmt: skip

REFUSALS: dict[tuple[str, str], str] = {
    (name, net): "batch norm" for name in ("ANP", "CLP", "RNP")
    for net in ("no norm", "folded", "group norm", "transformer")
} | {("AttentionRollout", net): "the attention of a vision transformer" for net in NETS if net != "transformer"} | {
    ("Rescaling", "transformer"): "choose a convolutional network with ReLU",
}  # fmt: skip
"""Which method may refuse which network, and what its sentence must name: ANP, CLP and RNP prune by batch norms,
attention rollout needs attention, and rescaling a ReLU between two layers."""


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("check", "cls"), METHODS, ids=[f"{check.__name__}-{cls.__name__}" for check, cls in METHODS])
def test_it_works_or_says_what_it_needs(check: Callable[..., None], cls: type, net: str) -> None:
    model, data = trained(net), data_for(net)
    before = snapshot(model)
    if (cls.__name__, net) in REFUSALS:
        with pytest.raises(ValueError, match=REFUSALS[cls.__name__, net]) as refusal:
            check(cls, model, data)
        said = str(refusal.value)
        assert "\n" not in said and said.endswith(".") and len(said) < 250
    else:
        check(cls, model, data)
    assert_same(before, snapshot(model))


def test_the_folded_net_is_what_it_says() -> None:
    from core.networks.model_state import batch_norms, folded

    torch.manual_seed(0)
    net, images = sequential(nn.BatchNorm2d).train(), data_for("folded").pixels
    net(images)
    before = net.eval()(images)
    fold(net)
    assert all(map(folded, batch_norms(net))) and torch.allclose(net(images), before, atol=1e-4)
