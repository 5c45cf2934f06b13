"""One page about a tested model: scores, people, heatmaps, errors."""
from ..registration import register_with

register_with('mmpose')
