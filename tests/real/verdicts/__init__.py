"""The real API server's verdict on generated manifests, beside ours: `python -m tests.real.verdicts [NUMBER] [SEED]`.

| file | what it does |
| --- | --- |
| `server.py` | an etcd and a kube-apiserver on free loopback ports, alone |
| `bases.py` | manifests that the API server takes |
| `mutants.py` | the same with one thing changed at random |
| `comparing.py` | the verdicts of both, and where they differ |
"""
