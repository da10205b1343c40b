#!/usr/bin/env bash
# The checks that take seconds: gofmt and go vet.
# usage: quick.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

# sources lists the Go files of the checkout, those not committed yet included.
sources() {
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do
			if [ -e "$file" ]; then echo "$file"; fi
		done
	else
		find . -name '*.go' -not -path './.*' -not -path '*/node_modules/*'
	fi
}

unformatted=$(sources | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
	printf 'these files need gofmt -w:\n%s\n' "$unformatted" >&2
	exit 1
fi
go vet ./...
