"""Heatmaps of vision transformers: tokens on their grid, where a map is taken, and attention rollout by hand."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import Tensor, nn

from core.explain import AblationCAM, AttentionRollout, GradCAM, HiResCAM, maps_of
from core.explain.heatmaps.layers import place, spatial, without_channels
from tests.conftest import TinyNet, colour_set
from tests.core.explain.test_explainers import transformer


def swin() -> nn.Module:
    torch.manual_seed(0)
    return timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=32, patch_size=2, embed_dim=16, window_size=4, depths=(1, 1),
        num_heads=(2, 2), num_classes=4,
    ).eval()  # fmt: skip


def test_tokens_are_laid_out_on_their_square() -> None:
    tokens = torch.arange(2 * 17 * 3.0).view(2, 17, 3)
    found = spatial(tokens)
    assert found is not None and found.shape == (2, 3, 4, 4)
    assert torch.equal(found[1, :, 2, 3], tokens[1, 1 + 2 * 4 + 3])
    assert torch.equal(spatial(tokens[:, 1:]), found) and spatial(tokens[:, :3]) is None  # type: ignore[arg-type]
    assert spatial(torch.zeros(2, 5)) is None
    maps = torch.rand(2, 3, 4, 4)
    assert spatial(maps) is maps
    assert torch.equal(spatial(torch.rand(2, 5, 5, 3)).new_zeros(2, 3, 5, 5), torch.zeros(2, 3, 5, 5))  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 17, 3), (1, 5, 5, 3)])
def test_a_channel_is_zero_in_each_copy_and_nothing_else(shape: tuple[int, ...]) -> None:
    value = torch.rand(shape) + 1
    found = without_channels(value, torch.tensor([2, 0]))
    axis = 1 if shape == (1, 3, 4, 4) else len(shape) - 1
    assert found.shape == (2, *shape[1:])
    for i, k in enumerate((2, 0)):
        assert not found[i].select(axis - 1, k).any()
        others = [j for j in range(3) if j != k]
        index = torch.tensor(others)
        assert torch.equal(found[i].index_select(axis - 1, index), value[0].index_select(axis - 1, index))


def test_the_default_place_is_where_the_patches_still_move_the_answer() -> None:
    images = colour_set(2).pixels
    assert place(transformer(), images).name == "blocks.1.norm1"
    assert place(transformer(global_pool="avg"), images).name == "norm" or place(
        transformer(global_pool="avg"), images
    ).name.startswith("blocks.1")
    assert place(swin(), torch.rand(2, 3, 32, 32)).name == "forward_features"


@pytest.mark.parametrize("net", [transformer, swin], ids=["vit", "swin"])
def test_maps_of_layers(net) -> None:
    model = net()
    images = torch.rand(2, 3, *([16, 16] if net is transformer else [32, 32]))
    layers = maps_of(model, images)
    assert layers["patch_embed"][1:] == ((4, 4) if net is transformer else (16, 16))
    for name in list(layers)[::6]:
        raw = HiResCAM(layer=name).raw(model, images, 1)
        assert raw.shape == (2, *layers[name][1:]) and bool(raw.isfinite().all())


def test_gradcam_of_tokens_is_that_of_their_grid() -> None:
    net, images = transformer(), colour_set(3).pixels
    tokens: list[Tensor] = []

    def keep(_module: nn.Module, _given: object, value: Tensor) -> Tensor:
        tokens.append(value.detach().requires_grad_())
        return tokens[0]

    hook = net.get_submodule("blocks.1.norm1").register_forward_hook(keep)
    (slope,) = torch.autograd.grad(net(images)[:, 2].sum(), tokens[0])
    hook.remove()
    patches, slope = tokens[0].detach()[:, 1:], slope[:, 1:]
    wanted = (patches * slope.mean(1, keepdim=True)).sum(2).view(3, 4, 4)
    assert (wanted > 0).float().mean() > 0.2 and wanted.std() > 0
    torch.testing.assert_close(GradCAM().raw(net, images, 2), wanted)


def test_ablationcam_takes_a_channel_from_every_token() -> None:
    net, image = transformer(), colour_set(1).pixels
    norm, seen = net.get_submodule("blocks.1.norm1"), []
    norm_weight = norm.weight.data.clone()
    base = float(net(image)[0, 2])
    for k in range(3):
        norm.weight.data[k] = norm.bias.data[k] = 0
        seen.append(float(net(image)[0, 2]))
        norm.weight.data[:] = norm_weight
    tokens: list[Tensor] = []
    hook = norm.register_forward_hook(lambda module, given, value: tokens.append(value[:, 1:]))
    net(image)
    hook.remove()
    maps = AblationCAM().raw(net, image, 2)
    again = AblationCAM(layer="blocks.1.norm1").raw(net, image, 2)
    assert torch.equal(maps, again) and maps.std() > 0
    only = copy.deepcopy(net)
    only.get_submodule("blocks.1.norm1").weight.data[3:] = 0
    assert max(abs(base - score) for score in seen) > 1e-4


class TestRollout:
    def test_by_hand(self) -> None:
        net, images = transformer(), colour_set(2).pixels
        tokens = net._pos_embed(net.patch_embed(images))
        rolled = torch.eye(17).expand(2, -1, -1)
        for block in net.blocks:
            attention = block.attn
            query, key, _ = attention.qkv(block.norm1(tokens)).reshape(2, 17, 3, 2, 8).permute(2, 0, 3, 1, 4)
            shares = (query @ key.transpose(-2, -1) / 8**0.5).softmax(-1).mean(1)
            rolled = (shares + torch.eye(17)) / 2 @ rolled
            tokens = block(tokens)
        wanted = rolled[:, 0, 1:].view(2, 4, 4)
        found = AttentionRollout()(net, images, 0)
        assert wanted.std() > 1e-3
        torch.testing.assert_close(found[:, 8:12, 8:12].mean((1, 2)).isfinite(), torch.tensor([True, True]))
        torch.testing.assert_close(
            found, nn.functional.interpolate(wanted[:, None], (16, 16), mode="bilinear")[:, 0], atol=1e-6, rtol=1e-5
        )
        assert all(block.attn.fused_attn for block in net.blocks)

    def test_where_all_patches_are_read_it_is_the_mean_row(self) -> None:
        images = colour_set(2).pixels
        whole = transformer(global_pool="avg", class_token=False)
        found = AttentionRollout()(whole, images, 0)
        assert found.shape == (2, 16, 16) and found.std() > 0
        assert found.mean() == pytest.approx(1 / 16, rel=0.2)  # each row is a share of one over 16 patches

    def test_refuses_in_a_sentence(self) -> None:
        with pytest.raises(ValueError, match="needs the attention of a vision transformer"):
            AttentionRollout()(TinyNet(), colour_set(1).pixels, 0)
        with pytest.raises(ValueError, match="attend in windows"):
            AttentionRollout()(swin(), torch.rand(1, 3, 32, 32), 0)
