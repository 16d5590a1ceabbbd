"""An emulated AWS: a server that acts like the cloud, and a Pulumi provider that makes resources
there, so that the program of a project runs unchanged without an account."""
