"""Faults of the network: Services, names, policies, entrances, and the cluster's DNS; a real client logs what it meets.

All are recorded with kube-router's policy controller in the cluster.
"""

from tests.real.recording.networks.cluster_dns import CLUSTER_DNS
from tests.real.recording.networks.entrances import ENTRANCES
from tests.real.recording.networks.names import NAMES, NAMES_IN_DEFAULT
from tests.real.recording.networks.policies import POLICIES, POLICIES_FOR_DEFAULT
from tests.real.recording.networks.proxies import PROXIES
from tests.real.recording.networks.served import SERVED, SERVED_WELL
from tests.real.recording.networks.served_cluster import SERVED_CLUSTER
from tests.real.recording.networks.servers import SERVERS
from tests.real.recording.networks.services import SERVICES
from tests.real.recording.networks.well import WELL

NETWORK = (*SERVICES, *SERVERS, *NAMES, *POLICIES, *ENTRANCES, *WELL)
"""Each in a namespace of its own."""
NETWORK_OF_THE_CLUSTER = (*NAMES_IN_DEFAULT, *POLICIES_FOR_DEFAULT, *CLUSTER_DNS, *PROXIES)
"""They concern every pod, or have objects in namespace default, so they are made one by one."""
INGRESSES = (*SERVED, *SERVED_WELL)
"""In a cluster with ingress-nginx."""
INGRESSES_OF_THE_CLUSTER = SERVED_CLUSTER
