"""The queue of generations, and the threads that render them and clean up."""
