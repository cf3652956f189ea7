package status

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// lookEvery is how often a viewer looks whether something has changed.
	lookEvery = time.Second
	// aliveEvery is how often something is sent at the least, so that both ends
	// learn of a connection that is gone.
	aliveEvery = 15 * time.Second
	// sendTimeout is how long a viewer may leave what was sent unread.
	sendTimeout = 10 * time.Second
)

// change is what a section became.
type change struct {
	HTML    string `json:"html"`
	Version string `json:"version"`
}

// events tells a page of the sections that have changed, as server-sent events,
// until it goes away or we do.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	chosen, ok := windowOf(r.URL.Query().Get("window"))
	if !ok {
		http.Error(w, "There is no such window.", http.StatusNotFound)
		return
	}
	select {
	case s.viewers <- struct{}{}:
		defer func() { <-s.viewers }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many pages follow already.", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy passes on what it gets
	if r.Method == http.MethodHead {
		return
	}
	_ = out.SetReadDeadline(time.Time{}) // that of the request, which is over
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	sent, last := make(map[string]string), time.Time{}
	for {
		text := s.news(chosen, sent)
		if text == "" && time.Since(last) > aliveEvery {
			text = ": still here\n\n"
		}
		if text != "" {
			_ = out.SetWriteDeadline(time.Now().Add(sendTimeout))
			if _, err := fmt.Fprint(w, text); err != nil || out.Flush() != nil {
				return
			}
			last = time.Now()
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.closing:
			return
		}
	}
}

// news is an event with the sections that are others than those that were sent.
func (s *Server) news(w window, sent map[string]string) string {
	changes := make(map[string]change)
	for _, part := range s.record.view(w).sections {
		if sent[part.ID] != part.Version {
			sent[part.ID] = part.Version
			changes[part.ID] = change{string(part.HTML), part.Version}
		}
	}
	if len(changes) == 0 {
		return ""
	}
	data, err := json.Marshal(changes) // on one line, and with < and > escaped
	if err != nil {
		return ""
	}
	return "event: sections\ndata: " + string(data) + "\n\n"
}
