package pipeline

import (
	"context"
	"time"
)

// pulse lets others see that a goroutine still goes round: whoever asks sends,
// and the goroutine receives wherever it waits, and between two pieces of long
// work. It answers only because it got that far, so an answer is proof.
type pulse chan struct{}

// ask returns nil once the goroutine has answered.
func (p pulse) ask(ctx context.Context) error {
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answer answers whoever asks at the moment, if anybody does.
func (p pulse) answer() {
	select {
	case <-p:
	default:
	}
}

// put takes a place in room, answering while there is none.
func (p pulse) put(room chan<- struct{}) {
	for {
		select {
		case room <- struct{}{}:
			return
		case <-p:
		}
	}
}

// sleep waits, answering meanwhile; false means that ctx ended first.
func (p pulse) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-p:
		case <-ctx.Done():
			return false
		}
	}
}

// pulses are those of the goroutines without which no document moves on. Each
// waits for something that may take for ever, as trouble may last, and answers
// all the same; what waits for a disk is no less alive.
type pulses struct{ submit, poll, file pulse }

func newPulses() pulses {
	return pulses{submit: make(pulse), poll: make(pulse), file: make(pulse)}
}

// Alive returns, for each goroutine that every document depends on, a function
// that returns nil once that goroutine has shown that it goes round, and an
// error when ctx ends before. While documents are copied to another filesystem
// an answer may take as long as the copy of one does.
func (p *Pipeline) Alive() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"submit": p.pulses.submit.ask, "poll": p.pulses.poll.ask, "file": p.pulses.file.ask,
	}
}

// notBegun answers for all of them until the function that it returns is called:
// what is not to go round yet does not stand still.
func (p pulses) notBegun() (begun func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-p.submit:
			case <-p.poll:
			case <-p.file:
			case <-end:
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}
