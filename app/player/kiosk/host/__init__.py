"""What a kiosk asks of its machine: a log, a screen that stays on, a start after a crash."""
