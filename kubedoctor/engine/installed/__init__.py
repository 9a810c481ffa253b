"""What is installed beside kubedoctor: the packages that declare something, and what was kept of their declarations."""
