"""The configs of top-down pose models; detectors have tests of their own."""
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
_ALL = sorted([
    *CONFIGS.glob('*_2d_keypoint/*/*/*.py'),
    *CONFIGS.glob('custom_dataset/*.py')
])
#: On data, pipelines and schedule of one of MMPose's configs.
OF_MMPOSE = [path for path in _ALL if "'mmpose::" in path.read_text()]
TOP_DOWN = [path for path in _ALL if path not in OF_MMPOSE]
