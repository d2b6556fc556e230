"""An idempotent charging function on Powertools for AWS Lambda (Python), equivalent to src/main.rs."""
