// drift says whether Argo CD would show objects as out of sync, by its own library.
//
// It reads one JSON question from standard input and writes a JSON list of comparisons to standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/google/gnostic-models/openapiv2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/util/proto"
)

// question holds pairs of a manifest and its object. With what the API server would make of each manifest, and with its schemas, they are
// compared as with ServerSideDiff=true, else by three ways, or by two where nothing was applied by a client.
type question struct {
	Pairs   []pair          `json:"pairs"`
	Schemas json.RawMessage `json:"schemas,omitempty"`
	Manager string          `json:"manager,omitempty"`
}

type pair struct {
	Config unstructured.Unstructured `json:"config"`
	Live   unstructured.Unstructured `json:"live"`
	Would  json.RawMessage           `json:"would,omitempty"`
}

type comparison struct {
	Modified  bool            `json:"modified"`
	Live      json.RawMessage `json:"live"`
	Predicted json.RawMessage `json:"predicted"`
}

// withoutStatus is what Argo CD does before it compares: status belongs to the controller (resource.compareoptions,
// ignoreResourceStatusField, whose default is "all").
type withoutStatus struct{}

func (withoutStatus) Normalize(object *unstructured.Unstructured) error {
	if object != nil {
		unstructured.RemoveNestedField(object.Object, "status")
	}
	return nil
}

// told answers with what the API server has said before.
type told json.RawMessage

func (said told) Run(context.Context, *unstructured.Unstructured, string) (string, error) {
	return string(said), nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	options := []diff.Option{diff.WithNormalizer(withoutStatus{}), diff.WithManager(asked.Manager)}
	if asked.Schemas != nil {
		parser, err := parser(asked.Schemas)
		if err != nil {
			return err
		}
		options = append(options, diff.WithServerSideDiff(true), diff.WithGVKParser(parser))
	}
	comparisons := make([]comparison, len(asked.Pairs))
	for i, both := range asked.Pairs {
		found, err := diff.Diff(&both.Config, &both.Live, append(options, diff.WithServerSideDryRunner(told(both.Would)))...)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", both.Live.GetKind(), both.Live.GetName(), err)
		}
		comparisons[i] = comparison{found.Modified, found.NormalizedLive, found.PredictedLive}
	}
	return json.NewEncoder(os.Stdout).Encode(comparisons)
}

// parser knows the API server's kinds by what it serves as /openapi/v2.
func parser(schemas []byte) (*managedfields.GvkParser, error) {
	document, err := openapi_v2.ParseDocument(schemas)
	if err != nil {
		return nil, err
	}
	models, err := proto.NewOpenAPIData(document)
	if err != nil {
		return nil, err
	}
	return managedfields.NewGVKParser(models, false)
}
