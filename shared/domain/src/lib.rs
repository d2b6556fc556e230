//! The storefront's entities, rules and ports: no AWS, no HTTP, no clock, no randomness.
