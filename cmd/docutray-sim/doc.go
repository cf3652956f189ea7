// Command docutray-sim is a stand-in for the DocuTray identification API, as a
// server of its own: for trying, testing and benchmarking docusort without
// spending credits. What it does is in package docutraytest; here are only its
// flags, its listening and its stopping.
//
// It says on standard error that it is a stand-in, where it listens, and how
// to point docusort at it; with --quiet only the counts at the end are left
// out. GET /_standin/stats tells what it was asked, GET /_standin/jobs when each
// job was made, ended and was told of, POST /_standin/faults switches faults while
// it runs, POST /_standin/latency changes how long jobs take. None of these is the
// service's.
//
// Exit codes: 0 stopped by SIGTERM or SIGINT, 1 could not serve, 2 wrong usage.
package main
