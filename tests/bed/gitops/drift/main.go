// drift says whether Argo CD would show objects as out of sync, by its own library.
//
// It reads a JSON list of pairs of a manifest and its object from standard input and writes a JSON list of comparisons to standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/gitops-engine/pkg/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type pair struct {
	Config unstructured.Unstructured `json:"config"`
	Live   unstructured.Unstructured `json:"live"`
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

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var pairs []pair
	if err := json.NewDecoder(os.Stdin).Decode(&pairs); err != nil {
		return err
	}
	comparisons := make([]comparison, len(pairs))
	for i, both := range pairs {
		found, err := diff.Diff(&both.Config, &both.Live, diff.WithNormalizer(withoutStatus{}))
		if err != nil {
			return fmt.Errorf("%s/%s: %w", both.Live.GetKind(), both.Live.GetName(), err)
		}
		comparisons[i] = comparison{found.Modified, found.NormalizedLive, found.PredictedLive}
	}
	return json.NewEncoder(os.Stdout).Encode(comparisons)
}
