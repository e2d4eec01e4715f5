"""The one display function: ReLU, enlarging, named normalisations, degenerate maps, colours."""

import pytest
import torch
import torch.nn.functional as F

from core.explain.heatmaps.display import colour, display, overlay


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_unsigned_is_relu_enlarged_and_divided_by_its_maximum(maps):
    shown = display(maps, (16, 16))
    wanted = F.interpolate(maps.clamp_min(0)[:, None], (16, 16), mode="bilinear", align_corners=False)[:, 0]
    scale = wanted.flatten(1).amax(1)
    torch.testing.assert_close(shown.maps, wanted / scale[:, None, None])
    torch.testing.assert_close(shown.scale, scale)
    assert shown.maps.shape == (3, 16, 16) and shown.maps.min() == 0 and (shown.maps.flatten(1).amax(1) == 1).all()
    assert not shown.degenerate.any() and shown.notes == ("", "", "") and not shown.signed


def test_positive_factors_do_not_show(maps):
    torch.testing.assert_close(display(maps).maps, display(5 * maps).maps)


def test_signed_is_divided_by_the_largest_absolute_value(maps):
    shown = display(maps, signed=True)
    torch.testing.assert_close(shown.maps, maps / maps.abs().flatten(1).amax(1)[:, None, None])
    assert shown.maps.min() < 0 and shown.signed


def test_the_other_normalisations(maps):
    lowest = display(maps.abs() + 1, normalise="minmax").maps.flatten(1)
    assert (lowest.amin(1) == 0).all() and torch.allclose(lowest.amax(1), torch.ones(3))
    shared = display(maps, normalise="shared")
    torch.testing.assert_close(shared.maps, maps.clamp_min(0) / maps.max())
    torch.testing.assert_close(display(maps, normalise="none").maps, maps.clamp_min(0))
    with pytest.raises(ValueError, match="'minimax' is not one of max"):
        display(maps, normalise="minimax")
    with pytest.raises(ValueError, match="must be"):
        display(maps[0])


def test_the_first_maps_set_a_shared_scale_and_cut_off_the_others(maps):
    wanted = (maps.clamp_min(0) / maps[0].max()).clamp_max(1)
    torch.testing.assert_close(display(maps, normalise="shared", reference=1).maps, wanted)
    torch.testing.assert_close(
        display(torch.cat((0 * maps[:1], maps)), normalise="shared", reference=1).maps[1:],
        display(maps, normalise="shared").maps,
    )


def test_equal_to_the_display_path_of_the_grad_cam_library(maps):
    """ReLU, min-max with its guard, bilinear, min-max again."""

    def minmax(x):
        x = x - x.flatten(1).amin(1)[:, None, None]
        return x / (1e-7 + x.flatten(1).amax(1)[:, None, None])

    wanted = minmax(F.interpolate(minmax(maps.clamp_min(0))[:, None], (9, 9), mode="bilinear")[:, 0])
    assert wanted.std() > 0.1
    torch.testing.assert_close(display(maps, (9, 9), normalise="minmax").maps, wanted, atol=5.4e-6, rtol=0)


@pytest.mark.parametrize("normalise", ["max", "absmax", "minmax", "shared", "none"])
def test_degenerate_maps_are_a_flag_and_not_a_picture(normalise):
    good = torch.linspace(-1, 1, 9).view(3, 3)
    bad = [torch.zeros(3, 3), -good.abs() - 0.1, torch.full((3, 3), 0.7), good.clone()]
    bad[3][1, 1] = torch.nan
    shown = display(torch.stack([good, *bad]), (6, 6), normalise=normalise)
    assert shown.degenerate.tolist() == [False, True, True, True, True]
    assert not shown.maps[1:].any() and shown.maps[0].any() and shown.maps.isfinite().all()
    words = ("zero", "No positive evidence", "same everywhere", "not finite")
    for note, word in zip(shown.notes[1:], words, strict=True):
        assert word in note
    assert not display(bad[1][None], signed=True).degenerate.any()  # evidence against is something to show


def test_viridis_is_matplotlib_s():
    colormaps = pytest.importorskip("matplotlib").colormaps
    values = torch.linspace(0, 1, 256)
    wanted = torch.tensor(colormaps["viridis"](values.numpy()), dtype=torch.float32)[:, :3]
    assert (colour(values[None, None])[0, :, 0].T - wanted).abs().max() < 0.04
    grey = colour(torch.linspace(0, 1, 64)[None, None]).mul(torch.tensor([0.21, 0.72, 0.07]).view(1, 3, 1, 1)).sum(1)
    assert (grey.diff() > 0).all()  # brighter means more, also in a grey print


def test_diverging_palette_is_white_at_zero_blue_below_red_above():
    low, middle, high = colour(torch.tensor([[[-1.0, 0.0, 1.0]]]), "diverging")[0, :, 0].T
    assert (middle == 1).all() and low[2] > low[0] and high[0] > high[2]
    with pytest.raises(ValueError, match="'jet' is not one of viridis"):
        colour(torch.zeros(1, 2, 2), "jet")


def test_overlay(maps):
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    maps = maps.clone()
    maps[1] = 0
    shown = display(maps, (8, 8))
    drawn = overlay(images, shown, opacity=0.4)
    torch.testing.assert_close(drawn[0], 0.6 * images[0] + 0.4 * colour(shown.maps)[0])
    assert torch.equal(drawn[1], images[1]) and drawn.min() >= 0 and drawn.max() <= 1
    assert overlay(images[:, :1], shown).shape == (3, 3, 8, 8)
