"""What a kind of experiment declares about itself: its methods, inputs, scores, how it runs and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.knobs import Method
from core.runs import Run
from lab.inputs import Input

if TYPE_CHECKING:
    from lab.recipes import Recipe
    from lab.results import Result


@dataclass(frozen=True)
class Score:
    """One number that a kind of experiment is judged by.

    key : its name among the metrics of a run's progress and among the figures of its result
    label, short : in full ("Attack success") and for a table's head or a legend ("ASR")
    help : one or two sentences for a tooltip
    unit : "%" for a share in [0, 1], else what stands behind the number ("nats"), "" for none
    better : "up" or "down", whichever is welcome; "" where neither is
    live : whether it is measured and drawn while the experiment runs
    n : name of the metric that counts the images behind a live value
    moment : the part of the result that is shown: the figure is "<moment>/<key>", or `key` where it is ""
    against : the moment from which the change is told: "before", "clean_model"; "" for none
    """

    key: str
    label: str
    short: str = ""
    help: str = ""
    unit: str = "%"
    better: str = ""
    live: bool = False
    n: str = "n"
    moment: str = ""
    against: str = ""

    @property
    def name(self) -> str:
        """`short`, or the label where there is none."""
        return self.short or self.label

    @property
    def figure(self) -> str:
        """The name of its figure in a result."""
        return self.at(self.moment)

    def at(self, moment: str) -> str:
        """The name of its figure at another moment."""
        return f"{moment}/{self.key}" if moment else self.key

    def text(self, value: float) -> str:
        """The value as it is printed: "97.4 %", "0.812", "1.31 nats"."""
        return f"{100 * value:.1f} %" if self.unit == "%" else f"{value:.3f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Conclusion:
    """What came out of a run.

    outcome : one word for the way it came out, of those that are declared beside the function ("repaired", "survived")
    text : one to three sentences with the run's own numbers
    """

    outcome: str
    text: str


@dataclass(frozen=True)
class Question:
    """Something else that can be asked about a run than how it came out: what it cost, how a control did.

    conclude : the answer and its reason, both from the figures of the result
    outcomes : every answer that it can give
    """

    conclude: Callable[[Result], Conclusion]
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of experiment. The object `KIND` of a file in this folder; nothing else has to know of it.

    name : "defense", "training", …
    methods : the registry of the methods that it runs
    run : the experiment; its first progress comes at once, before anything is loaded
    python : a script that reproduces a recipe with `core` and `models` alone
    inputs : what a recipe of this kind may be given beside its method, by name
    scores : in the order in which they are shown
    conclude : what came out of a finished run, for each way it can come out
    outcomes : every way it can come out
    needs_classes : whether it compares the model's answers with the labels of the data, so that the classes must fit
    leaves_model : whether the result holds a model that another recipe can start from
    questions : what else a page may ask about a run, by a name of its own
    """

    name: str
    methods: Sequence[type[Method]]
    run: Callable[[Recipe], Run[Result]]
    python: Callable[[Recipe], str]
    inputs: Mapping[str, Input]
    scores: tuple[Score, ...]
    conclude: Callable[[Result], Conclusion]
    outcomes: tuple[str, ...]
    needs_classes: bool = False
    leaves_model: bool = False
    questions: Mapping[str, Question] = field(default_factory=dict)

    @property
    def live(self) -> tuple[Score, ...]:
        """The scores that are measured while it runs."""
        return tuple(score for score in self.scores if score.live)
