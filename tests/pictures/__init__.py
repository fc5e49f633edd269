"""The pictures in docs/pictures, taken of the running sandbox: `make pictures`."""
