"""The kind License.acme.example, which programs of the company need to run."""
