"""What a platform without fork, alarm signals, file locks and redis-server looks like to Python."""
