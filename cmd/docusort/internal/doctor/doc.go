// Package doctor checks whether docusort can work here: its folders, the room on
// their disks, the limits of inotify and the database. It changes nothing, except
// that a Doctor with Fix makes missing folders and gives their owner the rights that
// are lacking. It never touches documents, and never deletes.
//
// Each check returns results, one for each thing checked, that say in a line what
// was found, or what is wrong and what to do about it. The caller checks what needs
// the service.
package doctor
