#!/usr/bin/env bash
# Makes sure that buildah has the base image: pulled, or put together from the host's Debian mirror where no image
# registry can be reached.
# usage: base.sh NAME SUITE
set -euo pipefail
# shellcheck source=deploy/image/engine.sh
. "$(dirname "$0")/engine.sh"
name=$1 suite=$2

buildah inspect --type image "$name" >/dev/null 2>&1 && exit
say "pulling $name"
buildah pull -q "$name" >/dev/null 2>&1 && exit

from=$(mirror)
[ -n "$from" ] || die "$name can neither be pulled nor made: no Debian mirror is known" \
	"name one: make image PARLEY_DEBIAN_MIRROR=<the address of a Debian mirror>"
have debootstrap || as_root apt-get install -y -qq --no-install-recommends debootstrap >/dev/null ||
	die "debootstrap is not installed" "install it: sudo apt-get install debootstrap"
say "it cannot be pulled: making it with debootstrap"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# An older debootstrap does not know the suite's name yet; the script for sid fits every suite to come.
as_root debootstrap --variant=minbase --include=ca-certificates "$suite" "$work/root" "$from" \
	/usr/share/debootstrap/scripts/sid >"$work/log" 2>&1 || {
	tail -n 20 "$work/log" >&2
	die "debootstrap failed"
}
rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
container=$(buildah from scratch)
buildah add -q "$container" "$work/root" / >/dev/null
buildah config --cmd /bin/bash "$container"
buildah commit -q --rm "$container" "$name" >/dev/null
