"""Figures: load, limits measured in the same run, and the ratio of the two."""
