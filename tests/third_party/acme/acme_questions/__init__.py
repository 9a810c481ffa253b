"""Questions of a company's own: one module a question, named as the command."""
