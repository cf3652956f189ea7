// Package doctor checks whether docusort can work here: its folders, the room on
// their disks, the limits of inotify and of the unit, and the database. What it says
// is right for the user of the service: whoever else runs it is not told to open
// anything to themselves. It changes nothing, except that it moves small files of its
// own from the inbox to the sorted folder and removes them, and that a Doctor with Fix
// makes missing folders and gives their owner the rights that are lacking. It never
// touches documents.
//
// Each check returns results, one for each thing checked, that say in a line what
// was found, or what is wrong and what to do about it. The caller checks what needs
// the service.
package doctor
