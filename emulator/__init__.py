"""A stand-in for Twilio's messaging, for the demo and the tests.

It answers the REST calls a product makes, posts the signed webhooks a product
receives, and has phones to type on, so that everything short of the radio
network can be tried without an account, without cost and without texting
anybody. It knows nothing of the product: the two meet over HTTP only.
"""
