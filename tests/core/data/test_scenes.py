"""Scenes: deterministic, labelled, balanced, and hard in the ways its dials say."""

import pytest
import torch

from core.data import ImageSet, Scenes, load_data
from core.data.shapes import SHAPES, signed_distance


def test_shapes_types_and_ranges() -> None:
    data = Scenes().load("test", limit=50)
    assert (data.images.shape, data.images.dtype) == ((50, 3, 32, 32), torch.uint8)
    assert data.masks.shape == (50, 32, 32)
    assert data.class_names == tuple(SHAPES)
    assert set(data.concepts) == {"texture", "colour", "background", "background_colour"}
    assert Scenes(size=64).load("test", limit=3).images.shape == (3, 3, 64, 64)


def test_a_prefix_does_not_depend_on_the_limit() -> None:
    few, many = Scenes().load("test", limit=10), Scenes().load("test", limit=1500)
    assert torch.equal(few.images, many.images[:10])


def test_splits_differ_and_repeat() -> None:
    test, again, held = (Scenes().load(split, limit=100) for split in ("test", "test", "heldout"))
    assert torch.equal(test.images, again.images)
    assert not torch.equal(test.images, held.images)


def test_the_defender_has_a_twentieth_of_train_and_another_one_for_each_seed() -> None:
    one, two = Scenes().load("defender", seed=0), Scenes().load("defender", seed=1)
    assert len(one) == 1000
    assert not torch.equal(one.images, two.images)


def test_every_mask_marks_an_object_and_no_more() -> None:
    share = Scenes().load("test", limit=500).masks.float().mean((1, 2))
    assert share.min() > 0.01
    assert share.max() < 0.6


def test_each_shape_is_inside_its_frame_and_holds_some_area() -> None:
    grid = torch.linspace(-1.6, 1.6, 129)
    v, u = torch.meshgrid(grid, grid, indexing="ij")
    for label, name in enumerate(SHAPES):
        inside = signed_distance(label, u, v) < 0
        assert 0.05 < inside.float().mean() < 0.5, name
        edge = torch.ones_like(inside)
        edge[8:-8, 8:-8] = False
        assert not (inside & edge).any(), name


def test_bias_ties_the_background_to_the_class() -> None:
    tied, free = Scenes(bias=1.0).load("test", limit=1000), Scenes().load("test", limit=1000)
    assert torch.equal(tied.concepts["background_colour"], tied.labels % 8)
    agreement = (free.concepts["background_colour"] == free.labels % 8).float().mean()
    assert agreement < 0.25


def test_the_object_never_has_the_colour_of_its_background() -> None:
    concepts = Scenes().load("test").concepts
    assert (concepts["colour"] != concepts["background_colour"]).all()


def test_dials_do_what_they_say() -> None:
    def roughness(data: ImageSet) -> float:
        return data.pixels.diff(dim=3).abs().mean().item()

    loud, quiet = Scenes(noise=0.2).load("test", limit=200), Scenes(noise=0.0).load("test", limit=200)
    assert roughness(loud) > 2 * roughness(quiet)
    plain = Scenes(noise=0.0, texture=0.0).load("test", limit=200)
    assert roughness(plain) < 0.7 * roughness(quiet)


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(ValueError, match="no split 'validation'"):
        Scenes().load("validation")


def test_an_image_set_checks_its_tensors() -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        ImageSet(torch.zeros(2, 3, 4, 4), torch.zeros(2), ("a",))
    with pytest.raises(ValueError, match="2 images but labels"):
        ImageSet(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(3), ("a",))


def test_split_is_a_partition() -> None:
    data = Scenes().load("test", limit=100)
    left, right = data.split(0.8, seed=3)
    assert (len(left), len(right)) == (80, 20)
    both = torch.cat((left.images, right.images)).flatten(1).sum(1).sort().values
    assert torch.equal(both, data.images.flatten(1).sum(1).sort().values)


def test_biased_scenes_have_a_name() -> None:
    from core.data.hub import cached
    from core.data.scenes import generated

    named, made = load_data("scenes-biased", "test", limit=20), Scenes(bias=0.95).load("test", limit=20)
    assert torch.equal(named.images, made.images) and named.origin == made.origin
    assert generated("scenes") == Scenes() and generated(Scenes(noise=0.2)) == Scenes(noise=0.2)
    assert generated("cifar10") is None and generated(None) is None
    assert cached("scenes-biased")
    with pytest.raises(ValueError, match="choose scenes, scenes-biased, digits, cifar10"):
        load_data("scenes-unbiased")
