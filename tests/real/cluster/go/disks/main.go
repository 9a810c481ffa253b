// A small CSI driver: the controller creates disks in a folder that stands for a storage system, and the node part
// mounts them. What the storage system refuses is read from a file beside the disks before every call, as a cloud's
// quotas and rights are outside of the cluster too.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type options struct {
	name, node, zone     string
	endpoint, registered string
	limit                int64
	expands              bool
	snapshots            bool
	capacity             bool
}

func main() {
	var set options
	var root, part string
	flag.StringVar(&set.name, "driver-name", "disks.csi.shop.example", "")
	flag.StringVar(&part, "part", "controller", "controller or node")
	flag.StringVar(&set.node, "node", os.Getenv("NODE_NAME"), "")
	flag.StringVar(&set.zone, "zone", "", "")
	flag.StringVar(&set.endpoint, "endpoint", "/csi/csi.sock", "")
	flag.StringVar(&set.registered, "kubelet-endpoint", "", "where the kubelet finds the endpoint")
	flag.StringVar(&root, "storage", "/storage", "")
	flag.Int64Var(&set.limit, "volume-attach-limit", 0, "")
	flag.BoolVar(&set.expands, "expansion", true, "")
	flag.BoolVar(&set.snapshots, "snapshots", true, "")
	flag.BoolVar(&set.capacity, "capacity", false, "")
	flag.Parse()

	server := grpc.NewServer(grpc.UnaryInterceptor(logged))
	disks := storage{root: root}
	csi.RegisterIdentityServer(server, identity{options: set})
	if part == "controller" {
		csi.RegisterControllerServer(server, controller{options: set, storage: disks})
	} else {
		csi.RegisterNodeServer(server, node{options: set, storage: disks})
		go register(set)
	}
	log.Printf("driver %s: %s listens on %s", set.name, part, set.endpoint)
	log.Fatal(server.Serve(listen(set.endpoint)))
}

func listen(path string) net.Listener {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		log.Fatal(err)
	}
	_ = os.Remove(path)
	listener, err := net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func logged(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	answer, err := handler(ctx, request)
	if err != nil {
		log.Printf("%s failed: %v", info.FullMethod, err)
	}
	return answer, err
}

// register answers the kubelet's questions about the driver, as node-driver-registrar does.
func register(set options) {
	server := grpc.NewServer()
	registration.RegisterRegistrationServer(server, registrar{options: set})
	path := filepath.Join("/registration", set.name+"-reg.sock")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		_ = os.Remove(path) // The kubelet then takes the driver off its list.
		os.Exit(0)
	}()
	log.Fatal(server.Serve(listen(path)))
}

type registrar struct {
	registration.UnimplementedRegistrationServer
	options
}

func (r registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: r.name, Endpoint: r.registered, SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (r registrar) NotifyRegistrationStatus(
	_ context.Context, status *registration.RegistrationStatus,
) (*registration.RegistrationStatusResponse, error) {
	if !status.PluginRegistered {
		log.Fatalf("the kubelet does not register the driver: %s", status.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}

type identity struct {
	csi.UnimplementedIdentityServer
	options
}

func (i identity) GetPluginInfo(
	context.Context, *csi.GetPluginInfoRequest,
) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: i.name, VendorVersion: "1.0.0"}, nil
}

func (i identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (i identity) GetPluginCapabilities(
	context.Context, *csi.GetPluginCapabilitiesRequest,
) (*csi.GetPluginCapabilitiesResponse, error) {
	services := []csi.PluginCapability_Service_Type{csi.PluginCapability_Service_CONTROLLER_SERVICE}
	if i.zone != "" {
		services = append(services, csi.PluginCapability_Service_VOLUME_ACCESSIBILITY_CONSTRAINTS)
	}
	var rows []*csi.PluginCapability
	for _, service := range services {
		rows = append(rows, &csi.PluginCapability{Type: &csi.PluginCapability_Service_{
			Service: &csi.PluginCapability_Service{Type: service},
		}})
	}
	if i.expands {
		rows = append(rows, &csi.PluginCapability{Type: &csi.PluginCapability_VolumeExpansion_{
			VolumeExpansion: &csi.PluginCapability_VolumeExpansion{Type: csi.PluginCapability_VolumeExpansion_ONLINE},
		}})
	}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: rows}, nil
}
