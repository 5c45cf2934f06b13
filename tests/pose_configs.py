"""The configs of top-down pose models, made small enough for a test."""
from pathlib import Path

from mmengine.runner import Runner

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
_ALL = sorted([
    *CONFIGS.glob('*_2d_keypoint/*/*/*.py'),
    *CONFIGS.glob('custom_dataset/*.py')
])
#: On data, pipelines and schedule of one of MMPose's configs.
OF_MMPOSE = [path for path in _ALL if "'mmpose::" in path.read_text()]
TOP_DOWN = [path for path in _ALL if path not in OF_MMPOSE]


def make_small(config, folder, batch_size=2):
    """Let a config train and evaluate one epoch; return its datasets.

    Datasets, of training, validation and test, get the folder as data root.
    """
    datasets = []
    for phase in ('train', 'val', 'test'):
        loader = config[f'{phase}_dataloader']
        loader.update(batch_size=batch_size, num_workers=0,
                      persistent_workers=False)
        loader.dataset.data_root = str(folder)
        loader.dataset.pop('headbox_file', None)  # our files have head sizes
        datasets.append(loader.dataset)
    if config.model.backbone.type == 'StackedHourglass':
        # A sixteenth of the width: the same layers, quick on any machine.
        config.model.backbone.update(feat_channels=16, init_cfg=None)
        if 'in_channels' in config.model.head:
            config.model.head.in_channels = 16
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.default_hooks.logger.interval = 1
    config.default_hooks.checkpoint.update(interval=-1, save_best=None)
    config.work_dir = str(folder / 'work')
    return datasets


def trained_scalars(config):
    """Train; the runner, and values of its log by names."""
    runner = Runner.from_cfg(config)
    runner.train()
    return runner, {name: history.current() for name, history in
                    runner.message_hub.log_scalars.items()}
