"""Print the versions of everything that matters, for a report of an error."""
import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are no arguments."""


def main(args: argparse.Namespace) -> None:
    """Print mmengine's list, and the packages of OpenMMLab."""
    from importlib import metadata

    from mmengine.utils.dl_utils import collect_env
    versions = {key: value for key, value in collect_env().items()
                if '\n' not in str(value)}
    for name in ('hourglass-plugin', 'mmpose', 'mmcv', 'mmcv-lite', 'mmdet',
                 'numpy', 'onnxruntime', 'openvino', 'sleap-io', 'pandas'):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = 'not installed'
    width = max(map(len, versions))
    print('\n'.join(f'{name:{width}}  {value}'
                    for name, value in versions.items()))
