"""What every explainer promises, whatever it computes."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from core.explain import EXPLAINERS, RISE, AttentionRollout, SmoothGrad
from core.knobs import knobs_of
from core.runs import finish
from tests.conftest import TinyNet, colour_set

SHORT = {"samples": 4, "steps": 8, "masks": 110}
every = pytest.mark.parametrize("explainer", EXPLAINERS, ids=[e.__name__ for e in EXPLAINERS])
RUNS = [e for e in EXPLAINERS if hasattr(e, "run")]
slow = pytest.mark.parametrize("explainer", RUNS, ids=[e.__name__ for e in RUNS])


def short(explainer: type) -> Any:
    names = {knob.name for knob in knobs_of(explainer)}
    return explainer(**{name: value for name, value in SHORT.items() if name in names})


@functools.cache
def transformer(**more: Any) -> nn.Module:
    """Blocks large enough to matter, since timm's first weights are small."""
    torch.manual_seed(0)
    net = timm.create_model(
        "vit_tiny_patch16_224", img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=4, **more
    )
    for parameter in net.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=0.3)
    return net.eval().requires_grad_(False)


@pytest.fixture
def net(explainer: type, trained_net: nn.Module) -> nn.Module:
    return copy.deepcopy(transformer() if explainer is AttentionRollout else trained_net)


def unlike(reference: Tensor) -> bool:
    """Whether a map says something."""
    return bool((reference > 0).float().mean() > 0.05 and reference.std() > 0)


@every
def test_maps_of_the_pictures_size_for_one_class_or_one_each(explainer: type, net: nn.Module) -> None:
    data, explain = colour_set(5), short(explainer)
    maps = explain(net, data.pixels, data.labels)
    assert maps.shape == (5, 16, 16) and maps.dtype == torch.float32 and not maps.requires_grad and unlike(maps)
    singles = torch.cat([explain(net, data.pixels[i : i + 1], data.labels[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(maps, singles, atol=1e-5, rtol=1e-4)
    assert torch.equal(explain(net, data.pixels, 2), explain(net, data.pixels, torch.full((5,), 2)))


@every
def test_in_double_precision_too(explainer: type, net: nn.Module) -> None:
    data, explain = colour_set(2), short(explainer)
    maps = explain(net, data.pixels, data.labels)
    exact = explain(net.double(), data.pixels.double(), data.labels)
    assert exact.dtype == torch.float64
    torch.testing.assert_close(maps.double(), exact, atol=2e-3 * float(exact.abs().max()), rtol=2e-3)


@every
def test_the_model_is_left_as_it_was(explainer: type, net: nn.Module) -> None:
    net = net.train()
    last = list(net.parameters())[-1]
    last.requires_grad_(True)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [p.requires_grad for p in net.parameters()]
    random = torch.get_rng_state()
    images = colour_set(2).pixels

    def as_it_was() -> bool:
        same = all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
        hooks = any(m._forward_hooks or m._forward_pre_hooks or "forward_features" in vars(m) for m in net.modules())
        modes = all(m.training for m in net.modules())
        grads = all(p.grad is None for p in net.parameters())
        return same and not hooks and modes and grads and flags == [p.requires_grad for p in net.parameters()]

    kept = images.clone()
    short(explainer)(net, images, 0)
    assert as_it_was() and torch.equal(images, kept) and not images.requires_grad
    assert torch.equal(torch.get_rng_state(), random)
    with pytest.raises(ValueError, match=r"targets must be class indices in 0..3"):
        short(explainer)(net, images, 4)
    assert as_it_was()


@every
def test_hooks_go_also_after_an_exception_inside_the_net(explainer: type) -> None:
    class Breaks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.calls = (copy.deepcopy(transformer()) if explainer is AttentionRollout else TinyNet()), 0

        def forward(self, x: Tensor) -> Tensor:
            out = self.net(x)
            self.calls += 1
            if self.calls == 3:
                raise ZeroDivisionError("broken inside")
            return out

    net = Breaks()
    with pytest.raises(ZeroDivisionError):
        for _ in range(3):
            short(explainer)(net, colour_set(2).pixels, 0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert net.training and torch.is_grad_enabled()


@every
def test_a_sentence_for_what_cannot_be_explained(explainer: type, net: nn.Module) -> None:
    images = colour_set(4).pixels
    with pytest.raises(ValueError, match="targets must be one class index per image"):
        short(explainer)(net, images, torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        short(explainer)(net, images * 2, 0)
    with pytest.raises(ValueError, match="There are no images"):
        short(explainer)(net, images[:0], 0)
    with pytest.raises(ValueError, match="must answer with logits"):
        short(explainer)(nn.Sequential(nn.Conv2d(3, 4, 3)), images, 0)
    weights = list(net.parameters())[-1]
    weights.data[:] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        short(explainer)(net, images, 0)


@slow
def test_a_run_tells_how_far_it_is_and_can_be_stopped(explainer: type, net: nn.Module) -> None:
    data, explain = colour_set(3), short(explainer)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    net.train()
    moments = list(explain.run(net, data.pixels, data.labels))
    assert [m.step for m in moments] == sorted({m.step for m in moments})
    assert moments[-1].step == moments[-1].total and len(moments) > 1
    run = explain.run(net, data.pixels, data.labels)
    next(run)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    run.close()
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(m.training and not m._forward_hooks for m in net.modules())


@slow
def test_the_same_seed_gives_the_same_map(explainer: type, net: nn.Module) -> None:
    data, explain = colour_set(2), short(explainer)
    one, again, other = (finish(explain.run(net, data.pixels, data.labels, seed=seed)) for seed in (3, 3, 4))
    assert torch.equal(one, again)
    assert torch.equal(one, other) == (explainer not in (RISE, SmoothGrad))
