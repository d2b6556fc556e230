//! The OAuth scopes of the storefront's API.

/// The scope that admins have.
pub const ADMIN_SCOPE: &str = "products:write";
