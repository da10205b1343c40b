#!/usr/bin/env bash
# Puts Microsoft's onnxruntime library into .native/lib. It is opened at run time; nothing links against it.
# usage: onnxruntime.sh
# With NPM_REGISTRY set to a registry's address curl is enough; otherwise npm knows where to go.
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

# The npm package carries the library itself; the hash is that of its archive. From 1.29 on the published library reports
# its use to its maker unless an environment variable forbids it. 1.27 does not contain that code: stay below 1.29 until a
# build without it is to be had.
version=1.27.0
hash=c3779c01c59832f8c03e2c392ac3af10bf08579f1822e8b1c63cc451edb302a2
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
say "downloading onnxruntime $version (100 MB)"
download || die "onnxruntime-node@$version could not be downloaded" "check the network and npm's registry setting"
[ "$(sha256 "$archive")" = "$hash" ] || die "the archive of onnxruntime-node@$version has an unexpected SHA-256" \
	"expected $hash" "got      $(sha256 "$archive")"
tar -xzf "$archive" -C "$work" "$library"
mv "$work/$library" "$target"
