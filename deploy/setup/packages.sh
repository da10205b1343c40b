#!/usr/bin/env bash
# Installs the host's own packages: Opus, flite, espeak-ng and the tools the build needs.
# usage: packages.sh
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

# package_missing NAME succeeds unless dpkg lists it as installed.
package_missing() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ]
}

# apt_install NAME... installs what is missing, refreshing the lists only when they do not suffice.
apt_install() {
	as_root true || return
	export DEBIAN_FRONTEND=noninteractive
	if ! as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; then
		as_root apt-get update -qq || say "apt-get update reported errors, going on with what it got"
		as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
	fi
}

debian() {
	local needed=() optional=() name
	for name in gcc g++ pkg-config libopus-dev libopusfile-dev flite1-dev ca-certificates; do
		case $name in
		gcc | g++) have "$name" && continue ;;
		pkg-config) have pkg-config && continue ;;
		esac
		if package_missing "$name"; then needed+=("$name"); fi
	done
	if ! have espeak-ng; then optional+=(espeak-ng); fi

	if [ ${#needed[@]} -gt 0 ]; then
		say "installing ${needed[*]}"
		apt_install "${needed[@]}" || die "these packages could not be installed: ${needed[*]}" \
			"install them: sudo apt-get install ${needed[*]}" "then run make setup again"
	fi
	if [ ${#optional[@]} -gt 0 ]; then
		say "installing ${optional[*]}"
		apt_install "${optional[@]}" || say "without espeak-ng only flite's English voice speaks;" \
			"for the other languages: sudo apt-get install espeak-ng"
	fi
}

# system_whisper takes whisper and ggml from the system where the distribution is new enough to carry them.
system_whisper() {
	whisper_is_system && return
	[ "${PARLEY_WHISPER:-auto}" = prefix ] && return
	apt-cache show libwhisper-dev >/dev/null 2>&1 || return 0
	say "installing libwhisper-dev and libggml-dev"
	apt_install libwhisper-dev libggml-dev || say "they could not be installed, a copy of the project's own will be made"
}

macos() {
	have brew || die "Homebrew is not installed" "see its site, then: brew install whisper-cpp onnxruntime opus opusfile flite espeak-ng pkgconf"
	local needed=() name
	for name in whisper-cpp onnxruntime opus opusfile flite espeak-ng pkgconf; do
		brew list --versions "$name" >/dev/null 2>&1 || needed+=("$name")
	done
	if [ ${#needed[@]} -gt 0 ]; then
		say "installing ${needed[*]} with Homebrew (this platform is not tested)"
		brew install "${needed[@]}" || die "Homebrew could not install ${needed[*]}"
	fi
}

if [ "$(uname -s)" = Darwin ]; then
	macos
elif have apt-get; then
	debian
	system_whisper
elif ! have pkg-config || ! pkg-config --exists opus opusfile whisper; then
	die "this distribution has no apt-get" \
		"install by hand: gcc, pkg-config, and the development files of opus, opusfile, flite and whisper.cpp (1.8 or newer)"
fi
