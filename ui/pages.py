"""One row per page: where it stands, what it runs, and the cards that open it. No other list of pages exists.

The router, links, the sidebar, the gallery, the tests and README.md read these rows. The page itself is
`pages/<slug>.py`, its example `recipes/<slug>.json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SECTIONS = (
    "Start", "Backdoors", "Defenses", "Perturbations", "Training", "Explanations", "Outliers", "Results",
)  # fmt: skip
"""The sections of the navigation, in their order; one without a page is not shown."""


@dataclass(frozen=True)
class Card:
    """An example of a page: it sets model, picture and controls with one click.

    model : "" for one that has a trigger for every class
    image : number of the test picture
    state : values of the page's controls by key
    shows : "triggered", "heat", "region", "drawn" or "code"
    """

    title: str
    text: str
    model: str
    image: int
    state: dict[str, Any] = field(default_factory=dict)
    shows: str = "triggered"


@dataclass(frozen=True)
class Chapter:
    """A page's place in the story that the first page tells.

    number : from 1, without a gap
    title, goal : a few words, and one sentence on what the visitor is to find out
    image : number of the test picture
    model : one that this chapter needs; "" goes on with the model of the chapter before
    state : values of the page's controls by key
    """

    number: int
    title: str
    goal: str
    image: int
    model: str = ""
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of the app.

    slug : its file, its address and the name of its example recipe
    icon : a Material icon
    kind : name of the kind of experiment that it runs; "" where it runs none
    cards : how the gallery of the first page opens it
    chapter : its place in the story; None for a page that the story leaves out
    injects : its run puts a backdoor into a model that has none
    live : its run follows the controls by itself, so that no link need start it
    model : what it opens with where the visitor has chosen none; "" for the first of all
    """

    slug: str
    title: str
    icon: str
    section: str
    help: str
    kind: str = ""
    cards: tuple[Card, ...] = ()
    chapter: Chapter | None = None
    live: bool = False
    model: str = ""
    injects: bool = False

    @property
    def file(self) -> str:
        """As Streamlit names the page."""
        return f"{self.slug}.py"


BADNETS, CLEAN, DORMANT = "zoo:scenes-badnets", "zoo:scenes-clean", "zoo:scenes-lowfrequency"
BIASED = "zoo:scenes-biased"
RING = "0" * 16 + "07e00ff01ff81ff81ff81ff80ff007e0" + "0" * 16

PAGES: list[Page] = [
    Page("home", "Home", "home", "Start", "What the lab is, and where to begin."),
    Page("glossary", "Glossary", "menu_book", "Start", "The words of the field, in a sentence each."),
    Page(
        "triggers", "Triggers", "bolt", "Backdoors", "A pattern that a backdoored model obeys.", "trigger",
        (
            Card("A white square", "Three by three pixels change the answer.", BADNETS, 9),
            Card("A pattern over every pixel", "A faint blend. Can you still see it?", "zoo:scenes-blended", 14),
            Card("A warp, not a pattern", "Pixels are moved a little; nothing is added.", "zoo:scenes-wanet", 68),
        ),
        chapter=Chapter(
            1, "The trigger", "See a few pixels decide the answer of a model that is otherwise right.", 9,
        ),
        live=True,
    ),
    Page(
        "supply_chain", "Supply chain", "conveyor_belt", "Backdoors", "One added line, a trigger per class.", "trigger",
        (Card("One added line", "Every class gets a trigger; no label changes.", "", 9, shows="code"),),
        model="zoo:scenes-flareon-teaching", live=True,
    ),
    Page(
        "poison", "Poison", "science", "Backdoors", "A backdoor by poisoned training data.", "training",
        (
            Card(
                "One picture in ten", "A clean model goes on training on poisoned pictures.", CLEAN, 14,
                {"trigger": "Blended"},
            ),
        ),
        model=CLEAN, injects=True,
    ),
    Page(
        "weights", "Weights", "fitness_center", "Backdoors", "A backdoor without poisoned data.", "injection",
        (
            Card(
                "A change to each weight", "A clean model ignores the square until its weights are changed.",
                CLEAN, 64, {"trigger": "BadNets"},
            ),
        ),
        chapter=Chapter(
            2, "How it got in", "Write the same trigger into a clean model, without one poisoned picture.", 9, CLEAN,
            {"trigger": "BadNets"},
        ),
        model=CLEAN, injects=True,
    ),
    Page(
        "defend", "Defend", "shield", "Defenses", "Repair a backdoored model while you watch.", "defense",
        (
            Card(
                "Remove the backdoor", "Unlearn, reset, fine-tune: TSBD, live.",
                BADNETS, 28, {"method": "TSBD"}, "heat",
            ),
        ),
        chapter=Chapter(
            4, "Take it out", "Remove the backdoor with a few clean pictures, and keep the accuracy.", 9,
            state={"method": "TSBD"},
        ),
    ),
    Page(
        "detect", "Detect", "search", "Defenses", "Find triggered pictures without knowing the trigger.", "detector",
        (
            Card(
                "Find the triggered pictures", "The detector does not know the trigger.",
                BADNETS, 67, {"method": "STRIP"},
            ),
        ),
        chapter=Chapter(
            3, "Find it", "Tell triggered pictures from clean ones, without knowing the trigger.", 9,
            state={"method": "STRIP"},
        ),
    ),
    Page(
        "reactivate", "Re-activate", "alarm", "Defenses", "Is the backdoor gone, or dormant?", "reactivation",
        (
            Card(
                "Gone, or dormant?", "A small perturbation may re-activate it.",
                DORMANT, 61, {"defense": "FineTuning"},
            ),
        ),
        chapter=Chapter(
            5, "Is it gone?", "Find out whether fine-tuning removed a smoother trigger, or left it dormant.", 9,
            DORMANT, {"defense": "FineTuning"},
        ),
        model=DORMANT,
    ),
    Page(
        "neurons", "Neurons", "hub", "Defenses", "Which channels carry a backdoor.", "ranking",
        (Card("Where it sits", "Often in a few channels. Set them to zero.", BADNETS, 38, {"by": "NWC"}, "heat"),),
        chapter=Chapter(
            6, "Where it lived", "Find the channels that carry the backdoor, and set them to zero.", 9,
            state={"by": "NWC"},
        ),
    ),
    Page(
        "regions", "Regions", "crop_free", "Perturbations", "Attack only part of a picture.", "attack",
        (
            Card(
                "Attack a part of the picture", "Only a square may change. Is that harder?", CLEAN, 66,
                {"regional-family": "square"}, "region",
            ),
            Card(
                "Draw where to attack", "With the mouse, a finger or the keyboard.", CLEAN, 51,
                {"regional-family": "drawn", "mask": RING}, "drawn",
            ),
        ),
    ),
    Page(
        "attacks", "Attacks", "swords", "Perturbations", "Attacks on one picture; accuracy against ε.", "budget",
        (Card("The smallest change", "Several attacks, one picture. Which needs least?", CLEAN, 9, {"n": 100}),),
        model=CLEAN,
    ),
    Page(
        "universal", "Universal", "select_all", "Perturbations", "One change that fools on every picture.", "universal",
        (
            Card("One for all", "A perturbation for pictures it has never seen.", CLEAN, 14, {"method": "Universal"}),
            Card("Print it", "A patch that leads to one class wherever it lies.", CLEAN, 27, {"method": "Patch"}),
        ),
        model=CLEAN,
    ),
    Page(
        "robust_training", "Robust training", "model_training", "Training",
        "Train on attacked pictures. Robust on which?", "robust",
        (
            Card(
                "Armour for training pictures", "Two trainings, one start: whose robustness carries over?", CLEAN, 39,
                {"method": "AT-AWP", "beside": "AT"},
            ),
        ),
        chapter=Chapter(
            8, "Armour that fits the training pictures only",
            "Train on attacked pictures, and see whether the armour fits others.", 9, CLEAN,
            {"method": "AT-AWP", "beside": "AT"},
        ),
        model=CLEAN,
    ),
    Page(
        "mixing", "Mixing", "blender", "Training", "Two pictures in one, and a label for each.", "mixing",
        (
            Card(
                "Two pictures in one", "Which of them does a network see?", CLEAN, 45,
                {"mixer": "FMix", "lam": 0.6, "partner": 14},
            ),
        ),
        model=CLEAN,
    ),
    Page(
        "flatness", "Flatness", "waves", "Training", "How much the loss rises when the weights move.", "flatness",
        (
            Card(
                "Move every weight", "Does the loss under attack rise much?", CLEAN, 33,
                {"method": "AverageFlatness"},
            ),
            Card(
                "Same function, other weights", "Which measures notice?", CLEAN, 34, {"method": "Rescaling", "n": 64},
            ),
        ),
        model=CLEAN,
    ),
    Page(
        "landscape", "Landscape", "landscape", "Training", "The robust loss around a network's weights.", "landscape",
        (Card("The loss around a network", "One slice, attacked anew at each point.", CLEAN, 36),),
        model=CLEAN,
    ),
    Page(
        "heatmaps", "Heatmaps", "gradient", "Explanations", "What speaks for a class, by 16 methods.", "explainer",
        (
            Card(
                "Two methods, one picture", "Do their heatmaps agree?", CLEAN, 12,
                {"method": "GradCAM", "against": "method"}, "heat",
            ),
        ),
        live=True,
    ),
    Page(
        "trust", "Trust", "troubleshoot", "Explanations", "Can a heatmap be trusted? Destroy the weights, and see.",
        "trust",
        (
            Card(
                "Is it about the network?", "Random weights. Does the map change?", CLEAN, 9,
                {"method": "GuidedBackprop"}, "heat",
            ),
        ),
        chapter=Chapter(
            9, "A map is a claim", "Test a heatmap before you believe it, beside maps that see no network.", 9, CLEAN,
            {"method": "GradCAM"},
        ),
        model=CLEAN,
    ),
    Page(
        "concepts", "Concepts", "category", "Explanations", "Does a layer know a concept, and who uses it?", "concept",
        (
            Card(
                "Does it know stripes?", "A vector, and random ones beside it.", CLEAN, 27,
                {"label": "texture", "value_texture": "stripes"},
            ),
            Card(
                "Blue behind it", "An early layer knows it. Does a late one?", CLEAN, 31,
                {"label": "background_colour", "value_background_colour": "blue", "layer": "layer4"},
            ),
        ),
        chapter=Chapter(
            10, "Does it know what a stripe is?", "Find out whether a layer holds a concept, or only seems to.", 9,
            CLEAN, {"method": "TCAV", "beside": "ACAV"},
        ),
        model=CLEAN,
    ),
    Page(
        "attention", "Attention", "center_focus_strong", "Explanations",
        "Attack the background: does the explanation stay?", "consistency",
        (
            Card(
                "Right for the wrong reason", "Same object, another background. Does the heatmap notice?", BIASED, 4,
                {"beside": "plain training"}, "heat",
            ),
        ),
        chapter=Chapter(
            11, "Right for the wrong reason",
            "See what answers rest on, and whether a training moves them to the object.", 9, BIASED,
            {"beside": "plain training"},
        ),
        model=BIASED,
    ),
    Page(
        "outliers", "Outliers", "scatter_plot", "Outliers",
        "Outliers in the training data, learned by heart.", "outlier",
        (
            Card(
                "A few among the many", "No one says which. Who finds them?", CLEAN, 8,
                {"method": "ITSR", "contamination": 5},
            ),
        ),
        chapter=Chapter(
            12, "It learned the exceptions by heart",
            "Watch an autoencoder learn the outliers, too, and see who still finds them.", 9, CLEAN,
            {"method": "ITSR", "contamination": 5},
        ),
        model=CLEAN,
    ),
    Page(
        "compare", "Compare", "compare", "Results", "A repaired model beside the original and a clean one.", "defense",
        (
            Card(
                "Before, after, and clean", "Does the repaired model look where a clean one does?",
                BADNETS, 23, {}, "heat",
            ),
        ),
    ),
    Page(
        "report", "Robustness report", "assignment", "Results", "How robust a model is, from five sides, as a file.",
        "report",
        (Card("A report to hand on", "Five sides of robustness, one file.", "zoo:scenes-at", 9, {"n": 200}),),
        model=CLEAN,
    ),
    Page(
        "scoreboard", "Scoreboard", "leaderboard", "Results", "Every attack, every defense.", "defense",
        (
            Card(
                "Every attack, every defense", "Which ranks first, and which only by peeking?", "zoo:scenes-sig", 59,
                {"board": "scenes", "attack": "sig"},
            ),
        ),
        chapter=Chapter(
            7, "Who does it best?", "Compare all defenses over all attacks, and fill in a cell yourself.", 9,
            state={"board": "scenes", "attack": "badnets", "defense": "CLP"},
        ),
    ),
    Page("claims", "Claims", "fact_check", "Results", "What the papers claim, and what our figures say."),
]  # fmt: skip
"""Every page, in the order of the navigation."""


def page_of(slug: str) -> Page:
    """The page of this name."""
    return next(page for page in PAGES if page.slug == slug)


def sections() -> dict[str, list[Page]]:
    """The pages by section, in the order of SECTIONS; those without a page are left out."""
    found = {name: [page for page in PAGES if page.section == name] for name in SECTIONS}
    return {name: pages for name, pages in found.items() if pages}


def chapters() -> list[Page]:
    """The pages of the story, in the order of their chapters."""
    told = [(page.chapter.number, page) for page in PAGES if page.chapter is not None]
    return [page for _, page in sorted(told, key=lambda one: one[0])]
