// kube-router's controller of network policies alone: no routing, no proxy for Services.
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/cloudnativelabs/kube-router/v2/pkg/utils"
	"github.com/coreos/go-iptables/iptables"
	core "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

func main() {
	// The switches of kube-router that say the same of it; this program cannot do more.
	firewall := flag.Bool("run-firewall", true, "")
	router := flag.Bool("run-router", false, "")
	proxy := flag.Bool("run-service-proxy", false, "")
	services := flag.String("service-cluster-ip-range", "10.96.0.0/16", "")
	klog.InitFlags(nil)
	flag.Parse()
	if !*firewall || *router || *proxy {
		log.Fatal("only the firewall is built in")
	}

	settings, err := rest.InClusterConfig()
	check(err)
	settings.QPS, settings.Burst = 200, 400
	clients, err := kubernetes.NewForConfig(settings)
	check(err)
	config := options.NewKubeRouterConfig()
	config.ClusterIPCIDRs = []string{*services}
	config.HostnameOverride = os.Getenv("NODE_NAME")
	config.EnableIPv4, config.EnableIPv6 = true, false
	config.IPTablesSyncPeriod = 5 * time.Minute

	stop := make(chan struct{})
	factory := informers.NewSharedInformerFactory(clients, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(stop)
	factory.WaitForCacheSync(stop)

	tables, err := iptables.NewWithProtocol(iptables.ProtocolIPv4)
	check(err)
	sets, err := utils.NewIPSet(false)
	check(err)
	check(sets.Save())
	var lock sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(clients, config, pods, policies, namespaces, &lock,
		map[core.IPFamily]utils.IPTablesHandler{core.IPv4Protocol: tables},
		map[core.IPFamily]utils.IPSetHandler{core.IPv4Protocol: sets})
	check(err)
	for informer, handler := range map[cache.SharedIndexInformer]cache.ResourceEventHandler{
		pods: controller.PodEventHandler, namespaces: controller.NamespaceEventHandler, policies: controller.NetworkPolicyEventHandler,
	} {
		_, err := informer.AddEventHandler(handler)
		check(err)
	}

	beats := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range beats {
		}
	}()
	var group sync.WaitGroup
	group.Add(1)
	go controller.Run(beats, stop, &group)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	close(stop)
	group.Wait()
	controller.Cleanup()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
