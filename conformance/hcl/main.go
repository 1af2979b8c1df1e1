// Command hcl reads every text of cases.json with the parser that Vault and OpenBao read policies and configuration files
// with, and prints what it found as a golden file: go run . > hcl.golden.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/ast"
	"github.com/hashicorp/hcl/hcl/token"
)

type entry struct {
	Key    string   `json:"key"`
	Labels []string `json:"labels"`
	Value  any      `json:"value"`
}

type outcome struct {
	Text  string `json:"text"`
	Tree  any    `json:"tree,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	raw, err := os.ReadFile("cases.json")
	check(err)
	var texts []string
	check(json.Unmarshal(raw, &texts))
	var out []outcome
	for _, text := range texts {
		out = append(out, read(text))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	check(encoder.Encode(out))
}

func read(text string) (o outcome) {
	o.Text = text
	defer func() {
		if reason := recover(); reason != nil {
			o.Error = fmt.Sprint("panic: ", reason)
		}
	}()
	file, err := hcl.Parse(text)
	if err != nil {
		o.Error = err.Error()
		return o
	}
	o.Tree = value(file.Node)
	return o
}

// The shape of the tree without positions and comments. JSON nests objects where HCL has labels: both become labels.
func value(node ast.Node) any {
	switch n := node.(type) {
	case *ast.ObjectList:
		entries := []entry{}
		for _, item := range n.Items {
			keys := []string{}
			for _, key := range item.Keys {
				keys = append(keys, fmt.Sprint(key.Token.Value()))
			}
			entries = append(entries, entry{keys[0], keys[1:], value(item.Val)})
		}
		return map[string]any{"entries": entries}
	case *ast.ObjectType:
		return value(n.List)
	case *ast.ListType:
		items := []any{}
		for _, item := range n.List {
			items = append(items, value(item))
		}
		return items
	case *ast.LiteralType:
		return literal(n.Token)
	}
	panic(fmt.Sprintf("%T", node))
}

// Numbers as JavaScript has them.
func literal(t token.Token) any {
	if t.Type == token.NUMBER {
		if number, err := strconv.ParseFloat(fmt.Sprint(t.Value()), 64); err == nil {
			return number
		}
	}
	return t.Value()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
