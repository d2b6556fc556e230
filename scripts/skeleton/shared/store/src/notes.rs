//! Storage of notes.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::{CreateNote, DeleteOldNotes, GetNote, SaveWordCount};
use domain::{AuthorId, Note, NoteId};
use ferrite_core::ports::PortError;
use ferrite_core::{Timestamp, TraceContext};

use crate::keys::{self, author_partition, note_sort_key};
use crate::note_item;
use crate::table::Table;

impl CreateNote for Table {
    async fn create(&self, note: &Note, trace_context: &TraceContext) -> Result<(), PortError> {
        // If the note exists, an earlier attempt has stored it.
        self.0.create(note_item::write(note, trace_context)?).await.map(drop)
    }
}

impl GetNote for Table {
    async fn get(&self, author: &AuthorId, id: NoteId) -> Result<Option<Note>, PortError> {
        let item = self.0.get(author_partition(author), note_sort_key(id)).await?;
        item.map(|item| note_item::read(item).map(|(note, _)| note)).transpose()
    }
}

impl SaveWordCount for Table {
    async fn save_word_count(&self, author: &AuthorId, id: NoteId, count: u32) -> Result<bool, PortError> {
        let update = self
            .0
            .update(author_partition(author), note_sort_key(id))
            .update_expression("SET wordCount = :count, #version = #version + :one")
            // Without the first condition, the update would create an item for a note that was deleted.
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(wordCount)")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        self.0.update_if(update).await
    }
}

impl DeleteOldNotes for Table {
    async fn delete_old(&self, before: Timestamp) -> Result<u32, PortError> {
        let query = self
            .0
            .query(keys::LIST_INDEX)
            .key_condition_expression("gsi1pk = :all AND gsi1sk < :before")
            .expression_attribute_values(":all", AttributeValue::S(keys::ALL_NOTES.to_owned()))
            .expression_attribute_values(":before", AttributeValue::S(before.to_string()));
        let mut notes = query.into_paginator().items().send();
        let mut deleted = 0;
        while let Some(item) = notes.next().await {
            let mut item = item.map_err(PortError::during("Query"))?;
            // Only the keys are read: an item in an unknown format must not keep all newer notes from being deleted.
            if let (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) = (item.remove("pk"), item.remove("sk")) {
                // The index is eventually consistent, so it may list a note that was deleted already.
                deleted += u32::from(self.0.delete(pk, sk).await?);
            }
        }
        Ok(deleted)
    }
}
