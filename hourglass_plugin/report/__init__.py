"""One page about a tested model: scores, people, heatmaps, errors."""
