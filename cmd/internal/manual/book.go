package manual

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// NewBook returns the book of a version. Its date is that of the source where
// the packager gives one in SOURCE_DATE_EPOCH, so that the same source makes the
// same pages; else it is today.
func NewBook(source string) (Book, error) {
	b := Book{Source: source, Date: time.Now()}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return b, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		b.Date = time.Unix(seconds, 0)
	}
	return b, nil
}
