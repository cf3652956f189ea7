package docutray

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// DocumentType is one of the types that the account can see. A listed type may
// still be refused at submission.
type DocumentType struct {
	Code              string // what is sent as an option
	Name, Description string
	Status            string // as the service says it, such as "PUBLISHED"
	Public, Draft     bool
}

const (
	typesPerPage = 20  // the reference's own example
	maxTypePages = 500 // 10,000 types: more is a service that goes round in circles
)

// typePage is the body of one page of the list.
type typePage struct {
	Data []struct {
		CodeType    text `json:"codeType"`
		Name        text `json:"name"`
		Description text `json:"description"`
		Status      text `json:"status"`
		IsPublic    bool `json:"isPublic"`
		IsDraft     bool `json:"isDraft"`
	} `json:"data"`
	Pagination struct {
		Total json.RawMessage `json:"total"`
	} `json:"pagination"`
}

// DocumentTypes returns all types that the account can see, each code once, in
// the service's order. The error is an [*Error].
func (c *Client) DocumentTypes(ctx context.Context) ([]DocumentType, error) {
	var types []DocumentType
	seen := map[string]bool{}
	for page, entries := 1, 0; ; page++ {
		body, k, ans, e := c.typePage(ctx, OpTypes, typesPerPage, page)
		if e != nil {
			return nil, e
		}
		news := false
		for _, t := range body.Data {
			code := cut(string(t.CodeType), maxCode)
			if code == "" || seen[code] || k.holdsKey(code) {
				continue
			}
			seen[code], news = true, true
			types = append(types, DocumentType{Code: code, Public: t.IsPublic, Draft: t.IsDraft,
				Name:        k.show(string(t.Name), maxName),
				Description: k.show(string(t.Description), maxMessage),
				Status:      k.show(string(t.Status), maxName)})
		}
		entries += len(body.Data)
		total, err := strconv.Atoi(unquote(body.Pagination.Total))
		if !news || (err == nil && entries >= total) {
			return types, nil
		}
		if page == maxTypePages {
			return nil, k.unusable(ans, fmt.Sprintf("the list goes on after %d pages", page), nil)
		}
	}
}

// Ping makes the cheapest request there is that costs no credit: it succeeds if
// the service is up and takes the key. The error is an [*Error].
func (c *Client) Ping(ctx context.Context) error {
	if _, _, _, e := c.typePage(ctx, OpPing, 1, 1); e != nil {
		return e
	}
	return nil
}

func (c *Client) typePage(ctx context.Context, op string, limit, page int) (*typePage, *call, *answer, *Error) {
	k := c.newCall(op)
	u := c.address(pathTypes, pathTypes)
	u.RawQuery = url.Values{"limit": {strconv.Itoa(limit)}, "page": {strconv.Itoa(page)}}.Encode()
	var body typePage
	ans, e := k.query(ctx, u, &body)
	if e == nil && body.Data == nil {
		// Any web page behind a login answers 200; only the list has a list.
		e = k.unusable(ans, "it has no list of types", nil)
	}
	return &body, k, ans, e
}
