#!/usr/bin/env bash
# Puts Microsoft's onnxruntime library into .native/lib. It is opened at run time; nothing links against it.
# usage: onnxruntime.sh
# With NPM_REGISTRY set to a registry's address curl is enough; otherwise npm knows where to go.
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

# The npm package carries the library itself. The hash is that of the package's archive.
version=1.30.0
hash=6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75
target=$PARLEY_NATIVE/lib/libonnxruntime.so.1

# download fetches the archive to where npm would put it.
download() {
	if [ -n "${NPM_REGISTRY:-}" ] && have curl; then
		curl -fsSL --retry 3 -o "$archive" "${NPM_REGISTRY%/}/onnxruntime-node/-/onnxruntime-node-$version.tgz"
		return
	fi
	have npm || die "npm is not installed" "install Node.js 20 or newer with npm: sudo apt-get install nodejs npm"
	npm pack --silent --ignore-scripts --pack-destination "$work" "onnxruntime-node@$version" >/dev/null
}

mkdir -p "$PARLEY_NATIVE/lib"
if [ "$(uname -s)" = Darwin ]; then
	ln -sf "$(brew --prefix onnxruntime)/lib/libonnxruntime.dylib" "$target"
	exit
fi

case "$(uname -m)" in
x86_64) arch=x64 ;;
*) arch=arm64 ;;
esac
work=$(mktemp -d "$PARLEY_NATIVE/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
archive=$work/onnxruntime-node-$version.tgz
library=package/bin/napi-v6/linux/$arch/libonnxruntime.so.1
say "downloading onnxruntime $version (110 MB)"
download || die "onnxruntime-node@$version could not be downloaded" "check the network and npm's registry setting"
[ "$(sha256 "$archive")" = "$hash" ] || die "the archive of onnxruntime-node@$version has an unexpected SHA-256" \
	"expected $hash" "got      $(sha256 "$archive")"
tar -xzf "$archive" -C "$work" "$library"
mv "$work/$library" "$target"
