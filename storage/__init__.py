"""What is kept: the database, its migrations and the queries over it."""
