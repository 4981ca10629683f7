"""What a journal is good for after the turn: reading, proving, exporting, replaying, forking, upgrading, erasing."""
