#!/usr/bin/env python
"""hourglass_plugin.cli.browse as a script; --help describes it."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from hourglass_plugin.cli import browse
from hourglass_plugin.cli.errors import run_command

if __name__ == '__main__':
    run_command(browse)
