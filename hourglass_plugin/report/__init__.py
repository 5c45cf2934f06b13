"""Report of a test on one page: scores, people, heatmaps, errors."""
from ..registration import register_with

register_with('mmpose')
