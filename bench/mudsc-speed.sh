#!/usr/bin/env bash
# Seconds of each phase of MuDSC's zip of the two ResNet-20 in models/resnet20-cifar10-halves, here and written plainly in PyTorch and NumPy, in turn; prints the medians and how many
# times faster, what the merged networks are worth, and what the statistics take beside plain forward passes.
# Usage: AMALGAM_DATA=FOLDER bench/mudsc-speed.sh [RUNS [METHOD [ALPHA]]]     (default 3 mudsc-zip 0.5). Methods: average, weight-align, activation-align, mudsc-align, zipit, weight-zip,
# mudsc-zip. PyTorch and SciPy: python3-torch and python3-scipy of Debian, found as /usr/bin/python3 (or PYTHON).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-3} method=${2:-mudsc-zip} alpha=${3:-0.5} python=${PYTHON:-/usr/bin/python3}
: "${AMALGAM_DATA:?set AMALGAM_DATA to the folder of data}"
pair=$AMALGAM_DATA/models/resnet20-cifar10-halves
dotnet build -c Release "$here/bench/Amalgam.Benchmarks" -v q --nologo >&2
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
for run in $(seq "$runs"); do
  dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll" mudsc "$pair" "$method" "$alpha" >"$log/ours.$run"
  "$python" "$here/bench/peers/mudsc_resnet20.py" "$pair" "$AMALGAM_DATA/cifar10" --method "$method" --alpha "$alpha" >"$log/peer.$run"
done
median() { cat "$log/$1".* | awk -v phase="$2" '$1 == phase {print $2}' | sort -n | awk '{v[NR]=$1} END {print NR ? v[int((NR+1)/2)] : "-"}'; }
printf '%-20s %10s %10s %8s\n' phase 'ours s' 'plain s' faster
for phase in reset-parents forward-only statistics match-activations sweeps merge reset-merged statistics-to-reset evaluate; do
  x=$(median ours $phase) y=$(median peer $phase)
  if [ "$x" = - ] || [ "$y" = - ]; then continue; fi
  printf '%-20s %10s %10s %8s\n' "$phase" "$x" "$y" "$(awk -v x="$x" -v y="$y" 'BEGIN {print (x > 0 ? sprintf("%.1f", y / x) : "-")}')"
done
x=$(median ours statistics) y=$(median ours forward-only)
if [ "$x" != - ]; then echo "statistics / forward passes: $(awk -v x="$x" -v y="$y" 'BEGIN {printf "%.2f", x / y}') here"; fi
echo "ours:  $(grep ^result "$log/ours.1")"
echo "plain: $(grep ^result "$log/peer.1")"
