package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Argo CD ends a script that runs longer.
const longest = time.Second

// healths takes the scripts by kind and a list of objects. Argo CD asks no script about an object that is being deleted.
func healths(in *json.Decoder) (any, error) {
	var question struct {
		Scripts map[string]string           `json:"scripts"`
		Objects []unstructured.Unstructured `json:"objects"`
	}
	if err := in.Decode(&question); err != nil {
		return nil, err
	}
	return each(question.Objects, func(object unstructured.Unstructured) (verdict, error) {
		script, found := question.Scripts[object.GetKind()]
		if !found {
			return verdict{}, fmt.Errorf("no script for the kind %s", object.GetKind())
		}
		if object.GetDeletionTimestamp() != nil {
			return verdict{"Progressing", "Pending deletion"}, nil
		}
		return health(script, object.Object)
	})
}

// health runs a script with what Argo CD opens to it: the base and the table library, and neither strings nor mathematics.
func health(script string, object map[string]any) (verdict, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable}
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		open := lua.P{Fn: state.NewFunction(libraries[name]), NRet: 0, Protect: true}
		if err := state.CallByParam(open, lua.LString(name)); err != nil {
			return verdict{}, err
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	state.SetContext(limit)
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return verdict{}, err
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return verdict{}, fmt.Errorf("the script returned %s and no table", state.Get(-1).Type())
	}
	return verdict{lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))}, nil
}

// value is the Lua value of a JSON one.
func value(state *lua.LState, of any) lua.LValue {
	switch known := of.(type) {
	case bool:
		return lua.LBool(known)
	case int64:
		return lua.LNumber(known)
	case float64:
		return lua.LNumber(known)
	case string:
		return lua.LString(known)
	case []any:
		table := state.CreateTable(len(known), 0)
		for _, item := range known {
			table.Append(value(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(known))
		for name, item := range known {
			table.RawSetString(name, value(state, item))
		}
		return table
	}
	return lua.LNil
}
