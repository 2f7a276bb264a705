#!/usr/bin/env bash
# What is left of a merge that is killed, interrupted, or loses its disk or its input while it runs.
# usage: bench/faults.sh [KILLS]      KILLS kills for each of four kinds of output (default 50)
# BYTES (default 200000000) is the size of each input. The full-disk part needs root, for a small tmpfs, and is skipped without.
set -u
cd "$(dirname "$0")/.."
kills=${1:-50}
bytes=${BYTES:-200000000}
dotnet build -v q -c Release src/Amalgam.Cli >/dev/null && dotnet build -v q -c Release bench/Amalgam.Benchmarks >/dev/null || { echo "the build failed"; exit 1; }
cli=("dotnet" "$PWD/artifacts/bin/Amalgam.Cli/release/Amalgam.Cli.dll")
work=$(mktemp -d -t amalgam-faults.XXXXXX)
mounted=""
trap '[ -n "$mounted" ] && umount "$mounted"; rm -rf "$work"' EXIT
dotnet artifacts/bin/Amalgam.Benchmarks/release/Amalgam.Benchmarks.dll generate "$work/in" "$bytes" || exit 1
cd "$work" || exit 1
failures=0
fail() { failures=$((failures + 1)); echo "FAILED: $*"; }
sums() { (cd "$1" 2>/dev/null && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2) || sha256sum <"$1"; }
now() { date +%s%N; }
pause() { sleep "$(awk -v n="$1" 'BEGIN { printf "%.4f", n / 1e9 }')"; }

# One moment of the run's length, at random; the length of a run varies, so a tenth more.
moment() { awk -v r="$((RANDOM * 32768 + RANDOM))" -v l="$1" 'BEGIN { printf "%d", r / 1073741824 * l * 1.1 }'; }

cat >two.yml <<'YAML'
name: first
merge_method: linear
models:
  - {model: in/a.safetensors, parameters: {weight: 0.5}}
  - {model: in/b.safetensors, parameters: {weight: 0.5}}
---
merge_method: linear
models:
  - {model: first, parameters: {weight: 0.5}}
  - {model: in/base.safetensors, parameters: {weight: 0.5}}
YAML

merge() { # OUT, then more options
  local out=$1
  shift
  case $out in
    *two*) "${cli[@]}" merge -q two.yml "$out" --shard-size 50MB "$@" ;;
    *) "${cli[@]}" merge -q -m linear in/a.safetensors in/b.safetensors -o "$out" --shard-size 50MB "$@" ;;
  esac
}

lasts() { # what a merge takes, in nanoseconds
  local begin
  begin=$(now)
  merge "$@" >/dev/null 2>&1 || fail "an undisturbed merge to $1"
  echo $(($(now) - begin))
}

leftovers() { find . -maxdepth 1 ! -name in ! -name two.yml ! -name 'expected*' ! -name old ! -name old.safetensors ! -name "$1" ! -name log ! -name .; }

# ---- SIGKILL -------------------------------------------------------------------------------------------------------------------------------------------
"${cli[@]}" merge -q -m linear in/base.safetensors in/a.safetensors -o old.safetensors >/dev/null
"${cli[@]}" merge -q -m linear in/base.safetensors in/a.safetensors -o old --shard-size 50MB >/dev/null
old_of() { case $1 in *.safetensors) echo old.safetensors ;; *) echo old ;; esac; }

killed() { # OUT, old (yes or no), number of kills
  local out=$1 old=$2 count=$3 expected="expected-$1" length state before options=()
  local absent=0 kept=0 new=0 late=0 resumed=0
  [ "$old" = yes ] && options=(--overwrite)
  [ -e "$expected" ] || { merge "$out" >/dev/null && mv "$out" "$expected"; }
  length=$(lasts "$out")
  rm -rf "$out"
  local wanted
  wanted=$(sums "$expected")
  before=$(sums "$(old_of "$out")")
  for ((i = 0; i < count;)); do
    [ "$old" = yes ] && cp -r "$(old_of "$out")" "$out"
    merge "$out" ${options[@]+"${options[@]}"} >/dev/null 2>&1 &
    local pid=$!
    pause "$(moment "$length")"
    # The function's shell has the merge as its child; either may be gone already.
    if pkill -KILL -P "$pid" 2>/dev/null; then i=$((i + 1)); else late=$((late + 1)); fi
    wait "$pid" 2>/dev/null
    if [ ! -e "$out" ]; then state=absent && absent=$((absent + 1))
    elif [ "$(sums "$out")" = "$wanted" ]; then state=new && new=$((new + 1))
    elif [ "$old" = yes ] && [ "$(sums "$out")" = "$before" ]; then state=old && kept=$((kept + 1))
    else state=mixed && fail "$out, kill $i: the output is neither absent nor complete"; fi
    if [ "$state" = new ] && [ ! -e "$out.partial" ] && [ ! -e "$out.stages" ]; then
      : # the kill came after the renaming and the cleaning up, or after the end: there is nothing to resume
    else
      if merge "$out" ${options[@]+"${options[@]}"} --resume >log 2>&1; then resumed=$((resumed + 1)); else fail "$out, kill $i ($state): --resume says $(cat log)"; fi
      [ "$(sums "$out")" = "$wanted" ] || fail "$out, kill $i ($state): --resume ends in other bytes"
    fi
    local left
    left=$(leftovers "$out")
    [ -z "$left" ] || fail "$out, kill $i ($state): $left is left"
    rm -rf "$out" "$out.partial" "$out.stages"
  done
  echo "SIGKILL $out, old output $old: $count kills, and $late too late; output absent $absent, old $kept, new $new; resumed to the same bytes $resumed"
}

for old in no yes; do
  killed one.safetensors $old "$kills"
  killed folder $old "$kills"
done
killed two no $(((kills + 4) / 5))

# ---- SIGINT --------------------------------------------------------------------------------------------------------------------------------------------
interrupted() {
  local out=$1 count=$2 length stopped=0 ended=0 code
  length=$(lasts "$out")
  rm -rf "$out"
  for ((i = 0; i < count; i++)); do
    # A shell's background jobs ignore SIGINT unless job control is on.
    set -m
    merge "$out" >/dev/null 2>log &
    local pid=$!
    set +m
    pause "$(moment "$length")"
    pkill -INT -P "$pid" 2>/dev/null
    wait "$pid"
    code=$?
    case $code in
      130) stopped=$((stopped + 1)) && { [ ! -e "$out" ] || fail "$out, interrupt $i: exit 130 and an output"; } ;;
      0) ended=$((ended + 1)) ;;
      *) fail "$out, interrupt $i: exit $code, $(cat log)" ;;
    esac
    rm -rf "$out"
    [ -z "$(leftovers "$out")" ] || fail "$out, interrupt $i: $(leftovers "$out") is left"
  done
  echo "SIGINT $out: $count interrupts, exit 130 and nothing left $stopped, ended before $ended"
}

interrupted one.safetensors $(((kills + 4) / 5))
interrupted folder $(((kills + 4) / 5))
interrupted two $(((kills + 4) / 5))

# ---- what is refused: exit 2, one clear line, the old output as it was, nothing left ------------------------------------------------------------------------
refused() { # what, phrase, then the command
  local what=$1 phrase=$2 code
  shift 2
  "$@" >log 2>&1
  code=$?
  [ $code -eq 2 ] || fail "$what: exit $code, $(head -3 log)"
  grep -q "^error: .*$phrase" log || fail "$what: says $(head -3 log)"
  echo "$what: exit $code, $(tail -1 log | cut -c 1-200)"
}

if [ "$(id -u)" -eq 0 ] && mkdir disk && mount -t tmpfs -o size=$((bytes * 3 / 2)) tmpfs disk 2>/dev/null; then
  mounted="$work/disk"
  for out in one.safetensors folder; do
    cp -r "$(old_of $out)" disk/$out
    refused "full disk from the start, $out" "needs .* bytes" merge disk/$out --overwrite
    [ "$(sums disk/$out)" = "$(sums "$(old_of $out)")" ] || fail "full disk, $out: the old output changed"
    [ "$(ls -A disk)" = "$out" ] || fail "full disk, $out: left $(ls -A disk)"
    rm -rf disk/$out

    # The rest is taken while the merge runs; it has its space already, so it ends well, or says that the disk is full.
    (pause "$(moment 500000000)" && fallocate -l $((bytes * 2)) disk/filler 2>/dev/null || head -c $((bytes * 2)) /dev/zero >disk/filler 2>/dev/null) &
    merge disk/$out >log 2>&1
    code=$?
    wait $!
    rm -f disk/filler
    case $code in
      0) [ "$(sums disk/$out)" = "$(sums "expected-$out")" ] || fail "disk filled during the run, $out: other bytes" ;;
      2) [ -z "$(ls -A disk)" ] || fail "disk filled during the run, $out: left $(ls -A disk)" ;;
      *) fail "disk filled during the run, $out: exit $code, $(head -3 log)" ;;
    esac
    echo "disk filled during the run, $out: exit $code $(grep error log | cut -c 1-200)"
    rm -rf disk/$out
  done

  # Space for the tensors but not for the files beside them.
  mkdir -p model && cp in/a.safetensors model/model.safetensors && head -c 20000000 /dev/zero >model/tokenizer.json && echo '{}' >model/config.json
  size=$(stat -c %s model/model.safetensors)
  head -c $((bytes * 3 / 2 - size - 5000000)) /dev/zero >disk/filler
  refused "disk full at the tokenizer" "No space left" "${cli[@]}" merge -q -m linear model model -o disk/folder
  [ "$(ls -A disk)" = filler ] || fail "disk full at the tokenizer: left $(ls -A disk)"
  rm -rf model disk/filler
  umount disk && mounted=""
  rmdir disk
else
  rmdir disk 2>/dev/null
  echo "full disk: skipped, mounting a tmpfs needs root"
fi

mkdir -p locked && chmod 555 locked
if [ "$(id -u)" -ne 0 ]; then refused "read-only folder" "denied" merge locked/out.safetensors
elif mount -t tmpfs -o ro tmpfs locked 2>/dev/null; then
  mounted="$work/locked"
  refused "read-only file system" "ead-only" merge locked/out.safetensors
  umount locked && mounted=""
fi
rm -rf locked
refused "output below a file" "is a file" merge in/a.safetensors/out.safetensors
refused "output in a missing folder of a file" "is a file" merge in/a.safetensors/x/out.safetensors

# ---- the input goes while the merge runs --------------------------------------------------------------------------------------------------------------------
cp old.safetensors out.safetensors
for damage in truncate remove; do
  for ((i = 0; i < 5; i++)); do
    cp in/a.safetensors gone.safetensors
    "${cli[@]}" merge -q -m linear gone.safetensors in/b.safetensors -o out.safetensors --overwrite >log 2>&1 &
    pid=$!
    pause $((250000000 + RANDOM * 5000))
    if [ $damage = truncate ]; then truncate -s 1000000 gone.safetensors; else rm gone.safetensors; fi
    wait $pid
    code=$?
    rm -f gone.safetensors
    case $code in
      0) [ "$(sums out.safetensors)" = "$(sums expected-one.safetensors)" ] || fail "input: $damage, $i: other bytes" && cp old.safetensors out.safetensors ;;
      2) [ "$(sums out.safetensors)" = "$(sums old.safetensors)" ] || fail "input: $damage, $i: the old output changed" ;;
      *) fail "input: $damage, $i: exit $code, $(head -3 log)" ;;
    esac
    echo "input: $damage while the merge runs: exit $code $(grep error log | cut -c 1-160)"
    [ -z "$(leftovers out.safetensors)" ] || fail "input: $damage, $i: $(leftovers out.safetensors) is left"
  done
done
rm -f out.safetensors

# ---- two at once ----------------------------------------------------------------------------------------------------------------------------------------
for out in one.safetensors two; do
  merge $out >log1 2>&1 &
  a=$!
  merge $out >log2 2>&1 &
  b=$!
  wait $a
  code1=$?
  wait $b
  code2=$?
  [ $((code1 + code2)) -eq 2 ] || fail "two at once, $out: exits $code1 and $code2: $(cat log1 log2)"
  [ "$(sums $out)" = "$(sums expected-$out)" ] || fail "two at once, $out: other bytes"
  echo "two at once, $out: exits $code1 and $code2, $(cat log1 log2 | grep error | cut -c 1-160)"
  rm -rf $out log1 log2
  [ -z "$(leftovers $out)" ] || fail "two at once, $out: $(leftovers $out) is left"
done

echo "$failures failures"
[ $failures -eq 0 ]
