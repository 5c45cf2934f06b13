"""The configs of top-down pose models; detectors have tests of their own."""
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
TOP_DOWN = sorted([
    *CONFIGS.glob('body_2d_keypoint/*/*/*.py'),
    *CONFIGS.glob('custom_dataset/*.py')
])
