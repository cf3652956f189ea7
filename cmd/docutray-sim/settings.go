package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"docusort/pipeline/docutray/docutraytest"
)

type settings struct {
	listen string
	types  []string
	opts   docutraytest.Options
}

func (s *settings) register(f *pflag.FlagSet) {
	o := &s.opts
	f.StringVar(&s.listen, "listen", "127.0.0.1:8099", "address to listen on; port 0 takes a free one")
	f.StringVar(&o.Key, "key", docutraytest.DefaultKey, "the API key that is accepted")
	f.DurationVar(&o.Latency, "latency", 0, "how long a job takes (the median with --sigma)")
	f.Float64Var(&o.Sigma, "sigma", 0, "spread of the latency: standard deviation of its logarithm")
	f.IntVar(&o.RateLimit, "rate-limit", 0, "requests a minute (see --rate-window), polls included; 0 is no limit")
	f.DurationVar(&o.RateWindow, "rate-window", time.Minute, "the window of --rate-limit")
	f.IntVar(&o.RateBurst, "rate-burst", 0, "requests that --rate-limit accepts at once before an even pace; 0 counts in windows")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of all random draws; 0 chooses one")
	f.BoolVar(&o.AltForms, "alt-forms", false, "use the other documented forms of answers as well")
	f.StringSliceVar(&s.types, "types", nil, "codes of the account's types (default: a built-in list)")

	o.Faults.StallFor = docutraytest.Duration(30 * time.Second)
	o.Faults.Each(func(name, usage string, value any) {
		registerFault(f, strings.ReplaceAll(name, "_", "-"), usage, value)
	})
}

// registerFault adds the flag of one fault, whose default is its present value.
func registerFault(f *pflag.FlagSet, name, usage string, value any) {
	switch v := value.(type) {
	case *float64:
		f.Float64Var(v, name, *v, "probability, 0 to 1: "+usage)
	case *int:
		f.IntVar(v, name, *v, usage)
	case *bool:
		f.BoolVar(v, name, *v, usage)
	case *string:
		f.StringVar(v, name, *v, usage)
	case *docutraytest.Outage:
		f.StringVar((*string)(v), name, "", usage)
	case *docutraytest.AccountState:
		f.StringVar((*string)(v), name, "", usage)
	case *docutraytest.Duration:
		f.DurationVar((*time.Duration)(v), name, time.Duration(*v), usage)
	case *time.Time:
		f.TimeVar(v, name, *v, []string{time.RFC3339, time.DateOnly}, usage)
	default:
		panic("no flag for the fault " + name)
	}
}

// check refuses invalid values and completes the options.
func (s *settings) check() error {
	o := &s.opts
	if err := o.Faults.Check(); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(o.Key) == "" || strings.ContainsAny(o.Key, " \t\r\n"):
		return fmt.Errorf("--key must not be empty or contain white space")
	case o.Latency < 0:
		return fmt.Errorf("--latency must not be negative")
	case !(o.Sigma >= 0 && o.Sigma <= 5):
		return fmt.Errorf("--sigma must be from 0 to 5")
	case o.RateLimit < 0:
		return fmt.Errorf("--rate-limit must not be negative")
	case o.RateBurst < 0:
		return fmt.Errorf("--rate-burst must not be negative")
	case o.RateWindow <= 0:
		return fmt.Errorf("--rate-window must be positive")
	}
	if _, _, err := net.SplitHostPort(s.listen); err != nil {
		return fmt.Errorf("--listen %q must be HOST:PORT", s.listen)
	}
	for _, code := range s.types {
		if code = strings.TrimSpace(code); code == "" {
			return fmt.Errorf("--types contains an empty code")
		}
		o.Types = append(o.Types, docutraytest.Published(code)...)
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64N(math.MaxUint32) + 1 // short enough to retype
	}
	return nil
}
