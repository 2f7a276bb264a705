#!/usr/bin/env bash
# Items scored per second in training DIN on MovieLens-1M with 4 negatives for each click, here and in PyTorch, in turn; prints the medians, their ratio and the seconds of an epoch.
# Usage: bench/din-speed.sh [RUNS [STEPS [THREADS]]]     (default 3 runs of 200 steps on two threads; one thread is timed by the processor's clock), after 300 that are not timed.
# AMALGAM_DATA names the data folder. PyTorch: python3-torch of Debian, found as /usr/bin/python3 (or PYTHON).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-3} steps=${2:-200} threads=${3:-2} python=${PYTHON:-/usr/bin/python3}
data=${AMALGAM_DATA:?set it to the data folder}/recommendation/ml-1m-ge3-sequences.txt.gz
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
ours=(dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll")
clicks=$(zcat "$data" | awk '{n += NF - 4} END {print n}')
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
column() { printf '%s\n' "${@:2}" | awk -v c="$1" '{print $c}' | median; }
printf '%-8s %6s %-9s %12s %12s %8s %10s %10s\n' form batch data 'ours/s' 'PyTorch/s' ratio 'our epoch' 'its epoch'
for case in 'rows 1024' 'groups 205' 'groups 1024'; do
  read -r form batch <<<"$case"
  a=() b=()
  for _ in $(seq "$runs"); do
    a+=("$("${ours[@]}" din "$data" "$form" "$batch" din "$steps" "$threads")") b+=("$("$python" "$here/bench/peers/din_torch.py" "$data" "$form" "$batch" "$steps" "$threads")")
  done
  for column in 1 2; do
    awk -v form="$form" -v batch="$batch" -v what="$([ "$column" = 1 ] && echo ready || echo drawing)" -v x="$(column "$column" "${a[@]}")" -v y="$(column "$column" "${b[@]}")" -v n="$((5 * clicks))" \
      'BEGIN {printf "%-8s %6s %-9s %12d %12d %8.2f %8.1f s %8.1f s\n", form, batch, what, x, y, x / y, n / x, n / y}'
  done
done
printf '\nseconds of an evaluation (100 items for each of %s users; ranks, AUC and UAUC), the second of two times: din %s, dynamic din %s\n' \
  "$(zcat "$data" | wc -l)" "$("${ours[@]}" din-eval "$data" din "$threads" | tail -1)" "$("${ours[@]}" din-eval "$data" din+ "$threads" | tail -1)"
