"""Infrastructure of deployed projects, as Pulumi components: a package a cloud."""
