#!/usr/bin/env bash
# Check the code without running it: style, types, shell scripts, and that the
# documentation builds. In .venv, which is set up first if it is not there.
#
#   bash tools/check_code.sh [--use-active-environment]
#
# --use-active-environment uses the environment that is active now, which has
# MMPose and what requirements/lint.txt and docs.txt list, and installs
# nothing. PYTHON=python3.11 before the command chooses the Python. One line
# for each check, and what it found; exit status 1 if any found something.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/set_up.sh

case "${1:-}" in
'')
  set_up
  also_install lint docs
  ;;
--use-active-environment) use_active_environment mypy ruff sphinx ;;
*) explain "$1" ;;
esac
# Where pip puts shellcheck, which is no Python module.
scripts=$("$python" -c 'import sysconfig; print(sysconfig.get_path("scripts"))')

status=0
# Run a command and say how it went; its output only if it fails.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    printf '%-12s ok\n' "$name"
  else
    printf '%-12s FAILED: %s\n%s\n' "$name" "$*" "$output"
    status=1
  fi
}

check ruff "$python" -m ruff check .
check mypy "$python" -m mypy
check shellcheck "$scripts/shellcheck" -x tools/*.sh .ci/run
check docs "$python" -m sphinx -q -W --keep-going docs docs/_build/html
exit $status
