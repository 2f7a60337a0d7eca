// Command go-sumdb checks a checkpoint and its proofs with the libraries that Go's module checksum database uses, so
// that our own verifier is not the only one that ever read our proofs. It reads a case as JSON from standard input,
// prints what was verified, and exits with 1 at the first thing that is not so.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// testCase holds a checkpoint of a log, and what is claimed about it. Hashes are in base64.
type testCase struct {
	LogKey     string
	WitnessKey string
	Checkpoint string
	Index      int64
	// EventHash is what the leaf stands for.
	EventHash   string
	Inclusion   []string
	OldSize     int64
	OldRoot     string
	Consistency []string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var c testCase
	if err := json.NewDecoder(os.Stdin).Decode(&c); err != nil {
		return err
	}
	logKey, err := note.NewVerifier(c.LogKey)
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	witnessKey, err := newCosignatureVerifier(c.WitnessKey)
	if err != nil {
		return fmt.Errorf("witness key: %w", err)
	}
	opened, err := note.Open([]byte(c.Checkpoint), note.VerifierList(logKey, witnessKey))
	if err != nil {
		return fmt.Errorf("note: %w", err)
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("note: %d of 2 signatures verified", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	event, err := base64.StdEncoding.DecodeString(c.EventHash)
	if err != nil {
		return err
	}
	inclusion, err := hashes(c.Inclusion)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(inclusion, size, root, c.Index, tlog.RecordHash(event)); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	oldRoot, err := tlog.ParseHash(c.OldRoot)
	if err != nil {
		return err
	}
	consistency, err := hashes(c.Consistency)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(consistency, size, root, c.OldSize, oldRoot); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	fmt.Printf("%s at size %d: signed, cosigned, has leaf %d, continues size %d\n", lines[0], size, c.Index, c.OldSize)
	return nil
}

func hashes(texts []string) ([]tlog.Hash, error) {
	all := []tlog.Hash{}
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}

// cosignatureVerifier verifies cosignature/v1 of C2SP tlog-cosignature, which the library leaves to its users.
type cosignatureVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosignatureVerifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not three parts")
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("not a cosignature key")
	}
	return cosignatureVerifier{parts[0], uint32(hash), key[1:]}, nil
}

func (v cosignatureVerifier) Name() string    { return v.name }
func (v cosignatureVerifier) KeyHash() uint32 { return v.hash }

func (v cosignatureVerifier) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), text)
	return ed25519.Verify(v.key, []byte(message), sig[8:])
}
