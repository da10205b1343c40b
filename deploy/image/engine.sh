# Shared by the image scripts: which program builds and runs images. Sourced, never run.
# shellcheck shell=bash
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../setup/lib.sh"

# image_engine prints docker where its daemon answers, else buildah, which needs none.
image_engine() {
	if have docker && docker info >/dev/null 2>&1; then
		echo docker
		return
	fi
	if ! have buildah; then
		say "installing buildah"
		as_root apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null 2>&1 || {
			as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends buildah debootstrap >/dev/null
		} || die "neither a docker daemon nor buildah is there" "install one: sudo apt-get install buildah debootstrap"
	fi
	# No daemon, no user namespace and no kernel overlay are asked for: this works inside containers too.
	echo buildah
}

export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
