"""The store in a PostgreSQL database: for any number of hosts, and for the same contract as every other store."""
