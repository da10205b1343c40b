#!/usr/bin/env bash
# Prints the ratios C1 to C15 of docs/recognition.md for this machine: what Parley adds to or saves of what whisper.cpp
# takes, on the bundled model and on random weights of real dimensions.
# usage: asr.sh [SIZE...]   sizes of `parley models random`, by default tiny and base
# MODEL=FILE     measure this model file instead of all others
# BENCHTIME=5x   go test's -benchtime for what takes milliseconds
set -euo pipefail
cd "$(dirname "$0")/../.."
with=deploy/setup/with-env.sh
log=.artifacts/bench/asr.log

# bench MODEL TIME PATTERN PACKAGE runs benchmarks and keeps their lines after the model's name.
bench() {
	printf '# %s\n$ PARLEY_BENCH_MODEL=%s %s go test -run ^$ -bench %s -benchtime %s %s\n' \
		"$(basename "$1")" "$1" "$with" "'$3'" "$2" "$4" | tee -a "$log"
	PARLEY_BENCH_MODEL=$1 "$with" go test -run '^$' -bench "$3" -benchtime "$2" -timeout 1h "$4" | grep -E '^(Benchmark|FAIL|---|panic)' |
		tee -a "$log"
}

# tests PACKAGE PATTERN runs tests that print ratios and keeps what they print.
tests() {
	printf '# tests\n$ %s go test -count 1 -v -run %s %s\n' "$with" "'$2'" "$1" | tee -a "$log"
	"$with" go test -count 1 -v -run "$2" -timeout 1h "$1" | grep -E '_test\.go:|^(---|FAIL|ok)' | tee -a "$log"
}

# table prints every metric whose unit is the name of a ratio, model by model.
table() {
	awk '
		/^# / { model = $2 }
		/^Benchmark/ {
			for (i = 3; i < NF; i++)
				if ($(i + 1) ~ /^C[0-9]+/) {
					name = $1
					sub(/-[0-9]+$/, "", name)
					printf "%-8s %10s  %-32s %s\n", $(i + 1), $i, model, name
				}
		}' "$log" | sort -V
}

sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(tiny base)
mkdir -p .artifacts/bench
: >"$log"
models=()
if [ -n "${MODEL:-}" ]; then
	models=("$(realpath "$MODEL")")
else
	models=("$PWD/engine/whisper/tinymodel/commands.en-q5_0.bin")
	for size in "${sizes[@]}"; do
		file=$PWD/.artifacts/bench/random-$size.bin
		[ -e "$file" ] || "$with" bin/parley models random "$size" --out "$file"
		models+=("$file")
	done
fi
for model in "${models[@]}"; do
	bench "$model" "${BENCHTIME:-5x}" . ./engine/whisper
	bench "$model" 100x FrontEnd ./cmd/internal/parts
	bench "$model" 1x Served ./cmd/internal/parts
done
tests ./engine Sim
tests ./stream/session 'Speculative|Stable|Retract|NoSpeech|Eager|Long'
printf '\n%-8s %10s  %-32s %s\n' RATIO VALUE MODEL BENCHMARK
table
echo "all lines: $log"
