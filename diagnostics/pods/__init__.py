"""Pods and their containers: images, configuration, start, probes, crashes, end."""
