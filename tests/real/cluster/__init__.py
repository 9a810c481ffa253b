"""A real Kubernetes in private namespaces of this machine: built from Go modules, started in seconds.

| file | what it does |
| --- | --- |
| `build.py` | builds every component from `go/*/go.mod` into the cache folder |
| `requirements.py` | says what is missing to build it or to run it |
| `control_plane.py` | `RealCluster`: start, `kubectl`, `apply`, stop; the caller's side |
| `supervisor.py` | process 1 of the namespaces: starts the components and publishes the API |
| `node.py` | the real node: containerd, kubelet, kube-proxy |
| `images.py`, `registry.py` | container images made with Python alone; the registry and DNS that serve them |
| `certificates.py` | certificates, tokens and kubeconfigs of one throwaway cluster |
| `layout.py` | where things are: cache folders, addresses, names |

One `unshare` makes fresh network, mount and PID namespaces, and a supervisor inside starts everything.
The network namespace has loopback, a bridge and pods, and no route out. Mounts are private. Ending the
`unshare` process, which also happens when its parent dies, ends every component and container. The API
comes out through one listening socket on 127.0.0.1, on a free port. The control groups are
`/realcluster-NAME`; what a killed caller left behind is removed by the next start.
"""
