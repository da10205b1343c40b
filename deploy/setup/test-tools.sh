#!/usr/bin/env bash
# Brings what only the tests need: Chromium, and playwright-core for the browser test.
# usage: test-tools.sh
set -euo pipefail
# shellcheck source=deploy/setup/lib.sh
. "$(dirname "$0")/lib.sh"

e2e=$PARLEY_ROOT/web-demo/e2e

# node_major prints Node's major version, 0 where there is none.
node_major() {
	local version
	version=$(node --version 2>/dev/null || echo v0)
	version=${version#v}
	echo "${version%%.*}"
}

# has_browser finds the browser by its usual names, or by PARLEY_CHROMIUM.
has_browser() {
	local name
	for name in "${PARLEY_CHROMIUM:-chromium}" chromium-browser google-chrome; do
		if have "$name"; then return 0; fi
	done
	return 1
}

if ! has_browser; then
	say "installing chromium"
	if have apt-get; then
		as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 ||
			{ as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || true
	fi
	has_browser || die "the browser test needs Chromium" "install it: sudo apt-get install chromium" \
		"or name one: PARLEY_CHROMIUM=/path/to/chromium make test"
fi

[ -e "$e2e/package-lock.json" ] || exit 0
[ "$(node_major)" -ge 18 ] || die "the browser test needs Node.js 18 or newer" "install it: sudo apt-get install nodejs npm"
if [ ! "$e2e/node_modules/.package-lock.json" -nt "$e2e/package-lock.json" ]; then
	say "installing the browser test's packages"
	(cd "$e2e" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
		die "npm could not install the browser test's packages" "check the network and npm's registry setting"
	touch "$e2e/node_modules/.package-lock.json"
fi
