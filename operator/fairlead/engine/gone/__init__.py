"""What is there no longer, or soon will be: directories whose objects are gone, and finished Jobs whose time is up."""
