"""What a driver is made of: parts, that declare their arrays once and contribute statements to each phase of a step."""
