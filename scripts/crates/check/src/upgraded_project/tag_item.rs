//! Item format of the tags of a note.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::NoteId;
use domain::tag::Tag;
use ferrite_core::ports::PortError;
use serde::{Deserialize, Serialize};

use crate::keys;

#[derive(Serialize, Deserialize)]
struct TagItem {
    pk: String,
    sk: String,
    tag: Tag,
}

/// Returns the item of a tag.
///
/// # Errors
/// Returns an error if the tag cannot be serialized.
pub fn write_tag(note: NoteId, tag: &Tag) -> Result<HashMap<String, AttributeValue>, PortError> {
    let item = TagItem { pk: keys::note_sort_key(note), sk: "TAG".to_owned(), tag: tag.clone() };
    serde_dynamo::to_item(item).map_err(|error| PortError::new("writing a tag item", error))
}

/// Reads the item of a tag.
///
/// # Errors
/// Returns an error if the item has another format.
pub fn read_tag(item: HashMap<String, AttributeValue>) -> Result<Tag, PortError> {
    let item: TagItem = serde_dynamo::from_item(item).map_err(|error| PortError::new("reading a tag item", error))?;
    Ok(item.tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_item_that_it_wrote() {
        let note = "note_0192f0c1a2b37c4d8e5f60718293a4b5".parse().unwrap();
        let tag = Tag::parse("draft").unwrap();
        assert_eq!(read_tag(write_tag(note, &tag).unwrap()).unwrap(), tag);
    }
}
