# Shared by the setup scripts: paths, messages and the right to install packages. Sourced, never run.
# shellcheck shell=bash

# PARLEY_ROOT is the checkout, PARLEY_NATIVE where the native libraries go.
PARLEY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PARLEY_NATIVE=$PARLEY_ROOT/.native
export PARLEY_ROOT PARLEY_NATIVE

say() { printf 'setup: %s\n' "$*" >&2; }

# die MESSAGE [HINT...] ends the setup; each hint is one line that says what to do.
die() {
	printf 'setup: cannot go on: %s\n' "$1" >&2
	shift
	printf '       %s\n' "$@" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# as_root runs a command as root; it fails where neither root nor password-less sudo is there.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo && sudo -n true 2>/dev/null; then
		sudo "$@"
	else
		return 77
	fi
}

# triplet prints the machine's multiarch folder, such as x86_64-linux-gnu.
triplet() {
	case "$(uname -m)" in
	x86_64) echo x86_64-linux-gnu ;;
	aarch64 | arm64) echo aarch64-linux-gnu ;;
	*) die "no native libraries are known for $(uname -m)" "supported: x86-64 and arm64" ;;
	esac
}

# loader prints the file name of the machine's dynamic linker.
loader() {
	case "$(uname -m)" in
	x86_64) echo ld-linux-x86-64.so.2 ;;
	*) echo ld-linux-aarch64.so.1 ;;
	esac
}

# sha256 FILE prints its hash on Linux and macOS.
sha256() {
	if have sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

# whisper_is_system succeeds where pkg-config knows a usable whisper and ggml.
whisper_is_system() {
	[ "${PARLEY_WHISPER:-auto}" != prefix ] && pkg-config --exists 'whisper >= 1.8' 2>/dev/null
}

# mirror prints the Debian mirror to use: PARLEY_DEBIAN_MIRROR, else the host's own.
mirror() {
	if [ -n "${PARLEY_DEBIAN_MIRROR:-}" ]; then
		echo "$PARLEY_DEBIAN_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -E '/debian/?$' | head -n 1 || true
}

# keyring prints the file of keys that sign the Debian archive.
keyring() {
	local file
	for file in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
		if [ -e "$file" ]; then
			echo "$file"
			return
		fi
	done
}
