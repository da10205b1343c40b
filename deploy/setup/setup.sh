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

# fingerprint changes with the scripts, the place of the checkout and the options.
fingerprint() {
	{
		cat "$here"/{lib,packages,whisper,onnxruntime,env,setup}.sh
		echo "$PARLEY_ROOT $(uname -sm) ${PARLEY_WHISPER:-auto} ${PARLEY_GPU:-auto}"
	} | sha256 /dev/stdin
}

# complete succeeds where the last setup's results are still there.
complete() {
	[ "$(cat "$stamp" 2>/dev/null)" = "$print" ] &&
		[ -e "$PARLEY_NATIVE/env" ] && [ -e "$PARLEY_NATIVE/lib/libonnxruntime.so.1" ] &&
		pkg-config --exists opus opusfile
}

have go || die "Go is not installed" "install Go 1.26 or newer: sudo apt-get install golang-go, or Go's own archive"
stamp=$PARLEY_NATIVE/stamp
print=$(fingerprint)
complete && exit
rm -f "$stamp"
"$here/packages.sh"
mkdir -p "$PARLEY_NATIVE"
if whisper_is_system; then
	say "using the system's whisper.cpp $(pkg-config --modversion whisper)"
else
	"$here/whisper.sh"
fi
"$here/onnxruntime.sh"
"$here/env.sh"
echo "$print" >"$stamp"
say "done"
