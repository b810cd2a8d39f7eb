"""What renders: the engine seam, the engines that come along, and the process they run in."""
