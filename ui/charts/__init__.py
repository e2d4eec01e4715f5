"""Charts, one per file. Lines differ by dash, bars by label: colour is never the only cue."""
