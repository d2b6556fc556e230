//! The OAuth scopes of the API.

/// The scope that admins have.
pub const ADMIN_SCOPE: &str = "notes:write";
