"""The background challenge, its scores, and the energy pointing game."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.data import Scenes
from core.data.backgrounds import CHALLENGE, challenge
from core.data.imageset import ImageSet
from core.metrics import background_scores, energy_pointing_game, masks_of
from tests.conftest import colour_set

SHARE = 0.2


class TestPointing:
    MASK = torch.zeros(1, 4, 5, dtype=torch.bool)
    MASK[0, 1:3, 1:3] = True

    def game(self, maps: Tensor) -> float:
        return energy_pointing_game(maps, self.MASK).item()

    def test_in_closed_form(self) -> None:
        assert self.game(torch.ones(1, 4, 5)) == pytest.approx(SHARE)  # chance: 4 of 20 pixels
        assert self.game(self.MASK.float()) == 1
        assert self.game((~self.MASK).float()) == 0
        signed = 3.0 * self.MASK - 7.0 * ~self.MASK  # what speaks against a class is no energy
        assert self.game(signed) == 1
        half = self.MASK.float()
        half[0, 0, 0] = 4
        assert self.game(half) == pytest.approx(0.5) == self.game(100 * half)

    def test_a_map_of_nothing_has_no_score(self) -> None:
        assert self.game(-torch.ones(1, 4, 5)) != self.game(-torch.ones(1, 4, 5))  # NaN

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match=r"bool mask for each map, of its size \(1, 4, 4\), not torch.bool"):
            energy_pointing_game(torch.ones(1, 4, 4), self.MASK)
        with pytest.raises(ValueError, match=r"^colours have no masks of their objects; choose Scenes, which do\.$"):
            masks_of(colour_set())
        data = Scenes().load("test", limit=3)
        assert masks_of(data) is data.masks


@pytest.fixture(scope="module")
def sets() -> dict[str, ImageSet]:
    return challenge(Scenes(bias=0.95, noise=0.0), limit=300)


class TestChallenge:
    def test_it_is_the_same_objects_everywhere(self, sets: dict[str, ImageSet]) -> None:
        assert tuple(sets) == CHALLENGE
        for data in sets.values():
            assert torch.equal(data.labels, sets["original"].labels)
            assert torch.equal(data.masks, sets["original"].masks)
            assert torch.equal(data.concepts["texture"], sets["original"].concepts["texture"])

    def test_the_ground_is_tied_or_free(self, sets: dict[str, ImageSet]) -> None:
        tied = {
            name: (data.concepts["background"] == data.labels % 5).float().mean().item() for name, data in sets.items()
        }
        assert tied["mixed same"] == 1 and tied["original"] == pytest.approx(0.96, abs=0.03)
        assert tied["mixed random"] == pytest.approx(0.2, abs=0.08)

    def test_each_part_alone(self, sets: dict[str, ImageSet]) -> None:
        """Without noise: where there is no object, the original is its background, and the object's ground is even."""
        whole, alone, gone = (sets[name].pixels for name in ("original", "only object", "only background"))
        away = torch.nn.functional.max_pool2d(sets["original"].masks[:, None].float(), 15, 1, 7)[:, 0] == 0
        far = away[:, None].expand_as(whole)
        assert (whole - gone)[far].abs().max() < 0.06
        for picture, where in zip(alone, away, strict=True):
            ground = picture[:, where]
            assert not len(ground[0]) or ground.max() - ground.min() < 0.06
        on = sets["original"].masks[:, None].expand_as(whole)
        assert (whole - gone)[on].abs().mean() > 0.1
        assert "only" not in sets["original"].origin and sets["only object"].origin.endswith("test, object")


class Ground(nn.Module):
    """Knows nothing but which of two classes the corner's red speaks for."""

    def forward(self, x: Tensor) -> Tensor:
        red = x[:, 0, 0, 0]
        return torch.stack([red, 1 - red], 1)


def test_scores_and_the_gap() -> None:
    def of(corner: list[int], labels: list[int]) -> ImageSet:
        images = torch.tensor(corner, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4).contiguous()
        return ImageSet(images, torch.tensor(labels), ("red", "other"))

    labels = [0, 0, 1, 1]
    found = background_scores(
        Ground(), {"mixed same": of([255, 255, 0, 0], labels), "mixed random": of([255, 0, 255, 0], labels)}
    )
    assert found.accuracy == {"mixed same": 1.0, "mixed random": 0.5}
    assert found.gap == 0.5 and found.n == 4
