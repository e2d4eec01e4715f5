"""Tables of transfer in closed form: models that answer with the brightest third, and how they are asked."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.attacks import resize_cost, transfer
from core.runs import finish


class Brightest(nn.Module):
    """Says which of three vertical thirds is brightest, after `bias` was added to them."""

    def __init__(self, bias: tuple[float, ...] = (0.0, 0.0, 0.0), size: int = 6):
        super().__init__()
        self.bias, self.input_size = nn.Parameter(torch.tensor(bias)), (1, size, size)
        self.asked: list[tuple[int, int]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked.append((len(images), images.shape[-1]))
        return images.mean((1, 2)).unflatten(1, (3, -1)).mean(2) + self.bias


def bright(*thirds: int) -> torch.Tensor:
    """Pictures whose third number so and so is white, (N, 1, 6, 6)."""
    images = torch.zeros(len(thirds), 1, 6, 6)
    for picture, third in zip(images, thirds, strict=True):
        picture[:, :, 2 * third : 2 * third + 2] = 1
    return images


LABELS = torch.tensor([0, 1, 2, 2])


def test_a_column_counts_what_source_and_judge_get_right() -> None:
    images, moved, right = bright(0, 1, 2, 0), bright(2, 1, 0, 0), torch.tensor([True, True, False, True])
    judges = [Brightest(), Brightest((0, -3.0, 0)), Brightest((0, 0, 9.0))]
    for judge in judges:
        judge.eval()
    found = finish(transfer(judges, images, [moved, images], LABELS, right=right))
    # Pictures 0 and 1 count for the first, 0 for the second, which never says 1; the third, which always says 2, is
    # right about none that the source is right about but the last.
    assert found.n.tolist() == [2, 1, 1]
    assert found.fooled.tolist() == [[0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert [judge.asked for judge in judges] == [[(12, 6)]] * 3, "one pass for a picture and its examples"


def test_who_counts_nothing_has_no_share_and_another_number_of_classes_is_one_sentence() -> None:
    found = finish(transfer([Brightest().eval()], bright(0, 1, 2, 0), [bright(1, 1, 1, 1)], LABELS,
                            right=torch.zeros(4, dtype=torch.bool)))  # fmt: skip
    assert found.n.tolist() == [0] and found.fooled.isnan().all()
    two = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).eval()
    with pytest.raises(ValueError, match="knows 3 classes and model 2 2;"):
        finish(transfer([Brightest().eval(), two], bright(0), [bright(0)], LABELS[:1], right=torch.ones(1).bool()))


def test_resizing_costs_a_fine_change_what_the_source_size_does_not() -> None:
    """A judge of half the size averages the stripes away that would fool it at the size of the source."""

    class Striped(Brightest):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            fine = (images[..., ::2] - images[..., 1::2]).abs().mean((1, 2, 3))
            return super().forward(images) + fine[:, None] * torch.tensor([0.0, 0.0, 9.0])

    images = bright(0, 1, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    stripes = images * 0.9 + 0.1 * (torch.arange(12) % 2)
    judge = Striped(size=6).eval()
    cost = resize_cost(judge, images, stripes, LABELS[:3], right=torch.ones(3).bool())
    assert cost is not None and cost.n == 3
    assert cost.resized == 0 and cost.unresized == pytest.approx(2 / 3), "the third says 2 in any case"
    assert resize_cost(Brightest(size=12).eval(), images, stripes, LABELS[:3], right=torch.ones(3).bool()) is None
    made_for_one = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()
    made_for_one.input_size = (1, 6, 6)
    assert resize_cost(made_for_one, images, stripes, LABELS[:3], right=torch.ones(3).bool()) is None
