// Package store keeps the database: which state each document is in, what the
// service was asked and what it answered, and where the document went. It is one
// SQLite file, so that it outlives the daemon and anybody with SQLite can read it.
//
//	             ┌──────── refused, or the job was lost ────────┐
//	             ▼                                              │
//	(admitted)─►waiting─────►submitting─────►pending────────────┤
//	    │        │  ▲             │             ▲               │
//	    │ known  │  └─ refused ───┘             │ job known     ▼ answer
//	    │ answer ├──────────────────────────────┘           identified
//	    │        │ known answer                                 ▲  │
//	    └────────┴──────────────────────────────────────────────┘  ▼
//	             │ outcome failed, moved                     filed | review
//	             ▼
//	           failed            any unfinished state ─► gone
//
// An unfinished document is in one [Phase], which the database computes from the
// row and which says what it waits for: to be admitted, to be submitted, for an
// equal document, for its upload, for its job, or to be moved. A document stays
// unfinished until its file has been moved. What becomes of it stands in Outcome,
// and the place that it is moved to in Target. A document that cannot be
// identified waits, with the outcome failed, until it lies in its folder.
//
// A person may decide the type of a finished document ([Store.Deciding], [Store.Decided]).
// Identical content that comes later follows the decision, whatever the service says.
//
// [Store.AskAnew] lets the service be asked once more about one that is filed or in review:
// it waits, and is submitted, while its file stays where it is.
//
// [Store.Submitting] is the one question before a submission: it looks for what is
// paid for already. Documents of identical content wait while one of them is under
// way ([PhaseEqual]). One of them is released whenever that one brings no answer.
//
// A record that was restored may be older than the files: a document whose file was
// filed since ends where it was found ([Store.Found]).
//
// [Store] is the daemon's side. Its methods are the transitions. Each returns once
// its change is durable, and refuses with [ErrStale] where the document is no
// longer in the state that the transition starts from. One goroutine writes, and
// commits the changes of many callers together. [Reader] is everybody else's side:
// it reads while the daemon runs, after it stopped, and after it was killed.
//
// What may go wrong: a full or broken disk, or another program that keeps the
// database locked, fails a transition or a question with an error that
// [DiskTrouble] recognises. Nothing of the transition is kept then, and it may be
// tried again. Meanwhile a lock on the -running file, which excludes nobody, shows
// readers that the daemon cannot write; what excludes others is the -lock file. A
// damaged file, or one that may not be written to, is refused with [ErrUnusable]
// and left as it is. Where damage is found later, every transition is refused from
// then on, and [Store.Damaged] returns. A program that keeps a read transaction
// open lets the -wal file grow, which is logged.
package store
