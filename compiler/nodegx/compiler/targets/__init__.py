"""Where compiled workflows run: a package a target, from manifests to a plan and a program."""
