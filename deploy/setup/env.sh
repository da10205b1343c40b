#!/usr/bin/env bash
# Writes .native/env: the flags cgo needs and where the run-time libraries lie.
# usage: env.sh
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

# emit NAME VALUE writes one export line.
emit() { printf 'export %s=%q\n' "$1" "$2"; }

# prefix_flags describes the project's own copy. RPATH, not RUNPATH: it must reach the libraries' own dependencies.
# Go links packages whose only cgo is the standard library's by itself and then takes the loader from here but not
# the RPATH; two C libraries of different age in one process end in an abort. So all linking is external.
prefix_flags() {
	local lib=$PARLEY_NATIVE/lib
	emit CGO_CFLAGS "-O2 -g '-I$PARLEY_NATIVE/include'"
	emit CGO_LDFLAGS "-O2 -g '-L$lib' '-L$PARLEY_NATIVE/stub' '-Wl,-rpath,$lib' -Wl,--disable-new-dtags '-Wl,--dynamic-linker=$lib/$(loader)' -Wl,--allow-shlib-undefined"
	# shellcheck disable=SC2016
	echo 'case " ${GOFLAGS-} " in *" -ldflags=-linkmode=external "*) ;; *) export GOFLAGS="${GOFLAGS:+$GOFLAGS }-ldflags=-linkmode=external" ;; esac'
}

# system_flags describes the system's whisper and ggml, and links the backends to where the prefix would have them.
system_flags() {
	local lib backends
	lib=$(pkg-config --variable=libdir whisper)
	mkdir -p "$PARLEY_NATIVE/stub"
	[ -e "$PARLEY_NATIVE/stub/libggml-cpu.a" ] || ar rc "$PARLEY_NATIVE/stub/libggml-cpu.a"
	emit CGO_CFLAGS "-O2 -g $(pkg-config --cflags whisper) $(pkg-config --cflags-only-I opus)"
	emit CGO_LDFLAGS "-O2 -g $(pkg-config --libs-only-L whisper) '-L$lib' '-L$PARLEY_NATIVE/stub'"
	for backends in "$lib"/ggml/backends* "$lib"/ggml "$lib"; do
		if compgen -G "$backends/libggml-cpu*" >/dev/null; then
			mkdir -p "$PARLEY_NATIVE/lib/ggml"
			rm -rf "$PARLEY_NATIVE/lib/ggml/backends0"
			ln -s "$backends" "$PARLEY_NATIVE/lib/ggml/backends0"
			return
		fi
	done
	say "no ggml backends were found beside $lib/libwhisper: the recogniser will find no device"
}

{
	emit PARLEY_NATIVE_DIR "$PARLEY_NATIVE"
	# For an onnxruntime that somebody puts in the place of ours.
	emit ORT_DISABLE_TELEMETRY 1
	emit PARLEY_GGML_BACKENDS "$PARLEY_NATIVE/lib/ggml/backends0"
	if whisper_is_system; then system_flags; else prefix_flags; fi
} >"$PARLEY_NATIVE/env.new"
mv "$PARLEY_NATIVE/env.new" "$PARLEY_NATIVE/env"
