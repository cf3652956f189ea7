// Package docutray is the client of the DocuTray identification API. It submits
// a document, polls a job, and lists the document types.
//
// The package owns what belongs to the service: addresses, field names, the
// forms of answers, and what a status code means. Callers see documents, jobs,
// types, and an [Error] whose Class says who has to act. The package never
// decides when to try again.
//
//	Submit ──► job id ──► Status ──► InProgress ──┐
//	                        ▲                     │ poll again later
//	                        └─────────────────────┘
//	                               ├─► Succeeded, with a Type
//	                               ├─► NoType
//	                               └─► Failed, with the service's reason
//
// What it promises:
//
//   - The key goes to the configured host and nowhere else. Redirects are not
//     followed. A key that an answer echoes is redacted, and [Key] prints as
//     "[redacted]" in every form.
//   - Submit makes at most one complete POST. It repeats a request only if no
//     byte of the body was read.
//   - [Error.OutcomeUnknown] is false only if the service cannot have made a job.
//     A 2xx that names no job, in whatever form, is of class [NoID].
//   - A web page is never the service's word about a document, a job or the
//     account: it is of class [Service], or [Rate].
//   - If the content fails, shrinks or grows, the service never gets a complete
//     body.
//   - An answer is used only if it is complete and about the job that was
//     polled. At most 1 MiB of it is read.
//   - Memory use does not depend on a document's size.
//
// A client starts no goroutines except those of its transport, and is safe for
// concurrent use.
package docutray
