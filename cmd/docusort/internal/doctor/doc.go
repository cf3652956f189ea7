// Package doctor looks whether docusort can work here: its folders, the room on
// their disks, the kernel's limits and the record. It changes nothing, except
// that a Doctor with Fix makes folders that are missing and gives their owner
// the rights that he lacks. It never touches documents, and never deletes.
//
// Each look ends in results, one for each thing looked at, that say in a line
// what is, or what is wrong and what to do about it. What needs the service is
// asked by the caller, who knows it.
package doctor
