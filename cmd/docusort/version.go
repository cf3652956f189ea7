package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/mattn/go-sqlite3"
	"github.com/spf13/cobra"
)

var version = "devel"

func (p program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, commit, Go and SQLite versions",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.stdout, versions())
			return err
		},
	}
}

func versions() string {
	sqlite, _, _ := sqlite3.Version()
	return fmt.Sprintf("docusort %s\ncommit %s\n%s %s/%s\nSQLite %s\n",
		version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH, sqlite)
}

// commit returns the commit that the binary was built from, if the build knows it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, modified := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " (modified)"
		}
	}
	return revision + modified
}
