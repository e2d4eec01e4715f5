"""The algorithms: torch in, torch out. Nothing here knows about recipes, pages or files of results."""
