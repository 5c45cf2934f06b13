# shellcheck shell=bash
# Shared by quickstart.sh, run_tests.sh and check_code.sh, which source it in
# the root of the repository. After set_up or use_active_environment, $python
# is the interpreter to use.
#
# set_up makes .venv once. A stamp in it holds a checksum of what it was made
# from, so that the next run knows in an instant that nothing is to be done. A
# .venv that was begun and never got its stamp is made anew: pip cannot tell
# a package that was interrupted halfway from a whole one.

venv=.venv
stamp=$venv/set_up_complete
begun=$venv/set_up_begun
log=$venv/set_up.log

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Print the comment at the top of a command; a failure unless it was asked for.
explain() {
  sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
  [ "$1" = --help ] || [ "$1" = -h ]
  exit
}

# Python 3.10 or newer that can make virtual environments with pip. It is run,
# because a command of that name need not work (pyenv's shims, for example).
is_suitable() {
  "$1" -c 'import sys, venv, ensurepip
sys.exit(sys.version_info[:2] < (3, 10))' >/dev/null 2>&1
}

# Python 3.10 to 3.13 is tested.
is_tested() {
  "$1" -c 'import sys; sys.exit(sys.version_info[:2] > (3, 13))'
}

# Print the newest suitable Python, or the one that PYTHON names.
find_python() {
  local name
  if [ -n "${PYTHON:-}" ]; then
    is_suitable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.10 or" \
      "newer with venv and pip"
    printf '%s\n' "$PYTHON"
    return
  fi
  for name in python3.13 python3.12 python3.11 python3.10 python3 python; do
    if is_suitable "$name"; then
      printf '%s\n' "$name"
      return
    fi
  done
  fail "no Python 3.10 or newer with venv and pip is on the PATH; install one" \
    "(on Debian and Ubuntu also its package python3-venv), or name one:" \
    "PYTHON=/path/to/python3.12 bash $0"
}

# Run pip quietly; its output is in the log.
pip_install() {
  if ! "$python" -m pip install --no-input --disable-pip-version-check "$@" \
    >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    fail "pip install $* failed; all its output is in $log." \
      "Run the command again once the cause is gone"
  fi
}

step() {
  printf '[set-up %s of 5, %3d s] %s\n' "$1" "$SECONDS" "$2"
}

set_up() {
  local wanted base rebuild=no
  wanted="$(cat requirements/*.txt setup.py pyproject.toml | cksum) $PWD"
  python=$PWD/$venv/bin/python
  if [ -n "${PYTHON:-}" ] && [ -x "$python" ]; then
    base=$(find_python)
    [ "$("$base" --version)" = "$("$python" --version)" ] || rebuild=yes
  fi
  if [ -x "$python" ] && [ $rebuild = no ] &&
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi

  base=$(find_python)
  is_tested "$base" || printf 'warning: %s is newer than 3.13, the newest %s\n' \
    "$("$base" --version)" "that is tested; trying it" >&2
  if [ -e "$begun" ] && [ ! -e "$stamp" ]; then
    rebuild=yes
  fi
  if [ ! -x "$python" ] || [ $rebuild = yes ]; then
    if [ -e "$venv" ] && [ ! -e "$begun" ]; then
      fail "$venv was not made by this script, and does not fit: remove it"
    fi
    step 1 "$("$base" --version) makes $venv"
    mkdir -p "$venv"
    touch "$begun"
    find "$venv" -mindepth 1 -maxdepth 1 ! -path "$begun" -exec rm -rf {} +
    "$base" -m venv "$venv"
  fi
  rm -f "$stamp"
  touch "$begun"
  : >"$log"
  if "$python" -c 'import torch' >/dev/null 2>&1; then
    step 2 'PyTorch is there'
  else
    step 2 'installing PyTorch, the largest part'
    pip_install -r requirements/torch.txt
  fi
  step 3 "installing what OpenMMLab's packages need"
  pip_install -r requirements/runtime.txt -r requirements/tests.txt
  step 4 'installing MMPose and the rest of OpenMMLab'
  pip_install --no-deps -r requirements/mminstall.txt
  step 5 'installing hourglass_plugin and importing it once'
  pip_install --no-deps --no-build-isolation --use-pep517 --editable .
  "$python" -c 'import hourglass_plugin' >>"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    fail "hourglass_plugin does not import; see $log"
  }
  printf '%s\n' "$wanted" >"$stamp"
  printf 'The environment is in %s, after %d s. Use it yourself with: %s\n' \
    "$venv" "$SECONDS" "source $venv/bin/activate"
}

# Install what only some commands need into .venv, once: requirements/NAME.txt
# for each NAME.
also_install() {
  local name wanted
  for name in "$@"; do
    wanted=$(cksum <"requirements/$name.txt")
    if [ "$(cat "$venv/has_$name" 2>/dev/null)" != "$wanted" ]; then
      pip_install -r "requirements/$name.txt"
      printf '%s\n' "$wanted" >"$venv/has_$name"
    fi
  done
}

# Check that the active environment has MMPose and the modules named, and use
# it as it is; nothing is installed.
use_active_environment() {
  local problem
  python=${PYTHON:-python}
  export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
  if ! problem=$("$python" -c '
import importlib, sys
if sys.version_info[:2] < (3, 10):
    sys.exit("it is Python " + sys.version.split()[0] + ", older than 3.10")
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        sys.exit(f"{name} does not import ({type(error).__name__}: {error})")
' torch mmengine mmcv mmpose hourglass_plugin "$@" 2>&1); then
    fail "the active environment, $(command -v "$python" || echo "$python")," \
      "cannot be used: ${problem##*$'\n'}. Activate the one that has MMPose," \
      "or leave --use-active-environment away to have $venv set up"
  fi
}
