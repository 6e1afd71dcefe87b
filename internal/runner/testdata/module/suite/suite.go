// Package suite is as much of testify's as the fixture needs.
package suite

import (
	"reflect"
	"strings"
	"testing"
)

// Run runs the methods of s whose names begin with Test.
func Run(t *testing.T, s any) {
	for m := range reflect.TypeOf(s).Methods() {
		if strings.HasPrefix(m.Name, "Test") {
			t.Run(m.Name, func(t *testing.T) {
				m.Func.Call([]reflect.Value{reflect.ValueOf(s), reflect.ValueOf(t)})
			})
		}
	}
}
