#!/usr/bin/env bash
# Samples per second of a training step, here and in PyTorch, in turn; prints the medians and their ratio.
# Usage: bench/training-speed.sh [RUNS]     (default 3). PyTorch: python3-torch of Debian, found as /usr/bin/python3 (or PYTHON).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-3} python=${PYTHON:-/usr/bin/python3}
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
ours=(dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll" training)
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-14s %12s %12s %8s\n' network 'ours/s' 'PyTorch/s' ratio
for name in resnet20 resnet20-w4 mlp transformer; do
  a=() b=()
  for _ in $(seq "$runs"); do
    a+=("$("${ours[@]}" "$name")") b+=("$("$python" "$here/bench/peers/training_torch.py" "$name")")
  done
  x=$(printf '%s\n' "${a[@]}" | median) y=$(printf '%s\n' "${b[@]}" | median)
  printf '%-14s %12s %12s %8s\n' "$name" "$x" "$y" "$(awk -v x="$x" -v y="$y" 'BEGIN {printf "%.2f", x / y}')"
done
