// Package watcher says which files of an inbox have settled: which ones are
// whole and no longer being written. It knows nothing of what is in them (a
// function that it is given looks inside), of any database, or of what becomes
// of a file afterwards.
//
// Make a [Watcher] with [New], then call [Watcher.Run] for as long as the
// inbox is to be watched, or [Watcher.RunOnce] for what is in it now. Paths of
// settled files arrive on Config.Files.
//
// Events are hints, the scan is the truth. An event says where to look; what
// is there is always read from the disk, and a full scan finds what no event
// told of:
//
//	inotify ─► hints (bounded, per path) ─► look ─┐
//	                 │ too many, overflow         ▼        settle time,
//	                 ▼                        candidate ── Inspect ──► ready ─► Files
//	start, interval, Rescan, ─► full scan ──► (bounded)      │
//	inbox new or back           in batches        ▲          │ changed, Writing,
//	                                              └──────────┘ Incomplete: wait
//
// # What it promises
//
//   - A file is sent when its size, times and inode stood still for the settle
//     time and Inspect finds it complete; one that looks cut short stands
//     still for Config.IncompleteAfter first. Times are compared with what was
//     seen before, never with our clock: a file server's clock may differ.
//   - A file that stays in the inbox and is not known is sent in the end,
//     whatever events were lost and however often the inbox was removed,
//     mounted over or made again.
//   - Symbolic links, FIFOs, sockets and devices are neither opened nor
//     followed; what has a name that matches Config.Ignore is left alone.
//   - Of the files that are ready, the one that was written first is sent first.
//   - Memory depends on fixed limits and on the number of folders, not on the
//     number of files. When the reader of Files stalls, the scan stops where it
//     is and events are reduced to "look again".
//   - At rest it wakes for the rescan and to see whether the inbox is still
//     the same folder, and for nothing else.
//
// # What may go wrong
//
//   - A path may be sent twice: when it changes after it was sent, and when a
//     rescan finds it before Config.Known does. Whoever receives it must look
//     again anyway, as the file may have changed or gone meanwhile.
//   - A missing inbox, an unreadable folder, and a lack of inotify watches are
//     logged once and waited out. Without watches, and for changes that others
//     make on network filesystems, files are found by scanning.
//   - While a scan runs it holds one folder open, so an unmount may be refused
//     as busy for that long.
//   - Bind mounts that show one folder at two places in the inbox share one
//     watch: files in the other place are found at the rescan.
//   - Config.Known and Config.Inspect run on the watcher's own goroutine: while
//     one of them blocks nothing is settled, though no event is lost.
//
// The package is for Linux.
package watcher
