"""The edits of Agent Memory Integrity (AgMI), tried on the store, and which door of Phasegate refuses which."""
