package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"docusort/pipeline"

	"go.uber.org/goleak"
)

// Flags of the longer runs.
var (
	long  = flag.Bool("long", false, "kill at every step in every place, and a thousand times at random")
	kills = flag.Int("kills", 0, "kills at random in each of the places; 0: a dozen, with -long hundreds")
	seed  = flag.Uint64("seed", 0, "what is drawn from; 0: another one each time")
)

// childVariable makes this test binary be docusort, with the hooks that its
// value describes. Its name begins with nothing that docusort looks at.
const childVariable = "SELFTEST_DOCUSORT"

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(childVariable); ok {
		var d death
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			panic(err)
		}
		os.Exit(run(untilSignal(), thisProcess(d.hooks())))
	}
	flag.Parse()
	parallel := false
	flag.Visit(func(f *flag.Flag) { parallel = parallel || f.Name == "test.parallel" })
	if !parallel {
		// These tests mostly wait: for files to settle, for pauses to end.
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// death says where a docusort ends itself. The zero value is nowhere.
type death struct {
	Step   pipeline.Step // at this step
	Files  bool          // at an operation on the disk instead
	N      int64         // when it comes to that for the N-th time, from 1
	Panic  bool          // by a panic instead of SIGKILL
	Freeze bool          // stands still instead, and leaves the rest to its parent
	Fault  fault         // no death, but trouble
}

func (d death) String() string {
	switch {
	case d.Fault.Op != "":
		return d.Fault.String()
	case d.N == 0:
		return "no death of its own"
	case d.Files:
		return fmt.Sprintf("death at file operation %d", d.N)
	}
	return fmt.Sprintf("death at %q, time %d", d.Step, d.N)
}

func (d death) hooks() testHooks {
	if d.Fault.Op != "" {
		return d.Fault.hooks()
	}
	var n atomic.Int64
	count := func() {
		if n.Add(1) != d.N {
			return
		}
		if d.Panic {
			panic("a death that a test asked for")
		}
		end := syscall.SIGKILL
		if d.Freeze {
			end = syscall.SIGSTOP
		}
		syscall.Kill(os.Getpid(), end)
		select {} // nothing more is done by who comes here
	}
	if d.Files {
		return testHooks{file: func(string, bool) error { count(); return nil }}
	}
	return testHooks{step: func(s pipeline.Step) {
		if s == d.Step {
			count()
		}
	}}
}

// draws returns a source for what a test draws, and says how to get the same again.
func draws(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("draws from -seed=%d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// noErr ends the test on an error of its own.
func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// There is a processor to spare, unless the environment says how many there are.
func TestAddProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	t.Setenv("GOMAXPROCS", "7")
	addProcessor()
	if n := runtime.GOMAXPROCS(0); n != before {
		t.Errorf("%d, although the environment says how many", n)
	}
	t.Setenv("GOMAXPROCS", "")
	addProcessor()
	if n := runtime.GOMAXPROCS(0); n != before+1 {
		t.Errorf("%d of %d", n, before)
	}
}

// Lines of the log that tests wait for.
const (
	logStarted  = "msg=started "
	logStopping = `msg="stopping; `
)
