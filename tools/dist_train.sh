#!/usr/bin/env bash
# Train with several processes per machine, one per GPU.
#
# On several machines, run it on each with NNODES (their number), NODE_RANK
# (0, 1, ...), MASTER_ADDR (address of machine 0) and PORT (a free one there).
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: [NNODES= NODE_RANK= MASTER_ADDR= PORT=] $0 CONFIG GPUS" \
    "[arguments of tools/train.py]" >&2
  exit 2
fi
config=$1
gpus=$2
shift 2

tools=$(cd "$(dirname "$0")" && pwd)
# torchrun's own default, said here so that it does not warn of it.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
# What torchrun runs, in the Python that is active.
exec python -m torch.distributed.run \
  --nnodes "${NNODES:-1}" \
  --node-rank "${NODE_RANK:-0}" \
  --master-addr "${MASTER_ADDR:-127.0.0.1}" \
  --master-port "${PORT:-29500}" \
  --nproc-per-node "$gpus" \
  "$tools/train.py" "$config" --launcher pytorch "$@"
