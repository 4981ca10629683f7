"""A refund: the policy, and looking for a refund whose answer was lost."""
