// Command docusort files the documents of an inbox by the type that the DocuTray
// service identifies. See README.md.
//
// main calls run, which is the whole program: it takes a context, the arguments, the
// environment and the output streams, and returns the exit code. Each command has a file
// of its own. `run` puts together a daemon (daemon.go): the watcher sends the paths of
// settled files over a channel to the pipeline, which works with the store; beside them
// run the hook, the status page and what notifies systemd. The settings are read in
// package settings and nowhere else.
package main
