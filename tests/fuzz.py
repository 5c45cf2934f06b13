#!/usr/bin/env python
"""Try the properties of properties.py with as many inputs as one likes.

    python tests/fuzz.py --inputs 100000 --seed 0

Inputs are shared out evenly. Of each property that does not hold the smallest
input is shown that breaks it. Each runs in a process of its own, so that one
that is ended by a signal is a finding, too. Exit status 1 if there is any.
"""
import argparse
import multiprocessing
import os
import sys
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Optional

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--inputs',
        type=int,
        default=100_000,
        help='in all (default: %(default)s)')
    parser.add_argument(
        '--seed',
        type=int,
        default=0,
        help='other seeds draw other inputs (default: %(default)s)')
    parser.add_argument(
        '--only', help='one property alone, by its name', default='')
    return parser.parse_args()


def try_property(name: str, inputs: int, seed: int,
                 answer: Connection) -> None:
    """Send how many inputs were tried and what was found, None if nothing."""
    import hypothesis
    from properties import PROPERTIES
    strategies, function = PROPERTIES[name]
    tried = 0

    def counted(**drawn: object) -> None:
        nonlocal tried
        tried += 1
        function(**drawn)

    # Libraries talk about damaged files past Python's own streams.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter('ignore')  # overflows, as numbers are any
    finding = None
    # Hypothesis ends early where it takes all inputs for tried; other seeds
    # draw others.
    while tried < inputs and finding is None:
        before = tried
        settings = hypothesis.settings(
            max_examples=inputs - tried,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck))
        try:
            hypothesis.seed(seed)(settings(
                hypothesis.given(**strategies)(counted)))()
        except Exception:
            finding = traceback.format_exc()
        if tried == before:
            break
        seed += 1_000_003
    answer.send((tried, finding))


def main() -> None:
    """Try all properties; print the counts and the findings."""
    args = parse_args()
    from mmengine.registry import init_default_scope
    from properties import PROPERTIES
    init_default_scope('mmpose')
    names = [name for name in PROPERTIES if args.only in ('', name)]
    if not names:
        sys.exit(f'there is no property {args.only}; there are '
                 f'{", ".join(PROPERTIES)}')
    total = findings = 0
    begin = time.monotonic()
    fork = multiprocessing.get_context('fork')
    for index, name in enumerate(names):
        share = args.inputs // len(names) + (index < args.inputs % len(names))
        ours, theirs = fork.Pipe(duplex=False)
        process = fork.Process(
            target=try_property, args=(name, share, args.seed, theirs))
        process.start()
        theirs.close()
        finding: Optional[str]
        try:
            tried, finding = ours.recv()
        except EOFError:
            process.join()
            tried, finding = 0, (f'the process was ended, with exit status '
                                 f'{process.exitcode}\n')
        process.join()
        total += tried
        findings += finding is not None
        print(f'{tried:8,} {name}: '
              f'{"holds" if finding is None else "DOES NOT HOLD"}')
        if finding is not None:
            print(finding)
        sys.stdout.flush()
    print(f'{total:,} inputs, seed {args.seed}, {len(names)} properties, '
          f'{findings} that do not hold, {time.monotonic() - begin:.0f} s')
    sys.exit(1 if findings else 0)


if __name__ == '__main__':
    main()
