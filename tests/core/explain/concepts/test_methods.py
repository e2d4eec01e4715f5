"""TCAV, A-CAV and FastCAV over networks small enough to know the answer, and against captum."""

import copy

import pytest
import torch
from captum.concept import TCAV as CaptumTCAV
from captum.concept import Classifier as CaptumClassifier
from captum.concept import Concept
from torch import Tensor, nn

from core.data import ImageSet
from core.explain import ACAV, CONCEPTS, TCAV, FastCAV, layers_of
from core.explain.concepts.cav import CAV
from core.explain.concepts.layer import Layer, layer_of
from core.explain.concepts.probe import Probe
from core.runs import Progress, finish

QUICK = {"draws": 4, "controls": 4}
each = pytest.mark.parametrize("method", [cls(**QUICK) for cls in CONCEPTS], ids=[cls.__name__ for cls in CONCEPTS])


def pictures(n: int = 200) -> tuple[ImageSet, Tensor]:
    """Noise of which every other picture is redder; class 1 is bright."""
    generator = torch.Generator().manual_seed(0)
    images = 60 + 40 * torch.rand(n, 3, 8, 8, generator=generator)
    red, bright = torch.arange(n) % 2 == 0, torch.arange(n) % 4 < 2
    images[red, 0] += 80
    images[bright] += 40
    return ImageSet(images.to(torch.uint8), bright.long(), ("dark", "bright")), red


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Conv2d(6, 8, 3), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip


def linear() -> nn.Module:
    """Class 0 falls and class 1 rises with red, of the pictures' three means."""
    head = nn.Linear(3, 2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[-5.0, 0.0, 0.0], [5.0, 0.0, 0.0]]))
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity(), head)


@each
@pytest.mark.parametrize("pool", [True, False])
def test_a_concept_that_is_there_is_recalled(net, method, pool):
    data, red = pictures()
    before = copy.deepcopy(net.state_dict())
    found = finish(type(method)(**QUICK, pool=pool).run(net, data, red, layer="2"))
    assert found.recall_at_5 > 0.9 and found.recall > 0.8 and found.false_positive_rate < 0.2
    assert found.vectors.shape == (4, 8 if pool else 8 * 16)
    torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(4))
    assert found.scores.shape == (4, 2) and found.p.shape == (2,) and found.counts.sum() == 105
    assert (found.positives, found.negatives) == (65, 40)
    assert len(found.order) == 105 and red[found.order[:20]].all() and not red[found.order[-20:]].any()
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(module._forward_hooks for module in net.modules())
    assert all(p.grad is None and p.requires_grad for p in net.parameters()) and net.training


@each
def test_a_linear_head_has_scores_of_0_and_1(method):
    data, red = pictures()
    found = finish(method.run(linear(), data, red, layer="2"))
    assert found.score.tolist() == [0.0, 1.0]
    assert found.vector[0] > 0.8


@each
def test_the_same_seed_gives_the_same_vector_and_another_seed_another(net, method):
    data, red = pictures()
    first, again, other = (finish(method.run(net, data, red, layer="2", seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first.vectors, again.vectors) and torch.equal(first.control_scores, again.control_scores)
    assert not torch.equal(first.vectors, other.vectors)
    assert not torch.equal(first.vectors[0], first.vectors[1])


def test_examples_from_elsewhere(net):
    data, red = pictures()
    found = finish(TCAV(**QUICK).run(net, data[~red], data[red], layer="2"))
    assert found.recall_at_5 > 0.9 and (found.order[:10] == -1).all() and found.counts.sum() == 40


def test_moving_along_the_vector_moves_the_activations_by_the_difference_of_the_means(net):
    data, red = pictures()
    model = linear()
    found = finish(FastCAV(**QUICK).run(model, data, red, layer="2"))
    plain, added, removed = found.moved(model, data.images[:3], torch.tensor([0.0, 1.0, -1.0]))
    step = model[3].weight @ (found.difference)
    torch.testing.assert_close(added, plain + step)
    torch.testing.assert_close(removed, plain - step)
    with torch.no_grad():
        torch.testing.assert_close(plain, model(data.pixels[:3]))
    # In a map, pooled or not, the step is the same at every position.
    where = Layer(net, "2", pool=True)
    flat = Layer(net, "2", pool=False)
    v = torch.randn(8)
    torch.testing.assert_close(
        where.moved(data.images[:3], v, torch.ones(1)),
        flat.moved(data.images[:3], v[:, None].expand(8, 16).reshape(-1), torch.ones(1)),
    )


def test_above_zero_along_the_vector_is_the_concept(net):
    data, red = pictures()
    found = finish(FastCAV(**QUICK).run(net, data, red, layer="2"))
    assert ((found.along(net, data.images) > 0) == red).float().mean() > 0.9


def test_one_classifier_without_margin_or_projection_is_the_plain_one(net):
    """M = 1, no round, no basis, the random pictures as they are: but for its draw, A-CAV is TCAV."""
    data, red = pictures()
    plain = finish(TCAV(**QUICK, random=20, examples=20).run(net, data, red, layer="2"))
    same = ACAV(**QUICK, random=20, examples=20, average=1, rounds=0, rank=0, negatives="random")
    found = finish(same.run(net, data, red, layer="2"))
    assert (plain.vectors[0] @ found.vectors[0]).item() == pytest.approx(1, abs=1e-5)


def test_a_vision_transformer_has_tokens_for_positions():
    import timm

    torch.manual_seed(0)
    model = timm.create_model("vit_tiny_patch16_224", img_size=16, patch_size=8, num_classes=2, depth=2)
    data, red = pictures(60)
    data = ImageSet(data.images.repeat_interleave(2, 2).repeat_interleave(2, 3), data.labels, data.class_names)
    found = finish(TCAV(draws=2, controls=1).run(model, data, red, layer="blocks.0"))
    assert found.vector.shape == (192,) and found.recall_at_5 > 0.9


def test_the_score_is_captums_for_the_same_vector(net, tmp_path, monkeypatch):
    """Captum is handed our vector as its classifier's weights; its sign_count is our score of each class."""
    monkeypatch.chdir(tmp_path)
    data, red = pictures()
    ours = finish(TCAV(draws=2, controls=1, pool=False).run(net, data, red, layer="2"))

    class Given(CaptumClassifier):
        def __init__(self):
            pass

        def train_and_eval(self, dataloader, **kwargs):
            return {"accs": 1.0}

        def weights(self):
            return torch.stack([ours.vector, -ours.vector])

        def classes(self):
            return [0, 1]

    loader = torch.utils.data.DataLoader(data.pixels[:10], batch_size=10)
    pair = [Concept(0, "red", loader), Concept(1, "random", loader)]
    theirs = CaptumTCAV(net, ["2"], classifier=Given(), save_path=str(tmp_path))
    net.eval()
    index = ours.order[ours.order >= 0]
    for label in (0, 1):
        chosen = index[data.labels[index] == label]
        result = theirs.interpret(data.pixels[chosen], [pair], target=label)["0-1"]["2"]["sign_count"]
        assert 0 <= ours.scores[0, label] <= 1
        assert ours.scores[0, label].item() == pytest.approx(result[0].item(), abs=1e-6)
    net.train()


@each
def test_it_can_be_stopped_and_says_where_it_is(net, method):
    data, red = pictures()
    run = method.run(net, data, red, layer="2")
    stages = [next(run) for _ in range(3)]
    assert all(isinstance(one, Progress) for one in stages) and stages[0].stage == "activations"
    run.close()
    assert not any(module._forward_hooks for module in net.modules()) and net.training


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.never, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3), nn.Linear(3, 2)
        self.pair = nn.LSTM(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.conv(self.conv(x)).mean((2, 3))
        return self.head(pooled + 0 * self.pair(pooled)[0])


@pytest.mark.parametrize(
    ("layer", "message"),
    [("conv", "runs 2 times"), ("never", "runs 0 times"), ("pair", "gives tuple"), ("conv9", "no layer 'conv9'")],
)
def test_a_layer_without_activations_is_one_sentence(layer, message):
    data, red = pictures()
    with pytest.raises(ValueError, match=message):
        finish(TCAV(**QUICK).run(Twice(), data, red, layer=layer))


def test_what_lies_behind_the_layer_is_computed_for_the_first_batch_alone(net):
    data, _ = pictures()
    many, calls = data.images.repeat(-(-250 // len(data)), 1, 1, 1)[:250], []
    last = list(net.children())[-1]
    handle = last.register_forward_hook(lambda module, args, value: calls.append(len(value)))
    layer = layer_of(net, data.images, None, True)
    calls.clear()
    found = finish(layer.activations(many))
    handle.remove()
    assert calls == [100] and len(found) == 250
    torch.testing.assert_close(found[200:], finish(layer.activations(many[200:])))


def test_labels_that_are_no_classes_of_the_model_are_one_sentence(net):
    data, red = pictures()
    other = ImageSet(data.images, data.labels + 5, ("a",) * 7)
    with pytest.raises(ValueError, match="class indices in"):
        finish(TCAV(**QUICK).run(net, other, red, layer="2"))


def test_the_layer_that_is_taken_where_none_is_named(net):
    data, _ = pictures(20)
    assert layer_of(net, data.images, None, True).name in layers_of(net, data.images)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(192, 5), nn.ReLU(), nn.Linear(5, 2))
    assert layer_of(plain, data.images, None, True).name == "1"


def test_one_probe_serves_every_method(net):
    data, red = pictures()
    probe = finish(Probe.of(net, data, red, layer="2"))
    for cls in CONCEPTS:
        again, alone = finish(cls(**QUICK).found(probe)), finish(cls(**QUICK).run(net, data, red, layer="2"))
        assert torch.equal(again.vectors, alone.vectors) and torch.equal(again.tested, alone.tested)


def test_the_base_is_no_method():
    assert CAV not in CONCEPTS and TCAV.paper().classifier == "hinge"
