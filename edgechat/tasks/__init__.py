"""What is alive: a file for each kind of task. Time comes from Trio's clock alone."""
