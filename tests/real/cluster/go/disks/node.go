package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type node struct {
	csi.UnimplementedNodeServer
	options
	storage
}

// A disk is a file system in memory of the size of the disk, so that it can fill up; it lives until it is detached.
func (n node) NodeStageVolume(
	_ context.Context, request *csi.NodeStageVolumeRequest,
) (*csi.NodeStageVolumeResponse, error) {
	one, err := n.get(request.VolumeId)
	if err == nil {
		err = n.refuses("NodeStageVolume")
	}
	if err != nil {
		return nil, err
	}
	if mounted(request.StagingTargetPath) {
		return &csi.NodeStageVolumeResponse{}, nil
	}
	err = mount("tmpfs", request.StagingTargetPath, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", one.Bytes))
	return &csi.NodeStageVolumeResponse{}, err
}

func (n node) NodeUnstageVolume(
	_ context.Context, request *csi.NodeUnstageVolumeRequest,
) (*csi.NodeUnstageVolumeResponse, error) {
	return &csi.NodeUnstageVolumeResponse{}, unmount(request.StagingTargetPath)
}

func (n node) NodePublishVolume(
	_ context.Context, request *csi.NodePublishVolumeRequest,
) (*csi.NodePublishVolumeResponse, error) {
	if err := n.refuses("NodePublishVolume"); err != nil {
		return nil, err
	}
	if mounted(request.TargetPath) {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	err := mount(request.StagingTargetPath, request.TargetPath, "", unix.MS_BIND, "")
	return &csi.NodePublishVolumeResponse{}, err
}

func (n node) NodeUnpublishVolume(
	_ context.Context, request *csi.NodeUnpublishVolumeRequest,
) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := unmount(request.TargetPath); err != nil {
		return nil, err
	}
	_ = os.Remove(request.TargetPath)
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

func (n node) NodeExpandVolume(
	_ context.Context, request *csi.NodeExpandVolumeRequest,
) (*csi.NodeExpandVolumeResponse, error) {
	if err := n.refuses("NodeExpandVolume"); err != nil {
		return nil, err
	}
	size := request.CapacityRange.GetRequiredBytes()
	err := unix.Mount("tmpfs", request.StagingTargetPath, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", size))
	if err != nil {
		return nil, status.Errorf(codes.Internal, "the file system at %s cannot grow: %v", request.StagingTargetPath, err)
	}
	return &csi.NodeExpandVolumeResponse{CapacityBytes: size}, nil
}

func (n node) NodeGetVolumeStats(
	_ context.Context, request *csi.NodeGetVolumeStatsRequest,
) (*csi.NodeGetVolumeStatsResponse, error) {
	var is unix.Statfs_t
	if err := unix.Statfs(request.VolumePath, &is); err != nil {
		return nil, status.Errorf(codes.NotFound, "%s: %v", request.VolumePath, err)
	}
	size, free := int64(is.Blocks)*is.Bsize, int64(is.Bfree)*is.Bsize
	return &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{
		{Unit: csi.VolumeUsage_BYTES, Total: size, Available: free, Used: size - free},
		{
			Unit: csi.VolumeUsage_INODES, Total: int64(is.Files), Available: int64(is.Ffree),
			Used: int64(is.Files - is.Ffree),
		},
	}}, nil
}

func (n node) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	answer := &csi.NodeGetInfoResponse{NodeId: n.node, MaxVolumesPerNode: n.limit}
	if n.zone != "" {
		answer.AccessibleTopology = &csi.Topology{Segments: map[string]string{zoneKey: n.zone}}
	}
	return answer, nil
}

func (n node) NodeGetCapabilities(
	context.Context, *csi.NodeGetCapabilitiesRequest,
) (*csi.NodeGetCapabilitiesResponse, error) {
	able := []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
	}
	if n.expands {
		able = append(able, csi.NodeServiceCapability_RPC_EXPAND_VOLUME)
	}
	var rows []*csi.NodeServiceCapability
	for _, one := range able {
		rows = append(rows, &csi.NodeServiceCapability{Type: &csi.NodeServiceCapability_Rpc{
			Rpc: &csi.NodeServiceCapability_RPC{Type: one},
		}})
	}
	return &csi.NodeGetCapabilitiesResponse{Capabilities: rows}, nil
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return status.Errorf(codes.Internal, "mount %s at %s failed: %v", source, target, err)
	}
	return nil
}

func unmount(target string) error {
	err := unix.Unmount(target, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return status.Errorf(codes.Internal, "unmount %s failed: %v", target, err)
	}
	return nil
}

// mounted is whether a folder is on another device than the folder above it.
func mounted(path string) bool {
	var here, above unix.Stat_t
	if unix.Stat(path, &here) != nil || unix.Stat(path+"/..", &above) != nil {
		return false
	}
	return here.Dev != above.Dev
}
