"""Those who look names up: the resolv.conf that a pod gets, and what programs ask with it."""
