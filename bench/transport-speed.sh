#!/usr/bin/env bash
# Processor time of exact optimal transport, here and by POT's network simplex in C++ (both on one thread), in turn on the same files; prints the medians of the runs' best times and their
# ratio, and fails where the costs of the plans differ.
# Usage: POT=FOLDER bench/transport-speed.sh [RUNS] [ROUNDS]     (default 5 runs, each the best of 40 rounds). FOLDER is POT's source (git clone https://github.com/PythonOT/POT),
# of which ot/lp is compiled with g++ -O3, as POT's own build does. Without POT only our times are printed.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-5} rounds=${2:-40}
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
ours=(dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
[ -z "${POT:-}" ] || g++ -O3 -fopenmp -w -I "$POT/ot/lp" "$here/bench/peers/transport_pot.cpp" "$POT/ot/lp/EMD_wrapper.cpp" -o "$folder/peer"
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-30s %10s %10s %8s %8s\n' problem 'ours ms' 'POT ms' ratio pivots
for size in "64 48" "128 96" "256 192" "512 384" "1024 512" "1024 768" "512 512"; do
  kinds="normal activations normal-masses activations-masses"
  [ "${size% *}" -le 256 ] && kinds="activations activations-masses"
  for kind in $kinds; do
    "${ours[@]}" transport-write "$folder/problem" "$kind" $size
    a=() b=()
    for _ in $(seq "$runs"); do
      read -r x sum pivots < <("${ours[@]}" transport "$folder/problem" "$rounds")
      a+=("$x")
      [ -n "${POT:-}" ] || continue
      read -r y other < <("$folder/peer" "$folder/problem" "$rounds")
      awk -v a="$sum" -v b="$other" 'BEGIN {d = a - b; exit (d < 0 ? -d : d) > 1e-9 * b}' || { echo "$kind $size: the costs are $sum and $other" >&2; exit 1; }
      b+=("$y")
    done
    x=$(printf '%s\n' "${a[@]}" | median) y=$(printf '%s\n' "${b[@]:-nan}" | median)
    awk -v n="$kind ${size/ / x }" -v x="$x" -v y="$y" -v p="$pivots" 'BEGIN {printf "%-30s %10.3f %10.3f %8.2f %8d\n", n, 1000 * x, 1000 * y, x / y, p}'
  done
done
