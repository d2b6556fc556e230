//! Names of stacks.

/// Maximum length of a stack name, so that a bucket name such as `<stack>-images-<account>-<region>` is valid.
///
/// A bucket name has at most 63 characters, without upper-case letters (Amazon S3, "General purpose bucket naming
/// rules"). The account ID has 12 characters and the longest region name has 14.
const MAX_LENGTH: usize = 28;

/// The name of a new environment's stack, with the same beginning as that of the local stack.
pub(crate) fn default_stack_name(local: &str, environment: &str) -> String {
    format!("{}-{environment}", local.trim_end_matches("-local"))
}

/// Checks that bucket names can contain the name.
///
/// # Errors
/// Returns the rule if the name violates it.
pub(crate) fn check_stack_name(name: &str) -> Result<(), String> {
    let is_allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_with_letter && name.len() <= MAX_LENGTH && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "because bucket names contain it, it must start with a lower-case letter, contain only lower-case letters, digits \
         and hyphens, and have at most {MAX_LENGTH} characters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_new_stacks_after_the_local_stack() {
        assert_eq!(default_stack_name("notes-local", "staging"), "notes-staging");
        assert_eq!(default_stack_name("notes", "staging"), "notes-staging");
    }

    #[test]
    fn rejects_names_that_are_not_valid_in_a_bucket_name() {
        for valid in ["ferrite-staging", "s", "app-2", &"a".repeat(MAX_LENGTH)] {
            assert!(check_stack_name(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "App", "2app", "app_eu", "app.eu", &"a".repeat(MAX_LENGTH + 1)] {
            assert!(check_stack_name(invalid).is_err(), "{invalid}");
        }
    }
}
