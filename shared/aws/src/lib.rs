//! The domain's ports on AWS services, behind one lean SDK client.
