#!/usr/bin/env bash
# From a fresh clone to a trained network: set up .venv, generate people, train
# a small network on them, evaluate it, draw its predictions.
#
#   bash tools/quickstart.sh [--detector] [--use-active-environment]
#
# --detector trains a detector on drawn shapes instead, see
# configs/detection/README.md. --use-active-environment uses the environment
# that is active now, which has MMPose, and installs nothing. PYTHON=python3.11
# before the command chooses the Python. Exit status 1 if anything fails or if
# the score is below the one that the config promises.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/set_up.sh

config=configs/body_2d_keypoint/topdown_heatmap/synthetic/td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py
kind=people
num_train=1000
modules=(tqdm)
prepare=set_up
for argument; do
  case "$argument" in
  --detector)
    config=configs/detection/centernet/centernet_hg1-w64_1xb16-4e_synthetic-shapes.py
    kind=shapes
    num_train=3000
    modules+=(mmdet)
    ;;
  --use-active-environment) prepare=use_active_environment ;;
  *) explain "$argument" ;;
  esac
done
work_dir=work_dirs/$(basename "$config" .py)
pictures=$work_dir/pictures

if [ $prepare = set_up ]; then
  set_up
else
  use_active_environment "${modules[@]}"
fi
# Warnings of libraries say nothing to someone who tries this out.
export PYTHONWARNINGS=ignore

printf '\n1. Drawing data/synthetic_%s\n' "$kind"
"$python" tools/synthetic_data/generate.py "$kind" \
  --out "data/synthetic_$kind" --num-train "$num_train"

printf '\n2. Training %s\n' "$config"
mkdir -p "$work_dir"
touch "$work_dir/started"
"$python" tools/train.py "$config" --work-dir "$work_dir"

# The best checkpoint of this training if it kept one, else the last.
checkpoint=$(find "$work_dir" -maxdepth 1 -name 'best_*.pth' \
  -newer "$work_dir/started" -print | head -n 1)
checkpoint=${checkpoint:-$(cat "$work_dir/last_checkpoint")}

printf '\n3. Evaluating %s\n' "$checkpoint"
"$python" tools/test.py "$config" "$checkpoint" --work-dir "$work_dir" \
  --out "$work_dir/scores.json" --show-dir "$pictures"

status=0
scores=$("$python" tools/misc/check_scores.py "$config" \
  "$work_dir/scores.json") || status=$?
if [ -f "$pictures/sheet.jpg" ]; then
  pictures=$pictures/sheet.jpg
fi
printf '\n%s; predictions: %s; %d s in all\n' "$scores" "$pictures" "$SECONDS"
exit $status
