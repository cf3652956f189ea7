package store

import (
	"fmt"
	"time"
)

// Late says what has stood still for longer than a limit, or "". The writer is
// late when one transaction takes that long; waiting for a change is not work.
func (s *Store) Late(limit time.Duration) string {
	begun := s.busySince.Load()
	if begun == 0 {
		return ""
	}
	if took := time.Since(time.UnixMilli(begun)); took > limit {
		return fmt.Sprintf("the database writer has been in one transaction for %v", took.Round(time.Second))
	}
	return ""
}
