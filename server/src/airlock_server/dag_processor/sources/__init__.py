"""Where the files of a bundle are fetched from: a git repository, or an image of a registry."""
