package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The budgets: beyond the soft ones the test tells, beyond the hard ones it fails.
const (
	softFile, hardFile = 400, 600
	maxFiles           = 15 // of one package, without tests
	p95Func, hardFunc  = 50, 100
	maxFields          = 25
	maxMethods         = 4
	minDocumented      = 0.90
)

// source is one parsed file.
type source struct {
	name  string // from the root
	lines int
	file  *ast.File
	fset  *token.FileSet
}

func parseFile(t *testing.T, dir, base, rootDir string) source {
	t.Helper()
	path := filepath.Join(dir, base)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(rootDir, path)
	if err != nil {
		t.Fatal(err)
	}
	return source{name: name, lines: strings.Count(string(text), "\n"), file: file, fset: fset}
}

// sources are all files of ours, by package; tests are kept apart.
func sources(t *testing.T) (code map[string][]source, tests []source) {
	t.Helper()
	rootDir := root(t)
	code = map[string][]source{}
	for _, p := range packages(t) {
		if !p.ours() {
			continue
		}
		for _, base := range slices.Concat(p.GoFiles, p.CgoFiles) {
			s := parseFile(t, p.Dir, base, rootDir)
			if !ast.IsGenerated(s.file) {
				code[p.name()] = append(code[p.name()], s)
			}
		}
		for _, base := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			tests = append(tests, parseFile(t, p.Dir, base, rootDir))
		}
	}
	return code, tests
}

func TestFilesAndPackages(t *testing.T) {
	code, tests := sources(t)
	for name, files := range code {
		if len(files) > maxFiles {
			t.Errorf("package %s has %d files, at most %d", name, len(files), maxFiles)
		}
		tests = append(tests, files...)
	}
	for _, s := range tests {
		switch {
		case s.lines > hardFile:
			t.Errorf("%s has %d lines, at most %d", s.name, s.lines, hardFile)
		case s.lines > softFile:
			t.Logf("%s has %d lines, better at most %d", s.name, s.lines, softFile)
		}
	}
}

// function is one declared function with its length in lines.
type function struct {
	where string
	lines int
	flat  bool
}

func functions(s source) (list []function) {
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		from, to := s.fset.Position(f.Pos()), s.fset.Position(f.End())
		list = append(list, function{
			where: fmt.Sprintf("%s:%d %s", s.name, from.Line, f.Name.Name),
			lines: to.Line - from.Line + 1,
			flat:  flatSwitch(f.Body),
		})
	}
	return list
}

// flatSwitch: a function that is one switch and little else may be long.
func flatSwitch(body *ast.BlockStmt) bool {
	if len(body.List) > 3 {
		return false
	}
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool {
		switch s.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt:
			return true
		}
		return false
	})
}

func TestFunctions(t *testing.T) {
	code, _ := sources(t)
	var all []function
	for _, files := range code {
		for _, s := range files {
			all = append(all, functions(s)...)
		}
	}
	slices.SortFunc(all, func(a, b function) int { return cmp.Compare(b.lines, a.lines) })
	for _, f := range all {
		if f.lines > hardFunc && !f.flat {
			t.Errorf("%s has %d lines, at most %d", f.where, f.lines, hardFunc)
		} else if f.lines > p95Func {
			t.Logf("%s has %d lines, better at most %d", f.where, f.lines, p95Func)
		}
	}
	if p95 := all[len(all)/20].lines; p95 > p95Func {
		t.Errorf("95 %% of functions have up to %d lines, want %d", p95, p95Func)
	} else {
		t.Logf("%d functions, 95 %% have up to %d lines", len(all), p95)
	}
}

func TestTypes(t *testing.T) {
	code, _ := sources(t)
	for _, files := range code {
		for _, s := range files {
			ast.Inspect(s.file, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				switch typ := spec.Type.(type) {
				case *ast.StructType:
					if n := typ.Fields.NumFields(); n > maxFields {
						t.Errorf("%s: struct %s has %d fields, at most %d", s.name, spec.Name.Name, n, maxFields)
					}
				case *ast.InterfaceType:
					if n := typ.Methods.NumFields(); n > maxMethods {
						t.Errorf("%s: interface %s has %d methods, at most %d", s.name, spec.Name.Name, n, maxMethods)
					}
				}
				return true
			})
		}
	}
}

func TestDocumentation(t *testing.T) {
	code, _ := sources(t)
	exported, documented := 0, 0
	var bare []string
	for name, files := range code {
		if !slices.ContainsFunc(files, func(s source) bool { return s.file.Doc != nil }) {
			t.Errorf("package %s has no comment", name)
		}
		for _, s := range files {
			n, undocumented := exports(s)
			exported += n
			documented += n - len(undocumented)
			bare = append(bare, undocumented...)
		}
	}
	slices.Sort(bare)
	t.Logf("%d of %d exported things are documented; not: %s", documented, exported, strings.Join(bare, ", "))
	if float64(documented) < minDocumented*float64(exported) {
		t.Errorf("%d of %d exported things are documented, want %.0f %%", documented, exported, 100*minDocumented)
	}
}

// exports counts what a file exports and names what has no comment. A comment
// of a group documents its members; so does one at the end of a line.
func exports(s source) (n int, bare []string) {
	note := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		n++
		if !slices.ContainsFunc(docs, func(g *ast.CommentGroup) bool { return g != nil }) {
			bare = append(bare, s.name+" "+name.Name)
		}
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || exportedReceiver(d.Recv) {
				note(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					note(spec.Name, d.Doc, spec.Doc, spec.Comment)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						note(name, d.Doc, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
	return n, bare
}

func exportedReceiver(recv *ast.FieldList) bool {
	typ := recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
