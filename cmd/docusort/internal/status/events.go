package status

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// lookEvery is how often to look for changes.
	lookEvery = time.Second
	// aliveEvery is how often to send something at least, so that both ends notice
	// a broken connection.
	aliveEvery = 15 * time.Second
	// sendTimeout is how long a viewer may leave what was sent unread.
	sendTimeout = 10 * time.Second
)

// events sends a page the sections that have changed, as server-sent events, until
// the viewer or the server goes away.
func (s *Server) events(w http.ResponseWriter, r *http.Request, q query) {
	select {
	case s.viewers <- struct{}{}:
		defer func() { <-s.viewers }()
	default:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "Too many pages are open already.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for proxies: pass it on at once
	if r.Method == http.MethodHead {
		return
	}
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the request has been read
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	sent, last := make(map[string]string), time.Time{}
	for {
		text := s.changes(r.Context(), q, sent)
		if text == "" && time.Since(last) > aliveEvery {
			text = "event: alive\ndata: 1\n\n"
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

func (s *Server) changes(ctx context.Context, q query, sent map[string]string) string {
	v, err := s.cache.view(ctx, q)
	if err != nil {
		return ""
	}
	changed := make(map[string]section)
	for _, part := range v.sections {
		if sent[part.ID] != part.Version {
			sent[part.ID] = part.Version
			changed[part.ID] = part
		}
	}
	if len(changed) == 0 {
		return ""
	}
	data, err := json.Marshal(changed) // on one line, and with < and > escaped
	if err != nil {
		return ""
	}
	return "event: sections\ndata: " + string(data) + "\n\n"
}
