package filing

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// acl makes an access list of tags, rights and ids.
func acl(entries ...[3]uint32) []byte {
	list := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range entries {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	return list
}

func attribute(t *testing.T, path, name string) string {
	t.Helper()
	value := make([]byte, 1024)
	n, err := unix.Getxattr(path, name, value)
	if errors.Is(err, unix.ENODATA) {
		return ""
	}
	must(t, err)
	return string(value[:n])
}

const none = 0xffffffff // the id of who needs none

// A copy keeps notes and access list, but nobody else may write to it.
func TestCopyKeepsExtendedAttributes(t *testing.T) {
	w := newWorld(t, true)
	list := acl([3]uint32{1, 6, none}, [3]uint32{2, 6, 65533}, [3]uint32{4, 4, none}, [3]uint32{16, 6, none}, [3]uint32{32, 0, none})
	for name, value := range map[string][]byte{"user.tags": []byte("blue"), "user.": []byte("x"), aclName: list} {
		err := unix.Setxattr(w.source(), name, value, 0)
		if errors.Is(err, unix.ENOTSUP) && name != "user." {
			t.Skip("no extended attributes here: not tested")
		}
	}
	id, err := Stat(w.mv.Root, w.mv.Source)
	must(t, err)
	w.mv.Identity = id
	must(t, NewMover(Options{}).MoveOrCopy(t.Context(), w.mv))
	w.only(w.content, w.target())
	same(t, "note", attribute(t, w.target(), "user.tags"), "blue")
	want := acl([3]uint32{1, 6, none}, [3]uint32{2, 4, 65533}, [3]uint32{4, 4, none}, [3]uint32{16, 4, none}, [3]uint32{32, 0, none})
	if got := attribute(t, w.target(), aclName); got != string(want) {
		t.Errorf("access list % x, want % x", got, want)
	}
}

// Where the copy's filesystem has no access lists, the group gets no more than its own
// rights, which the bits of a file with a list do not show.
func TestAccessListWithoutAPlace(t *testing.T) {
	dir := mounted(t)
	if dir == "" {
		t.Skip("may not mount")
	}
	for group, want := range map[uint32]uint32{0: 0o600, 4: 0o640, 6: 0o640} {
		path := dir + "/x"
		must(t, os.WriteFile(path, nil, 0o600))
		list := acl([3]uint32{1, 6, none}, [3]uint32{2, 6, 65533}, [3]uint32{4, group, none}, [3]uint32{16, 6, none}, [3]uint32{32, 0, none})
		if err := unix.Setxattr(path, aclName, list, 0); err != nil {
			t.Skip("no access lists here:", err)
		}
		f, err := os.Open(path)
		must(t, err)
		st, err := fstat(int(f.Fd()))
		must(t, err)
		_, mode := accessList(int(f.Fd()), st.Mode&0o777&^othersWrite)
		same(t, "mode", mode, want)
		must(t, f.Close())
	}
}

// A copy of a file with holes takes no more room than the file.
func TestCopyKeepsHoles(t *testing.T) {
	w := newWorld(t, false)
	mountAt(t, w.mv.Sorted, "size=2m")
	content := make([]byte, 40<<20)
	copy(content[10<<20:], "in the middle")
	must(t, os.Truncate(w.source(), 0))
	must(t, os.Truncate(w.source(), int64(len(content))))
	f, err := os.OpenFile(w.source(), os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("in the middle"), 10<<20)
	must(t, errors.Join(err, f.Close()))
	w.mv.SHA256 = nil
	w.mv.Identity, err = Stat(w.mv.Root, w.mv.Source)
	must(t, err)
	must(t, NewMover(Options{}).MoveOrCopy(t.Context(), w.mv))
	got, err := os.ReadFile(w.target())
	must(t, err)
	if !bytes.Equal(got, content) {
		t.Error("the content differs")
	}
	var st unix.Stat_t
	must(t, unix.Stat(w.target(), &st))
	if st.Blocks*512 > 1<<20 {
		t.Errorf("the copy takes %d bytes", st.Blocks*512)
	}
}
