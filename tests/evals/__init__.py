"""Users as they talk: scripted agents play the scenarios of ``evals/``, and a table says what each message means."""
