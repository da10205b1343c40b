#!/usr/bin/env bash
# Measures what decodes cost on this machine's graphics card, through ggml's Vulkan backend, with random weights of real
# dimensions: the encoder and a step of the decoder, forced and free partials, and one to three slots at once.
# usage: gpu.sh [SIZE...]   sizes of `parley models random`, by default small and large-v3-turbo
# RUNS=11   runs of each decode; the median is printed        BUSY=20s   how long the slots are kept busy
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'bench-gpu: %s\n' "$*" >&2; }

# parley runs the server's own binary with the libraries' environment.
parley() { deploy/setup/with-env.sh bin/parley "$@"; }

# shown prints a command and runs it.
shown() {
	printf '\n$ %s\n' "$*"
	"$@"
}

# plugin fails unless the Vulkan backend is among ggml's plug-ins.
plugin() {
	# shellcheck disable=SC2016 # the inner shell expands it
	deploy/setup/with-env.sh bash -c 'ls "$PARLEY_GGML_BACKENDS"/libggml-vulkan.*' >/dev/null 2>&1 && return
	say "ggml's Vulkan backend is missing: install it where whisper.cpp is the system's own (Debian: libggml0-backend-vulkan)"
	return 1
}

# driver prints what is known of the card, before any figure.
driver() {
	echo "date     $(date -u +%F)"
	echo "kernel   $(uname -sr)"
	if command -v nvidia-smi >/dev/null; then
		nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | sed 's/^/card     /'
	fi
	if command -v vulkaninfo >/dev/null; then
		vulkaninfo --summary 2>/dev/null | grep -E 'deviceName|driverName|driverInfo|apiVersion' | sed 's/^[[:space:]]*/vulkan   /' || true
	fi
}

sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(small large-v3-turbo)
PARLEY_GPU=vulkan deploy/setup/setup.sh
deploy/setup/with-env.sh go build -trimpath -o bin/parley ./cmd/parley
plugin
# The card is looked for before gigabytes are written.
if ! parley models time bundled --gpu only --runs 1 --busy 0 >/dev/null; then
	say "no figures: ggml found no graphics card here; the plug-in is there, the card or its Vulkan driver is not"
	exit 1
fi
driver
mkdir -p .artifacts/bench
for size in "${sizes[@]}"; do
	model=.artifacts/bench/random-$size-34.bin
	[ -e "$model" ] || shown parley models random "$size" --out "$model" --tokens 34
	shown parley models time "$model" --gpu only --runs "${RUNS:-11}" --busy "${BUSY:-20s}" --slots 1,2,3
done
