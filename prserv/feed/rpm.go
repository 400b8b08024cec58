package feed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An rpm begins with a lead of 96 bytes, a header of signatures and a header
// of what the package is. A header has a magic number, the number of its
// entries and the size of its data, then the entries, then the data.
//
// Source: rpm, docs/manual/format_v4.md.
const (
	rpmLead       = 96
	rpmLeadMagic  = "\xed\xab\xee\xdb"
	rpmMagic      = "\x8e\xad\xe8\x01"
	rpmMaxEntries = 1 << 16
	rpmMaxData    = 256 << 20 // as rpm itself takes
)

// The tags and types of the entries that count.
const (
	rpmName          = 1000
	rpmVersion       = 1001
	rpmRelease       = 1002
	rpmEpoch         = 1003
	rpmArch          = 1022
	rpmSource        = 1044 // the name of the source package's file
	rpmSourcePackage = 1106 // is there if the package is a source package
	rpmInt32         = 4
	rpmString        = 6
)

var errNoRpm = errors.New("it is no rpm package")

// rpmFields are what counts of an rpm, whether from its header or from an index.
type rpmFields struct {
	name, epoch, version, release, arch, source string
	isSource                                    bool
}

// readRpm reads the headers of an rpm.
//
// The readers of headers that others have written allocate what a file claims
// to have before they look whether it has that.
func readRpm(file io.Reader) (*rpmFields, error) {
	in := bufio.NewReader(file)
	var lead [rpmLead]byte
	if _, err := io.ReadFull(in, lead[:]); err != nil {
		return nil, unpackError(err)
	}
	if string(lead[:4]) != rpmLeadMagic {
		return nil, errNoRpm
	}
	signatures, err := skipRpmHeader(in)
	if err != nil {
		return nil, fmt.Errorf("its header of signatures: %w", err)
	}
	if _, err := in.Discard(-signatures & 7); err != nil { // the next one begins at a multiple of 8
		return nil, unpackError(err)
	}
	f, err := readRpmHeader(in)
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	return f, nil
}

// startRpmHeader reads the number of entries and the size of the data.
func startRpmHeader(in io.Reader) (entries, size int, err error) {
	var head [16]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, 0, unpackError(noEOF(err))
	}
	n, s := binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
	switch {
	case string(head[:4]) != rpmMagic:
		return 0, 0, errNoRpm
	case n > rpmMaxEntries || s > rpmMaxData:
		return 0, 0, errTooLarge
	}
	return int(n), int(s), nil
}

// skipRpmHeader returns the size of the data that it skips.
func skipRpmHeader(in io.Reader) (int, error) {
	entries, size, err := startRpmHeader(in)
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(io.Discard, in, int64(entries*16+size))
	return size, unpackError(noEOF(err))
}

// readRpmHeader reads the entries that count. What the file does not have is
// not allocated.
func readRpmHeader(in io.Reader) (*rpmFields, error) {
	entries, size, err := startRpmHeader(in)
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	if _, err := io.CopyN(&all, in, int64(entries*16+size)); err != nil {
		return nil, unpackError(noEOF(err))
	}
	index, data := all.Bytes()[:entries*16], all.Bytes()[entries*16:]
	f := &rpmFields{}
	texts := map[uint32]*string{rpmName: &f.name, rpmVersion: &f.version, rpmRelease: &f.release, rpmArch: &f.arch, rpmSource: &f.source}
	for ; len(index) > 0; index = index[16:] {
		tag, kind := binary.BigEndian.Uint32(index), binary.BigEndian.Uint32(index[4:])
		at := int64(binary.BigEndian.Uint32(index[8:]))
		to := texts[tag]
		switch {
		case tag == rpmSourcePackage:
			f.isSource = true
		case to == nil && tag != rpmEpoch:
		case at >= int64(len(data)):
			return nil, fmt.Errorf("entry %d is outside of it", tag)
		case tag == rpmEpoch && kind == rpmInt32 && at+4 <= int64(len(data)):
			f.epoch = strconv.FormatUint(uint64(binary.BigEndian.Uint32(data[at:])), 10)
		case to != nil && kind == rpmString:
			text, _, ends := bytes.Cut(data[at:], []byte{0})
			if !ends || len(text) > maxValue || !utf8.Valid(text) {
				return nil, fmt.Errorf("entry %d is no text", tag)
			}
			*to = string(text)
		default:
			return nil, fmt.Errorf("entry %d has a wrong type", tag)
		}
	}
	if f.name == "" || f.version == "" || f.release == "" {
		return nil, errors.New("it lacks a name, a version or a release")
	}
	return f, nil
}

// noEOF makes an end within something what it is, an unexpected one.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// takeRpm passes on an rpm. Its recipe is what its source package is named
// after: PN-PKGV-PKGR.src.rpm, in which only PN has a minus. The version is
// the recipe's own, which packages of the recipe may replace by another; the
// release is that of the package.
//
// Source: package_rpm.bbclass:write_specfile, srcname and srcversion.
func (r *reader) takeRpm(f *rpmFields, file string, line int) error {
	if f.isSource || f.arch == "src" || f.arch == "nosrc" {
		return nil // nobody updates those
	}
	p := &Package{Format: Rpm, Name: f.name, Version: f.version, Release: f.release, Arch: f.arch, File: file, Line: line}
	if f.epoch != "0" {
		p.Epoch = f.epoch
	}
	p.Recipe = recipeOfSource(f.source)
	p.Mangled = '_'
	if p.Arch == "noarch" { // since pyro the architecture all: package_rpm.bbclass:do_package_rpm
		p.Arch, p.Mangled = "all", 0
	}
	return r.take(p, p.Recipe)
}

// recipeOfSource returns the name in the name of a source package's file, or "".
func recipeOfSource(file string) string {
	base := file
	for range 2 {
		i := strings.LastIndexByte(base, '-')
		if i < 0 {
			return ""
		}
		base = base[:i]
	}
	return base
}
