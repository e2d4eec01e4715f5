"""Charts, one per file. Lines differ by dash, bars by label: colour is never the only cue."""

GREY = "#808891"
"""Of marks and words beside the data: a middle grey reads on both backgrounds, which a text colour would not follow."""
