#!/usr/bin/env bash
# Every static check: gofmt, go vet, staticcheck, govulncheck, and shellcheck where it is installed.
# usage: lint.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

# tool NAME prints where Go has built one of go.mod's tools. They are built without the native libraries' flags, which
# are meant for Parley only, and run with them, to see what the build sees.
tool() {
	env -u CGO_CFLAGS -u CGO_LDFLAGS -u GOFLAGS CGO_ENABLED=0 go tool -n "$1"
}

# vulnerabilities looks the dependencies up in Go's vulnerability database. Findings fail; being offline does not.
vulnerabilities() {
	local log
	log=$(mktemp)
	if "$(tool govulncheck)" ./... >"$log" 2>&1; then
		echo "lint: govulncheck: nothing known"
	elif grep -Eq 'no such host|dial tcp|connection refused|i/o timeout|Forbidden|fetching vulnerabilities' "$log"; then
		echo "lint: govulncheck: NOT CHECKED, the vulnerability database cannot be reached from here"
	else
		cat "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

deploy/check/quick.sh
echo "lint: gofmt and go vet: clean"
"$(tool staticcheck)" ./...
echo "lint: staticcheck: clean"
if command -v shellcheck >/dev/null; then
	shellcheck -x .ci/run deploy/*/*.sh
	echo "lint: shellcheck: clean"
else
	echo "lint: shellcheck: not installed, the scripts were not checked"
fi
vulnerabilities
