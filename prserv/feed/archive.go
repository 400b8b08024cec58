package feed

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxControl bounds the control files of a package, unpacked.
const maxControl = 16 << 20

var errNoControl = errors.New("it is no package: it has no control file")

// readArchive returns the paragraph of an ipk or deb: an ar archive of
// debian-binary, control.tar and data.tar, or a tar archive of the same, as
// opkg-build made it before 2014. Errors name the member.
func readArchive(file io.Reader) (*paragraph, error) {
	in := bufio.NewReader(file)
	if magic, _ := in.Peek(len(arMagic)); string(magic) == arMagic {
		member, name, err := controlOfAr(in)
		if err != nil {
			return nil, err
		}
		return controlOfTar(member, name)
	}
	outer, err := unpack(in, defaultMaxUnpacked)
	if err != nil {
		return nil, err
	}
	defer outer.Close()
	for members := tar.NewReader(outer); ; {
		head, err := members.Next()
		if err != nil {
			return nil, tarError(err)
		}
		if name := strings.TrimPrefix(head.Name, "./"); strings.HasPrefix(name, "control.tar") {
			return controlOfTar(members, name)
		}
	}
}

const (
	arMagic  = "!<arch>\n"
	arHeader = 60 // bytes before each member
)

// controlOfAr returns the member control.tar with its name. The members before
// it are few and small, or it is no package.
//
// Source: deb(5), "FORMAT".
func controlOfAr(in *bufio.Reader) (member io.Reader, name string, err error) {
	if _, err := in.Discard(len(arMagic)); err != nil {
		return nil, "", unpackError(err)
	}
	for range 10 {
		var head [arHeader]byte
		_, err := io.ReadFull(in, head[:])
		switch {
		case errors.Is(err, io.EOF):
			return nil, "", errNoControl
		case err != nil:
			return nil, "", unpackError(err)
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(head[48:58])), 10, 64)
		if err != nil || string(head[58:]) != "`\n" || size < 0 {
			return nil, "", errors.New("it is no ar archive: a member has a wrong header")
		}
		name := strings.TrimSuffix(string(bytes.TrimRight(head[:16], " ")), "/")
		if strings.HasPrefix(name, "control.tar") {
			return io.LimitReader(in, size), name, nil
		}
		// Members begin at even places.
		if _, err := io.CopyN(io.Discard, in, size+size%2); err != nil {
			return nil, "", tarError(err)
		}
	}
	return nil, "", errNoControl
}

// controlOfTar returns the paragraph of the file control in a tar archive.
func controlOfTar(archive io.Reader, name string) (*paragraph, error) {
	fail := func(err error) (*paragraph, error) { return nil, fmt.Errorf("member %s: %w", name, err) }
	unpacked, err := unpack(bufio.NewReader(archive), maxControl)
	if err != nil {
		return fail(err)
	}
	defer unpacked.Close()
	files := tar.NewReader(unpacked)
	for {
		head, err := files.Next()
		if err != nil {
			return fail(tarError(err))
		}
		if strings.TrimPrefix(head.Name, "./") != "control" {
			continue
		}
		var found *paragraph
		err = readControl(files, func(p *paragraph) error {
			if found == nil {
				found = p
			}
			return nil
		})
		switch {
		case err != nil:
			return fail(fmt.Errorf("control, %w", err))
		case found == nil:
			return fail(errors.New("control is empty"))
		}
		return found, nil
	}
}

// tarError says what is wrong with an archive that ends before its control
// file.
func tarError(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errNoControl
	case errors.Is(err, tar.ErrHeader):
		return errors.New("it is neither an ar nor a tar archive")
	case errors.Is(err, errTruncated), errors.Is(err, errTooLarge):
		return err
	}
	return unpackError(err)
}
