// words says what GitOps tools call the state of objects, by the rules of these tools.
//
// It reads one JSON question from standard input and writes one JSON answer for each object to standard output:
//
//	words kstatus   Flux's status, by its own library
//	words health    Argo CD's health, by the scripts given for each kind, in the Lua that Argo CD runs
//	words flux      whether objects of Flux's own kinds are as Flux knows them
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	commands := map[string]func(*json.Decoder) (any, error){"kstatus": kstatus, "health": healths, "flux": fluxKinds}
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("one of kstatus, health and flux is needed"))
	}
	answer, err := commands[os.Args[1]](json.NewDecoder(os.Stdin))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// each asks for a verdict about every object; an error says which one it was.
func each[Object any](objects []Object, ask func(Object) (verdict, error)) (any, error) {
	verdicts := make([]verdict, len(objects))
	for i, object := range objects {
		found, err := ask(object)
		if err != nil {
			return nil, fmt.Errorf("object %d: %w", i, err)
		}
		verdicts[i] = found
	}
	return verdicts, nil
}
