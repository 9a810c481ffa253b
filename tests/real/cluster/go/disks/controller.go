package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	zoneKey     = "topology.disks.csi.shop.example/zone"
	defaultSize = 1 << 30
)

// The parameters of a StorageClass that the driver knows.
var known = []string{"type", "fsType"}
var types = []string{"", "standard", "fast"}

type controller struct {
	csi.UnimplementedControllerServer
	options
	storage
}

func (c controller) CreateVolume(
	_ context.Context, request *csi.CreateVolumeRequest,
) (*csi.CreateVolumeResponse, error) {
	for key := range request.Parameters {
		if !slices.Contains(known, key) && !strings.HasPrefix(key, "csi.storage.k8s.io/") {
			return nil, status.Errorf(codes.InvalidArgument, "unknown parameter %q: known are type and fsType", key)
		}
	}
	if kind := request.Parameters["type"]; !slices.Contains(types, kind) {
		return nil, status.Errorf(codes.InvalidArgument, "invalid disk type %q: must be standard or fast", kind)
	}
	for _, wanted := range request.VolumeCapabilities {
		if mode := wanted.GetAccessMode().GetMode(); mode > csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY &&
			mode < csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER {
			return nil, status.Errorf(codes.InvalidArgument, "access mode %s is not supported", mode)
		}
	}
	size := request.CapacityRange.GetRequiredBytes()
	if size == 0 {
		size = defaultSize
	}
	made := disk{ID: identifier("disk", request.Name), Name: request.Name, Bytes: size, Zone: c.chosen(request)}
	if found, err := c.get(made.ID); err == nil {
		return answer(found, request), nil
	}
	if err := c.refuses("CreateVolume"); err != nil {
		return nil, err
	}
	now := c.limits()
	if disks := c.disks(false); now.MostDisks > 0 && len(disks) >= now.MostDisks {
		return nil, status.Errorf(
			codes.ResourceExhausted, "quota exceeded: the project has %d of %d disks", len(disks), now.MostDisks)
	}
	if now.MostBytes > 0 && size > now.MostBytes {
		return nil, status.Errorf(
			codes.OutOfRange, "requested size %d is larger than the maximum of %d bytes of a disk", size, now.MostBytes)
	}
	if from := request.VolumeContentSource.GetSnapshot().GetSnapshotId(); from != "" {
		source, err := c.get(from)
		if err != nil {
			return nil, status.Errorf(codes.NotFound, "snapshot %s does not exist", from)
		}
		made.Source = source.ID
	}
	return answer(made, request), c.put(made)
}

func (c controller) chosen(request *csi.CreateVolumeRequest) string {
	wanted := request.AccessibilityRequirements
	for _, row := range append(wanted.GetPreferred(), wanted.GetRequisite()...) {
		return row.Segments[zoneKey]
	}
	return c.zone
}

func answer(one disk, request *csi.CreateVolumeRequest) *csi.CreateVolumeResponse {
	volume := &csi.Volume{VolumeId: one.ID, CapacityBytes: one.Bytes, ContentSource: request.VolumeContentSource}
	if one.Zone != "" {
		volume.AccessibleTopology = []*csi.Topology{{Segments: map[string]string{zoneKey: one.Zone}}}
	}
	return &csi.CreateVolumeResponse{Volume: volume}
}

func identifier(kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	return kind + "-" + hex.EncodeToString(sum[:8])
}

func (c controller) DeleteVolume(
	_ context.Context, request *csi.DeleteVolumeRequest,
) (*csi.DeleteVolumeResponse, error) {
	if err := c.refuses("DeleteVolume"); err != nil {
		return nil, err
	}
	if one, err := c.get(request.VolumeId); err == nil && len(one.AttachedTo) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "disk %s is in use by %s", one.ID, one.AttachedTo[0])
	}
	return &csi.DeleteVolumeResponse{}, c.remove(request.VolumeId)
}

func (c controller) ControllerPublishVolume(
	_ context.Context, request *csi.ControllerPublishVolumeRequest,
) (*csi.ControllerPublishVolumeResponse, error) {
	one, err := c.get(request.VolumeId)
	if err == nil {
		err = c.refuses("ControllerPublishVolume")
	}
	if err != nil {
		return nil, err
	}
	if len(one.AttachedTo) > 0 && !slices.Contains(one.AttachedTo, request.NodeId) {
		return nil, status.Errorf(
			codes.FailedPrecondition, "disk %s is already attached to machine %s", one.ID, one.AttachedTo[0])
	}
	one.AttachedTo = []string{request.NodeId}
	return &csi.ControllerPublishVolumeResponse{}, c.put(one)
}

func (c controller) ControllerUnpublishVolume(
	_ context.Context, request *csi.ControllerUnpublishVolumeRequest,
) (*csi.ControllerUnpublishVolumeResponse, error) {
	if err := c.refuses("ControllerUnpublishVolume"); err != nil {
		return nil, err
	}
	one, err := c.get(request.VolumeId)
	if status.Code(err) == codes.NotFound {
		return &csi.ControllerUnpublishVolumeResponse{}, nil
	}
	one.AttachedTo = nil
	return &csi.ControllerUnpublishVolumeResponse{}, c.put(one)
}

func (c controller) ControllerExpandVolume(
	_ context.Context, request *csi.ControllerExpandVolumeRequest,
) (*csi.ControllerExpandVolumeResponse, error) {
	one, err := c.get(request.VolumeId)
	if err == nil {
		err = c.refuses("ControllerExpandVolume")
	}
	if err != nil {
		return nil, err
	}
	size, now := request.CapacityRange.GetRequiredBytes(), c.limits()
	if now.MostBytes > 0 && size > now.MostBytes {
		return nil, status.Errorf(
			codes.OutOfRange, "requested size %d is larger than the maximum of %d bytes of a disk", size, now.MostBytes)
	}
	if now.InUse != "" && len(one.AttachedTo) > 0 {
		return nil, status.Error(codes.FailedPrecondition, now.InUse)
	}
	one.Bytes = max(one.Bytes, size)
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: one.Bytes, NodeExpansionRequired: true}, c.put(one)
}

// What a VolumeAttributesClass changes of a disk: its type.
func (c controller) ControllerModifyVolume(
	_ context.Context, request *csi.ControllerModifyVolumeRequest,
) (*csi.ControllerModifyVolumeResponse, error) {
	for key, value := range request.MutableParameters {
		if key != "type" || !slices.Contains(types, value) {
			return nil, status.Errorf(
				codes.InvalidArgument, "invalid parameter %s=%s: type must be standard or fast", key, value)
		}
	}
	return &csi.ControllerModifyVolumeResponse{}, c.refuses("ControllerModifyVolume")
}

func (c controller) CreateSnapshot(
	_ context.Context, request *csi.CreateSnapshotRequest,
) (*csi.CreateSnapshotResponse, error) {
	source, err := c.get(request.SourceVolumeId)
	if err == nil {
		err = c.refuses("CreateSnapshot")
	}
	if err != nil {
		return nil, err
	}
	id := identifier("snapshot", request.Name)
	made := disk{ID: id, Name: request.Name, Bytes: source.Bytes, Source: source.ID, Snapshot: true}
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId: id, SourceVolumeId: source.ID, SizeBytes: source.Bytes, ReadyToUse: true,
		CreationTime: timestamppb.Now(),
	}}, c.put(made)
}

func (c controller) DeleteSnapshot(
	_ context.Context, request *csi.DeleteSnapshotRequest,
) (*csi.DeleteSnapshotResponse, error) {
	if err := c.refuses("DeleteSnapshot"); err != nil {
		return nil, err
	}
	return &csi.DeleteSnapshotResponse{}, c.remove(request.SnapshotId)
}

func (c controller) GetCapacity(context.Context, *csi.GetCapacityRequest) (*csi.GetCapacityResponse, error) {
	free := c.limits().MostBytes
	for _, one := range c.disks(false) {
		free -= one.Bytes
	}
	return &csi.GetCapacityResponse{AvailableCapacity: max(free, 0)}, nil
}

func (c controller) ValidateVolumeCapabilities(
	_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest,
) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	confirmed := &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: request.VolumeCapabilities}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: confirmed}, nil
}

func (c controller) ControllerGetCapabilities(
	context.Context, *csi.ControllerGetCapabilitiesRequest,
) (*csi.ControllerGetCapabilitiesResponse, error) {
	able := []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_PUBLISH_UNPUBLISH_VOLUME,
		csi.ControllerServiceCapability_RPC_MODIFY_VOLUME,
	}
	if c.expands {
		able = append(able, csi.ControllerServiceCapability_RPC_EXPAND_VOLUME)
	}
	if c.snapshots {
		able = append(able, csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT)
	}
	if c.capacity {
		able = append(able, csi.ControllerServiceCapability_RPC_GET_CAPACITY)
	}
	var rows []*csi.ControllerServiceCapability
	for _, one := range able {
		rows = append(rows, &csi.ControllerServiceCapability{Type: &csi.ControllerServiceCapability_Rpc{
			Rpc: &csi.ControllerServiceCapability_RPC{Type: one},
		}})
	}
	return &csi.ControllerGetCapabilitiesResponse{Capabilities: rows}, nil
}
