package webdemo

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readPage returns the embedded files by name.
func readPage(t *testing.T) map[string]string {
	t.Helper()
	page := map[string]string{}
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(FS(), name)
		page[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

var references = map[string]*regexp.Regexp{
	".html": regexp.MustCompile(`\b(?:src|href)="([^"#][^"]*)"`),
	".js":   regexp.MustCompile(`(?:from|import|new URL\()\s*"(\.[^"]+)"`),
	".css":  regexp.MustCompile(`(?:@import|url\()\s*["']?([^"')]+)`),
}

// TestEveryFileIsReached follows all references from index.html: they lead to
// embedded files only, and to each of them.
func TestEveryFileIsReached(t *testing.T) {
	page := readPage(t)
	reached := map[string]bool{}
	open := []string{"index.html"}
	for len(open) > 0 {
		name := open[0]
		open = open[1:]
		if reached[name] {
			continue
		}
		reached[name] = true
		text, ok := page[name]
		if !ok {
			t.Errorf("%s is referenced and not embedded", name)
			continue
		}
		find := references[path.Ext(name)]
		if find == nil {
			continue
		}
		for _, m := range find.FindAllStringSubmatch(text, -1) {
			open = append(open, path.Join(path.Dir(name), m[1]))
		}
	}
	for name := range page {
		if !reached[name] {
			t.Errorf("%s is embedded and nothing leads to it", name)
		}
	}
	if len(page) < 20 {
		t.Errorf("only %d files are embedded", len(page))
	}
}

// TestContentSecurityPolicy finds what the server's policy would block.
func TestContentSecurityPolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"an inline style":        regexp.MustCompile(`(?i)<style|\sstyle\s*=\s*["']|setAttribute\("style"`),
		"an inline handler":      regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
		"an inline script":       regexp.MustCompile(`(?is)<script[^>]*>\s*[^<\s]`),
		"a script without src":   regexp.MustCompile(`(?i)<script(?:\s+type="[^"]*")?\s*>`),
		"code made from text":    regexp.MustCompile(`\beval\(|new Function\(|javascript:`),
		"markup made from text":  regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`),
		"an address outside":     regexp.MustCompile(`(?i)\b(?:https?|wss?|ftp):(?:\\?/){2}[^\s"'` + "`" + `]+|["'(]//[a-z]`),
		"a stylesheet from code": regexp.MustCompile(`createElement\("style"\)|adoptedStyleSheets`),
	}
	allowed := []string{"http://www.w3.org/2000/svg"} // names a namespace, nothing is fetched
	for name, text := range readPage(t) {
		for what, find := range forbidden {
			for _, hit := range find.FindAllString(text, -1) {
				if !slices.Contains(allowed, hit) {
					t.Errorf("%s holds %s: %q", name, what, hit)
				}
			}
		}
	}
}

// TestElements: every element that a script asks for by its id is there, once.
func TestElements(t *testing.T) {
	page := readPage(t)
	count := map[string]int{}
	for _, m := range regexp.MustCompile(`\bid="([^"]+)"`).FindAllStringSubmatch(page["index.html"], -1) {
		count[m[1]]++
	}
	for id, n := range count {
		if n > 1 {
			t.Errorf("id %q stands %d times in index.html", id, n)
		}
	}
	asked := regexp.MustCompile(`\$\("([^"]+)"\)`).FindAllStringSubmatch(page["js/app.js"], -1)
	if len(asked) < 30 {
		t.Fatalf("found only %d elements asked for: does app.js still use $(id)?", len(asked))
	}
	for _, m := range asked {
		if count[m[1]] == 0 {
			t.Errorf("app.js asks for #%s, index.html has none", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`\b(?:for|aria-labelledby|aria-describedby)="([^"]+)"`).FindAllStringSubmatch(page["index.html"], -1) {
		if count[m[1]] == 0 && m[1] != "chart-title" { // the chart makes its own title
			t.Errorf("index.html refers to #%s, which is not there", m[1])
		}
	}
}

// TestScripts runs the tests of the page's pure parts in Node.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("test/*.test.mjs")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test of the page found: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"--test", "--test-reporter=tap"}, files...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "\n# fail 0") {
		t.Errorf("no summary of passed tests:\n%s", out)
	}
}

// TestLockfile: the browser test's packages are pinned without naming a registry.
func TestLockfile(t *testing.T) {
	lock, err := os.ReadFile("e2e/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), "://") {
		t.Error("package-lock.json names an address")
	}
	integrity := strings.Count(string(lock), `"integrity"`)
	modules := strings.Count(string(lock), `"node_modules/`)
	if modules == 0 || modules != integrity {
		t.Errorf("%d modules have %d integrity hashes", modules, integrity)
	}
}
