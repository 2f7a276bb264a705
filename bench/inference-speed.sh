#!/usr/bin/env bash
# Milliseconds of a run of ONNX models, here and in ONNX Runtime, in turn, on one thread and on two; prints the medians and the ratio of speeds.
# Usage: bench/inference-speed.sh [MODEL...]     (default: a small BERT made here, and resnet20-cifar10.onnx of the data folder)
# ONNX Runtime: npm ci --ignore-scripts in tests/onnxruntime.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
ours=(dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll")
models=("$@")
if [ $# = 0 ]; then
  "${ours[@]}" write-bert "$work/bert-small.onnx"
  models=("$work/bert-small.onnx")
  data=${AMALGAM_DATA:-$here/../shared/data}
  [ ! -f "$data/models/resnet20-cifar10/resnet20-cifar10.onnx" ] || models+=("$data/models/resnet20-cifar10/resnet20-cifar10.onnx")
fi
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-24s %8s %10s %10s %8s\n' model threads 'ours/ms' 'ORT/ms' 'speed'
for model in "${models[@]}"; do
  for threads in 1 2; do
    a=() b=()
    for _ in 1 2 3; do
      a+=("$("${ours[@]}" inference "$model" "$threads")") b+=("$(node "$here/bench/peers/inference_ort.cjs" "$model" "$threads")")
    done
    x=$(printf '%s\n' "${a[@]}" | median) y=$(printf '%s\n' "${b[@]}" | median)
    printf '%-24s %8s %10s %10s %8s\n' "$(basename "$model")" "$threads" "$x" "$y" "$(awk -v x="$x" -v y="$y" 'BEGIN {printf "%.2f", y / x}')"
  done
done
