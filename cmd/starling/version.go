package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is stamped by the linker in released builds.
var version = "dev"

type versionCmd struct{}

// Run prints the version, the revision if the build knows it, and the platform.
func (versionCmd) Run(std streams) error {
	_, err := fmt.Fprintf(std.out, "starling %s%s %s %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return " (" + setting.Value[:min(12, len(setting.Value))] + ")"
		}
	}
	return ""
}
