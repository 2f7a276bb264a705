#!/usr/bin/env bash
# Times merges of large checkpoints as whole processes, beside cp and beside the same loop in PyTorch, in turn, and prints medians and ratios.
# Usage: bench/merge-speed.sh [BYTES [RUNS [FOLDER]]]     (default 1 GiB, 5 runs, a temporary folder; needs 6 x BYTES of disk)
# AMALGAM names another build of the command, such as a published one. Needs GNU time.
# PyTorch is optional: python3-torch of Debian, found as /usr/bin/python3 (or PYTHON).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
bytes=${1:-1073741824} runs=${2:-5}
work=${3:-$(mktemp -d)}
python=${PYTHON:-/usr/bin/python3}
[ $# -ge 3 ] || trap 'rm -rf "$work"' EXIT

dotnet build -c Release "$here/Amalgam.slnx" -v q --nologo >&2
amalgam=${AMALGAM:-$here/artifacts/bin/Amalgam.Cli/release/Amalgam.Cli}
[ -f "$work/base.safetensors" ] || dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll" generate "$work" "$bytes"
cd "$work"
cat a.safetensors b.safetensors base.safetensors >/dev/null

declare -A command=(
  [cp]="cp a.safetensors b.safetensors copies/"
  [linear]="$amalgam merge -q -m linear a.safetensors b.safetensors -o out.safetensors"
  [ties-2]="$amalgam merge -q -m ties:density=0.5 b.safetensors --base a.safetensors -o out.safetensors"
  [ties-3]="$amalgam merge -q -m ties:density=0.5 a.safetensors b.safetensors --base base.safetensors -o out.safetensors"
  [cki]="$amalgam merge -q -m cki a.safetensors b.safetensors -o out.safetensors"
)
order=(cp linear ties-2 ties-3 cki)
if "$python" -c 'import torch' 2>/dev/null; then
  command[torch]="$python $here/bench/peers/linear_torch.py a.safetensors b.safetensors out.safetensors"
  order+=(torch)
fi

for run in $(seq 0 "$runs"); do
  for name in "${order[@]}"; do
    rm -rf copies out.safetensors; mkdir copies
    /usr/bin/time -a -o "$name.$run.txt" -f "%e %U %S %M" bash -c "exec ${command[$name]}" >/dev/null
    # Run 0 warms the file cache and is not counted.
    [ "$run" = 0 ] && rm -f "$name.0.txt"
    rm -rf copies out.safetensors
    sync
  done
done

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-8s %8s %8s %8s %10s %14s\n' what wall/s user/s sys/s peak/MB 'input GB/s'
for name in "${order[@]}"; do
  files=("$name".[1-9]*.txt)
  wall=$(awk '{print $1}' "${files[@]}" | median)
  printf '%-8s %8s %8s %8s %10s %14s\n' "$name" "$wall" "$(awk '{print $2}' "${files[@]}" | median)" "$(awk '{print $3}' "${files[@]}" | median)" \
    "$(awk '{print $4}' "${files[@]}" | median | awk '{printf "%.0f", $1/1024}')" "$(awk -v w="$wall" -v b="$bytes" 'BEGIN {printf "%.2f", 2*b/1e9/w}')"
done
printf '\nratios of wall time, run by run, median:\n'
ratio() {
  for run in $(seq 1 "$runs"); do paste -d' ' "$1.$run.txt" "$2.$run.txt" | awk '{print $1/$5}'; done | median | awk -v a="$1" -v b="$2" '{printf "%s / %s = %.2f\n", a, b, $1}'
}
[ -n "${command[torch]:-}" ] && ratio torch linear
ratio cp linear; ratio ties-2 linear; ratio ties-3 linear; ratio cki linear
rm -f -- *.txt
