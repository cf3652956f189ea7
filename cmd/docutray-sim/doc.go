// Command docutray-sim is a stand-in for the DocuTray identification API, as a
// server: for trying, testing and benchmarking docusort without spending
// credits. Package docutraytest implements the API; this one has the flags, the
// listener and the shutdown.
//
// On standard error it says that it is a stand-in, where it listens, and how to
// point docusort at it. Addresses below /_standin/, which the real service does
// not have, show statistics and change the faults and the latency; GET / lists
// them.
//
// Exit codes: 0 stopped by SIGTERM or SIGINT, 1 could not serve, 2 wrong usage.
package main
