// Package docutraytest is a stand-in for the DocuTray identification API, in the
// manner of net/http/httptest: a handler that behaves like the service and
// records the requests, for tests, trials and benchmarks that spend no credits.
//
// It is as strict as the service about method, path, key, fields, content types
// and sizes. It decides a document's type by the words in the first 256 KiB of
// the file, whatever its format and name, and decodes nothing. A document
// without such words is "other". Identical bytes always give the same type.
// The Server header of every answer says that it is a stand-in.
//
//	s := docutraytest.New(docutraytest.Options{Latency: 2 * time.Second})
//	srv := httptest.NewServer(s)            // over a real connection, or
//	cfg.Transport = s.Transport()           // in-process, also in a synctest bubble
//	...
//	s.SetFaults(docutraytest.Faults{Outage: docutraytest.OutageUnavailable})
//	s.Uploads()                             // the documents that became jobs
//
// A [Server] has no goroutines and no timers: the state of a job follows from
// its age. Faults are drawn from the seed, once for each request and each job
// in order of arrival.
package docutraytest
