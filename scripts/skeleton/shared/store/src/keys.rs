//! Key layout of the table. Only this module creates keys.
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` |
//! |---|---|---|---|---|
//! | note | `AUTHOR#<sub>` | `NOTE#<id>` | `NOTES` | `<createdAt>#<id>` |
//!
//! The partition key `NONE` is reserved for calls that open the connection during init. No item has it.
//!
//! In template.yaml, the role of each function lists the partitions that the function may access
//! (`dynamodb:LeadingKeys`). When you add a type of item, add the prefix of its partition key there.
//!
//! Notes are stored in the partition of their author, so a lookup of another author's note finds nothing, and no separate
//! permission check is needed.
//!
//! `gsi1` lists all notes in one partition, which limits it to 1,000 new notes per second. If you expect more, spread the
//! notes over several partitions, such as `NOTES#<shard>`.

use domain::{AuthorId, Note, NoteId};

pub(crate) const LIST_INDEX: &str = "gsi1";
pub(crate) const ALL_NOTES: &str = "NOTES";

pub(crate) fn author_partition(author: &AuthorId) -> String {
    format!("AUTHOR#{author}")
}

pub(crate) fn note_sort_key(id: NoteId) -> String {
    format!("NOTE#{id}")
}

pub(crate) fn list_sort_key(note: &Note) -> String {
    format!("{}#{}", note.created_at, note.id)
}
