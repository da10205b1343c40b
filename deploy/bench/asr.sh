#!/usr/bin/env bash
# Prints the ratios of docs/recognition.md for this machine: what Parley adds to or saves of what whisper.cpp takes, on the
# bundled model and on random weights of real dimensions.
# usage: asr.sh [SIZE...]   sizes of `parley models random`, by default tiny and base
# MODEL=FILE          measure this model file instead of all others
# BENCHTIME=11x       go test's -benchtime for what takes less than seconds
# UTTERANCES=10000    how many C12 decodes on the bundled model; by default 0, which leaves it out: each takes a third of a second
set -euo pipefail
cd "$(dirname "$0")/../.."
with=deploy/setup/with-env.sh
log=.artifacts/bench/asr.log

# bench MODEL TIME PATTERN PACKAGE runs benchmarks and keeps their lines after the model's name.
bench() {
	printf '# %s\n$ PARLEY_BENCH_MODEL=%s %s go test -run NONE -bench %s -benchtime %s %s\n' \
		"$(basename "$1")" "$1" "$with" "'$3'" "$2" "$4" | tee -a "$log"
	PARLEY_BENCH_MODEL=$1 "$with" go test -run NONE -bench "$3" -benchtime "$2" -timeout 3h "$4" |
		tee -a "$log" | grep -E '^(Benchmark|FAIL|---|panic)|_test.go'
}

# tests PATTERN PACKAGE... runs tests that hold or print ratios.
tests() {
	printf '\n$ %s go test -count 1 -v -run %s %s\n' "$with" "'$1'" "${*:2}" | tee -a "$log"
	"$with" go test -count 1 -v -run "$1" -timeout 1h "${@:2}" | tee -a "$log" | grep -E '_test\.go:|^ *(---|FAIL|ok)'
}

# table prints the ratio of each benchmark under its number, model by model.
table() {
	awk '
		BEGIN {
			split("Served C1 Mel C2 Pick C3 Forced C4 Encode C5 Cancel C9 States C10 FrontEnd C11 Memory C12", pair)
			for (i = 1; i in pair; i += 2) number[pair[i]] = pair[i + 1]
			printf "\n%-6s %8s  %-24s %s\n", "RATIO", "VALUE", "MODEL", "BENCHMARK AND WHAT ELSE IT TELLS"
		}
		/^# / { model = $2 }
		/^Benchmark/ {
			name = $1
			sub(/^Benchmark/, "", name)
			sub(/-[0-9]+$/, "", name)
			family = name
			sub(/\/.*/, "", family)
			value = rest = ""
			for (i = 3; i < NF; i += 2)
				if ($(i + 1) == "ratio") value = $i
				else if ($(i + 1) != "ns/op") rest = rest "  " $i " " $(i + 1)
			if (family in number && value != "") printf "%-6s %8s  %-24s %s%s\n", number[family], value, model, name, rest | "sort -V"
		}' "$log"
}

sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(tiny base)
mkdir -p .artifacts/bench
: >"$log"
bundled=$PWD/engine/whisper/tinymodel/commands.en-q5_0.bin
models=()
if [ -n "${MODEL:-}" ]; then
	models=("$(realpath "$MODEL")")
else
	models=("$bundled")
	for size in "${sizes[@]}"; do
		# C4 wants 45 tokens, C1 what is usual for a sentence.
		for tokens in 24 45; do
			file=$PWD/.artifacts/bench/random-$size-$tokens.bin
			[ -e "$file" ] || "$with" bin/parley models random "$size" --out "$file" --tokens "$tokens"
			models+=("$file")
		done
	done
fi
for model in "${models[@]}"; do
	if [[ $model == *-45.bin ]]; then
		bench "$model" "${BENCHTIME:-11x}" Forced ./engine/whisper
		continue
	fi
	bench "$model" "${BENCHTIME:-11x}" 'Mel|Pick|Forced|Encode|Cancel|States' ./engine/whisper
	bench "$model" 100x FrontEnd ./cmd/internal/parts
	bench "$model" 1x Served ./cmd/internal/parts
done
if [ "${UTTERANCES:-0}" -gt 0 ]; then bench "$bundled" "${UTTERANCES}x" Memory ./engine/whisper; fi
tests 'LogitsOnFreshAndUsedState' ./engine/whisper # C6
tests 'SimOverload' ./engine                       # C7, C8
table
echo "all lines: $log"
