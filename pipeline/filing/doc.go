// Package filing moves documents to where they belong: safe names, and moves inside
// and across filesystems that never overwrite. It knows nothing of the service, the
// database or the states of a document.
//
// [Inspect] and [Examine] tell, before anything is paid for, whether a document is
// whole and can be moved. [FolderName] and [FreeName] choose a place, [SafeFolder] and
// [NextName] another one where the filesystem refuses it. [Mover.Do] moves inside a
// filesystem, [Mover.Copy] across two; [Mover.SyncContents] before many moves makes them
// cheaper. [Mover.SyncFoldersOf] makes moves durable: call it before storing that a
// document is filed. [Mover.Resume] finishes what an earlier run left.
// [DiskTrouble] and [Writable] tell trouble of one document from trouble of all.
//
// # What it promises
//
// Nothing is overwritten, and at every instant the whole content has a name in the
// inbox or in the target folder, whichever operation fails or is the last one before
// a crash or a loss of power. What is moved is the file that the caller described;
// one that took its place is left, or put back. No symbolic link beneath a root is
// followed, for reading or for writing, however the tree changes meanwhile. Nothing
// but a regular file is ever opened. A copy holds 256 KiB in memory whatever its size.
//
// # The move
//
//	open the source's folder, component by component, no links
//	open the source, compare its identity (where that differs: its hash)
//	somebody has it open for writing      → ErrBusy
//	open the target's folder, making what is missing, no links
//	Do:
//	    fsync the source's content        (unless SyncContents did)
//	    chmod g-w,o-w, where needed       not permitted: ErrNeedsCopy
//	    renameat2(source, target, RENAME_NOREPLACE)
//	        done           → is the target the file that was checked, or has its hash?
//	                         yes: done;  no: put it back, ErrChanged
//	        failed, and yet the target is our inode → as after a link
//	        taken          → fs.ErrExist
//	        another filesystem (EXDEV)  → ErrNeedsCopy
//	        not supported (EINVAL, ENOSYS, EPERM)  → link:
//	            link(descriptor of the source, target);  failed: ErrNeedsCopy
//	            unlinkExact(source);  failed: unlinkExact(target)
//	        any failure, and a folder of that name cannot be made  → ErrName
//	Copy:
//	    does it fit?  no: ENOSPC
//	    create .docusort-TAG.tmp beside the target, O_EXCL
//	    copy and hash; the source must not have changed, the hash must match
//	    owner, mode and access list less g-w,o-w, user attributes, times: what
//	    the filesystem refuses to set is left; fsync
//	    rename .docusort-TAG.tmp to the target, no replace
//	    fsync the target's folder
//	    unlinkExact(source);  failed: unlinkExact(target)
//
//	unlinkExact(name):
//	    rename name to .docusort-TAG.old (.undo for a target)
//	    is it still our inode, unchanged?  unlink
//	    of equal size, or unlink failed: as after a crash, now and at each later try
//	    otherwise: put it back
//
//	"no replace", of a copy and of what is put back:
//	    renameat2(RENAME_NOREPLACE), else link and unlink, else reserve the name
//	    with an empty file without permissions, and rename over that
//
// unlink goes by name, and would delete what somebody put there after the last look.
//
// # After a crash
//
//	remove an empty file that reserves the target, and .docusort-TAG.tmp
//	.undo: the source stands whole → remove, else back to the target's name
//	.old:  the target stands whole → remove, else back to the source's name
//	target is ours, source gone or another file → Done
//	target is ours, source too                  → unlinkExact(source), Done
//	target is a link to the source, which was written to since
//	                                            → unlinkExact(target), NotStarted
//	target missing, source there                → NotStarted
//	target something else, source there         → Taken
//	source gone, target not ours                → Lost
//
// Ours is the same device and inode, or the same hash. The source of a copy is
// removed only if it is the very file that was described, not written to since, and
// the two are equal byte for byte. An equal file that came to the source's place
// meanwhile is a document of its own, and so is an equal file at the target with
// another modification time.
//
// # What may go wrong
//
//   - A process that had the file open before the move may write to it after.
//     ErrBusy catches it where the kernel tells (local filesystems, own files).
//   - A copy whose filesystem refuses to set times is not recognised after a crash
//     before its source was claimed: both files stay.
//   - Deleting by name on a filesystem that other machines write to is as safe as
//     that filesystem's rename is atomic.
package filing
