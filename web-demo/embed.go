// Package webdemo holds the demo page: plain ES modules, styles and worklets
// that run from the binary without a build step and without any outside asset.
package webdemo

import (
	"embed"
	"io/fs"
)

//go:embed page
var files embed.FS

// FS returns the page's files with index.html at the root.
func FS() fs.FS {
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the embedded folder has a constant name
	}
	return page
}
