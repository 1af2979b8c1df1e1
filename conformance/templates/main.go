// Command templates runs every case of cases.json through the real consul-template (the engine of Vault Agent) and
// prints the outcome as a golden file: go run . > templates.golden.json
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	dep "github.com/hashicorp/consul-template/dependency"
	"github.com/hashicorp/consul-template/template"
)

type suite struct {
	Secrets map[string]json.RawMessage   `json:"secrets"`
	Lists   map[string][]string          `json:"lists"`
	Env     []string                     `json:"env"`
	Groups  map[string][]json.RawMessage `json:"groups"`
}

type testCase struct {
	Template          string   `json:"template"`
	ErrorOnMissingKey bool     `json:"errorOnMissingKey,omitempty"`
	Left              string   `json:"left,omitempty"`
	Right             string   `json:"right,omitempty"`
	Denylist          []string `json:"denylist,omitempty"`
}

type outcome struct {
	testCase
	Group  string `json:"group"`
	Output string `json:"output,omitempty"`
	Base64 string `json:"base64,omitempty"`
	Error  string `json:"error,omitempty"`
	Needs  int    `json:"needs,omitempty"`
}

func main() {
	raw, err := os.ReadFile("cases.json")
	check(err)
	var s suite
	check(json.Unmarshal(raw, &s))
	brain := remember(&s)
	var out []outcome
	for _, group := range sortedKeys(s.Groups) {
		for _, raw := range s.Groups[group] {
			out = append(out, run(group, parseCase(raw), brain, s.Env))
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	check(encoder.Encode(out))
}

// A case is the template's text alone, or an object.
func parseCase(raw json.RawMessage) testCase {
	var c testCase
	if raw[0] == '"' {
		check(json.Unmarshal(raw, &c.Template))
	} else {
		check(json.Unmarshal(raw, &c))
	}
	return c
}

func remember(s *suite) *template.Brain {
	brain := template.NewBrain()
	for path, raw := range s.Secrets {
		decoder := json.NewDecoder(strings.NewReader(string(raw)))
		decoder.UseNumber() // as Vault's API client does
		var data map[string]interface{}
		check(decoder.Decode(&data))
		query, err := dep.NewVaultReadQuery(path)
		check(err)
		brain.Remember(query, &dep.Secret{LeaseDuration: 2764800, Data: data})
	}
	for path, keys := range s.Lists {
		query, err := dep.NewVaultListQuery(path)
		check(err)
		brain.Remember(query, keys)
	}
	return brain
}

func run(group string, c testCase, brain *template.Brain, env []string) (o outcome) {
	o = outcome{testCase: c, Group: group}
	defer func() {
		if r := recover(); r != nil {
			o.Error = fmt.Sprintf("panic: %v", r)
		}
	}()
	t, err := template.NewTemplate(&template.NewTemplateInput{
		Contents: c.Template, ErrMissingKey: c.ErrorOnMissingKey,
		LeftDelim: c.Left, RightDelim: c.Right, FunctionDenylist: c.Denylist,
	})
	check(err)
	result, err := t.Execute(&template.ExecuteInput{Brain: brain, Env: env})
	if err != nil {
		o.Error = err.Error()
		return o
	}
	o.Needs = result.Missing.Len()
	if utf8.Valid(result.Output) {
		o.Output = string(result.Output)
	} else {
		o.Base64 = base64.StdEncoding.EncodeToString(result.Output)
	}
	return o
}

func sortedKeys(m map[string][]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
