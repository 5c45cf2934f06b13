#!/usr/bin/env bash
# Run the tests, in .venv, which is set up first if it is not there.
#
#   bash tools/run_tests.sh [--use-active-environment] [arguments of pytest]
#
# Without arguments all tests run, one process for each core. What an argument
# chooses runs in one process.
#
# --use-active-environment uses the environment that is active now, which has
# MMPose and what requirements/tests.txt names of pytest, and installs nothing.
# PYTHON=python3.11 before the command chooses the Python.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/set_up.sh

if [ "${1:-}" = --use-active-environment ]; then
  shift
  use_active_environment pytest pytest_timeout xdist
else
  set_up
fi
# On tensors as small as the tests' several threads cost more than they save.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
if [ $# = 0 ]; then
  # Tests of one file share what it prepared once.
  set -- --numprocesses auto --dist loadfile
fi
exec "$python" -m pytest "$@"
