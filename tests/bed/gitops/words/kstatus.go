package main

import (
	"encoding/json"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// kstatus takes a list of objects.
func kstatus(in *json.Decoder) (any, error) {
	var objects []unstructured.Unstructured
	if err := in.Decode(&objects); err != nil {
		return nil, err
	}
	return each(objects, func(object unstructured.Unstructured) (verdict, error) {
		found, err := status.Compute(&object)
		if err != nil {
			return verdict{}, err
		}
		return verdict{string(found.Status), found.Message}, nil
	})
}
