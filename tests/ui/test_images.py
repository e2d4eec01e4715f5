"""Pictures are enlarged without blur, changes are magnified by the factor that is stated, maps share one scale."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui.widgets import images


def test_small_pictures_are_enlarged_by_repeating_pixels():
    picture = torch.rand(3, 32, 32)
    shown = images.pixels(picture)
    assert shown.shape == (256, 256, 3) and shown.dtype == np.uint8
    exact = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    assert (shown[::8, ::8] == exact).all() and (shown[7::8, 7::8] == exact).all()
    assert images.pixels(torch.zeros(1, 300, 200)).shape == (300, 200, 3)


def test_the_magnification_is_the_one_that_is_stated():
    change = torch.zeros(3, 4, 4)
    change[0, 1, 1], change[2, 3, 3] = 0.04, -0.02
    picture, factor = images.magnified(change)
    assert factor == 12
    assert np.allclose(picture, 0.5 + factor * change.numpy(), atol=1e-6)
    assert images.magnified(torch.zeros(3, 2, 2))[1] == 1
    assert images.magnified(torch.full((3, 2, 2), 0.9))[1] == 1


def test_heatmaps_are_drawn_on_one_scale():
    maps = torch.zeros(2, 8, 8)
    maps[0, :4], maps[1, :4] = 1.0, 0.1
    drawn, notes = images.heat(torch.zeros(2, 3, 8, 8), maps)
    strong, weak = drawn[0][0, 0].astype(int), drawn[1][0, 0].astype(int)
    assert strong[0] > weak[0], "a map ten times weaker is drawn weaker"
    assert notes == ["", ""]
    _, notes = images.heat(torch.zeros(1, 3, 8, 8), torch.zeros(1, 8, 8))
    assert notes[0]


def test_the_scale_is_that_of_the_first_maps_and_stays_while_the_others_change():
    before, weak, strong = torch.zeros(3, 1, 8, 8).unbind(0)
    before[:, :4], weak[:, :4], strong[:, :4] = 1.0, 0.1, 5.0
    pictures = torch.zeros(2, 3, 8, 8)
    (seen, faint), _ = images.heat(pictures, torch.cat((before, weak)), reference=1)
    (again, cut), _ = images.heat(pictures, torch.cat((before, strong)), reference=1)
    assert (seen == again).all(), "what was before looks the same whatever comes after"
    assert (cut == seen).all() and (faint != seen).any(), "larger values are drawn as high"
    (_, alone), _ = images.heat(pictures, torch.cat((0 * before, weak)), reference=1)
    assert (alone != faint).any(), "where nothing was before, the others set the scale"


def test_the_colour_key_goes_from_low_to_high_and_says_what_high_is():
    app = AppTest.from_string("from ui.widgets import images\nimages.key('High is the value before.')").run()
    assert [caption.value for caption in app.caption] == ["low", "high", "High is the value before."]
    assert len(app.get("image")) == 1


def test_a_region_stays_bright_and_the_rest_is_dimmed():
    region = torch.zeros(4, 4, dtype=torch.bool)
    region[:2] = True
    shown = images.outlined(torch.ones(3, 4, 4), region, side=8)
    assert (shown[:4] == 255).all() and (shown[4:] < 200).all()


def test_png_holds_the_pictures_side_by_side():
    view = images.View(np.full((10, 20, 3), 7, dtype=np.uint8))
    sheet = Image.open(io.BytesIO(images.png([view, view], gap=4)))
    assert sheet.format == "PNG" and sheet.size == (44, 10)
    assert sheet.getpixel((1, 1)) == (7, 7, 7) and sheet.getpixel((21, 1)) == (255, 255, 255)
