#!/usr/bin/env bash
# Brings everything Parley needs to be built and run on this machine, and does nothing where it is there already.
# usage: setup.sh
# PARLEY_WHISPER=prefix   take whisper.cpp from .native even where the system has one
# PARLEY_GPU=none|vulkan|hip   GPU backends to fetch (default: vulkan where a GPU is seen)
# PARLEY_DEBIAN_MIRROR=ADDRESS   where Debian's packages come from (default: the host's own mirror)
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=deploy/setup/lib.sh
. "$here/lib.sh"

# fingerprint SCRIPT changes with the script, the place of the checkout and the options.
fingerprint() {
	{
		cat "$here/lib.sh" "$here/$1"
		echo "$PARLEY_ROOT $(uname -sm) ${PARLEY_WHISPER:-auto} ${PARLEY_GPU:-auto} ${PARLEY_DEBIAN_SUITE:-} $source"
	} | sha256 /dev/stdin
}

# step SCRIPT RESULT... runs one script unless its last run left these results and nothing it depends on has changed.
step() {
	local stamp=$PARLEY_NATIVE/stamps/$1 print file fresh=yes
	print=$(fingerprint "$1")
	[ "$(cat "$stamp" 2>/dev/null)" = "$print" ] || fresh=no
	for file in "${@:2}"; do
		[ -e "$file" ] || fresh=no
	done
	[ $fresh = yes ] && return
	rm -f "$stamp"
	"$here/$1"
	echo "$print" >"$stamp"
	changed=yes
}

have go || die "Go is not installed" "install Go 1.26 or newer: sudo apt-get install golang-go, or Go's own archive"
mkdir -p "$PARLEY_NATIVE/stamps"
if have flock; then
	exec 9>"$PARLEY_NATIVE/lock"
	flock 9
fi
changed=no
# The development files may have been removed since.
if ! have pkg-config || ! pkg-config --exists opus opusfile; then rm -f "$PARLEY_NATIVE/stamps/packages.sh"; fi
source=unknown
step packages.sh
source=prefix
if whisper_is_system; then source=$(pkg-config --modversion whisper); fi
if [ "$source" = prefix ]; then
	step whisper.sh "$PARLEY_NATIVE"/{include/whisper.h,lib/libwhisper.so,lib/ggml/backends0,"lib/$(loader)"}
fi
step onnxruntime.sh "$PARLEY_NATIVE/lib/libonnxruntime.so.1"
step env.sh "$PARLEY_NATIVE"/{env,stub/libggml-cpu.a}
if [ $changed = yes ]; then say "done"; fi
