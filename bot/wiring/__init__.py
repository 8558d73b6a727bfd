"""The only place that knows every floor: settings in, a running house out."""
