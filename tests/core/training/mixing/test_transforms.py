"""MixUp, CutMix and FMix as plain transforms."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import v2

from core.training import MIXERS, CutMix, FMix, MixUp
from core.training.mixing.cutmix import outside_boxes
from core.training.mixing.low_frequency_masks import OFFICIAL, PAPER
from core.training.mixing.mixer import Mixer, beta

CPU = torch.device("cpu")
ALL = [*(cls() for cls in MIXERS), FMix(mode=OFFICIAL), FMix(soft=0.2)]
SIZES = [(32, 32), (20, 13), (7, 28)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(n: int = 8, size: tuple[int, int] = (32, 32)) -> tuple[Tensor, Tensor]:
    return torch.rand(n, 3, *size, generator=generator(9)), torch.arange(n) % 5


def shares(mixer: Mixer, lam: Tensor, size: tuple[int, int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """The weight of the own picture at every pixel (N, H, W), seen in the result, and lam."""
    n = len(lam)
    images = torch.zeros(2 * n, 1, *size)
    images[:n] = 1  # the first half is 1, their partners are 0
    partners = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    labels = torch.zeros(2 * n, dtype=torch.int64)
    mixed = mixer.mixed(images, labels, partners, lam.repeat(2), generator=generator(seed))
    return mixed.images[:n, 0], mixed.lam[:n]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("per", ["picture", "batch"])
@pytest.mark.parametrize("mixer", MIXERS)
def test_what_comes_back(mixer: type[Mixer], per: str, size: tuple[int, int]) -> None:
    images, labels = batch(size=size)
    kept, state = images.clone(), torch.get_rng_state()
    mixed = mixer(per=per)(images, labels, generator=generator())
    again = mixer(per=per)(images, labels, generator=generator())
    other = mixer(per=per)(images, labels, generator=generator(1))
    assert mixed.images.shape == images.shape and mixed.lam.shape == mixed.partners.shape == (8,)
    assert mixed.partners.sort().values.tolist() == list(range(8))
    assert torch.equal(mixed.labels, labels) and torch.equal(images, kept)
    assert torch.equal(mixed.images, again.images) and not torch.equal(mixed.images, other.images)
    assert torch.equal(torch.get_rng_state(), state)
    assert (len(mixed.lam.unique()) == 1) == (per == "batch")
    low, high = torch.minimum(images, images[mixed.partners]), torch.maximum(images, images[mixed.partners])
    assert ((mixed.images >= low - 1e-6) & (mixed.images <= high + 1e-6)).all()


@pytest.mark.parametrize("mixer", ALL, ids=repr)
def test_the_ends_are_the_two_pictures_bit_for_bit(mixer: Mixer) -> None:
    images, labels = batch()
    partners = torch.randperm(8, generator=generator())
    own, other = (mixer.mixed(images, labels, partners, lam, generator=generator()) for lam in (1.0, 0.0))
    assert torch.equal(own.images, images) and torch.equal(own.lam, torch.ones(8))
    if not isinstance(mixer, CutMix):  # its box is cut off at the border, unless it stands in the middle
        assert torch.equal(other.images, images[partners]) and torch.equal(other.lam, torch.zeros(8))


@pytest.mark.parametrize("mixer", [CutMix(), FMix(), FMix(mode=OFFICIAL)], ids=repr)
def test_masks_take_each_pixel_from_one_picture(mixer: Mixer) -> None:
    images, labels = batch(64)
    mixed = mixer(images, labels, generator=generator())
    own = (mixed.images == images).all(1)
    partner = (mixed.images == images[mixed.partners]).all(1)
    assert (own | partner).all()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mixer", ALL, ids=repr)
def test_the_label_has_the_weight_of_the_pixels(mixer: Mixer, size: tuple[int, int]) -> None:
    pixels, given = size[0] * size[1], torch.rand(300, generator=generator(3))
    share, lam = shares(mixer, given, size)
    apart = (share.double().mean((1, 2)) - lam.double()).abs() * pixels
    if isinstance(mixer, FMix):
        assert apart.max() < 1  # to one pixel
        assert torch.equal(lam, given)
    else:
        assert apart.max() < 1e-3  # exactly
    if isinstance(mixer, CutMix):
        assert lam.mean() > given.mean()  # boxes are cut off at the border


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_weights_are_of_the_beta_distribution(alpha: float) -> None:
    lam = beta(alpha, 20_000, generator())
    assert abs(lam.mean() - 0.5) < 0.01
    assert abs(lam.var() - 1 / (4 * (2 * alpha + 1))) < 0.005
    assert ((lam >= 0) & (lam <= 1)).all()


@pytest.mark.parametrize("mixer", MIXERS)
def test_alpha_0_and_probability_0_mix_nothing(mixer: type[Mixer]) -> None:
    images, labels = batch()
    for off in (mixer(alpha=0.0), mixer(probability=0.0)):
        mixed = off(images, labels, generator=generator())
        assert torch.equal(mixed.images, images) and torch.equal(mixed.lam, torch.ones(8))
    half = mixer(probability=0.5)(*batch(400), generator=generator())
    assert 150 < (half.lam < 1).sum() < 250


def test_soft_labels_give_the_mixed_loss() -> None:
    mixed = MixUp()(*batch(), generator=generator())
    logits, soft = torch.randn(8, 5, generator=generator()), mixed.soft_labels(5)
    own, other = (F.cross_entropy(logits, y, reduction="none") for y in (mixed.labels, mixed.labels[mixed.partners]))
    torch.testing.assert_close(F.cross_entropy(logits, soft), (mixed.lam * own + (1 - mixed.lam) * other).mean())
    torch.testing.assert_close(soft.sum(1), torch.ones(8))


class TestTorchvision:
    """The same numbers as torchvision's v2, which rolls the batch by one, given its weight."""

    PARTNERS = torch.arange(8).roll(1)

    def test_mixup(self) -> None:
        images, labels = batch()
        theirs = v2.MixUp(num_classes=5)
        for lam in (0.0, 0.3, 0.9):
            theirs._dist = _Always(lam)
            expected, soft = theirs(images, labels)
            mine = MixUp().mixed(images, labels, self.PARTNERS, lam)
            torch.testing.assert_close(mine.images, expected)
            torch.testing.assert_close(mine.soft_labels(5), soft)

    @pytest.mark.parametrize("size", SIZES, ids=str)
    def test_cutmix(self, size: tuple[int, int]) -> None:
        images, labels = batch(size=size)
        theirs = v2.CutMix(num_classes=5)
        for seed, lam in enumerate((0.0, 0.3, 0.5, 0.77, 0.99)):
            theirs._dist = _Always(lam)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)  # both draw the column of the centre first
                expected, soft = theirs(images, labels)
            mine = CutMix(per="batch").mixed(images, labels, self.PARTNERS, lam, generator=generator(seed))
            assert torch.equal(mine.images, expected)
            torch.testing.assert_close(mine.soft_labels(5), soft)


class _Always:
    """A distribution of one value."""

    def __init__(self, value: float):
        self.value = value

    def sample(self, shape: tuple[int, ...]) -> Tensor:
        return torch.full(shape, self.value)


def test_a_box_in_closed_form() -> None:
    """lam = 3/4: sides of half the picture, around the centre, cut off in the corner."""
    lam, at = torch.tensor([0.75, 0.75]), torch.tensor([4, 0])
    masks, left = outside_boxes(lam, at, at, (8, 12), CPU)
    assert left.tolist() == pytest.approx([1 - 4 * 6 / 96, 1 - 2 * 3 / 96])
    assert (masks[0, 2:6, 1:7] == 0).all() and masks[0].sum() == 96 - 24
    assert (masks[1, :2, :3] == 0).all() and masks[1].sum() == 96 - 6


class TestBadInput:
    @pytest.mark.parametrize("mixer", MIXERS)
    def test_each_is_one_sentence(self, mixer: type[Mixer]) -> None:
        images, labels = batch()
        cases = [
            (lambda m: m([images[0], images[1, :, :20]], labels[:2]), "2 pictures of 20x32, 32x32; resize"),
            (lambda m: m(images[:1], labels[:1]), "at least 2, not 1"),
            (lambda m: m(images[0], labels[:3]), r"not a tensor \(3, 32, 32\)"),
            (lambda m: m(images, labels[:5]), r"one label per picture: 8, not \(5,\)"),
            (lambda m: m((images * 255).byte(), labels), "float pictures, not torch.uint8; divide"),
            (lambda m: m(images.permute(0, 2, 3, 1), labels), "channels last"),
            (lambda m: m.mixed(images, labels, labels, 1.2), r"weights lam in \[0, 1\].*not \[1.2"),
            (lambda m: m.mixed(images, labels, labels, float("nan")), r"weights lam in \[0, 1\]"),
            (lambda m: m.mixed(images, labels, labels, torch.rand(5)), "each of its 8 pictures"),
        ]
        for call, said in cases:
            with pytest.raises(ValueError, match=said) as refusal:
                call(mixer())
            assert "\n" not in str(refusal.value) and str(refusal.value).startswith(mixer.__name__)

    def test_knobs(self) -> None:
        with pytest.raises(ValueError, match=r"FMix.mode = 'paper mode' is not one of paper, official-code"):
            FMix(mode="paper mode")
        with pytest.raises(ValueError, match=r"MixUp.alpha = -1.0 is out of range"):
            MixUp(alpha=-1.0)
        assert (FMix().mode, FMix().decay, FMix().alpha) == (PAPER, 3.0, 1.0)
