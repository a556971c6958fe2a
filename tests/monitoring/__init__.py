"""What watches production, against arithmetic, other libraries and loops that share no code with it."""
