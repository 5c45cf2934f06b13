"""The configs of top-down pose models; others have tests of their own."""
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
#: The first two have tests/detectors and tests/ecosystem.
_LEFT_OUT = ('cornernet', 'associative_embedding', '_base_')
TOP_DOWN = sorted(
    path for path in CONFIGS.glob('*/*.py')
    if path.parent.name not in _LEFT_OUT)
