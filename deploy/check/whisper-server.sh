#!/usr/bin/env bash
# Runs whisper.cpp's own server from Debian's packages, to measure Parley against it. The first run fetches it and its
# libraries (about 120 MB) into .native/whisper-server; nothing that is built, tested or shipped needs it.
# usage: whisper-server.sh fetch
#        whisper-server.sh MODEL [OPTION...]   options as whisper-server takes them, such as --port 8178 -t 1
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/../setup/lib.sh"

place=$PARLEY_NATIVE/whisper-server

# fetch unpacks the program with all libraries it needs, down to the C library, into a folder of its own.
fetch() {
	local from key names work deb
	if ! have apt-get || ! have dpkg-deb; then die "this system has no apt to fetch whisper-server with"; fi
	from=$(mirror)
	key=$(keyring)
	[ -n "$from" ] || die "no Debian mirror is known" "name one: PARLEY_DEBIAN_MIRROR=<the address of a Debian mirror>"
	[ -n "$key" ] || die "the keys of the Debian archive are missing" "install them: sudo apt-get install debian-archive-keyring"
	mkdir -p "$PARLEY_NATIVE"
	work=$(mktemp -d "$PARLEY_NATIVE/work.XXXXXX")
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf '$work'" EXIT
	mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,root}
	: >"$work/status"
	echo "deb [signed-by=$key] $from ${PARLEY_DEBIAN_SUITE:-forky} main" >"$work/sources.list"
	local options=(
		-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
		-o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
		-o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success=
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=3
	)
	apt-get "${options[@]}" update -qq
	mapfile -t names < <(apt-get "${options[@]}" -s --no-install-recommends install whisper.cpp-tools | awk '/^Inst /{print $2}')
	[ ${#names[@]} -gt 0 ] || die "Debian ${PARLEY_DEBIAN_SUITE:-forky} offers no whisper.cpp-tools for this machine"
	say "downloading ${#names[@]} packages"
	(cd "$work/debs" && apt-get "${options[@]}" download -qq "${names[@]}")
	for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
	rm -rf "$place"
	mkdir -p "$place/new/bin"
	cp -a "$work/root/usr/lib/$(triplet)" "$place/new/lib"
	[ -e "$place/new/lib/$(loader)" ] || cp -L "$work"/root/usr/lib*/"$(loader)" "$place/new/lib/"
	cp "$work/root/usr/bin/whisper-server" "$place/new/bin/"
	mv "$place"/new/* "$place/"
	rmdir "$place/new"
}

[ $# -gt 0 ] || die "no model is named" "usage: whisper-server.sh MODEL [OPTION...]"
[ -x "$place/bin/whisper-server" ] || fetch
[ "$1" = fetch ] && exit
model=$(realpath "$1")
shift
# ggml looks for its backends beside the program, which is the loader here, and in the current folder.
cd "$place/lib/ggml/backends0"
paths=$place/lib:$(find "$place/lib" -mindepth 1 -maxdepth 1 -type d -printf '%p:')
exec "$place/lib/$(loader)" --library-path "${paths%:}" "$place/bin/whisper-server" -m "$model" "$@"
