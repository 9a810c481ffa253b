"""Pods that were ended or refused."""
