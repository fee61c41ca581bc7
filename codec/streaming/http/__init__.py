"""Files from web servers by plain GET and byte ranges, with retries and cancellation."""
