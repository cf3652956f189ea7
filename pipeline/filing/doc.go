// Package filing moves documents to where they belong and knows what they are:
// safe names, moves inside and across filesystems that never overwrite, the
// format of a file by its content, and whether it is whole. It knows nothing of
// the service, the record or the states of a document.
//
// Use [Inspect], [Examine] and [Sniff] before anything is paid for,
// [FolderName] and [FreeName] to choose a place, [Mover.Do] to move, or a [Batch]
// for many documents, [Mover.SyncFoldersOf] or [SyncFolders] before relying on it,
// [Mover.Resume] for what was under way when the last run ended, and [Mover.Try] to
// tell trouble of one document from that of all.
//
// # What it promises
//
// Nothing is overwritten, and at every instant the whole content has a name in
// the inbox or in the target folder, whichever operation fails or is the last
// one before a crash or a loss of power. What is moved is the file that the
// caller described: one that took its place is left, or put back. No symbolic
// link beneath a root is followed, for reading or for writing, however the tree
// changes meanwhile. Nothing but a regular file is ever opened. A copy holds
// 256 KiB in memory whatever its size.
//
// # The move
//
//	open the folder of the source, component by component, no links
//	open the source, compare its identity (where it differs: its hash)
//	a writer has it open                   → ErrBusy
//	fsync the source's content             (unless as below)
//	open the folder of the target, making what is missing, no links
//	renameat2(source, target, RENAME_NOREPLACE)
//	    done         → the target is the inode that was checked, unchanged?
//	                   yes: done;  no: put it back, ErrChanged
//	    failed, and yet the target is our inode → as after a link
//	    taken        → fs.ErrExist
//	    not known here (EINVAL, ENOSYS, EPERM)  → link:
//	        link(descriptor of the source, target)
//	        drop(source)
//	    another filesystem (EXDEV), no links    → copy:
//	        create .docusort-TAG.tmp beside the target, O_EXCL
//	        copy and hash; the source unchanged, the hash as told
//	        owner, mode, times; fsync
//	        rename .docusort-TAG.tmp to the target, no replace
//	        fsync the target's folder
//	        drop(source);  failed: drop(target), the source stays
//
//	drop(name):
//	    rename name to .docusort-TAG.old (.undo for a target)
//	    still our inode, unchanged?  no: put it back
//	    unlink
//
//	"no replace", of a copy or of what is put back:
//	    renameat2(RENAME_NOREPLACE), else link and unlink, else an empty
//	    file without permissions takes the name and is renamed over
//
// The claim in drop is there because unlink goes by name: whatever somebody
// puts at the name between the last look and the unlink would be deleted.
//
// What many documents share a Batch does once: it keeps their folders open, looks
// before each document whether they still stand at their places, and may sync all
// of the inbox's filesystem instead of each content. A filesystem tells one caller
// only that it lost something, so for each document that was described before that
// sync and is unchanged the kernel is still asked whether its own writes were lost;
// any other is synced by itself.
//
// Syncing the folders is left to the caller, so that many documents share it.
// The order matters for a power cut only: sync both folders, then store that
// the document is filed.
//
// # After a crash
//
//	remove an empty file that reserves the target, and .docusort-TAG.tmp
//	.undo: the source stands whole → remove, else back to the target's name
//	.old:  the target stands whole → remove, else back to the source's name
//	target is ours, source gone or another file → Done
//	target is ours, source too                  → drop(source), Done
//	target is a link to the source, and its content is new
//	                                            → drop(target), NotStarted
//	target missing, source there                → NotStarted
//	target something else, source there         → Taken
//	source gone, target not ours                → Lost
//
// Ours is the same device and inode, or the same hash. A source is removed for
// a copy only where it is the very file that was described, not written to
// since, and the two are compared byte for byte: an equal file that came to the
// place of the source meanwhile is a document of its own, and so is an equal
// file at the target with another modification time.
//
// # What may go wrong
//
//   - [DiskTrouble]: full, read-only, failing or missing; wait.
//   - fs.ErrPermission: of one file or folder; say so, try again later. A
//     superuser's process is refused less than a service's.
//   - A process that had the file open before the move may write to it after.
//     ErrBusy catches it where the kernel tells (local filesystems, own files).
//   - A copy keeps owner (where permitted), mode and times, but neither
//     extended attributes nor access lists; a rename keeps everything.
//   - Deleting by name on a filesystem that other machines write to is as safe
//     as that filesystem's rename is atomic.
package filing
