package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
)

// fluxKinds takes a list of objects of Flux's own kinds; one with a field that Flux does not know, or of another type, is an error.
func fluxKinds(in *json.Decoder) (any, error) {
	var objects []json.RawMessage
	if err := in.Decode(&objects); err != nil {
		return nil, err
	}
	return each(objects, func(object json.RawMessage) (verdict, error) {
		var named struct{ APIVersion, Kind string }
		if err := json.Unmarshal(object, &named); err != nil {
			return verdict{}, err
		}
		known := map[string]any{
			kustomize.GroupVersion.String() + " " + kustomize.KustomizationKind: &kustomize.Kustomization{},
			source.GroupVersion.String() + " " + source.GitRepositoryKind:       &source.GitRepository{},
		}
		into, found := known[named.APIVersion+" "+named.Kind]
		if !found {
			return verdict{}, fmt.Errorf("%s %s is no kind of Flux", named.APIVersion, named.Kind)
		}
		strict := json.NewDecoder(bytes.NewReader(object))
		strict.DisallowUnknownFields()
		if err := strict.Decode(into); err != nil {
			return verdict{}, err
		}
		return verdict{Status: "known"}, nil
	})
}
