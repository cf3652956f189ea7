// Package pipeline takes each document its whole way: from a settled file in the
// inbox to a file in the folder of its type.
//
//	settled files ─► admit ─► [waiting] ─► dispatch ─► identify ─► [identified] ─► file
//	                              ▲                       │
//	                              └────── trouble ◄───────┘
//
// The states in brackets are stored: see package store. The parts pass documents on
// through the database alone, so that the documents of a daemon that was killed need no
// code of their own.
//
//   - admit stores a file with its format and hash. Content that has an answer already
//     skips the service.
//   - dispatch gives each document a goroutine. For a submission it first waits for a
//     place among MaxPending, an upload place and a permit of the gate (package gate),
//     and only then chooses a document. Jobs whose polls have failed for a while are
//     parked (parked.go).
//   - identify is that goroutine: submit, poll, store the answer. Trouble on the way has
//     one function for each kind (trouble.go), which decides whether the document fails,
//     waits for a time that is stored in its row, or is gone.
//   - file takes all documents that were identified since its last round. It stores their
//     targets (target.go), moves the files, syncs the folders that they share, and commits
//     once (settle.go). Copies to another filesystem run beside that loop (copies.go).
//
// Beside these, housekeeping.go finds removed files and removes empty folders and old
// rows, holds.go logs and stores holds, and once.go ends a run with --once. A [Requeuer]
// puts failed documents back, and aside.go recognises them in the inbox. A [Refiler] files
// documents under the types that persons choose; follow.go finds out what they chose by
// moving files out of _review and _failed. What is asked about anew goes the same way as what
// lies in the inbox, but for its place (anew.go).
//
// What a goroutine knows of its document goes stale, because the file may be renamed,
// changed or removed at any time. So the transitions before a submission and at the end
// of a job return the row as it is by then, the filer reads it anew, and each transition
// refuses with [store.ErrStale] where the document is no longer in the state that it
// starts from. Such a document is left to whatever changed it.
//
// A document's own trouble is stored with the document. Run ends with an error only
// where it cannot go on: the database is damaged, or a query or transition fails for
// another reason than its disk.
package pipeline
