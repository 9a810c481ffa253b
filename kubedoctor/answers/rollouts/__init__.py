"""Why does a rollout not go on, and which change lets it?"""
