"""The validation that the API server does in code, a module for each family of kinds (`pkg/apis/*/validation`, v1.37)."""
