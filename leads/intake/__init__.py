"""Taking leads in from files: encoding, rows, columns, values, and what they change."""
