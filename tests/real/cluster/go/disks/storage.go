package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// storage is the storage system: a folder with one file for each disk and each snapshot.
type storage struct{ root string }

type disk struct {
	ID, Name, Zone, Source string
	Bytes                  int64
	AttachedTo             []string
	Snapshot               bool
}

// limits are what the storage system refuses. Refused: by the name of a call, the code and the message of its answer.
type limits struct {
	MostDisks int
	MostBytes int64
	Seconds   int
	InUse     string
	Refused   map[string]refusal
}

type refusal struct {
	Code    codes.Code
	Message string
}

func (s storage) limits() limits {
	var found limits
	if text, err := os.ReadFile(filepath.Join(s.root, "limits.json")); err == nil {
		_ = json.Unmarshal(text, &found)
	}
	return found
}

// refuses is the answer of the storage system to a call that it does not let happen.
func (s storage) refuses(call string) error {
	now := s.limits()
	if now.Seconds > 0 && (call == "CreateVolume" || call == "CreateSnapshot") {
		time.Sleep(time.Duration(now.Seconds) * time.Second)
	}
	if refused, ok := now.Refused[call]; ok {
		return status.Error(refused.Code, refused.Message)
	}
	return nil
}

func (s storage) path(id string) string { return filepath.Join(s.root, "disks", id+".json") }

// data is the folder where the contents of a disk are mounted once it is attached to a node.
func (s storage) data(id string) string { return filepath.Join(s.root, "data", id) }

func (s storage) get(id string) (disk, error) {
	var found disk
	text, err := os.ReadFile(s.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return found, status.Errorf(codes.NotFound, "disk %s does not exist", id)
	}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	return found, err
}

func (s storage) put(one disk) error {
	text, err := json.Marshal(one)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(s.path(one.ID)), 0o755)
	}
	if err == nil {
		err = os.WriteFile(s.path(one.ID), text, 0o644)
	}
	if err != nil {
		return status.Errorf(codes.Internal, "the storage system cannot be written: %v", err)
	}
	return nil
}

func (s storage) remove(id string) error {
	_ = os.RemoveAll(s.data(id))
	err := os.Remove(s.path(id))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return status.Errorf(codes.Internal, "the storage system cannot be written: %v", err)
	}
	return nil
}

// disks are all disks, or all snapshots.
func (s storage) disks(snapshots bool) []disk {
	var found []disk
	rows, _ := filepath.Glob(filepath.Join(s.root, "disks", "*.json"))
	slices.Sort(rows)
	for _, row := range rows {
		id := filepath.Base(row)
		if one, err := s.get(id[:len(id)-len(".json")]); err == nil && one.Snapshot == snapshots {
			found = append(found, one)
		}
	}
	return found
}
