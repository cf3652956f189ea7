// Package docutraytest is a stand-in for the DocuTray identification API, in
// the manner of net/http/httptest: a handler that behaves as the service does
// and records what it was asked, for tests, trials and benchmarks that spend no
// credits.
//
// It is as strict as the service: method, path, key, required fields, the
// declared content type against the bytes, the size limit. It decides a
// document's type by rules over what the document contains (its text, its text
// chunks, its proportions), never by its name, so that identical bytes always
// give the same type. It recognises no scanned letters: a picture without text
// in its metadata is mostly "other". Every answer says in its Server header
// that it is a stand-in.
//
//	s := docutraytest.New(docutraytest.Options{Latency: 2 * time.Second})
//	srv := httptest.NewServer(s)            // over a real connection, or
//	cfg.Transport = s.Transport()           // in-process, also in a synctest bubble
//	...
//	s.SetFaults(docutraytest.Faults{Outage: docutraytest.OutageUnavailable})
//	s.Uploads()                             // what arrived whole
//
// A [Server] has no goroutines and no timers: a job's state follows from its
// age when it is asked for. Uploads are hashed while they stream; of each only
// what is needed to tell its type is held, and that only until the answer.
//
// Faults are drawn from the seed, one draw for each request and each job in
// order of arrival; with concurrent clients that order is theirs.
package docutraytest
