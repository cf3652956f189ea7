// Package store keeps the record of every document: which state it is in, what
// the service was asked and what it answered, and where the document went. The
// record is one SQLite file, so that it outlives the daemon and can be read by
// anybody with nothing but SQLite.
//
//	                  ┌── refused, or the job was lost ──┐
//	                  ▼                                  │
//	(admitted) ─► waiting ─► submitting ─► pending ──────┤
//	     │            │          │            │          │
//	     │ reused     │          └────────────┤          │
//	     ▼            │                       ▼          │
//	 identified ◄─────┼──── (answer) ─── identified ─────┘
//	     │            │
//	     ▼            ▼ (outcome failed)         any unfinished state
//	filed | review  failed                                │
//	                                                      ▼
//	                                                    gone
//
// A document stays in an unfinished state until its file has been moved: what
// is going to become of it stands in Outcome, the place that it is being moved
// to in Target. A document that cannot be identified therefore waits, with the
// outcome failed, until it lies in its folder, and only then is it failed.
//
// [Store] is the daemon's side. Its methods are the transitions; each returns
// once its change is durable, and refuses with [ErrStale] where the document is
// no longer in the state that the transition starts from. One goroutine writes,
// and commits the changes of many callers together. [Reader] is everybody
// else's side: it reads while the daemon runs, after it stopped, and after it
// was killed.
//
// What may go wrong: a full or broken disk fails a transition with an error
// that [DiskTrouble] recognises; nothing of the transition is kept then, and it
// may be tried again as it is.
package store
