// Package pipeline takes each document its whole way: from a settled file in the
// inbox to a file in the folder of its type.
//
//	settled files ─► admit ─► [waiting] ─► dispatch ─► identify ─► [identified] ─► file
//	                                         ▲             │
//	                                         └── classify ◄┘ any error
//
// States in brackets are stored: see package store. The parts hand documents to
// each other through the database alone, so a document that was under way when the
// daemon was killed is taken up by the same code that serves a new one.
//
//   - admit (admit.go) opens a file, tells its format, hashes it and stores it.
//     Content that has an answer already skips the service.
//   - dispatch (dispatch.go) gives each document one goroutine. It takes what a
//     submission needs first, and only then chooses a document: a place among
//     MaxPending, a place among Workers, a permit of the gate.
//   - identify (identify.go, poll.go) is that goroutine: submit, poll, store the
//     answer. Every error that it meets goes to classify (classify.go), the one
//     place that decides what becomes of the document: it fails, it waits for a
//     time that is stored in its row, or it is left as it is.
//   - file (file.go) takes everything identified since its last round: it stores the
//     targets, moves the files, syncs the folders they share once, and commits once.
//     A copy to another filesystem runs beside that loop.
//
// Every request to the service passes the gate (package gate), which keeps the pace
// and holds requests for trouble that is no document's own.
//
// What a goroutine holds in memory goes stale, because the file of its document may
// be renamed, changed or removed at any time. So each transition returns the row as
// it is by then, and refuses where the document is no longer in the state that it
// starts from ([store.ErrStale]); such a document is left to whoever changed it.
//
// A document's own trouble is stored with the document. Run ends with an error only
// where nothing can go on.
package pipeline
