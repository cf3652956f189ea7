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
// Two shortcuts spare the service a question. A document whose content is in
// flight waits for that answer, in WaitsFor; and where a document went while its
// job was under way, as by a rename, [Store.Adopt] takes identical content from
// waiting straight to pending with that job.
//
// [Store] is the daemon's side. Its methods are the transitions; each returns
// once its change is durable, and refuses with [ErrStale] where the document is
// no longer in the state that the transition starts from. One goroutine writes,
// and commits the changes of many callers together. [Reader] is everybody
// else's side: it reads while the daemon runs, after it stopped, and after it
// was killed.
//
// What may go wrong: a full or broken disk, or another program that keeps the
// database locked, fails a transition or a question with an error that
// [DiskTrouble] recognises; nothing of the transition is kept then, and it may be
// tried again as it is. Readers are told meanwhile that the daemon cannot write,
// by a lock, because it cannot be written down. A damaged file, or one that may
// not be written to, is refused with [ErrUnusable] and left as it is, to the
// byte. Damage may come out only after a while; every transition is refused from
// then on, and [Store.Damaged] tells.
package store
