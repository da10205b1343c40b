// Package onnxtest writes tiny ONNX files for tests: graphs whose result can be
// computed by hand. The format is onnx.proto (IR version 8, operator set 13) of
// the ONNX project, written field by field.
package onnxtest

import "google.golang.org/protobuf/encoding/protowire"

// Element types of tensors, as TensorProto.DataType numbers them.
const (
	Float32 = 1
	Int64   = 7
)

// Any is a dimension that the graph leaves open.
const Any = -1

// Value is an input or output of a graph.
type Value struct {
	Name string
	Type int // of its elements
	Dims []int64
}

// Node is one operation. Ints are its attributes: one number, or a list.
type Node struct {
	Op      string
	Inputs  []string
	Outputs []string
	Int     map[string]int64
	Ints    map[string][]int64
}

// Graph is a network.
type Graph struct {
	Inputs  []Value
	Outputs []Value
	Nodes   []Node
}

// Turn is a network with the signature of Smart Turn v3. Its answer is the
// logistic function of the mean of its input.
func Turn() Graph {
	return Graph{
		Inputs:  []Value{{Name: "input_features", Type: Float32, Dims: []int64{Any, 80, 800}}},
		Outputs: []Value{{Name: "logits", Type: Float32, Dims: []int64{Any, 1}}},
		Nodes: []Node{
			{Op: "ReduceMean", Inputs: []string{"input_features"}, Outputs: []string{"mean"},
				Int: map[string]int64{"keepdims": 1}, Ints: map[string][]int64{"axes": {1, 2}}},
			{Op: "Flatten", Inputs: []string{"mean"}, Outputs: []string{"flat"}, Int: map[string]int64{"axis": 1}},
			{Op: "Sigmoid", Inputs: []string{"flat"}, Outputs: []string{"logits"}},
		},
	}
}

// Bytes is the graph as a file.
func (g Graph) Bytes() []byte {
	var graph []byte
	for _, n := range g.Nodes {
		graph = message(graph, 1, n.bytes())
	}
	graph = text(graph, 2, "test")
	for _, v := range g.Inputs {
		graph = message(graph, 11, v.bytes())
	}
	for _, v := range g.Outputs {
		graph = message(graph, 12, v.bytes())
	}
	file := number(nil, 1, 8)                   // IR version
	file = message(file, 8, number(nil, 2, 13)) // operator set
	return message(text(file, 2, "test"), 7, graph)
}

func (n Node) bytes() []byte {
	var b []byte
	for _, name := range n.Inputs {
		b = text(b, 1, name)
	}
	for _, name := range n.Outputs {
		b = text(b, 2, name)
	}
	b = text(b, 4, n.Op)
	for name, value := range n.Int {
		b = message(b, 5, number(number(text(nil, 1, name), 3, value), 20, 2))
	}
	for name, values := range n.Ints {
		a := text(nil, 1, name)
		for _, v := range values {
			a = number(a, 8, v)
		}
		b = message(b, 5, number(a, 20, 7))
	}
	return b
}

func (v Value) bytes() []byte {
	var shape []byte
	for _, d := range v.Dims {
		dim := number(nil, 1, d)
		if d == Any {
			dim = text(nil, 2, "n")
		}
		shape = message(shape, 1, dim)
	}
	tensor := message(number(nil, 1, int64(v.Type)), 2, shape)
	return message(text(nil, 1, v.Name), 2, message(nil, 1, tensor))
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return message(b, field, []byte(s))
}

func number(b []byte, field protowire.Number, n int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
}
