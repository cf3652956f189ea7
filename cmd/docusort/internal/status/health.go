package status

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"docusort/cmd/docusort/internal/report/display"
	"docusort/store"
)

// What /healthz says.
const (
	healthy    = "ok"
	onHold     = "hold"
	stalled    = "stalled"
	unreadable = "unreadable" // the database is
)

// Health is the answer of /healthz.
type Health struct {
	Status string     `json:"status"`
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	Until  *time.Time `json:"until,omitempty"` // the end of a hold, where it is known
	Stuck  int        `json:"stuck,omitempty"` // documents, for which the daemon itself may be ok
}

const (
	// patience is how long documents that could go on may stand still. Polls and
	// retries are much closer together.
	patience = 10 * time.Minute
	// uploadPatience is the same during an upload: one may take an hour, and the
	// client watches whether bytes move.
	uploadPatience = 75 * time.Minute
)

// judge says how the daemon is. answered is when the service last answered, begun
// when the server started, pollMax the longest pause between two polls.
func judge(d store.Daemon, p store.Progress, answered, begun, now time.Time, pollMax time.Duration) Health {
	if h := d.Hold; h != nil {
		out := Health{Stuck: p.Stuck, Status: onHold, Reason: fmt.Sprintf("on hold (%s): %s", h.Kind, display.Prose(h.Reason)), Since: &h.Since}
		if !h.Until.IsZero() {
			out.Until = &h.Until
		}
		return out
	}
	last := slices.MaxFunc([]time.Time{begun, p.Last, answered}, time.Time.Compare)
	limit := max(patience, 3*pollMax)
	if p.Unfinished[store.Submitting] > 0 {
		limit = max(limit, uploadPatience)
	}
	if p.Due > 0 && now.Sub(last) > limit {
		return Health{Stuck: p.Stuck, Status: stalled, Since: &last,
			Reason: fmt.Sprintf("%s could continue, but nothing has happened for %s", display.Things(p.Due, "document"), display.Age(now.Sub(last)))}
	}
	return Health{Stuck: p.Stuck, Status: healthy}
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	health := s.cache.state().health
	w.Header().Set("Content-Type", "application/json")
	if health.Status != healthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(health)
}
