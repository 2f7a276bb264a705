#!/usr/bin/env bash
# Times opening and listing a folder of 10,000 tensors, as a whole process. Usage: bench/inspect-speed.sh [TENSORS [RUNS]]
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
tensors=${1:-10000} runs=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dotnet build -c Release "$here/Amalgam.slnx" -v q --nologo >&2
amalgam="$here/artifacts/bin/Amalgam.Cli/release/Amalgam.Cli"
dotnet "$here/artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll" generate "$work" 0 "$tensors"
"$amalgam" convert "$work/many" "$work/sharded" --shard-size 20MB --quiet
for run in $(seq 1 "$runs"); do
  /usr/bin/time -f "inspect: %e s, peak %M KB" "$amalgam" inspect "$work/sharded" >/dev/null
  /usr/bin/time -f "inspect --stats: %e s, peak %M KB" "$amalgam" inspect "$work/sharded" --stats >/dev/null
done
