"""Why a Service or an Ingress gets no load balancer: the service controller, the clouds' controllers, MetalLB, kube-vip,
Cilium, Octavia."""

from __future__ import annotations

from kubedoctor.replay.messages.classes import Culprit, MessageClass
from kubedoctor.replay.messages.phrases import Area, Phrase

_C, _F = MessageClass, Culprit

_PHRASES = (
    Phrase(_C.LOADBALANCER_TIMEOUT, _F.CLOUD, r"^(ensuring|creating) load ?balancer$"),
    Phrase(
        _C.LOADBALANCER_HEALTHY,
        _F.NOTHING,
        r"^(Ensuring|Ensured|Updating|Updated|Deleting|Deleted) load ?balancer|^Successfully reconciled"
        r"|^Assigned IP \[?\"|^announcing from node|^(ClusterIP|LoadBalancer|NodePort|ExternalName) -> "
        r"|^\d+ -> \d+$|^Load ?balancer (is )?(updated|created|deleted|active)|^UpdatedLoadBalancer"
        r"|^IP allocated|^Allocated ",
    ),
    Phrase(
        _C.LOADBALANCER_NO_NODES,
        _F.NODE,
        r"no available nodes|no (healthy |ready |eligible )?nodes (found|available|for)|no (hosts|instances"
        r"|healthy (instances|nodes)) (found|available|for)|at least one (node|instance)|no nodes? (match"
        r"|suitable)|empty (node|host) list|there are no .{0,20}nodes",
    ),
    Phrase(
        _C.LOADBALANCER_ADDRESS_TAKEN,
        _F.TEMPLATE,
        r"already (has a listener|allocated|in use|assigned|used|bound|announced)|(address"
        r"|ip)( \S+)? (is )?(also |currently )?in use|in use by|change sharing key|sharing key"
        r"|not allowed (in config|by|in|to)|is not allowed|does not (match|belong|contain)|(PublicIPAddress"
        r"|Address|IP)\w*InUse|InvalidAllocationID|AllocationID|IP_IN_USE|PrivateIPAddress\w+|(requested"
        r"|specified|desired|user supplied|provided|static) (loadbalancer |load balancer )?(ip|address)"
        r"|loadBalancerIPs?\b|cannot find public IP|IP address .{0,60}(not found|not available|not owned"
        r"|reserved|outside)|port .{0,40}(conflict|already)|ports? .{0,40}is already|Duplicate ?Listener"
        r"|conflict(s|ing)? .{0,40}port|cannot .{0,40}shar(e|ing)",
    ),
    Phrase(
        _C.LOADBALANCER_NO_ADDRESS,
        _F.CONFIGURATION,
        r"no (more |free |available )?(available |free )?(IPs?|address(es)?)\b|no (matching |available )?(IP ?"
        r"|address ?)?(Address)?pools?\b|pools? .{0,60}(exhausted|empty|full|unknown|not (exist|found)|no "
        r"|has no)|unknown pool|unable to allocate|exhausted|out of (addresses|IPs)|IP_SPACE_EXHAUSTED"
        r"|ran out of |no enabled \S*Pools?|no cidrs? |NoPool|out_of_ips|no_pool|failed to allocate",
    ),
    Phrase(
        _C.LOADBALANCER_QUOTA,
        _F.CLOUD,
        r"RulesPerSecurityGroupLimitExceeded|SecurityGroup\w*LimitExceeded|(maximum|limit) .{0,40}(rules|security groups) per"
        r"|SecurityRules?.{0,20}LimitExceeded|CannotHaveMoreThan\w*SecurityRules",
    ),
    Phrase(
        _C.LOADBALANCER_SECURITY_GROUPS,
        _F.CONFIGURATION,
        r"security ?groups?\b|\bsg-|NetworkSecurityGroup|InvalidGroup|RulesPerSecurityGroup",
    ),
    Phrase(
        _C.LOADBALANCER_QUOTA,
        _F.CLOUD,
        r"quota|limit (was |has been |is )?(exceeded|reached)|Limit(Exceeded|Reached)|TooMany(LoadBalancers"
        r"|TargetGroups|Listeners|Registrations|Rules|Certificates|Targets|Tags)|reached (your|the) .{0,60}limit"
        r"|maximum (allowed|number)|OverQuota|PublicIPCountLimit|exceed(s|ed|ing)? (the |your )?(\S+ )?(limit"
        r"|quota|maximum)|limit of \d",
    ),
    Phrase(
        _C.LOADBALANCER_DENIED,
        _F.CONFIGURATION,
        r"UnauthorizedOperation|not authorized|Authorization ?Failed|does not have (authorization|permission)"
        r"|Required '\S+' permission|Access ?Denied|permission|\b40[13]\b|Status=40[13]|unauthorized|forbidden"
        r"|Unable to authenticate|authentication|NoCredentialProviders|AuthFailure|ExpiredToken|credentials?"
        r"|disallowed by policy|RequestDisallowedByPolicy|NotAuthorized",
    ),
    Phrase(
        _C.LOADBALANCER_SUBNETS,
        _F.CONFIGURATION,
        r"(find|discover|resolve|determine|suitable|tagged|multiple|matching|least \w+|two|InvalidSubnet|no|not"
        r"|invalid|same|different|in|the|free ip|enough|get) .{0,60}subnets?\b|subnets? .{0,80}(not|no |must"
        r"|invalid|full|missing)|InvalidSubnet|availability zones?|\bsubnet ID|SubnetNotFound|Subnet",
    ),
    Phrase(
        _C.LOADBALANCER_TIMEOUT,
        _F.CLOUD,
        r"waiting for (the )?(load ?balancer|lb\b|operation)|to (be|become) active|deadline exceeded|timed? ?out"
        r"|PENDING_(CREATE|UPDATE|DELETE)|in (the |an )?ERROR|(ERROR|error|PENDING|pending) (status|state)"
        r"|provisioning_status|immutable( state)?|not (yet )?(ready|active)|OperationInProgress|InProgress"
        r"|still (creating|being|pending)|try again|is busy|create_pending|RetryableError|\bConflict\b"
        r"|being (created|updated|deleted|provisioned)|Too Many Requests|\b429\b|Throttl|rate (limit|exceeded)"
        r"|Canceled",
    ),
    Phrase(
        _C.LOADBALANCER_CLOUD_ERROR,
        _F.CONFIGURATION,
        r"no such host|dial tcp|send request failed|connection refused|i/o timeout|x509|server misbehaving",
    ),
    Phrase(
        _C.LOADBALANCER_UNSUPPORTED,
        _F.TEMPLATE,
        r"unsupported|not (yet )?support|only .{0,60}(support|allowed)|\bSCTP\b|mixed (protocol|type)|mix(ing"
        r"|ed)?\b.{0,40}protocol|multiple protocols|both (TCP|UDP)|dual-?stack|not implemented|cannot (use"
        r"|create|mix|be)|can't (use|be)|invalid (value|protocol|port)|at most|must not",
    ),
    Phrase(
        _C.LOADBALANCER_SETTING_MISSING,
        _F.CONFIGURATION,
        r"no node tags|failed to parse the given lists|annotations?\b|must (be set|specify|contain|have"
        r"|be specified)|not (set|specified|configured|provided)|missing|required?\b|unable to (find|determine"
        r"|discover)|neither|floating ?network|no (network|floating|region|location|project|zone)|cluster ?(name"
        r"|id)|provider ?ID|could not find|not found|empty|InvalidInput",
    ),
)

LOADBALANCER = Area("loadbalancer", _PHRASES, (_C.LOADBALANCER_CLOUD_ERROR, _F.CLOUD))
