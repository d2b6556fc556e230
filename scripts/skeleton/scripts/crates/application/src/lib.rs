//! The parts of the scripts that depend on the application: the data that `./scripts/dev` loads into a new stack, and the
//! scopes of the tokens that `./scripts/token` issues.

pub mod demo;
/// The OAuth scopes of the API.
pub mod scopes {
    /// The scope that admins have.
    pub const ADMIN_SCOPE: &str = "notes:write";
}
