//! Key layout of the table. Only this module creates keys.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | note | `AUTHOR#<sub>` | `NOTE#<id>` | `NOTES` | `<createdAt>#<id>` |
//!
//! The partition key `NONE` is reserved for prewarming calls. No item has it.
//!
//! In template.yaml, the role of each function lists the partitions that the function may access
//! (`dynamodb:LeadingKeys`). When you add a type of item, add the prefix of its partition key there.
//!
//! Notes are stored in the partition of their author, so a lookup of another author's note finds nothing, and no separate
//! permission check is needed.
//!
//! `gsi1` lists all notes in one partition, which limits it to 1,000 new notes per second. If you expect more, spread the
//! notes over several partitions, such as `NOTES#<shard>`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AuthorId, NoteId, NotePosition};
use ferrite_core::Timestamp;

pub(crate) const NO_PARTITION: &str = "NONE";
pub(crate) const LIST_INDEX: &str = "gsi1";
pub(crate) const ALL_NOTES: &str = "NOTES";

pub(crate) type Key = HashMap<String, AttributeValue>;

pub(crate) fn string(text: impl ToString) -> AttributeValue {
    AttributeValue::S(text.to_string())
}

pub(crate) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn author_partition(author: &AuthorId) -> String {
    format!("AUTHOR#{author}")
}

pub(crate) fn note_sort_key(id: NoteId) -> String {
    format!("NOTE#{id}")
}

pub(crate) fn list_sort_key(created_at: Timestamp, id: NoteId) -> String {
    format!("{created_at}#{id}")
}

/// The end of a range of the list that contains the notes created before `time`.
pub(crate) fn list_sort_key_before(time: Timestamp) -> String {
    time.to_string()
}

pub(crate) fn note(author: &AuthorId, id: NoteId) -> Key {
    HashMap::from([("pk".to_owned(), string(author_partition(author))), ("sk".to_owned(), string(note_sort_key(id)))])
}

/// The start key of a list that continues after `position`.
pub(crate) fn list_position(position: &NotePosition) -> Key {
    let mut key = note(&position.author, position.id);
    key.insert("gsi1pk".to_owned(), string(ALL_NOTES));
    key.insert("gsi1sk".to_owned(), string(list_sort_key(position.created_at, position.id)));
    key
}

/// The key of the item that prewarming calls use. It does not exist.
pub(crate) fn no_item() -> Key {
    HashMap::from(["pk", "sk"].map(|name| (name.to_owned(), string(NO_PARTITION))))
}
