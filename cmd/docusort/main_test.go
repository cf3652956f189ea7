package main

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Flags of the longer runs.
var (
	long = flag.Bool("long", false, "kill at every step in every place, and hundreds of times at random")
	seed = flag.Uint64("seed", 0, "seed of what is random; 0: another one each time")
)

// childVariable makes this test binary run as docusort, with the injection that its
// value describes. Its name is not one that docusort looks at.
const childVariable = "SELFTEST_DOCUSORT"

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(childVariable); ok {
		var i injection
		if err := json.Unmarshal([]byte(text), &i); err != nil {
			panic(err)
		}
		hooks := i.hooks()
		hooks.jobPause, hooks.hangAfter = 500*time.Millisecond, i.HangAfter
		os.Exit(process(hooks))
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

// random returns a source of random numbers, and logs its seed.
func random(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("repeat with -seed=%d", s)
	return rand.New(rand.NewPCG(s, 0))
}

// noErr ends the test on an error of its own.
func noErr(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// needsRoot skips a test that starts processes of another user.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
}

func TestAddProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for setting, want := range map[string]int{"7": before, "": before + 1} {
		runtime.GOMAXPROCS(before)
		t.Setenv("GOMAXPROCS", setting)
		addProcessor()
		if n := runtime.GOMAXPROCS(0); n != want {
			t.Errorf("GOMAXPROCS=%q leaves %d, want %d", setting, n, want)
		}
	}
}
