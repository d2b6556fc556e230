"""A function that charges once, on Powertools for AWS Lambda (Python): the twin of src/main.rs."""
