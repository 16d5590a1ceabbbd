"""One module per command or group of commands; `main` imports the one that runs."""
