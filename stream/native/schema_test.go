package native

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"parley/stream"
)

const apiDir = "../../api"

// schemaFiles are the published schemas by message type.
func schemaFiles(t *testing.T) map[string]any {
	t.Helper()
	names, err := filepath.Glob(apiDir + "/schemas/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	docs := make(map[string]any)
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		docs[strings.TrimSuffix(filepath.Base(name), ".json")] = doc
	}
	return docs
}

func compile(t *testing.T, docs map[string]any) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for name, doc := range docs {
		if err := c.AddResource("mem:///"+name+".json", doc); err != nil {
			t.Fatal(err)
		}
	}
	schemas := make(map[string]*jsonschema.Schema)
	for name := range docs {
		s, err := c.Compile("mem:///" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		schemas[name] = s
	}
	return schemas
}

// strictSchemas refuse what they do not name: a published schema lets unknown
// fields pass, and with them a misspelt one of ours.
func strictSchemas(t *testing.T) map[string]*jsonschema.Schema {
	docs := schemaFiles(t)
	for _, doc := range docs {
		closeObjects(doc)
	}
	return compile(t, docs)
}

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, sub := range v {
			closeObjects(sub)
		}
		if _, object := v["properties"].(map[string]any); object && v["type"] == "object" {
			v["additionalProperties"] = false
		}
	case []any:
		for _, sub := range v {
			closeObjects(sub)
		}
	}
}

type head struct {
	Type string
	Seq  uint64
}

// validate holds a message against the schema of its type.
func validate(t *testing.T, schemas map[string]*jsonschema.Schema, raw []byte) head {
	t.Helper()
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	s, ok := schemas[h.Type]
	if !ok {
		t.Fatalf("%s has no schema", h.Type)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%s: %v", raw, err)
	}
	return h
}

func serverMessages(t *testing.T) [][]byte {
	t.Helper()
	return slices.DeleteFunc(readLines(t, "testdata/server.jsonl"), func(line []byte) bool { return line[0] == '"' })
}

func TestGoldenMessagesFollowTheirSchemas(t *testing.T) {
	strict, published := strictSchemas(t), compile(t, schemaFiles(t))
	for _, e := range readExchanges(t) {
		validate(t, published, e.Message)
	}
	for _, m := range serverMessages(t) {
		validate(t, strict, m)
		var open map[string]any
		if err := json.Unmarshal(m, &open); err != nil {
			t.Fatal(err)
		}
		open["from_the_future"] = true
		b, err := json.Marshal(open)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, published, b)
	}
}

// TestSchemasRefuse: a schema that lets everything pass shows nothing.
func TestSchemasRefuse(t *testing.T) {
	for name, s := range compile(t, schemaFiles(t)) {
		if name == "common" {
			continue
		}
		for _, wrong := range []any{"text", map[string]any{}, map[string]any{"type": "other", "seq": 1.0}} {
			if s.Validate(wrong) == nil {
				t.Errorf("%s lets %v pass", name, wrong)
			}
		}
	}
}

type asyncAPI struct {
	AsyncAPI string `yaml:"asyncapi"`
	Channels map[string]struct {
		Address  string
		Messages map[string]map[string]string
	}
	Operations map[string]struct {
		Action   string
		Messages []map[string]string
	}
	Components struct {
		Messages map[string]struct {
			Name    string
			Payload struct{ Schema map[string]string }
		}
	}
	CloseCodes map[string]int `yaml:"x-close-codes"`
}

func readAPI(t *testing.T) (asyncAPI, string) {
	t.Helper()
	raw, err := os.ReadFile(apiDir + "/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var api asyncAPI
	if err := yaml.Unmarshal(raw, &api); err != nil {
		t.Fatal(err)
	}
	return api, string(raw)
}

// TestAsyncAPI holds the published description against the code.
func TestAsyncAPI(t *testing.T) {
	api, raw := readAPI(t)
	if api.AsyncAPI != "3.0.0" || api.Channels["stream"].Address != "/v1/stream" {
		t.Errorf("version %q, address %q", api.AsyncAPI, api.Channels["stream"].Address)
	}
	client := slices.Collect(maps.Keys(commands))
	schemas := strictSchemas(t)
	var server []string
	for _, m := range serverMessages(t) {
		server = append(server, validate(t, schemas, m).Type)
	}
	slices.Sort(server)
	server = slices.Compact(server)

	all := slices.Sorted(slices.Values(slices.Concat(client, server, []string{"audio"})))
	same(t, "messages of components", all, slices.Sorted(maps.Keys(api.Components.Messages)))
	same(t, "messages of the channel", all, slices.Sorted(maps.Keys(api.Channels["stream"].Messages)))
	for op, types := range map[string][]string{"fromClient": client, "fromServer": server} {
		want := make([]string, 0, len(types))
		for _, name := range append(types, "audio") {
			want = append(want, "#/channels/stream/messages/"+name)
		}
		var got []string
		for _, m := range api.Operations[op].Messages {
			got = append(got, m["$ref"])
		}
		slices.Sort(want)
		slices.Sort(got)
		same(t, "messages of operation "+op, want, got)
	}
	for name, m := range api.Components.Messages {
		if m.Name != name {
			t.Errorf("message %s is named %s", name, m.Name)
		}
		if want := "./schemas/" + name + ".json"; name != "audio" && m.Payload.Schema["$ref"] != want {
			t.Errorf("message %s refers to %q, want %s", name, m.Payload.Schema["$ref"], want)
		}
	}
	for name, doc := range schemaFiles(t) {
		if !strings.Contains(raw, "$ref: ./schemas/"+name+".json\n") {
			t.Errorf("schema %s is not referred to", name)
		}
		if title := doc.(map[string]any)["title"]; name != "common" && title != name {
			t.Errorf("schema %s has the title %v", name, title)
		}
	}
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-code +api):\n%s", what, diff)
	}
}

// TestEveryCodeIsPublished reads the codes where they are declared.
func TestEveryCodeIsPublished(t *testing.T) {
	var declared []string
	for _, decl := range parse(t, "../error.go").Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			v := spec.(*ast.ValueSpec)
			if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "Code" {
				continue
			}
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, s)
		}
	}
	slices.Sort(declared)
	api, _ := readAPI(t)
	same(t, "x-close-codes", declared, slices.Sorted(maps.Keys(api.CloseCodes)))

	schema := schemaFiles(t)["common"].(map[string]any)["$defs"].(map[string]any)["code"].(map[string]any)
	published := []string{string(stream.Done), string(stream.Draining)} // reasons, never errors
	for _, code := range schema["enum"].([]any) {
		published = append(published, code.(string))
	}
	slices.Sort(published)
	same(t, "codes of common.json", declared, published)
}

// TestGoldenFilesAreComplete: every command and event of the core is in them.
func TestGoldenFilesAreComplete(t *testing.T) {
	decoded := []string{"stream.Audio"} // binary: see decode_test.go
	for _, e := range readExchanges(t) {
		decoded = append(decoded, e.Command)
	}
	slices.Sort(decoded)
	same(t, "commands", members(t, "../command.go", "command"), slices.Compact(decoded))

	var encoded []string
	for _, e := range events() {
		encoded = append(encoded, fmt.Sprintf("%T", e))
	}
	slices.Sort(encoded)
	same(t, "events", members(t, "../event.go", "event"), slices.Compact(encoded))
}

// members are the types of a sealed set, by the method that seals it.
func members(t *testing.T, file, method string) []string {
	t.Helper()
	var names []string
	for _, decl := range parse(t, file).Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == method {
			names = append(names, "stream."+fn.Recv.List[0].Type.(*ast.Ident).Name)
		}
	}
	slices.Sort(names)
	return names
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
