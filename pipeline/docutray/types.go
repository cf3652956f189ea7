package docutray

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// DocumentType is a type that the account can see. The service may still refuse
// it at submission.
type DocumentType struct {
	Code   string // the option to send
	Name   string
	Status string // as the service puts it, such as "PUBLISHED"
	Draft  bool
}

const (
	typesPerPage = 20  // as in the public reference
	maxTypePages = 500 // of a list that does not end
)

// typePage is the body of one page of the list.
type typePage struct {
	Data []struct {
		CodeType text `json:"codeType"`
		Name     text `json:"name"`
		Status   text `json:"status"`
		IsDraft  bool `json:"isDraft"`
	} `json:"data"`
	Pagination struct {
		Total text `json:"total"`
	} `json:"pagination"`
}

// DocumentTypes returns all types that the account can see, each code once, in
// the service's order. The error is an [*Error].
func (c *Client) DocumentTypes(ctx context.Context) ([]DocumentType, error) {
	var types []DocumentType
	seen := map[string]bool{}
	for page, entries := 1, 0; ; page++ {
		k := c.newCall(OpTypes)
		body, ans, e := k.typePage(ctx, typesPerPage, page)
		if e != nil {
			return nil, e
		}
		if at, err := http.ParseTime(ans.header.Get("Date")); err == nil {
			c.skew.Store(int64(ans.received.Sub(at)))
		}
		more := false
		for _, t := range body.Data {
			code := cut(string(t.CodeType), maxCode)
			if code == "" || seen[code] || k.hidesKey(code) {
				continue
			}
			seen[code], more = true, true
			types = append(types, DocumentType{Code: code, Draft: t.IsDraft,
				Name: k.show(string(t.Name), maxName), Status: k.show(string(t.Status), maxName)})
		}
		entries += len(body.Data)
		total, err := strconv.Atoi(string(body.Pagination.Total))
		if !more || err == nil && entries >= total {
			return types, nil
		}
		if page == maxTypePages {
			return nil, k.unusable(ans, fmt.Sprintf("the list does not end after %d pages", page), nil)
		}
	}
}

// ClockSkew returns how far this machine's clock was ahead of the service's when the types
// were last listed, to a second or so; 0 where that is not known.
func (c *Client) ClockSkew() time.Duration { return time.Duration(c.skew.Load()) }

// Ping makes a request that costs no credit. It succeeds if the service is up
// and accepts the key. The error is an [*Error].
func (c *Client) Ping(ctx context.Context) error {
	if _, _, e := c.newCall(OpPing).typePage(ctx, 1, 1); e != nil {
		return e
	}
	return nil
}

func (k *call) typePage(ctx context.Context, limit, page int) (*typePage, *answer, *Error) {
	u := k.client.address(pathTypes, pathTypes)
	u.RawQuery = url.Values{"limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(page)}}.Encode()
	var body typePage
	ans, e := k.query(ctx, u, &body)
	if e == nil && body.Data == nil {
		e = k.unusable(ans, "no list of types", nil) // perhaps a proxy's page
	}
	return &body, ans, e
}
