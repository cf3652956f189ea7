// Package watcher, for Linux, reports which files of an inbox have settled: they
// are whole and nobody writes to them any more. It knows nothing of what is in a
// file (a function that it is given looks inside) or of what becomes of it.
//
// Make a [Watcher] with [New]. Then call [Watcher.Run] to watch until the
// context ends, or [Watcher.RunOnce] for what is in the inbox now. The paths of
// settled files arrive on Config.Files.
//
// Events are hints, the scan is the truth. An event says where to look; what is
// there is always read from the disk. A full scan finds what no event told of:
//
//	inotify ─► events ───────────────► look ──┐
//	              │ overflow                  ▼        settle time,
//	              ▼                       candidate ──── Inspect ───► ready ─► Files
//	start, interval, Rescan, ─► full scan ──► (bounded)      │
//	inbox new or back           in batches        ▲          │ changed, Writing,
//	                                              └──────────┘ Incomplete: wait
//
// # Promises
//
//   - A file is sent when its size, times and inode have stood still for the
//     settle time and Inspect finds it complete. One that looks cut short stands
//     still for Config.IncompleteAfter first. Times are compared with those seen
//     before, never with our clock: a file server's clock may differ.
//   - A file that stays in the inbox and is not known is sent in the end,
//     whatever events were lost and however often the inbox was removed,
//     mounted over or made again.
//   - Symbolic links, FIFOs, sockets and devices are neither opened nor
//     followed. Names that match Config.Ignore are left alone.
//   - No owner of files keeps another's waiting: they share the places of those that are
//     waited for, and take turns in being looked at, for a bounded time in each round.
//     What does not settle gives its place up when another needs it, and has it again
//     from a later scan; [Watcher.NotTaken] tells of it.
//   - Of the files that are ready, the one that was written first is sent first.
//   - Memory depends on fixed limits and on the number of folders, not of files.
//     While nobody receives from Files, the scan stops where it is.
//   - At rest it wakes only for the rescan and to check that the inbox is still
//     the same folder.
//
// # What may go wrong
//
//   - A path may be sent twice: when the file changes after it was sent, and
//     when a rescan finds it before Config.Known does. The receiver must look
//     again anyway, as the file may have changed or gone meanwhile.
//   - A missing inbox, an unreadable folder, and a lack of inotify watches are
//     logged once and waited out. Without watches, and for changes that other
//     machines make on network filesystems, files are found by scanning, and so they are
//     where a path is too long for inotify. Trees far deeper than that are left alone.
//   - A running scan holds one folder open, so an unmount may be refused as busy
//     for that long.
//   - While a filesystem does not answer, a round does not end: Late tells, and Run
//     returns only when the filesystem answers again.
//   - Bind mounts that show one folder at two places in the inbox share one
//     watch: files in the other place are found at the rescan.
//   - Config.Known and Config.Inspect run on the watcher's own goroutine. While
//     one of them blocks nothing settles; events that no longer fit into the
//     queue of the kernel become a full scan.
package watcher
