#!/usr/bin/env python
"""Compare scores with those that a config promises, in one line.

Exit status 1 if one is lower than the config's expected_results.
"""
import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import arguments, errors


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config', type=arguments.existing_file, help='config file')
    parser.add_argument(
        'scores',
        type=arguments.existing_file,
        help='JSON file that tools/test.py --out wrote')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Print, compare, exit."""
    with errors.setting_up():
        from mmengine.config import Config
        expected = Config.fromfile(
            args.config, import_custom_modules=False).get('expected_results')
        if not expected:
            raise ValueError(f'{args.config} has no expected_results, for '
                             "example dict([('mpii/PCKh@0.5', 50.0)])")
        with open(args.scores) as file:
            scores = json.load(file)
        missing = sorted(set(expected) - set(scores))
        if missing:
            raise ValueError(f'{args.scores} has no score {missing[0]!r}; it '
                             f'has {", ".join(sorted(scores))}')

    # NaN is below any promise.
    below = [name for name in expected if not scores[name] >= expected[name]]
    print(', '.join(
        f'{name} {scores[name]:.2f} '
        f'({"BELOW the" if name in below else "at least"} {minimum} promised)'
        for name, minimum in expected.items()))
    sys.exit(bool(below))


if __name__ == '__main__':
    errors.run(main, parse_args())
