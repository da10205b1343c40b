#!/usr/bin/env bash
# Brings whisper.cpp and ggml from Debian's packages into .native, for hosts whose own distribution is older than they
# are. They come with the C library they were built against, so nothing of the host's is touched or replaced.
# usage: whisper.sh
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

suite=${PARLEY_DEBIAN_SUITE:-forky}

# gpu_packages prints the GPU backends to add: PARLEY_GPU is auto, none, or a list such as "vulkan hip".
gpu_packages() {
	local want=${PARLEY_GPU:-auto} name
	if [ "$want" = auto ]; then
		want=none
		for name in /dev/nvidia0 /dev/dri/renderD*; do
			if [ -e "$name" ]; then want=vulkan; fi
		done
	fi
	[ "$want" = none ] && return
	for name in $want; do echo "libggml0-backend-$name"; done
}

# configure_apt writes an apt configuration that knows only the suite and an empty package database.
configure_apt() {
	local from key
	from=$(mirror)
	key=$(keyring)
	[ -n "$from" ] || die "no Debian mirror is known" \
		"this system carries no whisper.cpp of its own, so Debian's packages are unpacked into .native" \
		"name a mirror: make setup PARLEY_DEBIAN_MIRROR=<the address of a Debian mirror>"
	[ -n "$key" ] || die "the keys of the Debian archive are missing" "install them: sudo apt-get install debian-archive-keyring"
	mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,root}
	: >"$work/status"
	echo "deb [signed-by=$key] $from $suite main" >"$work/sources.list"
	options=(
		-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
		-o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
		-o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success=
		# A frozen mirror's release file looks expired; its signature is still checked.
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3
	)
}

fetch() {
	local names gpu
	mapfile -t gpu < <(gpu_packages)
	say "reading Debian $suite's package lists"
	apt-get "${options[@]}" update -qq || die "Debian $suite could not be read from the host's mirror" \
		"check the network, or name another: make setup PARLEY_DEBIAN_MIRROR=<address>"
	mapfile -t names < <(apt-get "${options[@]}" -s --no-install-recommends install \
		libwhisper1 libwhisper-dev libggml0 libggml-dev "${gpu[@]}" | awk '/^Inst /{print $2}')
	[ ${#names[@]} -gt 0 ] || die "Debian $suite offers no whisper.cpp for this machine"
	say "downloading ${#names[@]} packages"
	(cd "$work/debs" && apt-get "${options[@]}" download -qq "${names[@]}") || die "the packages could not be downloaded"
	say "unpacking them into .native"
	local deb
	for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
}

# place copies what the build needs to where it stays: libraries with their C library, and our headers only, since the
# C library's headers must remain the host's. Files are replaced, not rewritten: running programs keep theirs.
place() {
	local lib
	lib=$work/root/usr/lib/$(triplet)
	mkdir -p "$PARLEY_NATIVE"/{lib,include,stub}
	cp "$work"/root/usr/include/{whisper.h,ggml*.h,gguf.h} "$PARLEY_NATIVE/include/"
	cp -a --remove-destination "$lib"/*.so* "$PARLEY_NATIVE/lib/"
	[ -e "$PARLEY_NATIVE/lib/$(loader)" ] || cp -L "$work"/root/usr/lib*/"$(loader)" "$PARLEY_NATIVE/lib/"
	rm -rf "${PARLEY_NATIVE:?}/lib/ggml"
	mv "$lib/ggml" "$PARLEY_NATIVE/lib/ggml"
	# The Go binding asks for -lggml-cpu, which does not exist where backends are loaded at run time.
	ar rc "$PARLEY_NATIVE/stub/libggml-cpu.a"
}

if ! have apt-get || ! have dpkg-deb; then
	die "this system has no whisper.cpp and no apt to fetch it with" \
		"install whisper.cpp 1.8 or newer with its development files, so that pkg-config finds whisper"
fi
mkdir -p "$PARLEY_NATIVE"
work=$(mktemp -d "$PARLEY_NATIVE/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
configure_apt
fetch
place
