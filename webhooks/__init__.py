"""The door texts and receipts come in by: verify, translate, hand to the batcher, answer."""
