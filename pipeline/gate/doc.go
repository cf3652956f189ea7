// Package gate decides whether a request to the service may be made now. Every
// request passes it: [Gate.Acquire] waits for permission, [Permit.Done] tells how the
// request ended and returns what that means for its document.
//
// A request waits for the pace (our own limit, and the one that refusals have taught),
// for the time that a refusal named, or for a hold:
//
//	a request failed ─► ping fails    ─► the service is closed: only pings pass
//	                └─► ping succeeds ─► a submission: after three in a row, or at once for
//	                                 │   trouble of the account, submissions are held, and
//	                                 │   one document at a time is tried
//	                                 └─► a poll: that job's own trouble
//
// Several daemons may use one limit of the service: see [limit].
//
// A ping costs nothing and concerns no document. Probes are made at doubling pauses. A
// hold ends with the first request that succeeds in spite of it, and after a minute in
// which nobody waited for it. All of it is forgotten with the process, except for what
// the owner tells it: see [Gate.Recall].
package gate
