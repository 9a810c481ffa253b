"""What is said when the API refuses an object, and by the controllers that create pods, jobs and replicas."""
