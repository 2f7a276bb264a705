#!/usr/bin/env bash
# Seconds of a linear assignment of n x n costs, here and in SciPy, in turn on the same files; prints the medians and their ratio, and fails where the sums of costs differ.
# Usage: bench/assignment-speed.sh [RUNS]     (default 3). SciPy: python3-scipy of Debian, found as /usr/bin/python3 (or PYTHON).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-3} python=${PYTHON:-/usr/bin/python3}
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
ours=(dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-14s %10s %10s %8s\n' costs 'ours s' 'SciPy s' ratio
for n in 2048 4096; do
  for kind in planted random; do
    "${ours[@]}" assignment-write "$folder/costs" "$kind" "$n"
    a=() b=()
    for _ in $(seq "$runs"); do
      read -r x sum < <("${ours[@]}" assignment "$folder/costs")
      read -r y other < <("$python" "$here/bench/peers/assignment_scipy.py" "$folder/costs")
      awk -v a="$sum" -v b="$other" 'BEGIN {d = a - b; exit (d < 0 ? -d : d) > 1e-5}' || { echo "$kind $n: the sums of costs are $sum and $other" >&2; exit 1; }
      a+=("$x") b+=("$y")
    done
    x=$(printf '%s\n' "${a[@]}" | median) y=$(printf '%s\n' "${b[@]}" | median)
    printf '%-14s %10s %10s %8s\n' "$kind $n" "$x" "$y" "$(awk -v x="$x" -v y="$y" 'BEGIN {printf "%.2f", x / y}')"
  done
done
