// Checks a record with Go's own transparency-log packages and nothing of ours.
//
//	verifier checkpoint VKEY CHECKPOINT            the signed note opens under the key
//	verifier inclusion VKEY PROOF LEAF             a tlog-proof file proves the leaf
//	verifier consistency VKEY OLD NEW HASH...      the newer checkpoint extends the older one
//	verifier tiles VKEY CHECKPOINT DIR             every leaf in the entry bundles is proved from the hash tiles
//	verifier bundle VKEY BUNDLE.zip [WITNESS]      a sealed bundle is whole; WITNESS cosigned its checkpoint
//	verifier cosigned VKEY CHECKPOINT WITNESS      the witness of that key cosigned the checkpoint, and when
//
// VKEY and WITNESS are keys themselves; the others are files. It prints one line and exits 0, or says why not and exits 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: verifier checkpoint|inclusion|consistency|tiles|bundle|cosigned VKEY FILE ...")
	}
	key, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	switch args[0] {
	case "checkpoint":
		return checkpoint(key, args[2])
	case "inclusion":
		return inclusion(key, args[2], args[3])
	case "consistency":
		return consistency(key, args[2], args[3], args[4:])
	case "tiles":
		return tiles(key, args[2], args[3])
	case "bundle":
		return bundle(args[1], args[2], strings.Join(args[3:], ""))
	case "cosigned":
		return cosignedFile(key, args[3], args[2])
	}
	return fmt.Errorf("unknown check %q", args[0])
}

func open(key note.Verifier, text []byte) (tree tlog.Tree, err error) {
	signed, err := note.Open(text, note.VerifierList(key))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return tree, errors.New("not a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func openFile(key note.Verifier, path string) (tree tlog.Tree, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tree, err
	}
	return open(key, text)
}

func checkpoint(key note.Verifier, path string) error {
	tree, err := openFile(key, path)
	if err != nil {
		return err
	}
	fmt.Println("checkpoint", tree.N, tree.Hash)
	return nil
}

func inclusion(key note.Verifier, proofPath, leafPath string) error {
	text, err := os.ReadFile(proofPath)
	if err != nil {
		return err
	}
	leaf, err := os.ReadFile(leafPath)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof file")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	proof, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	tree, err := open(key, []byte(signed))
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return err
	}
	fmt.Println("inclusion", index, "of", tree.N)
	return nil
}

func consistency(key note.Verifier, oldPath, newPath string, path []string) error {
	older, err := openFile(key, oldPath)
	if err != nil {
		return err
	}
	newer, err := openFile(key, newPath)
	if err != nil {
		return err
	}
	proof, err := hashes(path)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash); err != nil {
		return err
	}
	fmt.Println("consistency", older.N, newer.N)
	return nil
}

func tiles(key note.Verifier, path, dir string) error {
	tree, err := openFile(key, path)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, store(dir))
	for index, bundle := int64(0), []byte(nil); index < tree.N; index++ {
		if index%256 == 0 {
			if bundle, err = os.ReadFile(bundlePath(dir, index/256, tree.N)); err != nil {
				return err
			}
		}
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("entry bundle of event %d is short", index)
		}
		size := int(binary.BigEndian.Uint16(bundle))
		leaf := bundle[2 : 2+size]
		bundle = bundle[2+size:]
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
			return fmt.Errorf("event %d: %w", index, err)
		}
	}
	fmt.Println("tiles", tree.N)
	return nil
}

// bundlePath names an entry bundle as c2sp.org/tlog-tiles does; tlog.Tile numbers its tiles in the same way.
func bundlePath(dir string, n, size int64) string {
	width := 256
	if rest := size - n*256; rest < 256 {
		width = int(rest)
	}
	name := tlog.Tile{H: 8, L: 0, N: n, W: width}.Path()
	return filepath.Join(dir, "tile", "entries", strings.TrimPrefix(name, "tile/8/0/"))
}

func hashes(lines []string) (found []tlog.Hash, err error) {
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize {
			return nil, errors.New("a proof holds hashes of 32 bytes in base64")
		}
		var hash tlog.Hash
		copy(hash[:], raw)
		found = append(found, hash)
	}
	return found, nil
}

// store reads hash tiles from a directory laid out as c2sp.org/tlog-tiles says.
type store string

func (s store) Height() int { return 8 }

func (s store) SaveTiles([]tlog.Tile, [][]byte) {}

func (s store) ReadTiles(wanted []tlog.Tile) (found [][]byte, err error) {
	for _, tile := range wanted {
		path := filepath.Join(string(s), "tile", strings.TrimPrefix(tile.Path(), "tile/8/"))
		data, err := os.ReadFile(path)
		if err != nil && tile.W < 256 {
			// A log keeps the full tile alone once there is one.
			full := tile
			full.W = 256
			data, err = os.ReadFile(filepath.Join(string(s), "tile", strings.TrimPrefix(full.Path(), "tile/8/")))
		}
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("tile %s is short", tile.Path())
		}
		found = append(found, data[:tile.W*tlog.HashSize])
	}
	return found, nil
}
