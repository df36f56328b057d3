package main

import (
	"archive/zip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	mostMembers = 500_000
	mostMember  = 64 << 20
	mostTotal   = 2 << 30
)

// files are the members of a bundle, read into memory; nothing is ever extracted.
type files map[string][]byte

// bundle checks a sealed bundle: its manifest, every file, every event, and what was disclosed of them.
func bundle(vkey, name, witness string) error {
	inside, err := readZip(name)
	if err != nil {
		return err
	}
	key, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	if err := manifest(inside, vkey); err != nil {
		return err
	}
	tree, err := open(key, inside["checkpoint"])
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if witness != "" {
		if _, err := cosigned(key, witness, inside["checkpoint"]); err != nil {
			return err
		}
	}
	promised, count, err := events(inside, tree)
	if err != nil {
		return err
	}
	if err := disclosed(inside, promised); err != nil {
		return err
	}
	fmt.Println("bundle", count, "events of", tree.N)
	return nil
}

func readZip(name string) (files, error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	if len(archive.File) > mostMembers {
		return nil, errors.New("the archive holds too many members")
	}
	inside, total := files{}, uint64(0)
	for _, member := range archive.File {
		clean := path.Clean(member.Name)
		unsafe := strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, ".") || strings.ContainsAny(clean, "\\\x00")
		if clean != member.Name || unsafe || !member.Mode().IsRegular() {
			return nil, fmt.Errorf("the archive holds a member that is not safe: %q", member.Name)
		}
		if _, twice := inside[member.Name]; twice {
			return nil, fmt.Errorf("the archive holds %q twice", member.Name)
		}
		total += member.UncompressedSize64
		if member.UncompressedSize64 > mostMember || total > mostTotal {
			return nil, fmt.Errorf("the archive unpacks to too much at %q", member.Name)
		}
		reader, err := member.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(reader, mostMember+1))
		if err != nil || len(data) > mostMember {
			return nil, fmt.Errorf("member %q cannot be unpacked", member.Name)
		}
		inside[member.Name] = data
	}
	return inside, nil
}

// manifest checks the DSSE envelope and that it names every file, and no other, by its SHA-256.
func manifest(inside files, vkey string) error {
	var envelope struct {
		PayloadType, Payload string
		Signatures           []struct{ Sig string }
	}
	var statement struct {
		Subject []struct {
			Name   string
			Digest struct{ Sha256 string }
		}
	}
	if err := json.Unmarshal(inside["MANIFEST.json"], &envelope); err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
	if err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	kind := envelope.PayloadType
	signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
	parts := strings.SplitN(vkey, "+", 3) // The key itself may hold plus signs.
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return errors.New("the key is not an Ed25519 key")
	}
	good := false
	for _, one := range envelope.Signatures {
		signature, err := base64.StdEncoding.DecodeString(one.Sig)
		good = good || (err == nil && ed25519.Verify(raw[1:], []byte(signed), signature))
	}
	if !good {
		return errors.New("the manifest is not signed by the key")
	}
	if err := json.Unmarshal(payload, &statement); err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	named := map[string]bool{"MANIFEST.json": true}
	for _, one := range statement.Subject {
		data, here := inside[one.Name]
		if !here {
			return fmt.Errorf("%s is in the manifest and not in the bundle", one.Name)
		}
		if digest := sha256.Sum256(data); hex.EncodeToString(digest[:]) != one.Digest.Sha256 {
			return fmt.Errorf("%s is not what was sealed", one.Name)
		}
		named[one.Name] = true
	}
	for name := range inside {
		if !named[name] {
			return fmt.Errorf("%s is not in the manifest", name)
		}
	}
	return nil
}

// events checks every event's proof, and returns what each promises: commitments by event and place.
func events(inside files, tree tlog.Tree) (map[int64]map[string]string, int, error) {
	promised, count := map[int64]map[string]string{}, 0
	for _, name := range sorted(inside) {
		leaf := inside[name]
		if !strings.HasPrefix(name, "events/") || !strings.HasSuffix(name, ".json") {
			continue
		}
		text := strings.TrimSuffix(strings.TrimPrefix(name, "events/"), ".json")
		index, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, 0, err
		}
		var event any
		if err := json.Unmarshal(leaf, &event); err != nil {
			return nil, 0, fmt.Errorf("event %d: %w", index, err)
		}
		said, _ := event.(map[string]any)
		if n, _ := said["n"].(float64); int64(n) != index {
			return nil, 0, fmt.Errorf("event %d says that it is event %d", index, int64(n))
		}
		if err := proven(inside["events/"+text+".tlog-proof"], inside["checkpoint"], tree, index, leaf); err != nil {
			return nil, 0, fmt.Errorf("event %d: %w", index, err)
		}
		found := map[string]string{}
		promises("", event, found)
		if digest, _ := said["beside"].(string); digest != "" {
			found["beside"] = digest
		}
		promised[index] = found
		count++
	}
	return promised, count, nil
}

func sorted(inside files) (names []string) {
	for name := range inside {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func proven(text, checkpoint []byte, tree tlog.Tree, index int64, leaf []byte) error {
	head, signed, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("there is no proof")
	}
	if lines[1] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("its proof is of event %s", strings.TrimPrefix(lines[1], "index "))
	}
	if signed != string(checkpoint) {
		return errors.New("it is proven against another checkpoint")
	}
	proof, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(leaf))
}

// promises collects every commitment in an event by where it stands, a JSON pointer.
func promises(at string, value any, found map[string]string) {
	switch one := value.(type) {
	case map[string]any:
		digest, has := one["c"].(string)
		if _, sized := one["size"]; has && sized && len(one) == 2 {
			found[at] = digest
			return
		}
		for name, inner := range one {
			promises(at+"/"+name, inner, found)
		}
	case []any:
		for number, inner := range one {
			promises(at+"/"+strconv.Itoa(number), inner, found)
		}
	}
}

// disclosed checks content against what its event promised, and that the rest is said to be held back.
func disclosed(inside files, promised map[int64]map[string]string) error {
	for name, data := range inside {
		if strings.HasPrefix(name, "beside/") {
			index, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(name, "beside/"), ".msgpack"), 10, 64)
			digest := sha256.Sum256(data)
			if err != nil || promised[index]["beside"] != hex.EncodeToString(digest[:]) {
				return fmt.Errorf("%s is not what was recorded", name)
			}
			delete(promised[index], "beside")
		}
		if !strings.HasPrefix(name, "disclosed/") {
			continue
		}
		var said struct {
			Event             int64
			At, Salt, Content string
		}
		if err := json.Unmarshal(data, &said); err != nil {
			return fmt.Errorf("%s cannot be read: %w", name, err)
		}
		salt, wrong := base64.StdEncoding.DecodeString(said.Salt)
		content, bad := base64.StdEncoding.DecodeString(said.Content)
		digest := sha256.Sum256([]byte("outrider/v1/content\x00" + string(salt) + string(content)))
		if wrong != nil || bad != nil || promised[said.Event][said.At] != hex.EncodeToString(digest[:]) {
			return fmt.Errorf("%s is not what event %d promised", name, said.Event)
		}
		delete(promised[said.Event], said.At)
	}
	return withheld(inside["redactions.json"], promised)
}

func withheld(data []byte, promised map[int64]map[string]string) error {
	var said struct {
		Held []struct {
			What   string
			Events []json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return fmt.Errorf("redactions.json cannot be read: %w", err)
	}
	type span struct{ first, last int64 }
	held := map[string][]span{}
	for _, one := range said.Held {
		for _, raw := range one.Events {
			var pair [2]int64
			if json.Unmarshal(raw, &pair) != nil {
				if err := json.Unmarshal(raw, &pair[0]); err != nil {
					return fmt.Errorf("redactions.json cannot be read: %w", err)
				}
				pair[1] = pair[0]
			}
			held[one.What] = append(held[one.What], span{pair[0], pair[1]})
		}
	}
	for index, places := range promised {
		for at := range places {
			what, named := "content", false
			if at == "beside" {
				what = at
			}
			for _, one := range held[what] {
				named = named || (one.first <= index && index <= one.last)
			}
			if !named {
				return fmt.Errorf("%s of event %d is neither here nor said to be held back", what, index)
			}
		}
	}
	return nil
}

// witnessKey is a note.Verifier for timestamped cosignatures (c2sp.org/tlog-cosignature, type 0x04): the signature is
// eight bytes of time and an Ed25519 signature over a heading, that time, and the note's text.
type witnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witnessKey) Name() string    { return w.name }
func (w witnessKey) KeyHash() uint32 { return w.hash }

func (w witnessKey) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	when := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", when, text)
	return when > 0 && ed25519.Verify(w.key, []byte(signed), signature[8:])
}

func newWitnessKey(vkey string) (key witnessKey, err error) {
	name, rest, _ := strings.Cut(vkey, "+")
	named, encoded, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 4 {
		return key, errors.New("not a witness's key (type 04)")
	}
	digest := sha256.Sum256(append([]byte(name+"\n"), raw...))
	if hex.EncodeToString(digest[:4]) != named {
		return key, errors.New("the hash in the witness's key is not that of its name and key")
	}
	return witnessKey{name, binary.BigEndian.Uint32(digest[:4]), raw[1:]}, nil
}

// cosigned opens a checkpoint under the log's key and a witness's, and says when the witness cosigned it.
func cosigned(key note.Verifier, vkey string, text []byte) (when uint64, err error) {
	witness, err := newWitnessKey(vkey)
	if err != nil {
		return 0, err
	}
	signed, err := note.Open(text, note.VerifierList(key, witness))
	var invalid *note.InvalidSignatureError
	if errors.As(err, &invalid) && invalid.Name == witness.name {
		return 0, fmt.Errorf("the cosignature of %s does not hold", witness.name)
	}
	if err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	for _, one := range signed.Sigs {
		if one.Name != witness.name || one.Hash != witness.hash {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(one.Base64)
		if err != nil {
			return 0, err
		}
		return binary.BigEndian.Uint64(raw[4:]), nil
	}
	return 0, fmt.Errorf("the checkpoint is not cosigned by %s", witness.name)
}

func cosignedFile(key note.Verifier, vkey, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	when, err := cosigned(key, vkey, text)
	if err != nil {
		return err
	}
	fmt.Println("cosigned", when)
	return nil
}
