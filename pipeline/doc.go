// Package pipeline takes each document its whole way: from a settled file in
// the inbox to a file in the folder of its type.
//
//	settled files ─► admit ─► submit ─► poll ─► file
//	                   │         │        │       │
//	                   └─────────┴── store ───────┘
//
// Each stage is one file of this package and one goroutine of [Pipeline.Run],
// with a bounded number of workers behind it. The stages do not call each other:
// each stores what it found and wakes the next one, which takes its work from
// the record. So a document that was under way when the daemon was killed is
// taken up by the same code that serves a new one.
//
//   - admit opens the file, tells its format, hashes it and stores it. Content
//     that has an answer already skips the service.
//   - submit uploads, at most Workers at a time and MaxPending in flight. What is
//     stored as submitting before the POST is an unknown outcome after a crash.
//   - poll keeps every job in flight in a heap of due times. It learns how long
//     jobs take and asks when an answer is likely: as seldom as it can while half of
//     the answers are still seen within a tenth of their jobs' times.
//   - file decides on a target, stores it, moves, makes the move durable for many
//     documents at once, and only then stores that the document is filed.
//
// Every request passes the gate, which keeps the pace and closes on trouble that
// is no document's own: a hold. A hold opens by itself, because the gate lets a
// single request through now and then to see.
//
// What one document meets is kept to that document: a stage's workers return no
// errors, they store them. Run ends with an error only where nothing can go on.
package pipeline
