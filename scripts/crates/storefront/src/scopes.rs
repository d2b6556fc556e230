//! The OAuth scopes of the storefront's API.

/// The scope that makes a caller an admin.
pub const ADMIN_SCOPE: &str = "products:write";
