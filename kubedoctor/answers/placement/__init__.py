"""Where can this pod run?"""
