// Package docutray talks to the DocuTray identification API: it submits a
// document, asks for a job's state, and lists the document types.
//
// The package owns everything that is the service's: addresses, field names,
// forms of answers, what a status means, how long to wait after a 429. Its
// callers see documents, jobs, types and [Error], whose Class says whose fault
// a failure is. Nothing here decides when to try again; nothing is remembered
// between requests except how the peer treats "Expect: 100-continue", when it
// last answered, and which unknown job states have been logged.
//
//	Submit ──► job id ──► Status ──► InProgress ──┐
//	                        ▲                     │ (ask again later)
//	                        └─────────────────────┘
//	                               ├─► Succeeded, with a Type
//	                               └─► Failed, with the service's reason
//
// What it promises:
//
//   - The key goes to the configured host and nowhere else. Redirects are not
//     followed, an answer that echoes the key is redacted, and [Key] prints as
//     "[redacted]" in every form.
//   - One call of Submit makes at most one complete POST. A request is repeated
//     only when not one byte of its body was handed to the network.
//   - [Error.Unknown] is false only when no job can have been made.
//   - An upload whose content fails, shrinks or grows never reaches the service
//     as a complete body. A small one fails before its request is made.
//   - An answer is used only if it is whole, at most 1 MiB, and about the job
//     that was asked for. Memory does not depend on the size of a document.
//
// A client has no goroutines of its own beyond those of its transport and is
// safe for concurrent use.
package docutray
